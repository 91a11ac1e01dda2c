"""Right attempts, taken apart: lines that are seen to hold, without the scripted expert; and what follows where
something else is believed of a day."""

import datetime

import msgspec

from tripost.errors import DataError
from tripost.records import Attempt
from tripost.tasks.date_understanding.claims import Claim, read_step, read_told
from tripost.tasks.date_understanding.days import (
    FIND_DATE,
    TODAY,
    Written,
    shift,
    spelled,
)
from tripost.tasks.date_understanding.events import TODAY as NOW
from tripost.tasks.date_understanding.question import Question, read_question, told_briefly
from tripost.tasks.date_understanding.slips import respelt, with_day
from tripost.tasks.options import read_letter
from tripost.tasks.planted import demand
from tripost.text import says_only_the_answer


class Line(msgspec.Struct, frozen=True):
    """A line that holds. `day` is that of its claim, counted from `start`; `again`: it is said in other words too.

    `told`: the condition as written; `condition`: what it claims, where it is not in the question's own words.
    """

    number: int
    text: str
    claim: Claim
    day: datetime.date
    start: datetime.date
    again: bool
    told: str | None = None
    condition: Claim | None = None

    def stating(self, day: datetime.date, again: datetime.date) -> str:
        """The line with these days in its claim and in what the claim is said to be in other words."""
        at = self.text.rindex(self.claim.text)
        tail = FIND_DATE.sub(lambda date: respelt(date[0], again), self.text[at + len(self.claim.text) :])
        return self.text[:at] + with_day(self.claim.text, day) + tail


class Belief(msgspec.Struct, frozen=True):
    """What is taken for true of today and the events; `answer`: of the day that is asked for, where it does not
    follow from these."""

    days: dict[str, datetime.date]
    answer: datetime.date | None = None


def read_right(question: Question, attempt: Attempt) -> tuple[list[Line], str]:
    """The lines, and the letter of the answer. Raises ValueError where a line is not understood, or does not hold."""
    lines: list[Line] = []
    for number, step in enumerate(attempt.steps, start=1):
        said = read_step(step.text)
        demand(not said.unread and len(said.claims) == 1)
        (claim,) = said.claims
        demand(all(_is(written, claim.written.day) for written, _ in said.again))
        own = said.told is not None and not tells(question, said.told)
        condition = read_told(said.told) if said.told is not None and own else None
        for each in (claim, condition):
            demand(each is None or _is(each.written, day_of(each, question.days)))
        demand(not own or condition is not None)
        start = claim.base or question.days[claim.of]
        day = shift(start, claim.span)
        lines.append(Line(number, step.text, claim, day, start, bool(said.again), said.told, condition))
    letter = read_letter(attempt.final) or ""
    demand(bool(lines) and lines[-1].day == question.answer == question.options.get(letter))
    demand(says_only_the_answer(attempt.final_text))
    return lines, letter


def tells(question: Question, condition: str) -> bool:
    """Whether these are sentences of the question as they stand there, one after the other."""
    many = range(len(question.sentences) + 1)
    runs = (told_briefly(question.sentences[start:end]) for end in many for start in range(end))
    return condition.casefold() in (run.casefold() for run in runs)


def day_of(claim: Claim, days: dict[str, datetime.date]) -> datetime.date:
    """The day of a claim, with these days of today and the events. Raises ValueError where there is none."""
    base = claim.base if claim.base is not None else days.get(claim.of)
    if base is None:
        raise ValueError("a day that the question does not name")
    return shift(base, claim.span)


def asks(question: Question, claim: Claim) -> bool:
    """Whether a claim is about the day that is asked for."""
    return claim.base is None and (claim.of, claim.span) == (NOW, question.asked)


def believed(text: str, question: Question, claim: Claim, day: datetime.date) -> Belief | None:
    """What somebody believes who takes `day` for that of the claim in the question `text`; None: nothing known."""
    if asks(question, claim):
        return Belief(question.days | ({NOW: day} if claim.span == TODAY else {}), day)
    if claim.base is not None or claim.of not in question.days:
        return None
    if claim.of == NOW and not claim.span.months:
        return Belief(question.days | {NOW: shift(day, -claim.span)})
    if claim.span != TODAY:
        return None
    for sentence in question.sentences:
        # In the place of a sentence on another event, the story would tell two days of this one, and not be read.
        told = text.replace(sentence, f"The {claim.of} was on {spelled(day)}.", 1)
        found = retold(told)
        if found is not None and found.days.get(claim.of) == day:
            return found
    return None


def retold(text: str) -> Belief | None:
    """What another question says; None where it says nothing."""
    try:
        return Belief(read_question(text).days)
    except DataError:
        return None


def restated(question: Question, line: Line, belief: Belief) -> str:
    """The line with the days that follow from a belief."""
    day = day_of(line.claim, belief.days)
    if belief.answer is not None and asks(question, line.claim):
        day = belief.answer
    text = line.stating(day, day)
    if line.told is None or line.condition is None:
        return text
    return text.replace(line.told, with_day(line.told, day_of(line.condition, belief.days)), 1)


def letter_of(question: Question, belief: Belief) -> str | None:
    """The option that somebody chooses who believes that; None where it is none of them."""
    day = belief.answer or shift(belief.days[NOW], question.asked)
    return next((letter for letter, option in question.options.items() if option == day), None)


def _is(written: Written, day: datetime.date | None) -> bool:
    return day is not None and written.day == day and written.weekday in (None, day.weekday())
