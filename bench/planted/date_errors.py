"""The kinds of error that are planted in date rationales.

Each planter takes a right rationale and the place of a line in it, and gives a wrong line with what a reasoner who
goes on from it believes, or None where it does not apply. That the line is wrong is checked by `dates`.
"""

import calendar
import random
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta

from bench.planted.calendar_days import MONTHS, WEEKDAYS, figures, first_weekday, named, shifted
from bench.planted.date_facts import Fact
from bench.planted.date_forms import TODAY
from bench.planted.date_lines import Line, Work, read_claim, respelt, subject_of
from bench.planted.told_errors import told


@dataclass(frozen=True)
class Mark:
    """A wrong line, the wrong text in it, and what follows from it."""

    at: int
    line: Line
    part: str
    beliefs: dict[str, date] = field(default_factory=dict)
    answer: date | None = None


def cause(work: Work, line: Line) -> Fact:
    """What the day of a line is counted from: as the question tells it, or as the claim itself says."""
    subject = subject_of(line.claim, line.verb)
    facts = [fact for fact in work.told.facts if fact.subject == subject]
    return facts[0] if facts else read_claim(line.claim, line.verb)


def right_day(work: Work, line: Line) -> date:
    """The day that belongs to the claim of a line."""
    return read_claim(line.claim, line.verb).day(work.truth)


def source(work: Work, line: Line) -> date:
    """The day that the day of a line is counted from."""
    base = cause(work, line).base
    return work.truth[base] if isinstance(base, str) else base


def believed(work: Work, line: Line, day: date) -> tuple[dict[str, date], date | None]:
    """What follows from a wrong day: another belief about the subject, or about the answer."""
    subject = subject_of(line.claim, line.verb)
    if subject:
        return {subject: day}, None
    claim = read_claim(line.claim, line.verb)
    asked = (claim.base, claim.number, claim.unit) == (TODAY, *work.told.span)
    return {}, day if asked else None


def _stating(work: Work, at: int, day: date, text: str = "") -> Mark:
    """The line with another day in it (and in what it is said to be in figures)."""
    line = work.lines[at]
    text = text or respelt(line.day, day)
    that = respelt(line.that, day) if line.that else ""
    return Mark(at, replace(line, day=text, that=that), text, *believed(work, line, day))


def _days(pick: Callable[[Work, Line], Iterable[date]]) -> "Planter":
    """A planter that states one of these days instead of the right one."""

    def plant(work: Work, at: int, rng: random.Random) -> Mark | None:
        line = work.lines[at]
        right = right_day(work, line)
        found = sorted({day for day in pick(work, line) if day != right})
        return _stating(work, at, rng.choice(found)) if found else None

    return plant


def _near(unit: str, *steps: int) -> "Planter":
    return _days(lambda work, line: [shifted(right_day(work, line), step, unit) for step in steps])


def _recount(change: Callable[[Fact], Sequence[tuple[int, str]]]) -> "Planter":
    """A planter that counts another number, or another unit, from the right day."""

    def pick(work: Work, line: Line) -> list[date]:
        fact = cause(work, line)
        return [] if fact.weekday else [shifted(source(work, line), *away) for away in change(fact)]

    return _days(pick)


def _backwards(fact: Fact) -> list[tuple[int, str]]:
    return [(-fact.number, fact.unit)]


def _other_weeks(fact: Fact) -> list[tuple[int, str]]:
    sizes = {"week": (6, 8), "month": (28, 30), "year": (360, 365)}
    return [(fact.number * size, "day") for size in sizes.get(fact.unit, ())]


def _other_years(fact: Fact) -> list[tuple[int, str]]:
    return [(fact.number - 1, "year"), (fact.number + 1, "year")] if fact.unit == "year" else []


def _other_count(fact: Fact) -> list[tuple[int, str]]:
    step = 12 if fact.unit == "hour" else 1
    few = fact.unit in ("day", "hour") and abs(fact.number) < 2
    return [] if few else [(fact.number + step, fact.unit), (fact.number - step, fact.unit)]


def _other_weekdays(work: Work, line: Line) -> list[date]:
    fact = cause(work, line)
    if not fact.weekday:
        return []
    start = source(work, line)
    right = first_weekday(start + timedelta(days=1), fact.weekday)
    return [right - timedelta(days=7), right + timedelta(days=7), *(right + timedelta(days=n) for n in (-1, 1))]


def _swapped(work: Work, line: Line) -> list[date]:
    day = right_day(work, line)
    return [date(day.year, day.day, day.month)] if day.day <= 12 else []


def _leap(work: Work, line: Line) -> list[date]:
    """One day more or less where the way crosses the end of February, or the other day of the two at it."""
    start, end = sorted((source(work, line), right_day(work, line)))
    unit = cause(work, line).unit
    years = range(start.year, end.year + 1)
    crossed = any(start <= date(year, 2, 28) < end for year in years) and unit in ("day", "week")
    near = {end, start} & {date(year, month, day) for year in years for month, day in ((2, 28), (3, 1))}
    if not crossed and not near:
        return []
    right = right_day(work, line)
    return [right + timedelta(days=-1 if calendar.isleap(right.year) else 1)]


def overflow(work: Work, at: int, rng: random.Random) -> Mark | None:
    """A day that the month does not have: November 31 for December 1."""
    line = work.lines[at]
    right, start, fact = right_day(work, line), source(work, line), cause(work, line)
    if fact.unit in ("month", "year") and right.day < start.day:
        text = f"{MONTHS[right.month - 1]} {start.day}, {right.year}"
    elif fact.unit in ("day", "week") and right.day <= 6 and start < right and start.month != right.month:
        before = right.replace(day=1) - timedelta(days=1)
        text = f"{MONTHS[before.month - 1]} {before.day + right.day}, {before.year}"
    else:
        return None
    return Mark(at, replace(line, day=text), text)


def weekday_name(work: Work, at: int, rng: random.Random) -> Mark | None:
    """The right day with a weekday that it is not."""
    line = work.lines[at]
    right = right_day(work, line)
    other = WEEKDAYS[(right.weekday() + rng.randint(1, 6)) % 7]
    return Mark(at, replace(line, day=f"{other}, {named(right)}"), other)


def conversion(work: Work, at: int, rng: random.Random) -> Mark | None:
    """A wrong day behind "that is"."""
    line = work.lines[at]
    if not line.that:
        return None
    right = right_day(work, line)
    wrong = [right + timedelta(days=n) for n in (-1, 1, 10)] + [shifted(right, 1, unit) for unit in ("month", "year")]
    texts = [(figures(day), day) for day in wrong]
    swap = f"{right.day:02}/{right.month:02}/{right.year}"
    if right.day != right.month:
        texts += [(swap, date(right.year, right.day, right.month) if right.day <= 12 else right)] * 3
    text, day = rng.choice(texts)
    return Mark(at, replace(line, that=text), text, {}, day if day != right and at == len(work.lines) - 1 else None)


def _told(kind: str) -> "Planter":
    """A planter that changes a detail of the told part; what follows from it is worked out by `dates`."""
    change = told(kind)

    def plant(work: Work, at: int, rng: random.Random) -> Mark | None:
        found = change(work, at, rng)
        return Mark(at, *found) if found else None

    return plant


Planter = Callable[[Work, int, random.Random], Mark | None]
KINDS: dict[str, Planter] = {
    "day": _near("day", -2, -1, 1, 2),
    "month": _near("month", -1, 1),
    "year": _near("year", -1, 1),
    "overflow": overflow,
    "leap": _days(_leap),
    "swapped": _days(_swapped),
    "direction": _recount(_backwards),
    "unmoved": _days(lambda work, line: [source(work, line)]),
    "week": _recount(_other_weeks),
    "anniversary": _recount(_other_years),
    "count": _recount(_other_count),
    "weekday": _days(_other_weekdays),
    "weekday name": weekday_name,
    "conversion": conversion,
    "told date": _told("date"),
    "told number": _told("number"),
    "told name": _told("name"),
    "told event": _told("event"),
}
