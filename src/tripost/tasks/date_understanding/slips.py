"""Dates in the spelling of others, and details that may be written for others by mistake."""

import calendar
import datetime
import random
import re
from collections.abc import Iterator

from tripost.tasks.date_understanding.days import FIND_DATE, NUMBERS, Span, ordinal, read_date, shift, spelled
from tripost.tasks.date_understanding.slots import ORDINALS
from tripost.tasks.planted import near

NEAR = [Span(days=days) for days in (-10, -2, -1, 1, 2, 10)] + [Span(months=months) for months in (-12, -1, 1, 12)]
"""By how much a date may be wrong."""
_DETAIL = re.compile(
    rf"{FIND_DATE.pattern}|\b(?:[0-9]+(?:st|nd|rd|th)?|{'|'.join((*NUMBERS[1:], *ORDINALS))})\b", re.IGNORECASE
)
_WORD = re.compile(r"[0-9]+(?:st|nd|rd|th)?|[A-Za-z]+")
_MONTHS, _WEEKDAYS = tuple(calendar.month_name)[1:], tuple(calendar.day_name)


def respelt(text: str, day: datetime.date) -> str:
    """Another day in the spelling of a date."""
    numbers = iter((day.month, day.day) if "/" in text else (day.day,))

    def swap(word: re.Match[str]) -> str:
        old = word[0]
        if old.isdigit() and len(old) == 4:
            return f"{day.year:04d}"
        if old.isdigit():
            return f"{next(numbers):0{len(old) if '/' in text or old[0] == '0' else 1}d}"
        if old[0].isdigit():
            return ordinal(next(numbers))
        for names, new in ((_MONTHS, _MONTHS[day.month - 1]), (_WEEKDAYS, _WEEKDAYS[day.weekday()])):
            if old[:3] in (name[:3] for name in names):
                return new if old in names or len(old) > 4 else new[:3]
        return old

    found = _WORD.sub(swap, text)
    written = read_date(found)  # there is no `May.`
    return found if written is not None and written.day == day else spelled(day)


def with_day(text: str, day: datetime.date) -> str:
    """The text with another day in the place of its last date."""
    *_, date = FIND_DATE.finditer(text)
    return text[: date.start()] + respelt(date[0], day) + text[date.end() :]


def miscopied(text: str, rng: random.Random) -> Iterator[tuple[str, str, str]]:
    """One of the text's dates, numbers and ordinals, another one, and the text with that in its place."""
    places = list(_DETAIL.finditer(text))
    for place in rng.sample(places, len(places)):
        for other in _others(place[0], rng):
            yield place[0], other, text[: place.start()] + other + text[place.end() :]


def _others(text: str, rng: random.Random) -> list[str]:
    """What may stand by mistake in the place of a date, a number or an ordinal, in random order."""
    found = read_date(text)
    if found is not None:
        return [respelt(text, shift(found.day, span)) for span in rng.sample(NEAR, len(NEAR))] if found.day else []
    if text[0].isdigit():
        numbers = [number for number in near(int(re.sub("[a-z]", "", text)), rng) if number > 0]
        return [str(number) if text.isdigit() else ordinal(number) for number in numbers]
    words = next(words for words in (NUMBERS[1:], ORDINALS) if text.lower() in words)
    others = [word for word in words if word != text.lower()]
    return [word.capitalize() if text[0].isupper() else word for word in rng.sample(others, len(others))]
