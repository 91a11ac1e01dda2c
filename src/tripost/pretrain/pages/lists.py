"""Copying and editing numbered lists: of lines from everywhere, true or not."""

import random

from tripost.pretrain.page import GIVEN, KEY, SAID, Page
from tripost.pretrain.pages import days, letters, numbers, orders
from tripost.text import UPDATE

_SAID = (
    numbers.wrong_operation,
    numbers.wrong_chain,
    letters.wrong_letters,
    letters.wrong_order,
    days.wrong_step,
    orders.wrong_clue,
)


def _lines(rng: random.Random) -> list[str]:
    """Lines of one kind, or of several."""
    kind = rng.choice(_SAID)
    mixed = rng.random() < 0.3
    made = [(rng.choice(_SAID) if mixed else kind)(rng) for _ in range(rng.choice((2, 3, 4, 5, 6, 8)))]
    return [rng.choice((statement.right, statement.wrong)) for statement in made]


def _numbered(lines: list[str], start: int = 1) -> str:
    return "".join(f"({k}) {line}\n" for k, line in enumerate(lines, start=start))


def copying(rng: random.Random) -> Page:
    """A numbered list, again; whole, or up to a line."""
    lines = _lines(rng)
    if rng.random() < 0.6:
        return [(f"{_numbered(lines)}Copy:\n", GIVEN), (_numbered(lines), SAID)]
    k = rng.randint(1, len(lines))
    return [(f"{_numbered(lines)}Copy up to ({k}):\n", GIVEN), (_numbered(lines[:k]), SAID)]


def replacing(rng: random.Random) -> Page:
    """A numbered list with a part of one line replaced; the part stands in that line once."""
    while True:
        lines = _lines(rng)
        k = rng.randrange(len(lines))
        pieces = lines[k].split(" ")
        at = rng.randrange(len(pieces))
        span = min(len(pieces) - at, rng.choice((1, 1, 2, 3)))
        part = " ".join(pieces[at : at + span])
        source = rng.choice(_lines(rng)).split(" ")
        start = rng.randrange(len(source))
        new = " ".join(source[start : start + span])
        if new != part and lines[k].count(part) == 1:
            break
    changed = " ".join([*pieces[:at], new, *pieces[at + span :]])
    order = f'In ({k + 1}) "{part}" should be "{new}".'
    return [
        (f"{_numbered(lines)}{order}{UPDATE}", GIVEN),
        (_numbered(lines[:k]), SAID),
        (_numbered([changed], k + 1), KEY),
        (_numbered(lines[k + 1 :], k + 2), SAID),
    ]


def leaving_out(rng: random.Random) -> Page:
    """A numbered list without one of its lines, or with two exchanged: numbered anew."""
    lines = _lines(rng)
    k = rng.randrange(len(lines))
    if rng.random() < 0.5:
        return [
            (f"{_numbered(lines)}Without ({k + 1}):\n", GIVEN),
            (_numbered(lines[:k] + lines[k + 1 :]), SAID),
        ]
    j = rng.choice([j for j in range(len(lines)) if j != k])
    swapped = list(lines)
    swapped[k], swapped[j] = swapped[j], swapped[k]
    return [(f"{_numbered(lines)}Exchange ({k + 1}) and ({j + 1}):\n", GIVEN), (_numbered(swapped), SAID)]
