"""The four kinds of lines in a rationale of logical deduction, read and written.

    The hawk is the leftmost: "(left) hawk ?? (right)".
    There are in total three birds: a hawk, an owl, and a crow.
    Combining (1), (2) and (3) we get the following ordering: "(left) hawk owl crow (right)".
    According to this ordering, the bird that is the leftmost is the hawk.

All patterns are linear, and lines of more than MAX_LINE characters are not read.
"""

import re
from typing import TypeAlias

import msgspec

from tripost.tasks.logical_deduction.arrangements import Tokens
from tripost.tasks.logical_deduction.clues import Claim, thing_in
from tripost.tasks.logical_deduction.patterns import write_pattern
from tripost.tasks.logical_deduction.question import Question
from tripost.tasks.logical_deduction.themes import NUMBERS

MAX_LINE = 2_000
MAX_CITED = 40
COMBINING = "Combining "
_ACCORDING = re.compile(r"According to th(?:is|e) ordering, (.{1,400})")
_COUNT = re.compile(r"There are (?:in total )?(([a-z]{1,10}|[0-9]{1,3}) ([a-z]{1,20}): (.{1,600}))")
_REMARK = re.compile(r" \(the one at the (top|bottom) of this list\)")
_CITED = re.compile(r"\(([0-9]{1,3}(?:\.[0-9]{1,3}){0,7})\)")
_JOIN = re.compile(r",? and |, ")
_ORDERING = re.compile(r",? we get(?: the following)?(?: ordering)?:? ")
_QUOTE = '"'


class ClueLine(msgspec.Struct, frozen=True):
    """A sentence of the question and its pattern (without the quotes)."""

    sentence: str
    pattern: str


class CountLine(msgspec.Struct, frozen=True):
    """What there is; `text` from the number to the end of the line."""

    number: str
    plural: str
    listed: str
    text: str


class CombiningLine(msgspec.Struct, frozen=True):
    """Labels of earlier steps, and the pattern; `text` is the line to the end of the quote."""

    labels: tuple[str, ...]
    pattern: str
    text: str


class AccordingLine(msgspec.Struct, frozen=True):
    """What is said of the last ordering, to the end of the line; `claim` is the same without the `remark` in brackets
    that this is the one at the top (or bottom) of the list."""

    text: str
    claim: str
    remark: str


class CutOff(msgspec.Struct, frozen=True):
    """A line whose quote does not end; `text` from the quote on."""

    text: str


Line: TypeAlias = ClueLine | CountLine | CombiningLine | AccordingLine | CutOff


def read_line(text: str) -> Line | None:
    """One of the known forms, or None."""
    text = text.rstrip()
    if len(text) > MAX_LINE:
        return None
    found = _ACCORDING.fullmatch(text) if text.startswith("According") else None
    if found:
        remark = _REMARK.search(found[1])
        return AccordingLine(text=found[1], claim=_REMARK.sub("", found[1], 1), remark=remark[1] if remark else "")
    count = _COUNT.fullmatch(text) if text.startswith("There") else None
    if count:
        return CountLine(number=count[2], plural=count[3], listed=count[4].removesuffix("."), text=count[1])
    head, quote, rest = text.partition(_QUOTE)
    labels = _labels(head) if head.startswith(COMBINING) else None
    if not quote or (labels is None and not head.endswith(": ")):
        return None
    if _QUOTE not in rest:
        return CutOff(text=quote + rest)
    pattern, _, tail = rest.partition(_QUOTE)
    if tail not in ("", "."):
        return None
    if labels is None:
        return ClueLine(sentence=head[:-2], pattern=pattern)
    return CombiningLine(labels=labels, pattern=pattern, text=f"{head}{_QUOTE}{pattern}{_QUOTE}")


def _labels(head: str) -> tuple[str, ...] | None:
    """`Combining (1), (2) and (3) we get the following ordering: ` -> the labels."""
    position = len(COMBINING)
    labels: list[str] = []
    while len(labels) < MAX_CITED:
        cited = _CITED.match(head, position)
        if cited is None:
            return None
        labels.append(cited[1])
        if _ORDERING.fullmatch(head, cited.end()):
            return tuple(labels)
        join = _JOIN.match(head, cited.end())
        if join is None:
            return None
        position = join.end()
    return None


def read_number(text: str) -> int | None:
    """`five` or `5`; None for a number of no question."""
    if text in NUMBERS:
        return NUMBERS.index(text)
    return int(text) if text.isdecimal() else None


def write_clue(question: Question, sentence: str, claim: Claim, ends: tuple[str, str]) -> str:
    """The line of a clue."""
    return f"{sentence.removesuffix('.')}: {write_pattern(question, claim.tokens, ends)}."


def write_count(question: Question) -> str:
    """The line that counts the objects."""
    return f"There are in total {question.many}: {question.listed}."


def write_combining(question: Question, labels: list[str], tokens: Tokens, ends: tuple[str, str]) -> str:
    """The line that draws a conclusion."""
    cited = [f"({label})" for label in labels]
    listed = f"{', '.join(cited[:-1])} and {cited[-1]}" if len(cited) > 1 else cited[0]
    return f"{COMBINING}{listed} we get the following ordering: {write_pattern(question, tokens, ends)}."


def write_according(question: Question, letter: str) -> str:
    """The line that reads an option off the last ordering."""
    claim, sentence = question.claims[letter], question.options[letter]
    if claim.predicate:
        predicate = f"is {claim.predicate.removeprefix('are ')}" if question.theme.verb == "are" else claim.predicate
        name = question.names[claim.subject]
        said = f"the {question.theme.noun} that {predicate} is {thing_in(question.theme, name)}"
    else:
        said = f"the {sentence[4:]}" if sentence.startswith("The ") else sentence
    return f"According to this ordering, {said}."
