"""All arrangements of up to seven objects in a row, as bitsets: one bit an arrangement, so that "this follows from
those" is one `&` of two integers.

A pattern is a tuple of tokens: an object (its number), ONE for exactly one object, MANY for zero or more; what stands
side by side in it stands side by side in the row.
"""

from collections.abc import Iterator, Sequence
from functools import lru_cache
from itertools import pairwise, permutations
from typing import TypeAlias

import msgspec

MAX_OBJECTS = 7
MAX_TOKENS = 40
ONE, MANY = -1, -2
Tokens: TypeAlias = tuple[int, ...]


class Row(msgspec.Struct, frozen=True):
    """Sets of arrangements of `size` objects.

    `at[a][p]`: a stands at place p, from 0. `apart[a][b][d]`: b stands d places behind a. `before[a][b]`: a stands
    somewhere before b.
    """

    size: int
    full: int
    at: tuple[tuple[int, ...], ...]
    apart: tuple[tuple[tuple[int, ...], ...], ...]
    before: tuple[tuple[int, ...], ...]


@lru_cache(maxsize=MAX_OBJECTS + 1)
def row(size: int) -> Row:
    """The sets for `size` objects: up to MAX_OBJECTS, and one more for the stranger of `holds_beside_others`."""
    if not 1 <= size <= MAX_OBJECTS + 1:
        raise ValueError(f"{size} objects are not 1 to {MAX_OBJECTS + 1}")
    every = list(permutations(range(size)))
    places = range(size)
    at = [[int("".join("01"[order[p] == a] for order in every), 2) for p in places] for a in places]
    apart = [
        [[_any(at[a][p] & at[b][p + d] for p in range(size - d)) for d in places] for b in places] for a in places
    ]
    return Row(
        size=size,
        full=(1 << len(every)) - 1,
        at=tuple(map(tuple, at)),
        apart=tuple(tuple(map(tuple, line)) for line in apart),
        before=tuple(tuple(_any(masks[1:]) for masks in line) for line in apart),
    )


def _any(masks: Iterator[int] | Sequence[int]) -> int:
    found = 0
    for mask in masks:
        found |= mask
    return found


@lru_cache(maxsize=4096)
def matching(size: int, tokens: Tokens) -> int:
    """The arrangements of `size` objects that the pattern fits."""
    sets = row(size)
    reach = [sets.full, *[0] * size]
    """reach[p]: the arrangements whose first p objects the tokens so far fit."""
    for token in tokens:
        if token == MANY:
            for p in range(size):
                reach[p + 1] |= reach[p]
        elif token == ONE:
            reach = [0, *reach[:size]]
        else:
            reach = [0, *map(int.__and__, reach, sets.at[token])]
    return reach[size]


def follows(known: int, claim: int) -> bool:
    """Whether the claim holds in all arrangements that are known to be left."""
    return known & claim == known


@lru_cache(maxsize=4096)
def strongest(size: int, known: int, among: tuple[int, ...]) -> Tokens:
    """The pattern of some of the objects `among` that fits all of `known` (not empty) and as few others as a single
    pattern can.

    Its objects are a chain: in the same order in all of `known`. Gaps are as exact as `known` has them.
    """
    best: tuple[int, int, Tokens] | None = None
    for chain in _chains(row(size), known, among):
        tokens = _simplest(size, chain, _gaps(row(size), known, chain))
        found = (matching(size, tokens).bit_count(), len(tokens), tokens)
        best = found if best is None or found < best else best
    assert best is not None
    return best[2]


def _chains(sets: Row, known: int, among: tuple[int, ...]) -> list[tuple[int, ...]]:
    """The chains that none of the other objects fits into."""
    behind = {a: [b for b in among if follows(known, sets.before[a][b])] for a in among}
    next_to = {a: [b for b in behind[a] if not any(b in behind[c] for c in behind[a])] for a in among}
    whole: list[tuple[int, ...]] = []
    growing: list[tuple[int, ...]] = [(a,) for a in among if not any(a in line for line in behind.values())]
    while growing:
        chain = growing.pop()
        growing += [(*chain, b) for b in next_to[chain[-1]]]
        if not next_to[chain[-1]]:
            whole.append(chain)
    return whole


Gap: TypeAlias = tuple[int, bool]
"""How many objects at least, and whether exactly so many."""


def _gaps(sets: Row, known: int, chain: tuple[int, ...]) -> list[Gap]:
    """What stands before, between and behind the objects of a chain."""
    between = [sets.apart[a][b][1:] for a, b in pairwise(chain)]
    choices = [sets.at[chain[0]], *between, sets.at[chain[-1]][::-1]]
    gaps = []
    for masks in choices:
        least = next(k for k, mask in enumerate(masks) if known & mask)
        gaps.append((least, follows(known, masks[least])))
    return gaps


def _simplest(size: int, chain: tuple[int, ...], gaps: list[Gap]) -> Tokens:
    """The tokens, without a minimum where the rest of the pattern says as much."""
    tokens = _tokens(chain, gaps)
    fits = matching(size, tokens)
    for k, (least, exact) in enumerate(gaps):
        if least and not exact:
            shorter = _tokens(chain, [*gaps[:k], (0, False), *gaps[k + 1 :]])
            if matching(size, shorter) == fits:
                gaps[k], tokens = (0, False), shorter
    return tokens


def _tokens(chain: tuple[int, ...], gaps: Sequence[Gap]) -> Tokens:
    tokens: list[int] = []
    for k, (least, exact) in enumerate(gaps):
        tokens += [ONE] * least + ([] if exact else [MANY]) + [*chain[k : k + 1]]
    return tuple(tokens)


def holds_beside_others(size: int, cited: Sequence[Tokens], claim: Tokens) -> bool:
    """Whether the claim follows from the cited patterns even if there were one more object than the question has:
    if not, one has to count the objects to see it."""
    known = row(size + 1).full
    for tokens in cited:
        known &= matching(size + 1, tokens)
    return follows(known, matching(size + 1, claim))
