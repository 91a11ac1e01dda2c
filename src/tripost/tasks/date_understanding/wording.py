"""Questions made up: a form and values for it, or a story of events, an ask, and options that tempt."""

import datetime
import random
import re

from tripost.errors import DataError
from tripost.tasks.date_understanding.anchors import ANCHORS
from tripost.tasks.date_understanding.days import Span, shift, slashed
from tripost.tasks.date_understanding.events import BEGINNINGS, LINKS, PLAIN, TODAY, Link
from tripost.tasks.date_understanding.filling import some_values, spell_number
from tripost.tasks.date_understanding.premises import FORMS, Form
from tripost.tasks.date_understanding.question import ASKS, FILLERS, read_question
from tripost.tasks.date_understanding.slots import EVENTS, fill
from tripost.tasks.options import shuffled, write_options

PUBLISHED_ASKS = [
    *("yesterday", "tomorrow", "24 hours later", "10 days ago", "one week ago from today", "one week from today"),
    *("a month ago", "one year ago from today"),
]
MAX_TRIES = 200
_STORY = 0.2
"""Share of stories among questions of two steps."""
_NAMED = 0.35
"""Share of premises that name a day by what it is (`Christmas Eve of 1937`)."""
_FILLER = 0.15


def write_question(steps: int, rng: random.Random) -> str:
    """A question of so many steps that reads back as one; form, words and options by chance."""
    for _ in range(MAX_TRIES):
        told, asked = _told(steps, rng)
        if told is None:
            continue
        if rng.random() < _FILLER:
            filler = rng.choice(FILLERS)
            told.insert(0, fill(filler, some_values(filler, some_day(rng), rng)))
        ask = fill(rng.choice((ASKS[0], *ASKS)), {"span": asked})
        stem = " ".join([*told, ask])
        try:
            found = read_question(write_options(stem, ["01/01/0001", "01/02/0001"]))
        except DataError:
            continue
        if found.steps == steps and 1800 < found.answer.year < 2200:
            texts, _ = shuffled(slashed(found.answer), _tempting(found.today, found.asked, found.answer, rng), rng)
            return write_options(stem, texts)
    raise DataError(f"no question of {steps} steps came up")


def _told(steps: int, rng: random.Random) -> tuple[list[str] | None, str]:
    """The sentences before the ask, and the words for how far from today it asks."""
    today_asked = (steps == 1 and rng.random() < 0.5) or (steps > 2 and rng.random() < 0.2)
    asked = "today" if today_asked else some_ask(rng)
    facts = steps if today_asked else steps - 1
    if facts > 1 or (facts == 1 and not today_asked and rng.random() < _STORY):
        return _story(facts, rng), asked
    named = rng.random() < _NAMED
    return _premise(
        rng.choice([form for form in FORMS if form.direct is (facts == 0) and form.named is (named and facts > 0)]),
        rng,
    ), asked


def _premise(form: Form, rng: random.Random) -> list[str]:
    template = rng.choice(form.templates)
    day = some_day(rng)
    values = some_values(template, day, rng)
    if form.fitting is not None:
        values |= form.fitting(day, rng)
    return [_sentences(fill(template, values))]


def _sentences(text: str) -> str:
    """With a capital at the beginning of each sentence."""
    return re.sub(r"(?:^|(?<=[a-z0-9]\. ))[a-z]", lambda match: match[0].upper(), text)


def _story(facts: int, rng: random.Random) -> list[str]:
    """Sentences from which so many days have to be found, the last of them today."""
    events = rng.sample(EVENTS, facts + 1)
    named = facts >= 2 and rng.random() < 0.5
    if named:
        phrase = rng.choice(rng.choice(ANCHORS).templates)
        first = rng.choice(BEGINNINGS).replace("ANCHOR", phrase)
    else:
        first = rng.choice(PLAIN)
    values = some_values(first, some_day(rng), rng)
    told = [fill(first, {**values, "event": events[0]})]
    links = facts - 1 - named
    for k in range(links):
        told.append(_linked(_one("event", rng), events[k + 1], events[k], rng))
    told.append(_linked(_one(TODAY, rng), events[links], "", rng))
    return told


def _one(gives: str, rng: random.Random) -> Link:
    return rng.choice([link for link in LINKS if link.gives == gives])


def _linked(link: Link, event: str, event2: str, rng: random.Random) -> str:
    template = rng.choice(link.templates)
    values = {**some_values(template, some_day(rng), rng), "event": event, "event2": event2}
    return _sentences(fill(template, values))


def some_ask(rng: random.Random) -> str:
    """How far from today: as the published questions ask, or another way."""
    if rng.random() < 0.5:
        return rng.choice(PUBLISHED_ASKS)
    unit, most = rng.choice((("days", 30), ("days", 9), ("weeks", 6), ("months", 11), ("years", 9)))
    n = spell_number(rng.randint(2, most), rng)
    return rng.choice(
        (
            f"{n} {unit} ago",
            f"{n} {unit} ago from today",
            f"{n} {unit} later",
            f"{n} {unit} from today",
            f"in {n} {unit}",
            "the day before yesterday",
            "the day after tomorrow",
        )
    )


def some_day(rng: random.Random) -> datetime.date:
    """A day of the years 1900 to 2049; ends of months and years come up more often than by chance."""
    day = datetime.date(1900, 1, 1) + datetime.timedelta(days=rng.randrange(150 * 365))
    if rng.random() < 0.15:
        return shift(day.replace(day=1), Span(days=rng.choice((-1, 0))))
    return day


def _tempting(today: datetime.date, asked: Span, answer: datetime.date, rng: random.Random) -> list[str]:
    """Four or five wrong dates: slips (a day, a year, the other direction, day for month, ...), others by chance."""
    slips = [Span(days=1), Span(days=-1), Span(months=1), Span(months=-1), Span(months=12), Span(months=-12)]
    near = [shift(answer, slip) for slip in (*slips, Span(days=7), Span(days=-7))]
    near += [today, shift(today, -asked)]
    if max(answer.day, today.day) > 27:  # who counts months backwards may come to a neighbour, which is arguable
        near = [day for day in near if not 0 < abs((day - answer).days) < 4]
    if answer.day <= 12:
        near.append(datetime.date(answer.year, answer.day, answer.month))
    far = [shift(answer, Span(months=rng.randint(-240, 240), days=rng.randint(-40, 40))) for _ in range(6)]
    chosen = [*rng.sample(near, 4), *far, *near]
    texts = dict.fromkeys(slashed(day) for day in chosen if day != answer)
    return list(texts)[: 5 if rng.random() < 0.85 else 4]
