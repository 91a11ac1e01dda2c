"""What all scripted experts have in common: they check step by step, say what is wrong, and give no bad update."""

from collections.abc import Callable, Sequence
from typing import Protocol

from tripost.errors import DataError
from tripost.interfaces import CannotImprove, CannotJudge, Expert, Scripted
from tripost.records import Attempt, Feedback, Problem, Step
from tripost.text import reads_back, write_attempt, write_feedback

AUTHOR = "script"
Wrong = tuple[str, str]
"""The wrong part and the reason."""
Derive = Callable[[str, Sequence[Step]], tuple[list[Step], str]]
"""Question and right steps to all steps and the final response; raises ValueError or DataError where it cannot."""


class Checker(Protocol):
    """Reads an attempt from the first step on, and holds what its steps have established."""

    def step(self, step: Step) -> Wrong | CannotJudge | None:
        """What is wrong with the next step, if anything."""
        ...

    def final(self, attempt: Attempt) -> Wrong | CannotJudge | None:
        """What is wrong with the final response, if anything."""
        ...


def of_task(task: Scripted) -> Expert:
    """The expert named `script`: the task's own."""
    return task.script()


def call_wrong(attempt: Attempt, wrong_step: int, part: str, reason: str) -> Feedback | CannotJudge:
    """The feedback, if the layout can hold it."""
    said = write_feedback(attempt, wrong_step, part, reason, AUTHOR)
    return said if reads_back(said, attempt) else CannotJudge("the wrong part cannot be quoted")


def judge_steps(checker: Checker, attempt: Attempt) -> Feedback | CannotJudge:
    """FBK: the first claim that does not hold, or that cannot be judged; else all is correct."""
    for number, step in enumerate(attempt.steps, start=1):
        found = checker.step(step)
        if isinstance(found, CannotJudge):
            return CannotJudge(f"step ({step.label}): {found.reason}")
        if found:
            return call_wrong(attempt, number, *found)
    wrong = checker.final(attempt)
    if isinstance(wrong, CannotJudge):
        return wrong
    return call_wrong(attempt, len(attempt.steps) + 1, *wrong) if wrong else call_correct(attempt)


def improve_by(
    derive: Derive, expert: Expert, problem: Problem, attempt: Attempt, feedback: Feedback
) -> Attempt | CannotImprove:
    """IMP: the steps before the wrong one, the rest derived; nothing that the expert's own FBK would not accept."""
    if feedback.wrong_step is None:
        return CannotImprove("the feedback names no wrong step")
    try:
        steps, final_text = derive(problem.question, attempt.steps[: feedback.wrong_step - 1])
    except (DataError, ValueError) as error:
        return CannotImprove(str(error))
    return accepted(expert, problem, write_attempt(steps, final_text, AUTHOR))


def call_correct(attempt: Attempt) -> Feedback:
    """The feedback that says so."""
    return write_feedback(attempt, None, "", "", AUTHOR)


def accepted(expert: Expert, problem: Problem, update: Attempt) -> Attempt | CannotImprove:
    """The update, if it can be read and the expert itself calls it correct."""
    verdict = CannotJudge("too long") if update.malformed else expert.feedback(problem, update)
    if isinstance(verdict, CannotJudge):
        return CannotImprove(f"the update could not be judged: {verdict.reason}")
    return update if verdict.says_correct else CannotImprove(f"the update would be wrong: {verdict.text[:200]}")
