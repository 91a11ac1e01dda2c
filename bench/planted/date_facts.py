"""What a date question tells and asks, read sentence by sentence, and the day that follows from it.

Independent of the task's own reader: the sentence forms (`date_forms`) were written from looking at questions.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from bench.planted.calendar_days import MONTHS, NUMBER, UNIT, first_weekday, read_date, read_number, shifted, sources
from bench.planted.date_forms import NOISE, READINGS, TODAY, pattern

Span = tuple[int, str]
"""How many units after today."""


@dataclass(frozen=True)
class Fact:
    """`subject` is `number` `unit` after `base`, or the first `weekday` after it."""

    sentences: tuple[str, ...]
    subject: str
    base: date | str
    """A day, or the subject whose day it is."""
    number: int = 0
    unit: str = "day"
    weekday: str = ""

    def day(self, known: Mapping[str, date]) -> date:
        """The day of the subject; KeyError where the base is not known."""
        base = known[self.base] if isinstance(self.base, str) else self.base
        if self.weekday:
            return first_weekday(shifted(base, 1, "day"), self.weekday)
        return shifted(base, self.number, self.unit)

    def days(self, known: Mapping[str, set[date]]) -> set[date]:
        """The same where more than one day may be meant: also those from which one counts back to the base."""
        found: set[date] = set()
        for base in known[self.base] if isinstance(self.base, str) else {self.base}:
            found.add(self.day({self.base: base} if isinstance(self.base, str) else {}))
            if not self.weekday:
                found |= sources(base, -self.number, self.unit)
        return found


@dataclass(frozen=True)
class Told:
    """A date question as read."""

    facts: tuple[Fact, ...]
    unread: tuple[str, ...]
    """Sentences that are neither a fact nor noise."""
    asked: str
    """The words of the day that is asked for, such as `one week ago from today`."""
    span: Span
    options: dict[str, str]

    def known(self) -> dict[str, date]:
        """The days of today and of all events; ValueError where the facts contradict one another."""
        known: dict[str, date] = {}
        for fact in self.facts:
            day = fact.day(known)
            if known.setdefault(fact.subject, day) != day:
                raise ValueError(f"two days for {fact.subject}")
        return known

    def possible(self) -> dict[str, set[date]]:
        """The days that may be meant of each subject, where one may count forwards or backwards."""
        known: dict[str, set[date]] = {}
        for fact in self.facts:
            days = fact.days(known)
            known[fact.subject] = known.get(fact.subject, days) & days
        return known

    def answers(self) -> set[date]:
        """The days that may be meant by the answer."""
        return {shifted(day, *self.span) for day in self.possible()[TODAY]}


def read_fact(sentences: tuple[str, ...]) -> Fact | None:
    """The fact that these neighbouring sentences tell together, or None."""
    text = " & ".join(sentences)
    for form, read in READINGS:
        match = pattern(form).fullmatch(text) if form.count(" & ") == len(sentences) - 1 else None
        if match is None:
            continue
        groups = match.groupdict()
        try:
            subject, base, number, unit = read(groups)
        except (ValueError, LookupError):
            continue
        # Days counted from an event have a weekday only where the form says "the first <weekday> after".
        weekday = groups.get("weekday", "") if isinstance(base, str) else ""
        return Fact(sentences, subject, base, number, unit.removesuffix("s"), weekday or "")
    return None


def is_noise(sentence: str) -> bool:
    """Whether the sentence is one of those that tell nothing about a date."""
    return any(pattern(form).fullmatch(sentence) for form in NOISE.split("\n"))


_NO_END = "".join(rf"(?<!\b{month[:3]}\.)" for month in MONTHS if month != "May") + r"(?<!\bSept\.)"
_END = re.compile(rf"(?<=[.?]){_NO_END} ")
_ASKS = (
    r"What is the date (.+) in MM/DD/YYYY\?",
    r"What date is (.+) in MM/DD/YYYY\?",
    r"In MM/DD/YYYY, what is the date (.+)\?",
    r"Give the date (.+) in MM/DD/YYYY\.",
)
SPANS: dict[str, Span] = {
    "today": (0, "day"),
    "tomorrow": (1, "day"),
    "yesterday": (-1, "day"),
    "the day after tomorrow": (2, "day"),
    "the day before yesterday": (-2, "day"),
}
_AWAY = (
    (rf"({NUMBER}) ({UNIT}) ago(?: from today)?", -1),
    (rf"({NUMBER}) ({UNIT}) before today", -1),
    (rf"({NUMBER}) ({UNIT}) (?:later|from today|after today)", 1),
    (rf"in ({NUMBER}) ({UNIT})", 1),
)


def read_span(text: str) -> Span:
    """`one week ago` -> (-1, "week"); ValueError where it is not read."""
    text = text.removesuffix(" from today") if text.removesuffix(" from today") in SPANS else text
    if text in SPANS:
        return SPANS[text]
    for form, sign in _AWAY:
        match = re.fullmatch(form, text)
        if match:
            return sign * read_number(match[1]), match[2].removesuffix("s")
    raise ValueError(f"not a span: {text!r}")


def read_question(question: str) -> Told:
    """Read a question with its options; ValueError where it has no ask or its options are not lettered."""
    stem, found, below = question.partition("\nOptions:\n")
    *told, ask = _END.split(stem)
    match = next((match for form in _ASKS if (match := re.fullmatch(form, ask))), None)
    if match is None or not found:
        raise ValueError(f"not a date question: {ask!r}")
    options = dict(re.findall(r"^\(([A-Z])\) (.+)$", below, re.MULTILINE))
    if list(options) != list("ABCDEFGHIJKLMNOPQRSTUVWXYZ"[: below.count("\n") + 1]):
        raise ValueError("the options are not A, B, C, ...")
    sentences = [sentence.removesuffix(".") for sentence in told]
    facts: list[Fact] = []
    unread: list[str] = []
    while sentences:
        for size in (3, 2, 1):
            fact = read_fact(tuple(sentences[:size]))
            if fact:
                facts.append(fact)
                break
        else:
            size = 1
            if not is_noise(sentences[0]):
                unread.append(sentences[0])
        del sentences[:size]
    return Told(tuple(facts), tuple(unread), match[1], read_span(match[1]), options)


def right_letter(told: Told) -> str:
    """The letter of the one option that is the day asked for; ValueError where it is not one."""
    day = shifted(told.known()[TODAY], *told.span)
    letters = [letter for letter, text in told.options.items() if read_date(text) == day]
    if len(letters) != 1:
        raise ValueError(f"{len(letters)} options are {day}")
    return letters[0]
