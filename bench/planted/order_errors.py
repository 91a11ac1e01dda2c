"""The kinds of error that are planted in the "Hence" lines and the final response of word sorting."""

import random
from collections.abc import Callable, Sequence
from dataclasses import replace

from bench.planted.sorting import Beliefs, Hence, Response, Row, Words, quoted
from bench.planted.word_errors import Mark

Slip = Callable[[Words, random.Random], tuple[Words, Words] | None]


def _exchanged(words: Words, rng: random.Random) -> tuple[Words, Words] | None:
    if len(words) < 2:
        return None
    at = rng.randrange(len(words) - 1)
    pair = (words[at + 1], words[at])
    return (*words[:at], *pair, *words[at + 2 :]), pair


def _missing(words: Words, rng: random.Random) -> tuple[Words, Words] | None:
    if len(words) < 3:
        return None
    at = rng.randrange(len(words))
    rest = (*words[:at], *words[at + 1 :])
    return rest, rest


def _twice(words: Words, rng: random.Random) -> tuple[Words, Words] | None:
    at = rng.randint(0, len(words))
    more = (*words[:at], rng.choice(words), *words[at:])
    return more, more


def _hence(rows: Sequence[Row], rng: random.Random, slip: Slip, last: bool) -> Mark | None:
    """A slip in the "Hence" line of all words, or in that of a subpart."""
    found = [(at, row) for at, row in enumerate(rows) if isinstance(row, Hence) and last == (row.depth == 1)]
    rng.shuffle(found)
    for at, row in found:
        slipped = slip(row.words, rng)
        if slipped is not None:
            words, part = slipped
            beliefs = Beliefs(hence={(frozenset(row.words), row.depth): words})
            return Mark(at, replace(row, words=words), quoted(part, " < "), beliefs)
    return None


def _response(rows: Sequence[Row], rng: random.Random, slip: Slip) -> Mark | None:
    row = rows[-1]
    slipped = slip(row.words, rng) if isinstance(row, Response) else None
    if slipped is None:
        return None
    return Mark(len(rows) - 1, Response(slipped[0]), " ".join(slipped[1]))


def hence_order(rows: Sequence[Row], rng: random.Random) -> Mark | None:
    """Two neighbours exchanged in the last "Hence" line."""
    return _hence(rows, rng, _exchanged, last=True)


def hence_missing(rows: Sequence[Row], rng: random.Random) -> Mark | None:
    """A word missing from the last "Hence" line."""
    return _hence(rows, rng, _missing, last=True)


def hence_twice(rows: Sequence[Row], rng: random.Random) -> Mark | None:
    """A word twice in the last "Hence" line."""
    return _hence(rows, rng, _twice, last=True)


def part_order(rows: Sequence[Row], rng: random.Random) -> Mark | None:
    """Two neighbours exchanged in the "Hence" line of a subpart."""
    return _hence(rows, rng, _exchanged, last=False)


def part_missing(rows: Sequence[Row], rng: random.Random) -> Mark | None:
    """A word missing from the "Hence" line of a subpart."""
    return _hence(rows, rng, _missing, last=False)


def part_twice(rows: Sequence[Row], rng: random.Random) -> Mark | None:
    """A word twice in the "Hence" line of a subpart."""
    return _hence(rows, rng, _twice, last=False)


def response_order(rows: Sequence[Row], rng: random.Random) -> Mark | None:
    """Two neighbours exchanged in the final response."""
    return _response(rows, rng, _exchanged)


def response_missing(rows: Sequence[Row], rng: random.Random) -> Mark | None:
    """A word missing from the final response."""
    return _response(rows, rng, _missing)


def response_twice(rows: Sequence[Row], rng: random.Random) -> Mark | None:
    """A word twice in the final response."""
    return _response(rows, rng, _twice)
