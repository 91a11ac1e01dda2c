"""Date understanding (BIG-Bench Hard): which date is it, told in a roundabout way? Lettered options.

Difficulty is `N steps`: how many days have to be found one after the other, the one that is asked for among them.
Seen: 1-2 steps. Unseen: 3 to 6 steps, told as a story of events.
"""

import random
import re
from collections.abc import Iterator, Sequence

from tripost.errors import DataError
from tripost.interfaces import Expert, PlantedError
from tripost.records import Attempt, Problem
from tripost.tasks.date_understanding.days import TODAY, read_span, shift, spelled
from tripost.tasks.date_understanding.derive import derive
from tripost.tasks.date_understanding.question import read_question
from tripost.tasks.date_understanding.wording import some_ask, some_day, write_question
from tripost.tasks.generated import generate
from tripost.tasks.options import Lettered
from tripost.text import write_attempt

_DIFFICULTY = re.compile(r"([1-6]) steps?")


class DateUnderstanding(Lettered):
    """The task."""

    name = "date_understanding"

    def seen(self, difficulty: str) -> bool:
        """Seen: 1-2 steps."""
        return _read(difficulty) <= 2

    def problems(self, difficulties: Sequence[str], seed: int) -> Iterator[Problem]:
        """Endless problems, difficulties in turn."""
        return generate(self, difficulties, seed, _problem)

    def script(self) -> Expert:
        """FBK and IMP that look at the calendar."""
        from tripost.tasks.date_understanding.check import DateScript

        return DateScript()

    def plant(self, problem: Problem, attempt: Attempt, rng: random.Random) -> PlantedError | None:
        """A slip in one date, in what a condition says, or in the letter."""
        from tripost.tasks.date_understanding.plant import plant

        return plant(problem, attempt, rng)

    def drill(self, rng: random.Random) -> tuple[str, str]:
        """A day so far from another."""
        day, asked = some_day(rng), some_ask(rng)
        return f"Today is {spelled(day)}. The date {asked} is ", spelled(shift(day, read_span(asked) or TODAY))

    def difficulty(self, question: str) -> str:
        """The number of days that have to be found for a published question."""
        return _written(read_question(question).steps)


def _read(difficulty: str) -> int:
    match = _DIFFICULTY.fullmatch(difficulty)
    if match is None or difficulty != _written(int(match[1])):
        raise DataError(f"difficulty {difficulty!r}: write it as '1 step' or '2 steps' (1-6)")
    return int(match[1])


def _written(steps: int) -> str:
    return "1 step" if steps == 1 else f"{steps} steps"


def _problem(difficulty: str, rng: random.Random) -> tuple[str, str, str]:
    """Question, answer and rationale."""
    question = write_question(_read(difficulty), rng)
    steps, final_text = derive(question)
    attempt = write_attempt(steps, final_text, "dataset")
    return question, str(attempt.final), attempt.raw
