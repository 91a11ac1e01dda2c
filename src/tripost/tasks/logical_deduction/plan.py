"""Which orderings to combine next: few at a time, and few times, until one arrangement is left."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations

import msgspec

from tripost.tasks.logical_deduction.arrangements import Tokens, follows, matching, row, strongest
from tripost.tasks.logical_deduction.question import Question

MAX_PAIRED = 40
"""Orderings that are tried in pairs; an attempt may have hundreds that lead nowhere."""


class Known(msgspec.Struct, frozen=True):
    """What a step has established: the pattern, and the arrangements it leaves."""

    label: str
    tokens: Tokens
    left: int


def conclusions(question: Question, known: Mapping[str, Known]) -> Iterator[tuple[Sequence[Known], Tokens]]:
    """What to combine next, and to what, until a single pattern says all that the clues do, or no pattern can.

    Each time the pair whose pattern leaves the fewest arrangements; where no pair leaves fewer than are left already,
    three, four, or all that are needed. What is given must stand in `known` before the next is asked for.
    """
    while True:
        useful = sorted(_strongest_of(list(known.values())), key=lambda one: one.left.bit_count())
        best = useful[0].left.bit_count()
        if best <= question.left.bit_count():
            return
        needed = _needed(question.size, useful)
        choices = [(useful[:MAX_PAIRED], 2), (needed, 3), (needed, 4), (needed, len(needed))]
        tried = (_best(question.size, some, many, best) for some, many in choices)
        found = next((one for one in tried if one is not None), None)
        if found is None:
            return
        yield found


def _strongest_of(known: list[Known]) -> list[Known]:
    """Without those that say nothing beyond another one; of equals the first stays."""
    return [
        one
        for k, one in enumerate(known)
        if not any(
            follows(other.left, one.left) and (other.left != one.left or j < k)
            for j, other in enumerate(known)
            if j != k
        )
    ]


def _needed(size: int, known: list[Known]) -> list[Known]:
    """Orderings that say together what all of them do; without any of them they would not."""
    needed = list(known)
    for one in reversed(known):
        others = [other for other in needed if other is not one]
        if follows(_together(size, others), one.left):
            needed = others
    return needed


def _together(size: int, known: Sequence[Known]) -> int:
    left = row(size).full
    for one in known:
        left &= one.left
    return left


def _best(size: int, known: list[Known], many: int, below: int) -> tuple[Sequence[Known], Tokens] | None:
    """The best conclusion from so many orderings that leaves fewer than `below` arrangements."""
    sets: list[tuple[int, int, tuple[Known, ...]]] = []
    for cited in combinations(known, many):
        left = _together(size, cited)
        sets.append((left.bit_count(), left, cited))
    sets.sort(key=lambda item: item[0])
    found: tuple[Sequence[Known], Tokens] | None = None
    for count, left, cited in sets:
        if count >= below:  # a pattern leaves at least as many
            break
        # An object that none of them names comes in where everything is known, and not before.
        named = range(size) if count == 1 else {token for one in cited for token in one.tokens if token >= 0}
        tokens = strongest(size, left, tuple(sorted(named)))
        leaves = matching(size, tokens).bit_count()
        if leaves < below:
            found, below = (cited, tokens), leaves
    return found
