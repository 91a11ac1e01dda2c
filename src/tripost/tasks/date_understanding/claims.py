"""What a step says: `If <what is told>, then <of> is <date>[, that is <date>].`, read once from left to right.

`of` is today or an event, `span` how far from it: "yesterday's date", "the date 10 days ago", "the date of the exam",
"two weeks after the exam", "10 days before Jan 31, 2012" (then `of` is that date itself).
"""

import datetime
import re

import msgspec

from tripost.tasks.date_understanding.days import (
    DATE,
    NUMBER,
    UNIT,
    Span,
    Written,
    length,
    number,
    read_date,
    read_span,
)
from tripost.tasks.date_understanding.events import TODAY
from tripost.tasks.date_understanding.slots import EVENTS

MAX_STEP = 600
_IS = r"(?:is(?: then| really| in fact| actually)?|was|will be|must be|would be|falls on|has to be)"
_CLAIM = re.compile(rf"(?P<label>[A-Za-z0-9][A-Za-z0-9 ,'/.-]{{0,80}}?) {_IS}(?: on)? (?P<date>{DATE})")
_TOLD = re.compile(rf"it (?:was|is|will be) (?P<date>{DATE})(?: (?P<span>[a-z0-9 ]{{3,40}}))?")
_SAME = re.compile(rf"(?:that is|which is|or|i\.e\.|in MM/DD/YYYY(?: format)?(?: this is)?) (?P<date>{DATE})")
_EVENT = re.compile(rf"(?:the )?(?:date |day )?(?:of )?the ({'|'.join(EVENTS)})(?:'s date)?")
_FROM_EVENT = re.compile(rf"(?:the date )?({NUMBER}) ({UNIT}) (after|before|later than) the ({'|'.join(EVENTS)})")
_FROM_DATE = re.compile(rf"(?:[Tt]he date )?({NUMBER}) ({UNIT}) (after|before|later of|later than|from) ({DATE})")
_OPENER = re.compile(r"(?:So|Then|Therefore|Hence|Thus|Now)(?:,)? ", re.IGNORECASE)


class Claim(msgspec.Struct, frozen=True):
    """The day `span` from `of` is `written`; `text` as it stands in the step. `base`: a date in the place of `of`."""

    of: str
    span: Span
    written: Written
    text: str
    base: datetime.date | None = None


class Statement(msgspec.Struct, frozen=True):
    """A step: `told` is the condition as written (None without), `claims` what it concludes, in order.

    `again`: the same date in other words, as (date, text). `unread` is what could not be read, empty where all was.
    """

    told: str | None
    claims: tuple[Claim, ...]
    again: tuple[tuple[Written, str], ...] = ()
    unread: str = ""


def read_step(text: str) -> Statement:
    """What a step says; `unread` where it is none of the known forms."""
    if len(text) > MAX_STEP:
        return Statement(None, (), unread="too long")
    body, told = text.rstrip().removesuffix("."), None
    if body[:3].lower() == "if ":
        told, body = _condition(body[3:])
        if not body:
            return Statement(told, (), unread=text)
    body = _OPENER.sub("", body, count=1) if _OPENER.match(body) else body
    head, *rest = _pieces(body)
    claim = read_claim(head)
    again: list[tuple[Written, str]] = []
    for piece in rest:
        match = _SAME.fullmatch(piece)
        found = read_date(match["date"]) if match else None
        if found is None:
            return Statement(told, (), unread=piece or text)
        again.append((found, piece))
    if claim is None:
        return Statement(told, (), unread=head or text or "nothing")
    return Statement(told, (claim,), tuple(again))


def read_claim(text: str) -> Claim | None:
    """`today's date is December 24, 1937`; None for anything else."""
    text = text.strip()
    match = _CLAIM.fullmatch(text) if len(text) <= 200 else None
    written = read_date(match["date"]) if match else None
    if match is None or written is None:
        return None
    of = read_label(match["label"])
    return None if of is None else Claim(of[0], of[1], written, text, of[2])


def read_told(text: str) -> Claim | None:
    """A condition that is a claim of its own: `yesterday was April 30, 2021`, `it was Sept. 1st, 2021 a week ago`."""
    match = _TOLD.fullmatch(text)
    if match is None:
        return read_claim(text)
    written, span = read_date(match["date"]), read_span(match["span"] or "today")
    return None if written is None or span is None else Claim(TODAY, span, written, text)


def read_label(label: str) -> tuple[str, Span, datetime.date | None] | None:
    """Which day is spoken of; None for anything else."""
    label = " ".join(label.split())
    small = label.lower().removesuffix("'s date").removesuffix(" date")
    for start in ("the date of ", "the date ", "the current date", "the date", ""):
        if small.startswith(start):
            span = read_span(small[len(start) :].strip() or ("today" if start else ""))
            if span is not None:
                return TODAY, span, None
    if small in ("the current", "now", "it"):
        return TODAY, Span(), None
    event = _EVENT.fullmatch(label.lower())
    if event:
        return event[1], Span(), None
    match = _FROM_EVENT.fullmatch(label.lower())
    if match:
        span = length(number(match[1]), match[2])
        return None if span is None else (match[4], -span if match[3] == "before" else span, None)
    match = _FROM_DATE.fullmatch(label)
    span = length(number(match[1]), match[2]) if match else None
    base = read_date(match[4]) if match else None
    if match is None or span is None or base is None or base.day is None:
        return None
    return "", -span if match[3] == "before" else span, base.day


def _condition(text: str) -> tuple[str, str]:
    """`<told>, then <rest>`; without a `then` the last comma before which a claim can be read."""
    for mark in (", then ", " then ", ", so "):
        told, found, rest = text.partition(mark)
        if found:
            return told, rest
    commas = [match.start() for match in re.finditer(", ", text)][:12]
    for place in reversed(commas):
        if read_claim(_pieces(text[place + 2 :])[0]) is not None:
            return text[:place], text[place + 2 :]
    return text, ""


def _pieces(text: str) -> list[str]:
    """Split before `, that is ...` and its like."""
    return re.split(r", (?=that is |which is |or |i\.e\. )|,? (?=in MM/DD/YYYY)", text, maxsplit=4)
