"""What all scripted experts have in common: how they say what is wrong, and which updates of theirs they give."""

from tripost.interfaces import CannotImprove, CannotJudge, Expert, Scripted
from tripost.records import Attempt, Feedback, Problem
from tripost.text import reads_back, write_feedback

AUTHOR = "script"


def of_task(task: Scripted) -> Expert:
    """The expert named `script`: the task's own."""
    return task.script()


def call_wrong(attempt: Attempt, wrong_step: int, part: str, reason: str) -> Feedback | CannotJudge:
    """The feedback, if the layout can hold it."""
    said = write_feedback(attempt, wrong_step, part, reason, AUTHOR)
    return said if reads_back(said, attempt) else CannotJudge("the wrong part cannot be quoted")


def call_correct(attempt: Attempt) -> Feedback:
    """The feedback that says so."""
    return write_feedback(attempt, None, "", "", AUTHOR)


def accepted(expert: Expert, problem: Problem, update: Attempt) -> Attempt | CannotImprove:
    """The update, if it can be read and the expert itself calls it correct."""
    verdict = CannotJudge("too long") if update.malformed else expert.feedback(problem, update)
    if isinstance(verdict, CannotJudge):
        return CannotImprove(f"the update could not be judged: {verdict.reason}")
    return update if verdict.says_correct else CannotImprove(f"the update would be wrong: {verdict.text[:200]}")
