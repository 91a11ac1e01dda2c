"""Which day a form of `premises` means, from the values in its slots. All raise ValueError where there is none."""

import datetime
from collections.abc import Callable

from tripost.tasks.date_understanding.days import Span, month_number, shift
from tripost.tasks.date_understanding.slots import Slots

Resolve = Callable[[Slots], datetime.date]


def after(days: int, kind: str = "date") -> Resolve:
    return lambda slots: slots.day(kind) + datetime.timedelta(days=days)


def years(kind: str = "n") -> Resolve:
    return lambda slots: anniversary(slots.day(), slots.number(kind))


def anniversary(day: datetime.date, years: int) -> datetime.date:
    """The same day of a later year. Raises ValueError for a 29 February in a year that has none."""
    return day.replace(year=day.year + years)


def leaving(slots: Slots) -> datetime.date:
    """`2015 is coming in 36 hours`: the day on which that many hours are left of the year."""
    return (datetime.datetime(slots.year(), 1, 1) - datetime.timedelta(hours=slots.number())).date()


def day_first(slots: Slots) -> datetime.date:
    day, month, year = map(int, slots.texts["dmy"].split("/"))
    return datetime.date(year, month, day)


def in_year(kind: str) -> Resolve:
    def today(slots: Slots) -> datetime.date:
        text = slots.texts[kind]
        month, day = text.split("/") if kind == "md" else (str(month_number(text)), text.split()[-1])
        return datetime.date(slots.year(), int(month), int(day))

    return today


def believed(slots: Slots) -> datetime.date:
    """Who is correct must be one of the two."""
    who = {slots.texts["name"]: "date", slots.texts["name2"]: "date2"}
    if slots.texts["name3"] not in who:
        raise ValueError("somebody else is correct")
    return slots.day(who[slots.texts["name3"]])


def in_fact(slots: Slots) -> datetime.date:
    today = slots.day() + datetime.timedelta(days=slots.number())
    month, day = slots.texts["monthday"].split()
    if (month_number(month), int(day)) != (today.month, today.day):
        raise ValueError("the two ways to say it differ")
    return today


def visits(slots: Slots) -> datetime.date:
    """The n-th monthly visit."""
    first = datetime.date(slots.year(), slots.month(), slots.nth())
    return shift(first, Span(months=slots.nth("nth2") - 1))


def work(slots: Slots) -> datetime.date:
    """`{monthday}` was the second day at work."""
    month, day = slots.texts["monthday"].split()
    first = datetime.date(slots.year(), month_number(month), int(day)) - datetime.timedelta(days=1)
    return anniversary(first, slots.number())


def born(slots: Slots) -> datetime.date:
    last = shift(datetime.date(slots.year(), slots.month(), 1), Span(months=1, days=-1))
    return anniversary(last, slots.number())


def first_weekday(slots: Slots) -> datetime.date:
    """The weekday of 1 January is given; it must be the true one."""
    first = datetime.date(slots.year(), 1, 1)
    if first.weekday() != slots.weekday():
        raise ValueError("1 January was another weekday")
    return first + datetime.timedelta(days=(slots.weekday("weekday2") - first.weekday()) % 7)
