"""Doubling a number: a task without a script."""

import random
from collections.abc import Iterator, Sequence

from tripost.records import Attempt, Problem
from tripost.tasks.generated import generate


class Doubling:
    """Difficulty is `N digits`; 1 and 2 are seen."""

    name = "doubling"

    def seen(self, difficulty: str) -> bool:
        """Whether it is trained on."""
        return difficulty in {"1 digits", "2 digits"}

    def problems(self, difficulties: Sequence[str], seed: int) -> Iterator[Problem]:
        """As many as there are."""
        return generate(self, difficulties, seed, make)

    def is_correct(self, problem: Problem, attempt: Attempt) -> bool:
        """The same number."""
        return attempt.final == problem.answer


def make(difficulty: str, rng: random.Random) -> tuple[str, str, str]:
    """Question, answer and rationale."""
    n = rng.randrange(10 ** int(difficulty[0]))
    return f"Double {n}.", f"{2 * n}", f"(1) {n} + {n} = {2 * n}.\n(Final response) So the answer is {2 * n}."
