"""Objects in a row: all arrangements of them, and the patterns in which deductions are written.

`?` in a pattern is exactly one object, `??` any number of them; a set of arrangements is a vector of truth values
over all permutations, so that "follows from" is a comparison of two vectors.
"""

import itertools
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

Mask = NDArray[np.bool_]
Token = str | int
"""An object's number, `?` or `??`."""
Tokens = tuple[Token, ...]


@cache
def places(count: int) -> NDArray[np.int64]:
    """For every arrangement (a row), the place of every object (a column), from 0."""
    orders = np.array(list(itertools.permutations(range(count))))
    return np.argsort(orders, axis=1)


def everything(count: int) -> Mask:
    """All arrangements."""
    return np.ones(len(places(count)), dtype=bool)


def follows(claim: Mask, premises: Mask) -> bool:
    """Whether what the premises allow is all allowed by the claim."""
    return bool(np.all(claim[premises]))


def order_of(mask: Mask, count: int) -> tuple[int, ...]:
    """The objects in order, in the only arrangement of the set."""
    (row,) = places(count)[mask]
    return tuple(int(thing) for thing in np.argsort(row))


@dataclass(frozen=True)
class Gap:
    """What stands between two named objects, or between one and an end: so many objects, or at least as many."""

    least: int
    more: bool

    def tokens(self) -> tuple[Token, ...]:
        """As it is written."""
        return ("?",) * self.least + (("??",) if self.more else ())


def split(tokens: Tokens) -> tuple[list[int], list[Gap]]:
    """The named objects of a pattern, and the gaps before, between and behind them."""
    things: list[int] = []
    gaps = [Gap(0, False)]
    for token in tokens:
        if isinstance(token, int):
            things.append(token)
            gaps.append(Gap(0, False))
        else:
            gaps[-1] = Gap(gaps[-1].least + (token == "?"), gaps[-1].more or token == "??")
    return things, gaps


def joined(things: Sequence[int], gaps: Sequence[Gap]) -> Tokens:
    """The pattern with these objects and gaps."""
    tokens: list[Token] = list(gaps[0].tokens())
    for thing, gap in zip(things, gaps[1:], strict=True):
        tokens += [thing, *gap.tokens()]
    return tuple(tokens)


def fitting(tokens: Tokens, count: int) -> Mask:
    """The arrangements that the pattern allows."""
    things, gaps = split(tokens)
    if not things:
        return everything(count) & bool(gaps[0].least == count or (gaps[0].more and gaps[0].least <= count))
    at = places(count)
    rooms = [at[:, things[0]]]
    rooms += [at[:, right] - at[:, left] - 1 for left, right in itertools.pairwise(things)]
    rooms.append(count - 1 - at[:, things[-1]])
    mask = everything(count)
    for room, gap in zip(rooms, gaps, strict=True):
        mask &= (room >= gap.least) if gap.more else (room == gap.least)
    return mask


def described(mask: Mask, count: int, things: Iterable[int]) -> Tokens | None:
    """A pattern that all arrangements of a set fit, with as many of these objects in it as have a certain order."""
    rows = places(count)[mask]
    if not len(rows):
        return None
    wanted = sorted(set(things), key=lambda thing: (rows[:, thing].std(), rows[:, thing].mean()))
    chain: list[int] = []
    for thing in wanted:
        longer = sorted([*chain, thing], key=lambda other: rows[:, other].mean())
        if all(np.all(rows[:, left] < rows[:, right]) for left, right in itertools.pairwise(longer)):
            chain = longer
    if not chain:
        return None
    rooms = [rows[:, chain[0]]]
    rooms += [rows[:, right] - rows[:, left] - 1 for left, right in itertools.pairwise(chain)]
    rooms.append(count - 1 - rows[:, chain[-1]])
    fixed = [bool(np.all(room == room[0])) for room in rooms]
    return joined(
        chain, [Gap(int(room[0]), False) if sure else Gap(0, True) for room, sure in zip(rooms, fixed, strict=True)]
    )


@dataclass(frozen=True)
class Row:
    """The names of the objects as patterns have them, and the words at the two ends."""

    names: tuple[str, ...]
    ends: tuple[str, str]

    def show(self, tokens: Tokens) -> str:
        """`(left) ?? black ? white (right)`."""
        words = [self.names[token] if isinstance(token, int) else token for token in tokens]
        return " ".join([f"({self.ends[0]})", *words, f"({self.ends[1]})"])

    def read(self, text: str) -> Tokens:
        """The inverse of `show`; ValueError where the text is no pattern of these objects."""
        low, high = (f"({end})" for end in self.ends)
        if not text.startswith(low) or not text.endswith(high):
            raise ValueError(f"not a pattern: {text}")
        known = sorted(self.names, key=len, reverse=True)
        form = re.compile(r"\s+(\?\?|\?|" + "|".join(re.escape(name) for name in known) + r")(?=\s|$)")
        inside, at, tokens = text[len(low) : -len(high)].rstrip(), 0, list[Token]()
        while at < len(inside):
            match = form.match(inside, at)
            if match is None:
                raise ValueError(f"not a pattern: {text}")
            tokens.append(match[1] if match[1].startswith("?") else self.names.index(match[1]))
            at = match.end()
        return tuple(tokens)
