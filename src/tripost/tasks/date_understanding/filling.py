"""Values for the slots of a template, made up: any will do for one that asks for no others (`fitting`)."""

import calendar
import datetime
import random

from tripost.tasks.date_understanding.days import NUMBERS, ordinal, slashed, spelled
from tripost.tasks.date_understanding.slots import EVENTS, JUBILEES, NAMES, ORDINALS, SHE, slots_of


def spell_date(day: datetime.date, rng: random.Random) -> str:
    """A date in one of the usual ways."""
    month = calendar.month_name[day.month]
    short = {9: "Sept."}.get(day.month, month[:3])
    return rng.choice(
        (
            slashed(day),
            f"{day.month}/{day.day}/{day.year}",
            spelled(day),
            f"{month} {ordinal(day.day)}, {day.year}",
            f"{short} {day.day}, {day.year}",
            f"{short} {ordinal(day.day)}, {day.year}",
        )
    )


def spell_number(n: int, rng: random.Random) -> str:
    """A number in figures, or in words where it has one."""
    return NUMBERS[n] if 2 <= n < len(NUMBERS) and rng.random() < 0.6 else str(n)


def _some_span(rng: random.Random) -> str:
    n, unit = rng.choice(((rng.randint(2, 30), "days"), (rng.randint(2, 8), "weeks"), (rng.randint(2, 11), "months")))
    one = rng.choice(("a day", "a week", "one week", "a month", "a year", "24 hours"))
    return f"{rng.choice((one, f'{spell_number(n, rng)} {unit}'))} ago"


def some_values(template: str, day: datetime.date, rng: random.Random) -> dict[str, str]:
    """Something plausible for every slot, with `day` as the date that is named."""
    n = rng.randint(2, 30)
    names = rng.sample(NAMES, 2)
    unit = rng.choice(("days", "days", "weeks", "months", "years"))
    she = "she" if names[0] in SHE else "he"
    events = rng.sample(EVENTS, 2)
    values = {
        "date": spell_date(day, rng),
        "dmy": f"{day.day:02d}/{day.month:02d}/{day.year}",
        "md": f"{day.month}/{day.day}",
        "monthday": f"{calendar.month_name[day.month][: rng.choice((3, 9))]} {day.day}",
        "year": str(day.year),
        "month": calendar.month_name[day.month],
        "weekday": calendar.day_name[rng.randrange(7)],
        "span": _some_span(rng),
        "n2": str(rng.randint(2, 9)),
        "nth2": rng.choice(ORDINALS),
        "s": "s",
        "n": spell_number(n if unit == "days" else rng.randint(2, 6), rng),
        "unit": unit,
        "nth": ordinal(rng.randint(1, 4)),
        "name": names[0],
        "name2": names[1],
        "name3": rng.choice(names),
        "her": "her" if she == "she" else "his",
        "she": she,
        "She": she.capitalize(),
        "jubilee": rng.choice(sorted(JUBILEES)),
        "time": f"{rng.randint(1, 12)}:{rng.randint(0, 59):02d} {rng.choice('ap')}m",
        "event": events[0],
        "event2": events[1],
    }
    return {kind: values[kind] for kind in slots_of(template) if kind in values}
