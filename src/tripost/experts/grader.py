"""The expert of a task that can only grade: it knows whether an answer is right, not where a step is wrong."""

from tripost.interfaces import CannotImprove, CannotJudge, Task
from tripost.records import Attempt, Feedback, Problem
from tripost.text import write_feedback

AUTHOR = "grader"


class Grader:
    """FBK says "all correct" of a right answer and nothing of a wrong one, so nothing it says is false feedback."""

    def __init__(self, task: Task) -> None:
        self.task = task

    def feedback(self, problem: Problem, attempt: Attempt) -> Feedback | CannotJudge:
        """FBK."""
        if self.task.is_correct(problem, attempt):
            return write_feedback(attempt, None, "", "", AUTHOR)
        return CannotJudge("the answer is not the reference answer, and a grader knows no step")

    def improve(self, problem: Problem, attempt: Attempt, feedback: Feedback) -> Attempt | CannotImprove:
        """IMP."""
        return CannotImprove("a grader improves nothing", never=True)
