"""Errors of known place in right attempts: objects exchanged, a gap forgotten, a clue misread, as models make them.

An attempt is taken only if every line of it holds; this is looked at here, without the scripted expert. What a
changed line says is not only unfounded but false in every arrangement that the clues leave. Half of the errors are
carried on: the later orderings and the final response follow from them, as far as anything does.
"""

import random
from collections.abc import Callable, Iterator, Sequence

import msgspec

from tripost.errors import DataError
from tripost.interfaces import PlantedError
from tripost.records import Attempt, Problem
from tripost.tasks.logical_deduction.arrangements import MANY, ONE, Tokens
from tripost.tasks.logical_deduction.clues import read_claim
from tripost.tasks.logical_deduction.lines import AccordingLine, ClueLine
from tripost.tasks.logical_deduction.question import Question, read_question
from tripost.tasks.logical_deduction.vouched import Line, others, read_right, renamed, what_follows, written
from tripost.tasks.planted import rewrite

Gaps = list[list[int]]


def plant(problem: Problem, attempt: Attempt, rng: random.Random) -> PlantedError | None:
    """The attempt with one wrong claim, of a kind that is drawn first; None where it cannot be vouched for."""
    try:
        question = read_question(problem.question)
        lines = read_right(question, attempt)
    except (DataError, ValueError):
        return None
    kinds = sorted(_KINDS)
    rng.shuffle(kinds)
    for kind in kinds:
        carry = rng.random() < 0.5
        false = (
            wrong
            for line in rng.sample(lines, len(lines))
            for wrong in _KINDS[kind](question, line, rng)
            if not question.left & question.fits(wrong.tokens)
        )
        first = next(false, None)
        if first is None:
            continue
        for wrong in (first, *false) if carry else ():
            later = what_follows(question, lines, wrong)
            if later:
                changed = rewrite(attempt, {wrong.number: wrong.text, **later})
                return PlantedError(changed, wrong.number, f"{kind}-carried")
        return PlantedError(rewrite(attempt, {first.number: first.text}), first.number, kind)
    return None


Found = Iterator[Line]
"""The line made wrong in ways that may turn out to be true after all."""


def _exchanged(question: Question, line: Line, rng: random.Random) -> Found:
    """Two neighbours in the order of each other; the sentence of a clue stays as it is."""
    if line.orders:
        things, gaps = _apart(line.tokens)
        for k in rng.sample(range(len(things) - 1), max(0, len(things) - 1)):
            swapped = [*things[:k], things[k + 1], things[k], *things[k + 2 :]]
            yield _ordered(question, line, swapped, gaps)


def _gap(question: Question, line: Line, rng: random.Random) -> Found:
    """A `??` dropped: what stands somewhere before stands directly before, or at the very end."""
    if line.orders:
        things, gaps = _apart(line.tokens)
        for k in rng.sample(range(len(gaps)), len(gaps)):
            if MANY in gaps[k]:
                closed = [token for token in gaps[k] if token != MANY]
                wrong = _ordered(question, line, things, [*gaps[:k], closed, *gaps[k + 1 :]])
                if question.fits(wrong.tokens):  # else it would be seen at once: too few for the whole row
                    yield wrong


def _position(question: Question, line: Line, rng: random.Random) -> Found:
    """Places counted wrongly: one `?` too many or too few where it is known how many there are."""
    if line.orders:
        things, gaps = _apart(line.tokens)
        for k in rng.sample(range(len(gaps)), len(gaps)):
            for count in rng.sample((len(gaps[k]) - 1, len(gaps[k]) + 1), 2):
                if MANY not in gaps[k] and count >= 0:
                    yield _ordered(question, line, things, [*gaps[:k], [ONE] * count, *gaps[k + 1 :]])


def _clue(question: Question, line: Line, rng: random.Random) -> Found:
    """A clue told the wrong way round, or of another object; its ordering says the same."""
    if not isinstance(line.read, ClueLine):
        return
    sentence = line.read.sentence
    things, gaps = _apart(line.tokens)
    rest = [thing for thing in range(question.size) if thing not in things]
    swaps = [dict(zip(things, reversed(things), strict=True))] if len(things) == 2 else []
    swaps += [{things[0]: other, other: things[0]} for other in rng.sample(rest, len(rest)) if len(things) == 1]
    for swap in swaps:
        told = renamed(question, sentence, swap)
        wrong = _ordered(question, line, [swap[thing] for thing in things], gaps)
        claim = read_claim(question.theme, question.known, told)
        if claim is not None and question.fits(claim.tokens) == question.fits(wrong.tokens):
            yield msgspec.structs.replace(wrong, text=wrong.text.replace(sentence, told, 1))


def _object(question: Question, line: Line, rng: random.Random) -> Found:
    """Another object read off the ordering."""
    if isinstance(line.read, AccordingLine):
        found = others(question, line)
        for tokens in rng.sample(found, len(found)):
            wrong = _saying(question, line, tokens)
            claim = read_claim(question.theme, question.known, wrong.text.partition(", ")[2])
            if claim is not None and claim.tokens == tokens:
                yield wrong


def _letter(question: Question, line: Line, rng: random.Random) -> Found:
    """Another option, with its sentence."""
    if line.read is None:
        found = others(question, line)
        for tokens in rng.sample(found, len(found)):
            yield _saying(question, line, tokens)


_KINDS: dict[str, Callable[[Question, Line, random.Random], Found]] = {
    "exchanged": _exchanged,
    "gap": _gap,
    "position": _position,
    "clue": _clue,
    "object": _object,
    "letter": _letter,
}


def _saying(question: Question, line: Line, tokens: Tokens) -> Line:
    return msgspec.structs.replace(line, text=written(question, line, tokens), tokens=tokens)


def _ordered(question: Question, line: Line, things: Sequence[int], gaps: Gaps) -> Line:
    tokens = [*gaps[0]]
    for thing, gap in zip(things, gaps[1:], strict=True):
        tokens += [thing, *gap]
    return _saying(question, line, tuple(tokens))


def _apart(tokens: Tokens) -> tuple[list[int], Gaps]:
    """The objects of an ordering, and what stands before, between and behind them."""
    things: list[int] = []
    gaps: Gaps = [[]]
    for token in tokens:
        if token >= 0:
            things.append(token)
            gaps.append([])
        else:
            gaps[-1].append(token)
    return things, gaps
