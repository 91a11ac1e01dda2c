"""A question of date understanding, read: what it says of today, which day it asks for, what the options are."""

import datetime
import functools
import re

import msgspec

from tripost.errors import DataError
from tripost.tasks.date_understanding.days import NUMBERS, Span, read_date, read_span, shift
from tripost.tasks.date_understanding.events import TODAY, Fact, read_story
from tripost.tasks.date_understanding.premises import FORMS, Form
from tripost.tasks.date_understanding.slots import Slots, compiled
from tripost.tasks.options import read_options

ASKS = (
    "What is the date {span} in MM/DD/YYYY?",
    "What date is {span} in MM/DD/YYYY?",
    "In MM/DD/YYYY, what is the date {span}?",
    "Give the date {span} in MM/DD/YYYY.",
)
FILLERS = (
    "{name} has {n} cousins.",
    "{name} has been waiting here for {n} minutes.",
    "It is raining.",
    "The train has {n} cars.",
    "{name} and {name2} are neighbours.",
    "There are {n} people in the room.",
)
"""Sentences that say nothing about dates."""
_PLAIN = {
    *(
        "the",
        "this",
        "it",
        "today",
        "yesterday",
        "tomorrow",
        "in",
        "on",
        "from",
        "according",
        "there",
        "two",
        "she",
        "he",
    ),
    *(word for word in NUMBERS[1:]),
}
"""First words that are written small within a sentence."""
MAX_SENTENCES = 12
_SHORT = re.compile(r"\b(?:Jan|Feb|Mar|Apr|Jun|Jul|Aug|Sept?|Oct|Nov|Dec)\.$")
_SENTENCE = re.compile(r"(?<=[.?!]) (?=[A-Z0-9])")


class Question(msgspec.Struct, frozen=True):
    """`stated`: days that stand in the question; `facts`: days to be found, in order; `asked`: how far from today."""

    sentences: tuple[str, ...]
    stated: dict[str, datetime.date]
    facts: tuple[Fact, ...]
    asked: Span
    asked_text: str
    today: datetime.date
    answer: datetime.date
    options: dict[str, datetime.date]

    @property
    def days(self) -> dict[str, datetime.date]:
        """Every day that has a name: today, and the events."""
        return {**self.stated, **{fact.of: fact.day for fact in self.facts}}

    @property
    def steps(self) -> int:
        """How many days have to be found, the one that is asked for among them."""
        return max(1, len(self.facts) + (self.asked != Span()))


@functools.lru_cache(maxsize=1024)
def read_question(text: str) -> Question:
    """Raises DataError for a question that is none of the known forms, or contradicts itself."""
    stem, written = read_options(text)
    sentences = split_sentences(stem)
    if not 2 <= len(sentences) <= MAX_SENTENCES:
        raise DataError("not a question of date understanding: some sentences and a question are needed")
    *told, ask = sentences
    told = [sentence for sentence in told if not _is(FILLERS, sentence)]
    asked_text = next((match["span"] for t in ASKS if (match := compiled(t).fullmatch(ask))), None)
    asked = read_span(asked_text) if asked_text else None
    if asked is None or asked_text is None:
        raise DataError("not a question of date understanding: it does not ask for a date in a known way")
    try:
        stated, facts = _read_told(told)
        today = {**stated, **{fact.of: fact.day for fact in facts}}[TODAY]
        answer = shift(today, asked)
    except (ValueError, OverflowError) as error:
        raise DataError(f"not a question of date understanding: {error}") from None
    options: dict[str, datetime.date] = {}
    for letter, option in written.items():
        found = read_date(option)
        if found is not None and found.day is not None:
            options[letter] = found.day
    if len(options) < len(written):
        raise DataError("not a question of date understanding: an option is no date")
    if len(set(options.values())) < len(options):
        raise DataError("not a question of date understanding: two options are the same day")
    return Question(tuple(told), stated, facts, asked, asked_text, today, answer, options)


def split_sentences(text: str) -> list[str]:
    """Sentences; the full stop of `Sept. 1st` ends none."""
    sentences: list[list[str]] = [[]]
    for piece in _SENTENCE.split(" ".join(text.split())):
        if sentences[-1] and not _SHORT.search(sentences[-1][-1][-6:]):
            sentences.append([])
        sentences[-1].append(piece)
    return [" ".join(pieces) for pieces in sentences]


def told_briefly(sentences: tuple[str, ...]) -> str:
    """Sentences as one condition: `Jane and John married on Jan 2, 1958 and today is ...`."""
    return " and ".join(_inside(sentence) for sentence in sentences)


def _inside(sentence: str) -> str:
    """A sentence as it stands within another one."""
    sentence = sentence.removesuffix(".").removeprefix("Therefore, ")
    first, space, rest = sentence.partition(" ")
    plain = first.removesuffix(",").removesuffix("'s").lower() in _PLAIN
    return (first.lower() if plain else first) + space + rest


def _read_told(told: list[str]) -> tuple[dict[str, datetime.date], tuple[Fact, ...]]:
    whole = " ".join(told)
    for form in FORMS:
        today = _today(form, whole)
        if today is not None:
            if form.direct:
                return {TODAY: today}, ()
            return {}, (Fact(TODAY, told_briefly(tuple(told[form.gist :])), today),)
    story = read_story(told)
    if story is None:
        raise ValueError("what it says of today is none of the known forms")
    return story.stated, tuple(msgspec.structs.replace(f, told=told_briefly((f.told,))) for f in story.facts)


def _today(form: Form, whole: str) -> datetime.date | None:
    """The day if the form applies: also where its words fit, its values may not."""
    for template in form.templates:
        match = compiled(template).fullmatch(whole)
        if match:
            try:
                return form.today(Slots(match.groupdict()))
            except (ValueError, OverflowError):
                continue
    return None


def _is(templates: tuple[str, ...], sentence: str) -> bool:
    return any(compiled(template).fullmatch(sentence) for template in templates)
