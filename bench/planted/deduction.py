"""Plant an error in a deduction, or tell it another right way."""

import random

from bench.planted import NotApplicableError, Planted, check_planted, shuffled
from bench.planted.deduction_errors import KINDS
from bench.planted.deduction_lines import carried, is_right, is_right_response, read_work
from bench.planted.deduction_rewrites import REWRITES

__all__ = ["KINDS", "REWRITES", "plant", "rewrite"]


def plant(question: str, rationale: str, rng: random.Random, kind: str | None = None) -> Planted:
    """A right rationale with one error in it, of a random kind that applies (or of the given kind).

    Seed the generator anew for each rationale: the same seed asks for the same kind first every time.
    """
    work = read_work(question, rationale)
    for name in shuffled(KINDS, rng) if kind is None else [kind]:
        mark = KINDS[name](work, rng)
        if mark is None:
            continue
        changed, at, part = mark
        inside = at < len(changed.lines)
        if is_right(changed, at) if inside else is_right_response(changed):
            raise AssertionError(f"no error after all: {part}")
        after = carried(changed, at) if inside and name != "left out" and rng.random() < 0.5 else None
        text, goes_on = (after or changed).show(), after is not None or name == "left out"
        return check_planted(rationale, Planted(text, at + 1, part, name, goes_on))
    raise NotApplicableError("no error of this kind fits the rationale")


def rewrite(question: str, rationale: str, rng: random.Random) -> str:
    """Another right rationale of the same question: one to three changes of the telling."""
    first = work = read_work(question, rationale)
    wanted = rng.randint(1, 3)
    for name in shuffled(REWRITES, rng):
        changed = REWRITES[name](work, rng)
        if changed is not None and changed != work:
            work, wanted = changed, wanted - 1
        if not wanted and work != first:
            break
    if work == first:
        raise NotApplicableError("no other telling found")
    read_work(question, work.show())
    return work.show()
