"""The scripted FBK and IMP of date understanding.

FBK checks what each step claims by the calendar, whatever way led to it: a condition must stand in the question or be
a true claim itself, a day must be the one that it is called. A condition in other words than the question's is free
prose, which is not judged. Of a wrong date it says the right one; which option that is, the model has to find.
"""

import datetime

from tripost.errors import DataError
from tripost.experts.script import Wrong, improve_by, judge_steps
from tripost.interfaces import CannotImprove, CannotJudge
from tripost.records import Attempt, Feedback, Problem, Step
from tripost.tasks.date_understanding.claims import Claim, read_step, read_told
from tripost.tasks.date_understanding.days import Written, shift, slashed, spelled
from tripost.tasks.date_understanding.derive import derive
from tripost.tasks.date_understanding.events import holds
from tripost.tasks.date_understanding.question import Question, read_question
from tripost.tasks.date_understanding.told import Told, readable
from tripost.tasks.options import read_letter
from tripost.text import says_only_the_answer


class DateScript:
    """Expert for date understanding."""

    def feedback(self, problem: Problem, attempt: Attempt) -> Feedback | CannotJudge:
        """FBK. The first claim that does not hold; CannotJudge for a step that is none of the known forms."""
        try:
            question = read_question(problem.question)
        except DataError as error:
            return CannotJudge(f"question: {error}")
        checker = _Checker(question, Told(problem.question))
        return judge_steps(checker, attempt)

    def improve(self, problem: Problem, attempt: Attempt, feedback: Feedback) -> Attempt | CannotImprove:
        """IMP. Keeps the steps before the wrong one and finds the rest; gives nothing that FBK would not accept."""
        return improve_by(derive, self, problem, attempt, feedback)


class _Checker:
    """Reads an attempt step by step and holds the last day that was found."""

    def __init__(self, question: Question, told: Told) -> None:
        self.question = question
        self.told = told
        self.last: datetime.date | None = None

    def step(self, step: Step) -> Wrong | CannotJudge | None:
        said = read_step(step.text)
        if said.told is not None:
            wrong = self._condition(said.told)
            if wrong:
                return wrong
        if said.unread:
            return CannotJudge("none of the known forms")
        for claim in said.claims:
            found = self._claim(claim)
            if found:
                return found
            self.last = claim.written.day
        for written, part in said.again:
            if written.day is None or self.last is None:
                return part, "there is no such day"
            if written.day != self.last:
                return part, f"it is {slashed(self.last)}"
            if self._weekday(written):
                return part, "it is another day of the week"
        return None

    def final(self, attempt: Attempt) -> Wrong | CannotJudge | None:
        if not says_only_the_answer(attempt.final_text):
            return CannotJudge("the final response says more than the answer")
        letter = read_letter(attempt.final)
        chosen = self.question.options.get(letter or "")
        if self.question.answer not in self.question.options.values():
            return CannotJudge("question: no option is the answer")
        if chosen == self.question.answer:
            if self.last != chosen:
                return CannotJudge("the answer is right, but no step leads to it")
            return None
        return attempt.final_text, "there is no such option" if chosen is None else "that option is another date"

    def _condition(self, told: str) -> Wrong | CannotJudge | None:
        if readable(told) and self.told.says(told):
            return None
        claim = read_told(told)
        if claim is not None and claim.written.day_first is None:
            return self._claim(claim)
        if not readable(told):
            return CannotJudge("its condition is not in the words of the question")
        true = holds(told, self.question.days)
        if true:
            return None
        if true is False or self.told.contradicts(told):
            return told, "the question says otherwise"
        if self.told.foreign(told, self.question.days.values()):
            return told, "the question does not speak of that"
        return CannotJudge("its condition is not in the words of the question")

    def _claim(self, claim: Claim) -> Wrong | CannotJudge | None:
        if claim.written.day is None:
            return claim.text, "there is no such day"
        base = claim.base if claim.base is not None else self.question.days.get(claim.of)
        if base is None:
            named = self.told.mentions(claim.of)
            return (
                CannotJudge(f"which day the {claim.of} is")
                if named
                else (claim.text, f"the question names no {claim.of}")
            )
        try:
            day = shift(base, claim.span)
        except OverflowError:
            return CannotJudge("beyond the calendar")
        if claim.written.day != day:
            return claim.text, f"it is {spelled(day)}"
        if self._weekday(claim.written):
            return claim.text, "it is another day of the week"
        return None

    def _weekday(self, written: Written) -> bool:
        """Whether a weekday is named that is not that date's; a question may have a calendar of its own."""
        if written.weekday is None or written.day is None or self.told.own_weekdays:
            return False
        return written.day.weekday() != written.weekday
