"""One whole iteration with an LLM for feedback and improvement on the published dates and deductions, under DVC.

    python -m bench.llm iteration     PUBLISHED=<folder with date_understanding.jsonl and logical_deduction.jsonl>

The local server answers from the scripts and the reference rationales, so this is plumbing: no accuracy comes of it.
The plan's estimate stands beside what happened.
"""

import json
import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import msgspec
from ruamel.yaml import YAML

from bench.llm.runs import LIBRARIES
from bench.speed.pairs import Row, write
from tests.llm_server import Config, running
from tripost.shell.io import load_problems

ROOT = Path(__file__).resolve().parent.parent.parent
TASKS = ("date_understanding", "logical_deduction")
KEY = "sk-bench-0123456789abcdef"
KEPT = ("dvc.yaml", ".dvcignore", ".gitignore")


def main(pairs: int, count: int) -> list[Row]:
    """`count`: problems of a task in the iteration's window."""
    del pairs
    published = os.environ.get("PUBLISHED", "")
    missing = [task for task in TASKS if not (Path(published) / f"{task}.jsonl").exists()]
    if missing:
        sys.exit(f"PUBLISHED: {published!r} has no {', '.join(f'{task}.jsonl' for task in missing)}")
    with TemporaryDirectory(prefix="tripost-iteration-") as name:
        rows = _measure(Path(name), Path(published).resolve(), count)
    write("llm_iteration", rows, LIBRARIES)
    return rows


def _measure(folder: Path, published: Path, count: int) -> list[Row]:
    environment = _copy(folder)
    config = Config(key=KEY, models=["stand-in"], answer="tests.llm_server.expert:answer", latency_ms=200)
    _params(folder, published, count, "http://127.0.0.1:9/v1")
    _do(folder, environment, "python", "-m", "dvc", "repro", "-q", "rollout@t1")
    _with_validation(folder)
    with running(config) as server:
        _params(folder, published, count, server.base_url)
        plan = _do(folder, environment, "python", "-m", "tripost.cli", "plan")
        started = time.monotonic()
        _do(folder, environment, "python", "-m", "dvc", "repro")
        seconds = time.monotonic() - started
        stats = server.stats()
        again = _do(folder, environment, "python", "-m", "tripost.cli", "plan")
        table = _do(folder, environment, "python", "-m", "tripost.cli", "replies")
    sys.stderr.write(f"{plan}\n{table}\n{again}\n")
    return _rows(folder, plan, stats.answered, seconds, stats.answered_more_than_once)


def _with_validation(folder: Path) -> None:
    """The server knows the problems of validation, too: eval asks about them."""
    answers = folder / "answers.jsonl"
    with answers.open("wb") as file:
        for split in ("train", "validation"):
            for problem in load_problems(folder / f"data/problems/{split}.jsonl").values():
                file.write(msgspec.json.encode(problem) + b"\n")
    os.environ["TRIPOST_ANSWERS"] = str(answers)


def _rows(folder: Path, plan: str, answered: int, seconds: float, twice: int) -> list[Row]:
    planned = sum(int(found.replace(",", "")) for found in re.findall(r": ([\d,]+) calls of ", plan))
    money = sum(float(found) for found in re.findall(r", cost ([\d.]+);", plan))
    counts = {name: json.loads((folder / f"data/t1/{name}.json").read_text()) for name in ("edit", "validate")}
    paid = json.loads((folder / "eval/t1/metrics.json").read_text())
    used = [*_leaves(counts["edit"]["calls"]), *(leaf for task in paid.values() for leaf in _leaves(task["total"]))]
    cost = sum(leaf["cost"] for leaf in used)
    sys.stderr.write(f"{json.dumps(counts, indent=1)}\n{seconds:.0f} s of dvc repro, {twice} answered twice\n")
    return [
        _row("calls", answered, planned, f"{answered} happened, {planned} planned"),
        _row("money", cost, money, f"{cost:.4f} paid, {money:.4f} planned"),
    ]


def _row(what: str, happened: float, planned: float, note: str) -> Row:
    """What happened as a share of what was planned; off by half either way would be a poor plan."""
    ratio = happened / max(1e-9, planned)
    worst = max(ratio, 1 / max(1e-9, ratio))
    return Row(f"{what}, one iteration", "the plan's estimate", worst, worst, worst, 1.5, "lower", 1, note=note)


def _leaves(found: Any) -> list[dict[str, float]]:
    if not isinstance(found, dict):
        return []
    if {"prompt_tokens", "cost"} <= found.keys():
        return [found]
    return [leaf for value in found.values() for leaf in _leaves(value)]


def _copy(folder: Path) -> dict[str, str]:
    for part in ("src", "stages", "imported", "models/embedded"):
        shutil.copytree(ROOT / part, folder / part)
    (folder / ".dvc").mkdir()
    for part in (*KEPT, ".dvc/config", ".dvc/.gitignore"):
        shutil.copy(ROOT / part, folder / part)
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    own = {"PATH": path, "PYTHONPATH": str(folder / "src"), "STAND_IN_KEY": KEY, "DVC_NO_ANALYTICS": "1"}
    environment = {**os.environ, **own}
    _do(folder, environment, "git", "init", "-q")
    return environment


def _params(folder: Path, published: Path, count: int, base_url: str) -> None:
    raw: dict[str, Any] = YAML(typ="safe", pure=True).load((ROOT / "params.yaml").read_text(encoding="utf-8"))
    raw["iterations"], raw["final"] = {"t1": {"prev": "t0"}}, "t1"
    raw["problems"] = {task: raw["problems"][task] for task in TASKS}
    for task, source in raw["problems"].items():
        source.update(source="tripost", path=str(published / f"{task}.jsonl"), unseen=[], validation=20, test=10)
        source.update(expert={"feedback": "llm", "improve": "llm"})
    raw["warmup"]["tokens"], raw["rollout"]["window"] = 60_000, count
    raw["validate"].update(min_rows=0, improves_share=[0.0, 1.0])
    raw["llms"]["llm"]["model"] = "stand-in"
    raw["calls"]["max_cost"] = 5.0
    own = {"base_url": base_url, "api": "compatible", "key": "STAND_IN_KEY", "requests_per_minute": 3000}
    raw["calls"]["endpoints"]["llm"].update({**own, "tokens_per_minute": None})
    with (folder / "params.yaml").open("w", encoding="utf-8") as file:
        YAML(typ="safe", pure=True).dump(raw, file)


def _do(folder: Path, environment: dict[str, str], *command: str) -> str:
    words = [sys.executable, *command[1:]] if command[0] == "python" else list(command)
    done = subprocess.run(words, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    sys.stderr.write(done.stderr[-4000:])
    if done.returncode:
        sys.exit(f"{' '.join(command)}: {done.returncode}\n{done.stdout[-3000:]}{done.stderr[-3000:]}")
    return done.stdout
