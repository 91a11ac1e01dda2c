"""Logical deduction (BIG-Bench Hard): objects in a row, clues about their order, and one question about it.

Difficulty is `N objects`. Seen: 3, 4 or 5 objects. Unseen: 6 or 7. Half of the generator's questions are about the
published themes in the published wordings, the others about these and others in other wordings too, so that there is
no one template to live on.
"""

import random
import re
from collections.abc import Iterator, Sequence

from tripost.errors import DataError
from tripost.interfaces import Expert, PlantedError
from tripost.records import Attempt, Problem
from tripost.tasks.generated import generate
from tripost.tasks.logical_deduction.derive import derive
from tripost.tasks.logical_deduction.drill import exercise
from tripost.tasks.logical_deduction.puzzle import make_question
from tripost.tasks.logical_deduction.question import read_question
from tripost.tasks.options import Lettered
from tripost.text import write_attempt

_DIFFICULTY = re.compile(r"([3-7]) objects")


class LogicalDeduction(Lettered):
    """The task."""

    name = "logical_deduction"

    def seen(self, difficulty: str) -> bool:
        """Seen: 3-5 objects."""
        return _read(difficulty) <= 5

    def problems(self, difficulties: Sequence[str], seed: int) -> Iterator[Problem]:
        """Endless problems, difficulties in turn."""
        return generate(self, difficulties, seed, _problem)

    def script(self) -> Expert:
        """FBK and IMP that try all arrangements."""
        from tripost.tasks.logical_deduction.check import DeductionScript

        return DeductionScript()

    def plant(self, problem: Problem, attempt: Attempt, rng: random.Random) -> PlantedError | None:
        """A slip in one line."""
        from tripost.tasks.logical_deduction.plant import plant

        return plant(problem, attempt, rng)

    def drill(self, rng: random.Random) -> tuple[str, str]:
        """What a clue says as an ordering, or what two orderings say together."""
        return exercise(rng)

    def difficulty(self, question: str) -> str:
        """The number of objects of a published question."""
        size = read_question(question).size
        if size < 3:
            raise DataError("not a question of logical deduction: it has no 3-7 objects")
        return f"{size} objects"


def _read(difficulty: str) -> int:
    match = _DIFFICULTY.fullmatch(difficulty)
    if match is None:
        raise DataError(f"difficulty {difficulty!r}: write it as '5 objects' (3-7)")
    return int(match[1])


def _problem(difficulty: str, rng: random.Random) -> tuple[str, str, str]:
    """Question, answer and rationale."""
    text = make_question(_read(difficulty), rng)
    steps, final_text = derive(read_question(text))
    attempt = write_attempt(steps, final_text, "dataset")
    return text, str(attempt.final), attempt.raw
