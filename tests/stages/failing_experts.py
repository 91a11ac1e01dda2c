"""Tasks whose experts are no good, as a file of the user's own (`problems.<task>.module`) brings them.

They tell a right attempt by the reference rationale: whose words an attempt is, nobody tells them.
"""

from tripost.interfaces import CannotImprove, CannotJudge, Expert
from tripost.records import Attempt, Feedback, Problem
from tripost.tasks.multistep_arithmetic import MultistepArithmetic
from tripost.tasks.word_sorting import WordSorting
from tripost.text import write_feedback


class Blind:
    """Calls everything correct."""

    def __init__(self, script: Expert) -> None:
        self.script = script

    def feedback(self, problem: Problem, attempt: Attempt) -> Feedback | CannotJudge:
        return write_feedback(attempt, None, "", "", "script")

    def improve(self, problem: Problem, attempt: Attempt, feedback: Feedback) -> Attempt | CannotImprove:
        return self.script.improve(problem, attempt, feedback)


class Alarmed(Blind):
    """Calls right attempts wrong."""

    def feedback(self, problem: Problem, attempt: Attempt) -> Feedback | CannotJudge:
        if attempt.raw == problem.rationale:
            return write_feedback(attempt, 1, attempt.line(1), "it looks odd", "script")
        return self.script.feedback(problem, attempt)


class Helpless(Blind):
    """Judges right attempts only."""

    def feedback(self, problem: Problem, attempt: Attempt) -> Feedback | CannotJudge:
        return self.script.feedback(problem, attempt) if attempt.raw == problem.rationale else CannotJudge("hm")


class BlindArithmetic(MultistepArithmetic):
    """Misses every error."""

    def script(self) -> Expert:
        return Blind(super().script())


class AlarmedArithmetic(MultistepArithmetic):
    """Has false alarms."""

    def script(self) -> Expert:
        return Alarmed(super().script())


class BlindWords(WordSorting):
    """Misses every error."""

    def script(self) -> Expert:
        return Blind(super().script())


class HelplessWords(WordSorting):
    """Does not judge a wrong attempt."""

    def script(self) -> Expert:
        return Helpless(super().script())
