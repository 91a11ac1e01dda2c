"""Other right ways to tell a date rationale, or None where one does not apply."""

import random
from collections.abc import Callable
from dataclasses import replace

from bench.planted.calendar_days import SPELLINGS, figures, named, shifted
from bench.planted.date_errors import right_day
from bench.planted.date_facts import SPANS
from bench.planted.date_forms import TODAY
from bench.planted.date_lines import OPENERS, Line, Work, lowered, read_claim, subject_of

Rewrite = Callable[[Work, random.Random], Work | None]


def _each(change: Callable[[Work, Line, random.Random], list[tuple[Line, ...]]]) -> Rewrite:
    """A rewrite of one line, at random among those that it applies to."""

    def rewrite(work: Work, rng: random.Random) -> Work | None:
        places = list(range(len(work.lines)))
        rng.shuffle(places)
        for at in places:
            found = change(work, work.lines[at], rng)
            if found:
                return work.put(at, *rng.choice(found))
        return None

    return rewrite


def spelling(work: Work, line: Line, rng: random.Random) -> list[tuple[Line, ...]]:
    """The day spelt another way."""
    day = right_day(work, line)
    return [(replace(line, day=spell(day)),) for spell in SPELLINGS.values() if spell(day) != line.day]


def that(work: Work, line: Line, rng: random.Random) -> list[tuple[Line, ...]]:
    """ "that is" dropped, or added in another spelling."""
    day = right_day(work, line)
    if line.that:
        return [(replace(line, that=""),)]
    return [(replace(line, that=text),) for text in (figures(day), named(day)) if text != line.day]


def opener(work: Work, line: Line, rng: random.Random) -> list[tuple[Line, ...]]:
    """A line that begins with "So", or no longer does."""
    if line.told:
        return []
    return [(replace(line, opener=text),) for text in ("", *OPENERS) if text != line.opener]


def untold(work: Work, line: Line, rng: random.Random) -> list[tuple[Line, ...]]:
    """The told part dropped."""
    return [(replace(line, told=""),)] if line.told else []


def claim(work: Work, line: Line, rng: random.Random) -> list[tuple[Line, ...]]:
    """The same day called another way."""
    subject = subject_of(line.claim, line.verb)
    if subject == TODAY:
        names = ["today's date", "the date today", "today"]
        return [(replace(line, claim=name),) for name in names if name != line.claim]
    if subject:
        event = f"the date of the {subject}" if line.verb == " was on " else f"the {subject}"
        return [(replace(line, claim=event, verb=" is " if line.verb == " was on " else " was on "),)]
    fact = read_claim(line.claim, line.verb)
    if isinstance(fact.base, str) and fact.base != TODAY:
        return []
    return [(replace(line, claim=name),) for name in _names(work, fact.number, fact.unit, line.claim)]


def _names(work: Work, number: int, unit: str, old: str) -> list[str]:
    """Other names of the day so far from today."""
    near = {(1, "day"): "tomorrow", (-1, "day"): "yesterday"}
    found = [f"{near[number, unit]}'s date", f"the date {near[number, unit]}"] if (number, unit) in near else []
    if number:
        count = f"{abs(number)} {unit}{'s' if abs(number) > 1 else ''}"
        way = "before" if number < 0 else "after"
        found += [f"the date {count} {'ago' if number < 0 else 'later'}", f"the date {count} {way} today"]
        found += [f"{count} {'ago' if number < 0 else 'later'}"]
        found += [f"{count} {way} today", f"{count} {way} {figures(work.truth[TODAY])}"]
        found += [f"the date {count} {'ago' if number < 0 else ''} from today".replace("  ", " ")]
    found += [f"the date {name}" for name, span in SPANS.items() if span == (number, unit) and number]
    return [name for name in found if name != old]


def split(work: Work, line: Line, rng: random.Random) -> list[tuple[Line, ...]]:
    """Today's date first, where a line goes from the told part straight to another day."""
    if not line.told or subject_of(line.claim, line.verb) or _stated_today(work, line):
        return []
    return [(Line("today's date", named(work.truth[TODAY]), line.told), replace(line, told=""))]


def _stated_today(work: Work, line: Line) -> bool:
    """Whether today's date is said in a line before this one."""
    before = work.lines[: work.lines.index(line)]
    return any(subject_of(other.claim, other.verb) == TODAY for other in before)


def neighbour(work: Work, line: Line, rng: random.Random) -> list[tuple[Line, ...]]:
    """The day next to today first: from the told part, or on the way to a day farther off."""
    today = work.truth[TODAY]
    days = {"tomorrow's date": 1, "yesterday's date": -1, "the date the day after tomorrow": 2}
    lines = {name: named(shifted(today, away, "day")) for name, away in days.items()}
    if subject_of(line.claim, line.verb) == TODAY and line.told:
        return [(Line(name, day, line.told), replace(line, told="")) for name, day in lines.items()]
    if not line.told and _stated_today(work, line):
        return [(Line(name, day), line) for name, day in lines.items()]
    return []


def from_today(work: Work, line: Line, rng: random.Random) -> list[tuple[Line, ...]]:
    """What was found before told again: "If today's date is ..., then ..."."""
    if line.told or line.opener or not _stated_today(work, line):
        return []
    fact = read_claim(line.claim, line.verb)
    if fact.base != TODAY:
        return []
    day = rng.choice(list(SPELLINGS.values()))(work.truth[TODAY])
    return [(replace(line, told=f"{name} is {day}"),) for name in ("today's date", "today", "the date today")]


def part(work: Work, line: Line, rng: random.Random) -> list[tuple[Line, ...]]:
    """One of several told sentences left out."""
    for fact in work.told.facts:
        sentences = [lowered(sentence) for sentence in fact.sentences]
        if len(sentences) > 1 and " and ".join(sentences) == line.told:
            fewer = [sentences[:at] + sentences[at + 1 :] for at in range(len(sentences))]
            return [(replace(line, told=" and ".join(rest)),) for rest in fewer if len(rest[0].split()) > 2]
    return []


def restated(work: Work, line: Line, rng: random.Random) -> list[tuple[Line, ...]]:
    """First the day of an event as the question gives it, or as a line before found it."""
    known = [fact.subject for fact in work.told.facts if not isinstance(fact.base, str)]
    found: list[tuple[Line, ...]] = []
    for event in [name for name in known if name != TODAY]:
        if any(subject_of(other.claim, other.verb) == event for other in (*_before(work, line), line)):
            continue
        day = rng.choice(list(SPELLINGS.values()))(work.truth[event])
        found += [
            (Line(f"the date of the {event}", day), line),
            (Line(f"the {event}", day, "", "", " was on "), line),
        ]
    return found


def _before(work: Work, line: Line) -> tuple[Line, ...]:
    return work.lines[: work.lines.index(line)]


def halfway(work: Work, line: Line, rng: random.Random) -> list[tuple[Line, ...]]:
    """A shorter way of the same unit first: one week before, then two weeks before."""
    fact = read_claim(line.claim, line.verb)
    if line.told or fact.base != TODAY or abs(fact.number) < 2 or fact.unit not in ("day", "week"):
        return []
    number = rng.randint(1, abs(fact.number) - 1)
    count = f"{number} {fact.unit}{'s' if number > 1 else ''}"
    day = shifted(work.truth[TODAY], number if fact.number > 0 else -number, fact.unit)
    way = "later" if fact.number > 0 else "ago"
    return [(Line(f"the date {count} {way}", named(day)), line)]


REWRITES: dict[str, Rewrite] = {
    "spelling": _each(spelling),
    "that": _each(that),
    "opener": _each(opener),
    "untold": _each(untold),
    "claim": _each(claim),
    "split": _each(split),
    "neighbour": _each(neighbour),
    "from today": _each(from_today),
    "part": _each(part),
    "restated": _each(restated),
    "halfway": _each(halfway),
}
