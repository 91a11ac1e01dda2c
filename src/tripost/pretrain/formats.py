"""What the embedded base has read, as digests: a format that changes needs a new base."""

import random
from collections.abc import Iterator
from hashlib import sha256
from itertools import islice

from tripost import registry
from tripost.interfaces import Planted
from tripost.layout import PAPER_LAYOUT, Layout
from tripost.phrases import document
from tripost.pretrain.corpus import SHARES, pages
from tripost.records import Attempt, Feedback
from tripost.registry import TASKS
from tripost.text import parse_attempt

COUNT = 30
DIFFICULTIES = {
    "date_understanding": ("1 step", "2 steps", "3 steps"),
    "logical_deduction": ("3 objects", "4 objects", "5 objects"),
    "multistep_arithmetic": ("length 3, depth [2]", "length 4, depth [2]", "length 3, depth [2,2]"),
    "word_sorting": ("3 words", "5 words", "8 words"),
}
"""Of the texts that the tokenizer has its phrases from."""


def task_documents(name: str, count: int, seed: int, layout: Layout = PAPER_LAYOUT) -> list[str]:
    """Questions, rationales with a slip, the script's feedback and the rationale as the update, in the layout."""
    expert, rng = registry.script(name), random.Random(f"formats {seed} {name}")
    problems = islice(registry.task(name).problems(DIFFICULTIES[name], seed), count)
    return [document(problem, expert, rng, layout) for problem in problems]


def formats() -> dict[str, str]:
    """A digest of each task's texts, in both kinds of feedback and mended, and of each kind of page."""
    found = {name: _digest(task_documents(name, COUNT, 0)) for name in sorted(TASKS)}
    for name in sorted(TASKS):
        found[f"{name}, mended"] = _digest(list(_mended(name, COUNT, 0)))
        found[f"{name}, walk"] = _digest(task_documents(name, COUNT, 0, Layout(feedback="walk")))
    for kind, (_, share) in sorted(SHARES.items()):
        found[f"page: {kind}"] = _digest([str((share, *page)) for page in islice(pages(kind, "0"), COUNT)])
    return found


def _mended(name: str, count: int, seed: int) -> Iterator[str]:
    """What the script says of planted errors, and how it mends them."""
    task, expert, rng = registry.task(name), registry.script(name), random.Random(f"mended {seed} {name}")
    assert isinstance(task, Planted)
    for problem in islice(task.problems(DIFFICULTIES[name], seed), count):
        error = task.plant(problem, parse_attempt(problem.rationale or "", "dataset"), rng)
        said = None if error is None else expert.feedback(problem, error.attempt)
        if error is None or not isinstance(said, Feedback):
            continue
        update = expert.improve(problem, error.attempt, said)
        yield said.text
        yield update.raw if isinstance(update, Attempt) else update.reason


def _digest(texts: list[str]) -> str:
    return sha256("\0".join(texts).encode()).hexdigest()[:16]
