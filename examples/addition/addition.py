"""Column addition: a whole task in one file, found by `problems.addition.module` in params.yaml.

Q: Add 47 and 85.
(1) 7 + 5 + 0 = 12, carry 1, so far 2.
(2) 4 + 8 + 1 = 13, carry 1, so far 32.
(Final response) So the answer is 132.
"""

import random
import re
from collections.abc import Iterator, Sequence

from tripost.errors import DataError
from tripost.experts.script import call_correct, call_wrong, improve_by
from tripost.interfaces import CannotImprove, CannotJudge
from tripost.records import Attempt, Feedback, Problem, Step
from tripost.tasks.generated import generate
from tripost.text import says_only_the_answer, write_attempt

MOST_DIGITS = 9


class Addition:
    """The task. Difficulty is `N digits`, of both numbers; 2 and 3 are seen, 4 to 9 unseen."""

    name = "addition"

    def seen(self, difficulty: str) -> bool:
        """Whether it is trained on."""
        return _digits(difficulty) <= 3

    def problems(self, difficulties: Sequence[str], seed: int) -> Iterator[Problem]:
        """As many as are asked for, no question twice."""
        return generate(self, difficulties, seed, make)

    def is_correct(self, problem: Problem, attempt: Attempt) -> bool:
        """The grader: the same number."""
        return attempt.final == problem.answer

    def script(self) -> "AdditionScript":
        """FBK and IMP."""
        return AdditionScript()


def _digits(difficulty: str) -> int:
    found = re.fullmatch(r"([2-9]) digits", difficulty)
    if not found:
        raise DataError(f"difficulty {difficulty!r}: write it as '3 digits' (2-{MOST_DIGITS})")
    return int(found[1])


def make(difficulty: str, rng: random.Random) -> tuple[str, str, str]:
    """Question, answer and rationale of one problem."""
    low, high = 10 ** (_digits(difficulty) - 1), 10 ** _digits(difficulty) - 1
    question = f"Add {rng.randint(low, high)} and {rng.randint(low, high)}."
    rationale = write_attempt(*derive(question), "dataset")
    return question, str(rationale.final), rationale.raw


class Column:
    """One column worked out: its parts as they are written, and why each of them is right."""

    def __init__(self, a: str, b: str, carry: int, behind: str) -> None:
        total = int(a) + int(b) + carry
        self.carry, self.so_far = total // 10, f"{total % 10}{behind}"
        self.parts = (f"{a} + {b} + {carry}", f"= {total}", f"carry {self.carry}", f"so far {self.so_far}")
        self.reasons = (
            f"this column adds {a}, {b} and the carry {carry}",
            f"{a} + {b} + {carry} is {total}",
            f"{total} carries {self.carry}",
            f"{total % 10} is written before {behind or 'nothing'}",
        )


def columns(question: str) -> list[Column]:
    """The columns of a question from the right. Raises ValueError where it is none."""
    found = re.fullmatch(r"Add ([0-9]{1,9}) and ([0-9]{1,9})\.", question)
    if not found:
        raise ValueError("not a question of addition")
    width = max(len(found[1]), len(found[2]))
    worked: list[Column] = []
    for a, b in zip(reversed(found[1].zfill(width)), reversed(found[2].zfill(width)), strict=True):
        before = worked[-1] if worked else None
        worked.append(Column(a, b, before.carry if before else 0, before.so_far if before else ""))
    return worked


def derive(question: str, kept: Sequence[Step] = ()) -> tuple[list[Step], str]:
    """All steps, those that are kept first, and the final response."""
    right = columns(question)
    steps = list(kept)
    for number in range(len(kept), len(right)):
        adds, total, carry, so_far = right[number].parts
        steps.append(Step(label=str(number + 1), text=f"{adds} {total}, {carry}, {so_far}."))
    return steps, f"So the answer is {right[-1].carry or ''}{right[-1].so_far}."


_STEP = re.compile(r"([0-9] \+ [0-9] \+ [0-9]) (= [0-9]{1,2}), (carry [0-9]), (so far [0-9]{1,9})\.")


class AdditionScript:
    """FBK checks each part of each step; IMP goes on behind the last right one."""

    def feedback(self, problem: Problem, attempt: Attempt) -> Feedback | CannotJudge:
        """FBK: the first part that is not what it should be, and why."""
        try:
            right, (_, last) = columns(problem.question), derive(problem.question)
        except ValueError as error:
            return CannotJudge(str(error))
        for number, step in enumerate(attempt.steps, start=1):
            said = _STEP.fullmatch(step.text)
            if said is None:
                return CannotJudge(f"step ({step.label}) is no column")
            if number > len(right):
                return call_wrong(attempt, number, said[1], "there is no such column")
            column = right[number - 1]
            for part, wanted, reason in zip(said.groups(), column.parts, column.reasons, strict=True):
                if part != wanted:
                    return call_wrong(attempt, number, part, reason)
        if not says_only_the_answer(attempt.final_text):
            return CannotJudge("the final response says more than the answer")
        if len(attempt.steps) < len(right):
            return call_wrong(attempt, len(attempt.steps) + 1, attempt.final_text, "not all columns are added")
        if attempt.final_text != last:
            return call_wrong(attempt, len(right) + 1, attempt.final_text, "the last step says otherwise")
        return call_correct(attempt)

    def improve(self, problem: Problem, attempt: Attempt, feedback: Feedback) -> Attempt | CannotImprove:
        """IMP: it keeps the steps before the wrong one to the letter."""
        return improve_by(derive, self, problem, attempt, feedback)
