"""Documents that hold the tasks' own phrases: problems, rationales, and feedback on rationales with a slip in them.

The scratch tokenizer learns its words from them. No trajectory of a model is among them.
"""

import random
import re
from collections.abc import Iterator, Mapping
from itertools import islice

from tripost.interfaces import CannotJudge, Drilled, Expert, Task
from tripost.layout import PAPER_LAYOUT, Layout
from tripost.prompts import pair_segments
from tripost.records import Attempt, Example, Feedback, Problem, Segment, Turn
from tripost.text import parse_attempt

EXERCISES = 12
"""A page."""
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
            yield document(problem, experts[name], rng)


def drills(tasks: Mapping[str, Task], count: int, seed: int) -> list[Example]:
    """`count` pages of exercises for each task that has some; what is given has weight 0."""
    pages: list[Example] = []
    for name, task in tasks.items():
        if not isinstance(task, Drilled):
            continue
        rng = random.Random(f"drills {seed} {name}")
        for number in range(count):
            lines = [task.drill(rng) for _ in range(EXERCISES)]
            segments = [
                segment
                for given, said in lines
                for segment in (
                    Segment(part="question", text=given, weight=0.0),
                    Segment(part="attempt", text=f"{said}\n", weight=1.0),
                )
            ]
            page = f"{name}-drill-{number}"
            pages.append(Example(id=page, kind="ground_truth", task=name, problem_id=page, segments=tuple(segments)))
    return pages


def document(problem: Problem, expert: Expert, rng: random.Random, layout: Layout = PAPER_LAYOUT) -> str:
    """A question, its rationale with a slip, the feedback on it, and the rationale as the update."""
    attempt, feedback = slip(problem, expert, rng)
    right = parse_attempt(problem.rationale or "", "dataset")
    turns = [
        Turn(attempt=attempt, feedback=feedback, n_tokens=0),
        Turn(attempt=right, feedback=None, n_tokens=0),
    ]
    return "".join(text for _, text in pair_segments(problem.question, turns, 0, layout, with_update=True))


def slip(problem: Problem, expert: Expert, rng: random.Random) -> tuple[Attempt, Feedback | None]:
    """The rationale with something changed in it, and what the expert says of it, where it can judge."""
    attempt = parse_attempt(_slip(problem.rationale or "", rng), "dataset")
    verdict = None if attempt.malformed else expert.feedback(problem, attempt)
    return attempt, None if isinstance(verdict, CannotJudge) else verdict


def _slip(text: str, rng: random.Random) -> str:
    """The text with one piece replaced by another of its pieces."""
    pieces = list(_PIECE.finditer(text))
    if not pieces:
        return text
    at, other = rng.choice(pieces), rng.choice(pieces)
    return text[: at.start()] + other[0] + text[at.end() :]
