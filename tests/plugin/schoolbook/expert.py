"""An expert for doubling. It says why in the words of its own prompt set."""

from tripost.interfaces import CannotImprove, CannotJudge, Task
from tripost.records import Attempt, Feedback, Problem, Step
from tripost.registry import prompt
from tripost.text import write_attempt, write_feedback


class Teacher:
    """FBK and IMP."""

    def __init__(self, task: Task) -> None:
        self.why = prompt("schoolbook", task.name, "feedback").strip()

    def feedback(self, problem: Problem, attempt: Attempt) -> Feedback | CannotJudge:
        """FBK."""
        n = int(problem.question[len("Double ") : -1])
        if len(attempt.steps) != 1:
            return CannotJudge("not one step")
        if attempt.steps[0].text != f"{n} + {n} = {2 * n}.":
            return write_feedback(attempt, 1, attempt.steps[0].text, self.why, "teacher")
        if attempt.final != f"{2 * n}":
            return write_feedback(attempt, 2, attempt.final_text, self.why, "teacher")
        return write_feedback(attempt, None, "", "", "teacher")

    def improve(self, problem: Problem, attempt: Attempt, feedback: Feedback) -> Attempt | CannotImprove:
        """IMP."""
        n = int(problem.question[len("Double ") : -1])
        return write_attempt([Step(label="1", text=f"{n} + {n} = {2 * n}.")], f"So the answer is {2 * n}.", "teacher")
