"""Errors of known place in right attempts: a date off by one part, a count the wrong way, a detail miscopied.

An attempt is taken only if every claim of it holds; this is reckoned here, without the scripted expert. Half of the
errors are carried on: the later days and the letter follow from them, where there is an option for it.
"""

import datetime
import random
import re
from collections.abc import Callable, Iterator
from contextlib import suppress

import msgspec

from tripost.errors import DataError
from tripost.interfaces import PlantedError
from tripost.records import Attempt, Problem
from tripost.tasks.date_understanding.days import Span, shift
from tripost.tasks.date_understanding.question import Question, read_question
from tripost.tasks.date_understanding.slips import NEAR, miscopied
from tripost.tasks.date_understanding.vouched import (
    Belief,
    Line,
    asks,
    believed,
    letter_of,
    read_right,
    restated,
    retold,
    tells,
)
from tripost.tasks.options import HEAD
from tripost.tasks.planted import rewrite, with_answer

_ARGUABLE = 3
"""Days by which the ways to count months may differ at the end of one."""


class _Wrong(msgspec.Struct, frozen=True):
    """A line made wrong: as it reads then, and what is believed by who goes on from it (None: nothing else).

    `retold`: the line with a changed condition, from which its own days follow as well.
    """

    line: Line
    text: str
    belief: Belief | None
    retold: Line | None = None


def plant(problem: Problem, attempt: Attempt, rng: random.Random) -> PlantedError | None:
    """The attempt with one wrong claim, of a kind that is drawn first; None where it cannot be vouched for."""
    try:
        work = _Work(problem.question, attempt)
    except (DataError, ValueError, OverflowError):
        return None
    with suppress(OverflowError):  # an error beyond the calendar
        return _planted(work, rng)
    return None


class _Work:
    """A right attempt, taken apart. Raises DataError or ValueError where it is not one."""

    def __init__(self, text: str, attempt: Attempt) -> None:
        self.text = text
        self.question: Question = read_question(text)
        self.attempt = attempt
        self.lines, self.letter = read_right(self.question, attempt)
        days = {*self.question.days.values(), self.question.answer, *(line.day for line in self.lines)}
        self.arguable = any(day.day > 27 for day in days)

    def surely_other(self, day: datetime.date, right: datetime.date) -> bool:
        """Months are counted in more than one way at their ends: a neighbour is not surely wrong there."""
        return day != right and (not self.arguable or abs((day - right).days) > _ARGUABLE)

    def answering(self, letter: str) -> str:
        """The final response with another letter."""
        return with_answer(self.attempt, str(self.attempt.final).replace(self.letter, letter))

    def reread(self, detail: str, other: str) -> Belief | None:
        """What the question would say with another detail; None where it has that detail not just once."""
        stem, head, options = self.text.partition(HEAD)
        found = re.compile(rf"(?<!\w){re.escape(detail)}(?!\w)")
        return retold(found.sub(other, stem) + head + options) if len(found.findall(stem)) == 1 else None

    def later(self, wrong: _Wrong) -> dict[int, str]:
        """The lines that somebody writes otherwise who goes on from the error, by their numbers."""
        if wrong.belief is None:
            return {}
        lines = {}
        for line in [*([wrong.retold] if wrong.retold else []), *self.lines[wrong.line.number :]]:
            text = restated(self.question, line, wrong.belief)
            if text != line.text:
                lines[line.number] = text
        letter = letter_of(self.question, wrong.belief)
        if letter not in (None, self.letter):
            lines[len(self.lines) + 1] = self.answering(str(letter))
        return lines


def _planted(work: _Work, rng: random.Random) -> PlantedError | None:
    options, end = work.question.options.items(), len(work.lines) + 1
    letters = [letter for letter, day in options if work.surely_other(day, work.question.answer)]
    kinds = sorted([*_KINDS, *(["letter"] if letters else [])])
    rng.shuffle(kinds)
    for kind in kinds:
        if kind == "letter":
            return PlantedError(rewrite(work.attempt, {end: work.answering(rng.choice(letters))}), end, kind)
        carry = rng.random() < 0.5
        found = (wrong for line in rng.sample(work.lines, len(work.lines)) for wrong in _KINDS[kind](work, line, rng))
        first = next(found, None)
        if first is None:
            continue
        for wrong in (first, *found) if carry else ():
            changed = {wrong.line.number: wrong.text} | work.later(wrong)
            if len(changed) > 1:
                return PlantedError(rewrite(work.attempt, changed), wrong.line.number, f"{kind}-carried")
        return PlantedError(rewrite(work.attempt, {first.line.number: first.text}), first.line.number, kind)
    return None


Found = Iterator[_Wrong]


def _off(*spans: Span) -> Callable[[_Work, Line, random.Random], Found]:
    """A date wrong by one of these spans."""
    return lambda work, line, rng: _dated(work, line, [shift(line.day, span) for span in spans], rng)


def _dated(work: _Work, line: Line, days: list[datetime.date], rng: random.Random) -> Found:
    for day in rng.sample(days, len(days)):
        if work.surely_other(day, line.day):
            yield _Wrong(line, line.stating(day, day), believed(work.text, work.question, line.claim, day))


def _counted(work: _Work, line: Line, rng: random.Random) -> Found:
    """Counted the wrong way; or days, weeks, months or years taken for one another."""
    months, days = line.claim.span.months, line.claim.span.days
    spans = [-line.claim.span]
    if days:
        spans += [Span(months=days // 7), Span(days=days // 7)] if days % 7 == 0 else [Span(months=days)]
    else:
        spans += [Span(months=12 * months), Span(days=7 * months)] if months % 12 else [Span(months=months // 12)]
    return _dated(work, line, [shift(line.start, span) for span in spans], rng)


def _respelt(work: _Work, line: Line, rng: random.Random) -> Found:
    """Another date behind `that is`, such as one with day and month exchanged."""
    if line.again:
        days = [shift(line.day, span) for span in NEAR]
        days += [line.day.replace(month=line.day.day, day=line.day.month)] * 3 if line.day.day <= 12 else []
        for day in rng.sample(days, len(days)):
            if day != line.day:
                belief = Belief(work.question.days, day) if asks(work.question, line.claim) else None
                yield _Wrong(line, line.stating(line.day, day), belief)


def _miscopied(work: _Work, line: Line, rng: random.Random) -> Found:
    """A detail of the question told wrongly."""
    if line.told is None or line.condition is not None:
        return
    for detail, other, told in miscopied(line.told, rng):
        text = line.text.replace(line.told, told, 1)
        if not tells(work.question, told):
            wrong = msgspec.structs.replace(line, text=text, told=told)
            yield _Wrong(line, text, work.reread(detail, other), wrong)


_KINDS: dict[str, Callable[[_Work, Line, random.Random], Found]] = {
    "day": _off(*(Span(days=days) for days in (-10, -2, -1, 1, 2, 10))),
    "month": _off(Span(months=-1), Span(months=1)),
    "year": _off(Span(months=-12), Span(months=12)),
    "count": _counted,
    "spelling": _respelt,
    "condition": _miscopied,
}
