"""Other right ways to tell a word-sorting rationale, or None where one does not apply."""

import random
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TypeVar

from bench.planted.sorting import Groups, Hence, Letters, Row

Rows = tuple[Row, ...]
Thing = TypeVar("Thing")


def _mixed(things: Sequence[Thing], rng: random.Random) -> tuple[Thing, ...]:
    """The things in another order (two or more different things)."""
    order = list(things)
    while order == list(things):
        rng.shuffle(order)
    return tuple(order)


def _with(rows: Rows, at: int, *new: Row) -> Rows:
    return (*rows[:at], *new, *rows[at + 1 :])


def letters(rows: Rows, rng: random.Random) -> Rows | None:
    """The letters of the words told in another order within one line."""
    found = [(at, row) for at, row in enumerate(rows) if isinstance(row, Letters) and len(row.items) > 1]
    if not found:
        return None
    at, row = rng.choice(found)
    return _with(rows, at, replace(row, items=_mixed(row.items, rng)))


def subparts(rows: Rows, rng: random.Random) -> Rows | None:
    """Neighbouring subparts of one line treated in another order."""
    blocks: list[tuple[int, int]] = []
    runs: list[list[tuple[int, int]]] = []
    for at, row in enumerate(rows[:-1]):
        if isinstance(row, Letters) and row.part and rows[at + 1].depth > row.depth:
            end = next(k for k in range(at + 1, len(rows)) if rows[k].depth <= row.depth)
            blocks.append((at, end))
    for block in blocks:
        run = next((run for run in runs if run[-1][1] == block[0] and _depths(rows, run[-1], block)), None)
        if run is None:
            runs.append([block])
        else:
            run.append(block)
    runs = [run for run in runs if len(run) > 1]
    if not runs:
        return None
    run = rng.choice(runs)
    moved = [row for start, end in _mixed(run, rng) for row in rows[start:end]]
    return (*rows[: run[0][0]], *moved, *rows[run[-1][1] :])


def _depths(rows: Rows, one: tuple[int, int], other: tuple[int, int]) -> bool:
    return rows[one[0]].depth == rows[other[0]].depth


def tied(rows: Rows, rng: random.Random) -> Rows | None:
    """The words of a tie listed in another order, where it is found or where it is taken up."""
    places = []
    for at, row in enumerate(rows):
        if isinstance(row, Groups):
            places += [(at, index) for index, group in enumerate(row.groups) if len(group[1]) > 1]
        elif isinstance(row, Letters) and row.part:
            places.append((at, 0))
    if not places:
        return None
    at, index = rng.choice(places)
    row = rows[at]
    if isinstance(row, Letters):
        return _with(rows, at, replace(row, part=_mixed(row.part, rng)))
    if not isinstance(row, Groups):
        return None
    number, words = row.groups[index]
    group = (number, _mixed(words, rng))
    return _with(rows, at, replace(row, groups=(*row.groups[:index], group, *row.groups[index + 1 :])))


def no_hence(rows: Rows, rng: random.Random) -> Rows | None:
    """The "Hence" line of a subpart left out, where other lines of the subpart give the order."""
    found = []
    for at, row in enumerate(rows):
        if isinstance(row, Hence) and row.depth > 1 and not isinstance(rows[at - 1], Letters):
            found.append(at)
    return _with(rows, rng.choice(found)) if found else None


def straight(rows: Rows, rng: random.Random) -> Rows | None:
    """From the letters of a subpart straight to its "Hence" line."""
    found = []
    for at, row in enumerate(rows[:-1]):
        decided = isinstance(row, Groups) and all(len(words) == 1 for _, words in row.groups)
        if decided and isinstance(rows[at + 1], Hence) and rows[at + 1].depth == row.depth > 1:
            found.append(at)
    return _with(rows, rng.choice(found)) if found else None


Rewrite = Callable[[Rows, random.Random], Rows | None]
REWRITES: dict[str, Rewrite] = {
    "letters": letters,
    "subparts": subparts,
    "tied": tied,
    "no hence": no_hence,
    "straight": straight,
}
