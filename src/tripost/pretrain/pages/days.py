"""Calendar steps, dates written in other ways, options; checking them."""

import calendar
import datetime
import random

from tripost.pretrain.page import GIVEN, KEY, SAID, Page, Statement, checks, exercises
from tripost.tasks.date_understanding.days import TODAY, Span, ordinal, read_span, shift, slashed, spelled
from tripost.tasks.date_understanding.wording import some_ask, some_day

_UNITS = (("day", 31), ("day", 12), ("week", 6), ("month", 11), ("year", 30))


def step(rng: random.Random) -> tuple[str, datetime.date]:
    """Words for a day so far from another one, and the day."""
    day = some_day(rng)
    if rng.random() < 0.5:
        asked = some_ask(rng)
        return f"Today is {_written(day, rng)}. The date {asked} is", shift(day, read_span(asked) or TODAY)
    unit, most = rng.choice(_UNITS)
    n = rng.randint(1, most)
    months = {"month": n, "year": 12 * n}.get(unit, 0)
    span = Span(months=months, days={"day": n, "week": 7 * n}.get(unit, 0))
    before = rng.random() < 0.5
    number = str(n) if rng.random() < 0.6 or n > 12 else _NUMBERS[n]
    words = f"{number} {unit}{'s' if n > 1 else ''} {'before' if before else 'after'} {_written(day, rng)} is"
    return words, shift(day, -span if before else span)


_NUMBERS = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve"]


def _written(day: datetime.date, rng: random.Random) -> str:
    month = calendar.month_name[day.month]
    return rng.choice(
        (
            spelled(day),
            spelled(day),
            slashed(day),
            f"{month[:3]} {day.day}, {day.year}",
            f"the {ordinal(day.day)} of {month} {day.year}",
        )
    )


def said(day: datetime.date) -> str:
    """`March 5, 2012, that is 03/05/2012`."""
    return f"{spelled(day)}, that is {slashed(day)}"


def steps(rng: random.Random) -> Page:
    """`10 days before March 5, 2012 is February 24, 2012, that is 02/24/2012.`"""
    made = [step(rng) for _ in range(5)]
    return exercises([(words, f" {said(day) if rng.random() < 0.6 else spelled(day)}.") for words, day in made])


def spellings(rng: random.Random) -> Page:
    """A date in other words."""
    days = [some_day(rng) for _ in range(6)]
    return exercises([(_written(day, rng), f" is {said(day)}.") for day in days])


def months(rng: random.Random) -> Page:
    """How long a month is, which day it ends on, which number it has, which weekday a day is."""
    page: Page = []
    for _ in range(5):
        day = some_day(rng)
        month, last = calendar.month_name[day.month], calendar.monthrange(day.year, day.month)[1]
        end, start, one = day.replace(day=last), day.replace(day=1), Span(days=1)
        given, answer = rng.choice(
            (
                (f"The last day of {month} {day.year} is", f" {spelled(end)}."),
                (f"{month} {day.year} has", f" {last} days."),
                (f"The {ordinal(day.month)} month is", f" {month}."),
                (f"The day after {spelled(end)} is", f" {spelled(shift(end, one))}."),
                (f"The day before {month} 1, {day.year} is", f" {spelled(shift(start, -one))}."),
                (f"{spelled(day)} is a", f" {calendar.day_name[day.weekday()]}."),
            )
        )  # fmt: skip
        page += [(given, GIVEN), (answer + "\n", SAID)]
    return page


def options(rng: random.Random) -> Page:
    """Which of the options a date is; asked of half of them, so that little can be found by exclusion."""
    right = some_day(rng)
    near = rng.random() < 0.5
    others = [_near(right, rng) if near else some_day(rng) for _ in range(7)]
    days = list(dict.fromkeys([right, *others]))[: rng.randint(3, 6)]
    rng.shuffle(days)
    lettered = list(zip("ABCDEF", days, strict=False))
    page: Page = [("Options:\n" + "\n".join(f"({letter}) {slashed(day)}" for letter, day in lettered) + "\n", GIVEN)]
    for letter, day in rng.sample(lettered, len(lettered) // 2):
        asked = f"{rng.choice((said, said, spelled))(day)}. So the answer is"
        if rng.random() < 0.4:
            asked = f"The answer is {slashed(day)}"
        page += [(asked, GIVEN), (f" ({letter}).\n", KEY)]
    return page


def _near(day: datetime.date, rng: random.Random) -> datetime.date:
    span = rng.choice(
        (
            Span(days=rng.choice((-1, 1, -2, 2, 7, -7, 10, -10))),
            Span(months=rng.choice((-1, 1, 12, -12, 120, -120))),
            Span(months=rng.randint(-200, 200), days=rng.randint(-20, 20)),
        )
    )
    found = shift(day, span)
    return found if found != day else shift(day, Span(days=1))


def wrong_step(rng: random.Random) -> Statement:
    """A day so far from another one, and a day near it instead."""
    words, day = step(rng)
    other = _near(day, rng)
    return Statement(f"{words} {said(day)}", f"{words} {said(other)}")


def wrong_spelling(rng: random.Random) -> Statement:
    """A date in two ways, and two ways that differ."""
    day = some_day(rng)
    return Statement(said(day), f"{spelled(day)}, that is {slashed(_near(day, rng))}")


def day_checks(rng: random.Random) -> Page:
    """Calendar steps, right and wrong."""
    return checks([rng.choice((wrong_step, wrong_step, wrong_spelling))(rng) for _ in range(rng.randint(2, 5))], rng)
