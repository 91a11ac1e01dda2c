"""The corpus: which pages it is made of, in which shares, and an endless stream of them."""

import random
from collections.abc import Iterator

from tripost.pretrain.page import Maker, Page
from tripost.pretrain.pages import days, letters, lists, numbers, orders, remarks, solutions

SHARES: dict[str, tuple[Maker, float]] = {
    "operations": (numbers.operations, 6),
    "chains": (numbers.chains, 3),
    "parts": (numbers.parts, 5),
    "operation checks": (numbers.operation_checks, 6),
    "chain checks": (numbers.chain_checks, 5),
    "sums": (solutions.sums, 5),
    "spelling": (letters.spelling, 1),
    "looking": (letters.looking, 3),
    "grouping": (letters.grouping, 3),
    "ordering": (letters.ordering, 3),
    "ticking": (letters.ticking, 4),
    "merging": (letters.merging, 3),
    "letter checks": (letters.letter_checks, 4),
    "order checks": (letters.order_checks, 4),
    "lists": (solutions.lists, 5),
    "calendar steps": (days.steps, 8),
    "spellings of dates": (days.spellings, 0.5),
    "months": (days.months, 1),
    "options": (days.options, 4),
    "day checks": (days.day_checks, 4),
    "dates": (solutions.dates, 5),
    "clues": (orders.drills, 3),
    "positions": (orders.positions, 1),
    "choices": (orders.choices, 4),
    "clue checks": (orders.order_checks, 4),
    "orders": (solutions.orders, 6),
    "copying": (lists.copying, 3),
    "replacing": (lists.replacing, 5),
    "leaving out": (lists.leaving_out, 0.5),
    "remarks": (remarks.remarks, 8),
}
"""Name -> what makes a page, and its share of the tokens, in parts of the sum of all shares."""


def pages(kind: str, seed: str) -> Iterator[Page]:
    """Endless pages of one kind; the n-th is the same however many are taken."""
    make, _ = SHARES[kind]
    number = 0
    while True:
        yield make(random.Random(f"{kind} {seed} {number}"))
        number += 1


def shares() -> dict[str, float]:
    """The share of each kind, in parts of their sum."""
    return {kind: share for kind, (_, share) in SHARES.items()}
