"""Sentence templates with slots, one table for reading and for writing: `Yesterday was {date}.`

A slot is `{kind}` or `{kind:label}`; a pattern knows every spelling of its kind, a reader gives its value. Patterns
are linear: bounded, and no two slots touch.
"""

import datetime
import functools
import re
from collections.abc import Mapping

import msgspec

from tripost.tasks.date_understanding.days import (
    DATE,
    MONTH,
    NUMBER,
    SPAN,
    UNIT,
    WEEKDAY,
    YEAR,
    Span,
    length,
    month_number,
    number,
    read_date,
    read_span,
    weekday_number,
)

SHE = ["Jane", "Ana", "Mia", "Eva", "Lin"]
NAMES = [*SHE, "John", "Tom", "Omar", "Sam", "Ravi"]
ORDINALS = ["first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth"]
EVENTS = [
    "concert",
    "exam",
    "wedding",
    "match",
    "lecture",
    "interview",
    "party",
    "trip",
    "meeting",
    "festival",
    "race",
]
JUBILEES = {"silver": 25, "ruby": 40, "golden": 50, "diamond": 60}
_NTH = rf"(?:[0-9]{{1,2}}(?:st|nd|rd|th)|{'|'.join(ORDINALS)})"
_PATTERNS = {
    "date": DATE,
    "date2": DATE,
    "dmy": rf"[0-9]{{1,2}}/[0-9]{{1,2}}/{YEAR}",
    "impossible": rf"[0-9]{{1,2}}/[0-9]{{1,2}}/{YEAR}",
    "md": r"[0-9]{1,2}/[0-9]{1,2}",
    "monthday": rf"{MONTH} [0-9]{{1,2}}",
    "year": YEAR,
    "month": MONTH,
    "weekday": WEEKDAY,
    "weekday2": WEEKDAY,
    "n": NUMBER,
    "n2": NUMBER,
    "unit": UNIT,
    "span": SPAN,
    "nth": _NTH,
    "nth2": _NTH,
    "name": r"[A-Z][a-z]{1,15}",
    "name2": r"[A-Z][a-z]{1,15}",
    "name3": r"[A-Z][a-z]{1,15}",
    "her": r"(?:her|his|their)",
    "she": r"(?:she|he|they)",
    "She": r"(?:She|He|They)",
    "jubilee": rf"(?:{'|'.join(JUBILEES)})",
    "time": r"[0-9]{1,2}:[0-9]{2} [ap]m",
    "event": rf"(?:{'|'.join(EVENTS)})",
    "event2": rf"(?:{'|'.join(EVENTS)})",
    "s": r"s?",
}
_SLOT = re.compile(r"\{([A-Za-z0-9]+)\}")
Values = Mapping[str, str]


class Slots(msgspec.Struct, frozen=True):
    """What stands in a template's slots, as written; the readers raise ValueError for what is no such thing."""

    texts: dict[str, str]

    def day(self, kind: str = "date") -> datetime.date:
        """A whole date."""
        found = read_date(self.texts[kind])
        if found is None or found.day is None:
            raise ValueError(f"{self.texts[kind]!r} is no day")
        return found.day

    def number(self, kind: str = "n") -> int:
        """A number in figures or words."""
        return number(self.texts[kind])

    def nth(self, kind: str = "nth") -> int:
        """An ordinal in figures or words."""
        text = self.texts[kind]
        return ORDINALS.index(text) + 1 if text in ORDINALS else int(text[:-2])

    def year(self) -> int:
        """A year."""
        return int(self.texts["year"])

    def month(self) -> int:
        """A month by its name."""
        return month_number(self.texts["month"])

    def weekday(self, kind: str = "weekday") -> int:
        """A weekday; Monday is 0."""
        return weekday_number(self.texts[kind])

    def span(self) -> Span:
        """How far from today. Raises ValueError for hours that are no whole days."""
        span = read_span(self.texts["span"])
        if span is None:
            raise ValueError(f"{self.texts['span']!r} is no span of whole days")
        return span

    def length(self) -> Span:
        """`{n} {unit}`. Raises ValueError for hours that are no whole days."""
        span = length(number(self.texts["n"]), self.texts["unit"])
        if span is None:
            raise ValueError("hours that are no whole days")
        return span


@functools.cache
def compiled(template: str) -> re.Pattern[str]:
    """The template as a pattern."""
    pieces = _SLOT.split(template)
    texts, kinds = pieces[::2], pieces[1::2]
    parts = [re.escape(texts[0])]
    for k, (kind, text) in enumerate(zip(kinds, texts[1:], strict=True)):
        # A slot that comes again holds the same words again.
        parts += [f"(?P={kind})" if kind in kinds[:k] else f"(?P<{kind}>{_PATTERNS[kind]})", re.escape(text)]
    return re.compile("".join(parts))


def fill(template: str, values: Values) -> str:
    """The template with these texts in its slots."""
    return _SLOT.sub(lambda slot: values[slot[1]], template)


def slots_of(template: str) -> list[str]:
    """The kinds of slots that a template has."""
    return _SLOT.findall(template)
