"""Days of events, told sentence by sentence: `The exam was two weeks after the concert. Today is ...`."""

import datetime
import functools
from collections.abc import Callable, Mapping, Sequence

import msgspec

from tripost.tasks.date_understanding.anchors import ANCHORS
from tripost.tasks.date_understanding.days import Span, shift
from tripost.tasks.date_understanding.slots import Slots, compiled

TODAY = "today"
From = Callable[[Slots, datetime.date], datetime.date]


class Link(msgspec.Struct, frozen=True):
    """Sentences that give one day from another: `gives` and `needs` are `today` or the slots that name the events."""

    templates: tuple[str, ...]
    gives: str
    needs: str
    day: From


def _next_weekday(slots: Slots, day: datetime.date) -> datetime.date:
    return day + datetime.timedelta(days=(slots.weekday() - day.weekday() - 1) % 7 + 1)


LINKS = [
    Link(
        ("The {event} was {n} {unit} after the {event2}.", "The {event} took place {n} {unit} after the {event2}."),
        "event",
        "event2",
        lambda slots, day: shift(day, slots.length()),
    ),
    Link(
        ("The {event} was {n} {unit} before the {event2}.", "The {event} took place {n} {unit} before the {event2}."),
        "event",
        "event2",
        lambda slots, day: shift(day, -slots.length()),
    ),
    Link(
        ("The {event} was the day after the {event2}.",),
        "event",
        "event2",
        lambda slots, day: shift(day, Span(days=1)),
    ),
    Link(
        ("The {event} was on the first {weekday} after the {event2}.",),
        "event",
        "event2",
        _next_weekday,
    ),
    Link(
        (
            "Today is {n} {unit} after the {event}.",
            "The {event} was {n} {unit} ago.",
            "{n} {unit} have passed since the {event}.",
        ),
        TODAY,
        "event",
        lambda slots, day: shift(day, slots.length()),
    ),
    Link(
        (
            "Today is {n} {unit} before the {event}.",
            "The {event} will be in {n} {unit}.",
            "It is {n} {unit} until the {event}.",
        ),
        TODAY,
        "event",
        lambda slots, day: shift(day, -slots.length()),
    ),
    Link(
        ("Today is the day after the {event}.", "The {event} was yesterday."),
        TODAY,
        "event",
        lambda _, day: shift(day, Span(days=1)),
    ),
    Link(
        ("Today is the day before the {event}.", "The {event} is tomorrow."),
        TODAY,
        "event",
        lambda _, day: shift(day, Span(days=-1)),
    ),
    Link(("Today is the first {weekday} after the {event}.",), TODAY, "event", _next_weekday),
]
BEGINNINGS = (
    "The {event} was on ANCHOR.",
    "The {event} took place on ANCHOR.",
    "The date of the {event} was ANCHOR.",
)
PLAIN = tuple(text.replace("ANCHOR", "{date}") for text in BEGINNINGS)
NAMED = [
    (tuple(text.replace("ANCHOR", phrase) for text in BEGINNINGS for phrase in anchor.templates), anchor.day)
    for anchor in ANCHORS
]


class Fact(msgspec.Struct, frozen=True):
    """A day that follows from `told` (a sentence, or several): of what (`today` or the event), and which."""

    of: str
    told: str
    day: datetime.date


class Story(msgspec.Struct, frozen=True):
    """What sentences about events come to: days that stand there, and days to be found, in the order of finding."""

    stated: dict[str, datetime.date]
    facts: tuple[Fact, ...]


def holds(condition: str, days: Mapping[str, datetime.date]) -> bool | None:
    """Whether a condition about days that are known holds (`today is two days after the exam`); None for others."""
    text = f"{condition[:1].upper()}{condition[1:]}."
    try:
        begun = _beginning(text)
        if begun is not None:
            return None if begun[0] not in days else days[begun[0]] == begun[1]
        found = _link(text)
        if found is None:
            return None
        given, needed = days.get(found.name(found.link.gives)), days.get(found.name(found.link.needs))
        return None if given is None or needed is None else found.link.day(found.slots, needed) == given
    except (ValueError, OverflowError):
        return None


class _Sentence(msgspec.Struct, frozen=True):
    text: str
    link: Link
    slots: Slots

    def name(self, kind: str) -> str:
        return kind if kind == TODAY else self.slots.texts[kind]


def read_story(sentences: Sequence[str]) -> Story | None:
    """The days of a story that ends with today; None for anything else. May raise ValueError or OverflowError."""
    stated: dict[str, datetime.date] = {}
    facts: list[Fact] = []
    rest: list[_Sentence] = []
    for text in sentences:
        begun = _beginning(text)
        if begun is not None:
            event, day, plain = begun
            if event in stated or any(fact.of == event for fact in facts):
                return None
            if plain:
                stated[event] = day
            else:
                facts.append(Fact(event, text, day))
            continue
        found = _link(text)
        if found is None:
            return None
        rest.append(found)
    known = stated | {fact.of: fact.day for fact in facts}
    while rest:
        ready = next((s for s in rest if s.name(s.link.needs) in known and s.name(s.link.gives) not in known), None)
        if ready is None:
            return None
        rest.remove(ready)
        of = ready.name(ready.link.gives)
        known[of] = ready.link.day(ready.slots, known[ready.name(ready.link.needs)])
        facts.append(Fact(of, ready.text, known[of]))
    return Story(stated, tuple(facts)) if TODAY in known else None


@functools.lru_cache(maxsize=4096)
def _link(text: str) -> _Sentence | None:
    for link in LINKS:
        for template in link.templates:
            match = compiled(template).fullmatch(text)
            if match:
                return _Sentence(text, link, Slots(match.groupdict()))
    return None


def _beginning(text: str) -> tuple[str, datetime.date, bool] | None:
    """(the event, its day, whether the day stands there as a date)."""
    for template in PLAIN:
        match = compiled(template).fullmatch(text)
        if match:
            return match["event"], Slots(match.groupdict()).day(), True
    for templates, day in NAMED:
        for template in templates:
            match = compiled(template).fullmatch(text)
            if match:
                return match["event"], day(Slots(match.groupdict())), False
    return None
