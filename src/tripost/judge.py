"""FBK's verdict, held against the reference answer."""

from tripost.interfaces import CannotJudge, Expert, Task
from tripost.records import Attempt, Feedback, Problem


def judge(problem: Problem, attempt: Attempt, task: Task, expert: Expert) -> Feedback | CannotJudge:
    """FBK, held against the reference answer: correct = the answer is right and FBK finds no wrong step."""
    if attempt.malformed:
        return CannotJudge("the attempt cannot be read")
    verdict = expert.feedback(problem, attempt)
    if isinstance(verdict, Feedback) and verdict.says_correct and not task.is_correct(problem, attempt):
        return CannotJudge("no wrong step found, but the answer is not the reference answer")
    return verdict
