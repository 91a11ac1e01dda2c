"""Documents that hold the tasks' own phrases: problems, rationales, and feedback on rationales with a slip in them.

The scratch tokenizer learns its words from them. No trajectory of a model is among them.
"""

import random
import re
from collections.abc import Iterator, Mapping
from itertools import islice

from tripost.interfaces import CannotJudge, Expert, Task
from tripost.records import Problem, Turn
from tripost.text import pair_segments, parse_attempt

_PIECE = re.compile(r"[A-Za-z]+|[0-9]|[^\sA-Za-z0-9]")


def documents(
    tasks: Mapping[str, Task],
    experts: Mapping[str, Expert],
    difficulties: Mapping[str, tuple[str, ...]],
    count: int,
    seed: int,
) -> Iterator[str]:
    """`count` documents for each task."""
    for name, task in tasks.items():
        rng = random.Random(f"phrases {seed} {name}")
        for problem in islice(task.problems(difficulties[name], seed), count):
            yield _document(problem, experts[name], rng)


def _document(problem: Problem, expert: Expert, rng: random.Random) -> str:
    attempt = parse_attempt(_slip(problem.rationale or "", rng), "dataset")
    verdict = None if attempt.malformed else expert.feedback(problem, attempt)
    feedback = None if isinstance(verdict, CannotJudge) else verdict
    right = parse_attempt(problem.rationale or "", "dataset")
    turns = [
        Turn(attempt=attempt, feedback=feedback, n_tokens=0),
        Turn(attempt=right, feedback=None, n_tokens=0),
    ]
    return "".join(text for _, text in pair_segments(problem.question, turns, 0, "last", with_update=True))


def _slip(text: str, rng: random.Random) -> str:
    """The text with one piece replaced by another of its pieces."""
    pieces = list(_PIECE.finditer(text))
    if not pieces:
        return text
    at, other = rng.choice(pieces), rng.choice(pieces)
    return text[: at.start()] + other[0] + text[at.end() :]
