"""Plant an error in an arithmetic rationale, or tell it another right way."""

import random

from bench.planted import NotApplicableError, Planted, check_planted, shuffled
from bench.planted.arithmetic_errors import KINDS
from bench.planted.arithmetic_rewrites import REWRITES
from bench.planted.derivation import carry_on, check_right, read_work, right_values, show_work
from bench.planted.expression import value_of

__all__ = ["KINDS", "REWRITES", "plant", "rewrite"]


def plant(question: str, rationale: str, rng: random.Random, kind: str | None = None) -> Planted:
    """A right rationale with one error in it, of a random kind that applies (or of the given kind).

    Seed the generator anew for each rationale: the same seed asks for the same kind first every time.
    """
    work = read_work(rationale)
    check_right(question, work)
    for name in shuffled(KINDS, rng) if kind is None else [kind]:
        carry = rng.random() < 0.5
        mark = KINDS[name](work, carry, rng)
        if mark is None:
            continue
        if value_of(mark.part, work.truth) == right_values(work, mark.row)[mark.index]:
            raise AssertionError(f"no error after all: {mark.part}")
        after = carry_on(work, mark.work, mark.row) if carry else mark.work
        planted = Planted(show_work(after), mark.row + 1, mark.part, name, carry)
        return check_planted(rationale, planted)
    raise NotApplicableError("no error of this kind fits the rationale")


def rewrite(question: str, rationale: str, rng: random.Random) -> str:
    """Another right rationale of the same question: one to three changes of the telling."""
    first = work = read_work(rationale)
    check_right(question, work)
    wanted = rng.randint(1, 3)
    for name in shuffled(REWRITES, rng):
        changed = REWRITES[name](work, rng)
        if changed is not None and changed != work:
            work, wanted = changed, wanted - 1
        if not wanted and work != first:
            break
    check_right(question, work)
    if work == first:
        raise NotApplicableError("no other telling found")
    return show_work(work)
