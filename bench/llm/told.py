"""What every side is told, and how a side that runs once says what it did. Standard library alone, since peers run in
environments of their own.

    python -m bench.llm.SIDE BASE_URL COUNT CONCURRENCY FOLDER

asks COUNT questions; what it keeps for its next life is in FOLDER, and at the end FOLDER/report.json.
"""

import json
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from bench.speed.side import peak_mb

KEY = "sk-test"
KEY_NAME = "TRIPOST_BENCH_KEY"
MODEL = "test-model"
SYSTEM = "You are a careful grader. Answer in one sentence, and in no more than ten words."
MAX_TOKENS = 128
TIMEOUT_S = 60
CHARACTERS = 270
"""Of a question: with the system's words and the answer about 100 tokens, as the server counts."""
FILLER = "How many steps of the solution below are right? " * 40


def question(number: int, characters: int = CHARACTERS) -> str:
    """The words of a question; no two are the same."""
    head = f"Question {number:06d}. "
    return head + FILLER[: characters - len(head)]


def questions(count: int, spread: int = 0) -> list[str]:
    """The first `count` of them; their lengths differ by up to `spread` characters to either side."""
    return [question(n, CHARACTERS + (n * 7919 % (2 * spread + 1)) - spread) for n in range(count)]


def messages(text: str) -> list[dict[str, str]]:
    """A question as a chat."""
    return [{"role": "system", "content": SYSTEM}, {"role": "user", "content": text}]


class Told(NamedTuple):
    """The command line of a side that runs once."""

    base_url: str
    rows: int
    concurrency: int
    folder: Path
    options: dict[str, Any]


def once(ask: Callable[[Told], dict[int, str]]) -> None:
    """Ask, and say what came of it: the text of each row by its number, seconds without imports, CPU and memory."""
    base_url, count, concurrency, folder, *options = sys.argv[1:]
    told = Told(base_url, int(count), int(concurrency), Path(folder), json.loads(options[0]) if options else {})
    began = time.perf_counter()
    found = ask(told)
    seconds = time.perf_counter() - began
    used = os.times()
    cpu = used.user + used.system + used.children_user + used.children_system
    report = {"seconds": seconds, "cpu": cpu, "peak_mb": peak_mb(), "results": found}
    part = told.folder / "report.part"
    part.write_text(json.dumps(report), encoding="utf-8")
    part.replace(told.folder / "report.json")
