"""Right attempts, taken apart: lines that are seen to hold, without the scripted expert; and what follows where one
of them is believed to say something else."""

import re
from collections.abc import Mapping, Sequence

import msgspec

from tripost.records import Attempt
from tripost.tasks.logical_deduction.arrangements import Tokens, follows, row, strongest
from tripost.tasks.logical_deduction.clues import read_claim
from tripost.tasks.logical_deduction.lines import (
    AccordingLine,
    ClueLine,
    CombiningLine,
    CountLine,
    read_line,
    read_number,
)
from tripost.tasks.logical_deduction.names import read_list
from tripost.tasks.logical_deduction.patterns import Pattern, read_pattern, write_pattern
from tripost.tasks.logical_deduction.question import Question
from tripost.tasks.planted import demand

_ANSWER = "So the answer is"


class Line(msgspec.Struct, frozen=True):
    """A line that holds: its ordering, or what it reads off the last one. `read`: None for the final response."""

    number: int
    label: str
    text: str
    read: ClueLine | CombiningLine | AccordingLine | None
    tokens: Tokens
    ends: tuple[str, str] = ("", "")

    @property
    def orders(self) -> bool:
        """Whether an ordering stands in it."""
        return isinstance(self.read, ClueLine | CombiningLine)


def read_right(question: Question, attempt: Attempt) -> list[Line]:
    """The lines that claim something of the order, the final response the last.

    Raises ValueError where a line is not understood, or does not hold.
    """
    lines: list[Line] = []
    counts: set[str] = set()
    left: dict[str, int] = {}
    last = row(question.size).full
    for number, step in enumerate(attempt.steps, start=1):
        line = read_line(step.text)
        if isinstance(line, ClueLine):
            sentence = read_claim(question.theme, question.known, line.sentence)
            clues = [clue.tokens for _, clue in question.clues]
            demand(sentence is not None and sentence.tokens in clues)
            pattern = _pattern(question, line.pattern)
            # Just what the sentence says: of less it would not be sure what may be concluded from the step.
            demand(sentence is not None and question.fits(sentence.tokens) == question.fits(pattern.tokens))
        elif isinstance(line, CombiningLine):
            demand(all(label in left or label in counts for label in line.labels))
            pattern = _pattern(question, line.pattern)
            demand(follows(_together(question, line.labels, left), question.fits(pattern.tokens)))
        elif isinstance(line, AccordingLine):
            claim = read_claim(question.theme, question.known, line.claim)
            demand(bool(left) and not line.remark)
            demand(claim is not None and follows(last, question.fits(claim.tokens)))
            lines.append(Line(number, step.label, step.text, line, claim.tokens if claim else ()))
            continue
        else:
            demand(isinstance(line, CountLine) and _counts(question, line))
            counts.add(step.label)
            continue
        left[step.label] = last = question.fits(pattern.tokens)
        lines.append(Line(number, step.label, step.text, line, pattern.tokens, pattern.ends))
    final, answer = attempt.final_text, question.claims[question.right].tokens
    demand(final.partition(_ANSWER)[0].strip() in ("", f"{question.options[question.right]}."))
    demand(attempt.final in (f"({question.right})", question.right) and final.count(_ANSWER) == 1)
    demand(follows(last, question.fits(answer)))
    return [*lines, Line(len(attempt.steps) + 1, "", final, None, answer)]


def _together(question: Question, labels: Sequence[str], left: Mapping[str, int]) -> int:
    """The arrangements that these steps leave; a step that only counts leaves all."""
    found = row(question.size).full
    for label in labels:
        found &= left.get(label, found)
    return found


def _believed(question: Question, labels: Sequence[str], left: Mapping[str, int]) -> int:
    """The same for somebody who holds on to what is false, and overlooks a step that contradicts it."""
    found = row(question.size).full
    for mask in sorted(
        (left[label] for label in labels if label in left), key=lambda mask: bool(mask & question.left)
    ):
        found = found & mask or found
    return found


def written(question: Question, line: Line, tokens: Tokens) -> str:
    """The line with another ordering, with other objects in what is read off, or with another option chosen."""
    if isinstance(line.read, ClueLine | CombiningLine):
        return line.text.replace(f'"{line.read.pattern}"', write_pattern(question, tokens, line.ends), 1)
    if line.read is not None:
        return renamed(question, line.text, dict(zip(_things(line.tokens), _things(tokens), strict=True)))
    letter = next(letter for letter, claim in question.claims.items() if claim.tokens == tokens)
    at = line.text.rindex(question.right)
    said = line.text[:at].replace(question.options[question.right], question.options[letter], 1)
    return said + letter + line.text[at + 1 :]


def renamed(question: Question, text: str, instead: Mapping[int, int]) -> str:
    """The text with the names of other objects in the place of these, all at once."""
    names: dict[str, str] = {}
    for thing, other in instead.items():
        names |= {question.short[thing]: question.short[other], question.names[thing]: question.names[other]}
    found = "|".join(re.escape(name) for name in sorted(names, key=len, reverse=True))
    return re.sub(rf"\b(?:{found})\b", lambda name: names[name[0]], text)


def what_follows(question: Question, lines: Sequence[Line], wrong: Line) -> dict[int, str]:
    """The later lines that somebody writes otherwise who believes `wrong`, by their numbers. None where
    nobody could go on from there: where the ordering then leaves open what is asked."""
    left = {line.label: question.fits(line.tokens) for line in lines if line.number < wrong.number and line.orders}
    left[wrong.label] = last = question.fits(wrong.tokens)
    found: dict[int, str] = {}
    for line in lines:
        if line.number <= wrong.number:
            continue
        tokens: Tokens | None = line.tokens
        if isinstance(line.read, CombiningLine):
            cited = _believed(question, line.read.labels, left)
            tokens = strongest(question.size, cited, tuple(sorted(_things(line.tokens))))
        elif not line.orders:
            tokens = next((other for other in others(question, line) if follows(last, question.fits(other))), None)
        if tokens is None or not last:
            return {}
        if tokens != line.tokens:
            found[line.number] = written(question, line, tokens)
        if line.orders:
            left[line.label] = last = question.fits(tokens)
    return found


def others(question: Question, line: Line) -> list[Tokens]:
    """What might be read off an ordering: any object at that place, or any option."""
    if line.read is None:
        return [claim.tokens for claim in question.claims.values()]
    things = _things(line.tokens)
    if len(things) > 1:
        return [line.tokens]
    return [tuple(k if token >= 0 else token for token in line.tokens) for k in range(question.size)]


def _things(tokens: Tokens) -> list[int]:
    return [token for token in tokens if token >= 0]


def _pattern(question: Question, text: str) -> Pattern:
    """An ordering in our own spelling: so that one in its place is told apart by nothing but what it says."""
    pattern = read_pattern(question, text)
    if not isinstance(pattern, Pattern) or write_pattern(question, pattern.tokens, pattern.ends) != f'"{text}"':
        raise ValueError("an ordering that cannot be read, or is spelt otherwise")
    return pattern


def _counts(question: Question, line: CountLine) -> bool:
    things = [question.known.numbers.get(name.casefold()) for name in read_list(line.listed, question.size + 1)]
    right = len(things) == question.size and set(things) == set(range(question.size))
    return right and read_number(line.number) == question.size and line.plural in (question.theme.plural, "objects")
