"""Values for the slots of a form that have to fit together, made up by the generator for a day that it names."""

import calendar
import datetime
import random
from collections.abc import Callable

from tripost.tasks.date_understanding.filling import spell_date

Fitting = Callable[[datetime.date, random.Random], dict[str, str]]


def month_end(day: datetime.date, rng: random.Random) -> dict[str, str]:
    n = calendar.monthrange(day.year, day.month)[1]
    return {
        "date": spell_date(day.replace(day=n), rng),
        "impossible": f"{day.month}/{n + 1}/{day.year}",
        "month": calendar.month_name[day.month],
        "n": str(n),
    }


def two_dates(day: datetime.date, rng: random.Random) -> dict[str, str]:
    return {"date2": spell_date(day + datetime.timedelta(days=rng.choice((-7, -2, -1, 1, 2, 7))), rng)}


def one_later(day: datetime.date, rng: random.Random) -> dict[str, str]:
    n = rng.randint(1, 5)
    after = day + datetime.timedelta(days=n)
    return {"n": str(n), "s": "s"[: n > 1], "monthday": f"{calendar.month_name[after.month][:3]} {after.day}"}


def second_day(day: datetime.date, rng: random.Random) -> dict[str, str]:
    return {"n": str(rng.randint(2, 12))}


def known_weekday(day: datetime.date, rng: random.Random) -> dict[str, str]:
    return {
        "weekday": calendar.day_name[datetime.date(day.year, 1, 1).weekday()],
        "weekday2": rng.choice(calendar.day_name),
    }


def hours(day: datetime.date, rng: random.Random) -> dict[str, str]:
    return {"n": str(rng.randint(1, 29) * 12)}


def birthday(day: datetime.date, rng: random.Random) -> dict[str, str]:
    return {"n": str(rng.choice((4, 8, 16, rng.randint(2, 90))))}
