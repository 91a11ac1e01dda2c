"""Days that have a name: `the last day of Jan 2012`, `Christmas Eve of 1937`, `the first Friday of 2019`."""

import datetime
from collections.abc import Callable

import msgspec

from tripost.tasks.date_understanding.days import Span, nth_weekday, shift
from tripost.tasks.date_understanding.slots import Slots


class Anchor(msgspec.Struct, frozen=True):
    """A phrase and its day; `day` raises ValueError where there is none."""

    templates: tuple[str, ...]
    day: Callable[[Slots], datetime.date]


def _fixed(month: int, day: int) -> Callable[[Slots], datetime.date]:
    return lambda slots: datetime.date(slots.year(), month, day)


def _month_end(slots: Slots) -> datetime.date:
    return shift(datetime.date(slots.year(), slots.month(), 1), Span(months=1, days=-1))


def _quarter(slots: Slots) -> datetime.date:
    if not 1 <= slots.nth() <= 4:
        raise ValueError("a year has four quarters")
    return datetime.date(slots.year(), 3 * slots.nth() - 2, 1)


def _palindrome(slots: Slots) -> datetime.date:
    """The one day of the year whose MMDDYYYY reads the same backwards."""
    digits = slots.texts["year"][::-1]
    return datetime.date(slots.year(), int(digits[:2]), int(digits[2:]))


ANCHORS = [
    Anchor(("the last day of {year}", "New Year's Eve of {year}"), _fixed(12, 31)),
    Anchor(("the first day of {year}", "New Year's Day of {year}"), _fixed(1, 1)),
    Anchor(("Christmas Eve of {year}",), _fixed(12, 24)),
    Anchor(("Christmas Day of {year}",), _fixed(12, 25)),
    Anchor(("Halloween of {year}",), _fixed(10, 31)),
    Anchor(("Valentine's Day of {year}",), _fixed(2, 14)),
    Anchor(("the leap day of {year}",), _fixed(2, 29)),
    Anchor(("the last day of {month} {year}", "the last day of {month} in {year}"), _month_end),
    Anchor(
        ("the first day of {month} {year}",),
        lambda slots: datetime.date(slots.year(), slots.month(), 1),
    ),
    Anchor(
        ("the {nth} day of the {nth2} month of {year}",),
        lambda slots: datetime.date(slots.year(), slots.nth("nth2"), slots.nth()),
    ),
    Anchor(("the first day of the {nth} quarter of {year}",), _quarter),
    Anchor(
        ("the last day of the {nth} quarter of {year}",),
        lambda slots: shift(_quarter(slots), Span(months=3, days=-1)),
    ),
    Anchor(
        ("the {nth} {weekday} of {month} {year}",),
        lambda slots: nth_weekday(slots.nth(), slots.weekday(), slots.year(), slots.month()),
    ),
    Anchor(
        ("the first {weekday} of {year}",),
        lambda slots: nth_weekday(1, slots.weekday(), slots.year(), 1),
    ),
    Anchor(("the US Thanksgiving of {year}",), lambda slots: nth_weekday(4, 3, slots.year(), 11)),
    Anchor(
        (
            "the palindrome day of {year}",
            "the palindrome day of {year}, because the MMDDYYYY format of the date is the same backwards as forwards",
        ),
        _palindrome,
    ),
]
