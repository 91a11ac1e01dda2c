"""Copying and editing numbered lists: of lines from everywhere, true or not."""

import random

from tripost.pretrain.page import Page
from tripost.pretrain.pages import days, letters, numbers, orders

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
    return [rng.choice((rng.choice(_SAID) if mixed else kind)(rng)) for _ in range(rng.randint(2, 6))]


def _numbered(lines: list[str]) -> str:
    return "\n".join(f"({k}) {line}" for k, line in enumerate(lines, start=1)) + "\n"


def copying(rng: random.Random) -> Page:
    """A numbered list, again; whole, or up to a line."""
    lines = _lines(rng)
    if rng.random() < 0.6:
        return [(f"{_numbered(lines)}Copy:\n", False), (_numbered(lines), True)]
    k = rng.randint(1, len(lines))
    return [(f"{_numbered(lines)}Copy up to ({k}):\n", False), (_numbered(lines[:k]), True)]


def replacing(rng: random.Random) -> Page:
    """A numbered list with a part of one line replaced, or a whole line."""
    lines = _lines(rng)
    k = rng.randrange(len(lines))
    pieces = lines[k].split(" ")
    at = rng.randrange(len(pieces))
    span = min(len(pieces) - at, rng.choice((1, 1, 2, 3)))
    part = " ".join(pieces[at : at + span])
    source = rng.choice(_lines(rng)).split(" ")
    start = rng.randrange(len(source))
    new = " ".join(source[start : start + span])
    changed = " ".join([*pieces[:at], new, *pieces[at + span :]])
    order = f'In ({k + 1}) "{part}" should be "{new}".\n'
    return [
        (f"{_numbered(lines)}{order}Updated:\n", False),
        (_numbered([*lines[:k], changed, *lines[k + 1 :]]), True),
    ]


def leaving_out(rng: random.Random) -> Page:
    """A numbered list without one of its lines, or with two exchanged: numbered anew."""
    lines = _lines(rng)
    k = rng.randrange(len(lines))
    if rng.random() < 0.5 and len(lines) > 1:
        return [
            (f"{_numbered(lines)}Without ({k + 1}):\n", False),
            (_numbered(lines[:k] + lines[k + 1 :]), True),
        ]
    j = rng.randrange(len(lines))
    swapped = list(lines)
    swapped[k], swapped[j] = swapped[j], swapped[k]
    return [(f"{_numbered(lines)}Exchange ({k + 1}) and ({j + 1}):\n", False), (_numbered(swapped), True)]
