"""Wrong details in what a date rationale says the question tells."""

import random
import re
from collections.abc import Callable
from dataclasses import replace

from bench.planted.calendar_days import MONTHS, WEEKDAYS
from bench.planted.date_forms import NAMES, TODAY
from bench.planted.date_lines import Line, Work

_DETAIL = re.compile(r"\d+|[A-Za-z]+")


def _details(text: str, kind: str, work: Work, rng: random.Random) -> list[tuple[int, int, str]]:
    """What may stand in the place of a number, a name or a day in a told part."""
    small = ["two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve"]
    pools = {"name": [list(NAMES)], "number": [small], "date": [MONTHS, [month[:3] for month in MONTHS], WEEKDAYS]}
    events = [fact.subject for fact in work.told.facts if fact.subject != TODAY]
    if kind == "event":
        pools["event"] = [sorted(set(events))]
    found: list[tuple[int, int, str]] = []
    for match in _DETAIL.finditer(text):
        word = match[0]
        if word.isdigit():
            dated = len(word) == 4 or "/" in text[match.start() - 1 : match.end() + 1]
            if kind == ("date" if dated else "number") and int(word) < 9999:
                found += [(*match.span(), str(int(word) + step)) for step in (-1, 1) if int(word) + step > 0]
        else:
            pool = next((pool for pool in pools.get(kind, []) if word in pool), [])
            found += [(*match.span(), other) for other in pool if other != word]
    rng.shuffle(found)
    return found


def told(kind: str) -> Callable[[Work, int, random.Random], tuple[Line, str] | None]:
    """A change of one detail of the told part: the line, and what now stands there."""

    def plant(work: Work, at: int, rng: random.Random) -> tuple[Line, str] | None:
        line = work.lines[at]
        for start, end, other in _details(line.told, kind, work, rng):
            text = line.told[:start] + other + line.told[end:]
            return replace(line, told=text), other
        return None

    return plant
