"""Plant an error in a word-sorting rationale, or tell it another right way."""

import random
from collections.abc import Sequence

from bench.planted import NotApplicableError, Planted, check_planted, order_errors, shuffled, word_errors
from bench.planted.sorting import (
    Groups,
    Letters,
    Row,
    Words,
    derive,
    read_rows,
    right_item,
    show_row,
    show_rows,
)
from bench.planted.word_errors import Mark, Planter, nth_at, respelt
from bench.planted.word_rewrites import REWRITES

__all__ = ["KINDS", "REWRITES", "plant", "rewrite"]

KINDS: dict[str, Planter] = {
    "letter": word_errors.letter,
    "number": word_errors.number,
    "group number": word_errors.group_number,
    "spelling": word_errors.spelling,
    "groups order": word_errors.groups_order,
    "merged": word_errors.merged,
    "tie split": word_errors.tie_split,
    "tie split in order": word_errors.tie_split_in_order,
    "groups missing": word_errors.groups_missing,
    "groups twice": word_errors.groups_twice,
    "hence order": order_errors.hence_order,
    "hence missing": order_errors.hence_missing,
    "hence twice": order_errors.hence_twice,
    "subpart hence order": order_errors.part_order,
    "subpart hence missing": order_errors.part_missing,
    "subpart hence twice": order_errors.part_twice,
    "response order": order_errors.response_order,
    "response missing": order_errors.response_missing,
    "response twice": order_errors.response_twice,
}


def _holds(row: Row, scope: Words, nth: int) -> bool:
    """Whether a row is right about just these words, by the alphabet alone."""
    if isinstance(row, Letters):
        same = sorted(item[0] for item in row.items) == sorted(scope) and set(row.part) in (set(), set(scope))
        return same and all(item[0] in scope and item == right_item(item[0], nth) for item in row.items)
    if isinstance(row, Groups):
        said = [word for _, words in row.groups for word in words]
        numbers = [number for number, _ in row.groups]
        if sorted(said) != sorted(scope) or numbers != sorted(set(numbers)):
            return False
        return all(right_item(word, nth)[2] == number for number, words in row.groups for word in words)
    return list(row.words) == sorted(scope)


def _scope(rows: Sequence[Row], at: int, listed: Words) -> Words:
    """The words that a row of a rationale has to be about, by the rows before it."""
    row = rows[at]
    if isinstance(row, Letters) and row.part:
        before = [group for other in rows[:at] if isinstance(other, Groups) for group in other.groups]
        return next((tied for _, tied in before if set(tied) == set(row.part)), ())
    if row.depth == 1:
        return listed
    # Groups follow their letters; a conclusion is about the subpart that the rows of its depth belong to.
    depth = row.depth if isinstance(row, Groups) else row.depth - 1
    above = [other for other in rows[:at] if isinstance(other, Letters) and other.depth <= depth]
    return tuple(item[0] for item in above[-1].items)


def _check_right(question: str, rows: Sequence[Row]) -> Words:
    """The words of the question in order; refuse a rationale that is not right."""
    listed = tuple(question.partition("List:")[2].split())
    for at, row in enumerate(rows):
        scope = _scope(rows, at, listed)
        if not scope or not _holds(row, scope, nth_at(rows, at)):
            raise ValueError(f"wrong already: {show_row(row)}")
    return listed


def _carried(mark: Mark, rows: Sequence[Row], listed: Words) -> tuple[Row, ...] | None:
    """The rationale gone on from the error, or None where its lines before would be told otherwise."""
    if mark.misspelt is not None:
        later = [respelt(row, *mark.misspelt) for row in rows[mark.at + 1 :]]
        return (*rows[: mark.at], mark.row, *later)
    try:
        found = derive(listed, mark.beliefs)
    except ValueError:
        return None
    same = found[: mark.at + 1] == (*rows[: mark.at], mark.row)
    return found if same and mark.at < len(rows) - 1 else None


def plant(question: str, rationale: str, rng: random.Random, kind: str | None = None) -> Planted:
    """A right rationale with one error in it, of a random kind that applies (or of the given kind).

    Seed the generator anew for each rationale: the same seed asks for the same kind first every time.
    """
    rows = read_rows(rationale)
    listed = _check_right(question, rows)
    for name in shuffled(KINDS, rng) if kind is None else [kind]:
        mark = KINDS[name](rows, rng)
        if mark is None:
            continue
        if _holds(mark.row, _scope(rows, mark.at, listed), nth_at(rows, mark.at)):
            raise AssertionError(f"no error after all: {mark.part}")
        after = _carried(mark, rows, listed) if rng.random() < 0.5 else None
        carried = after is not None
        if after is None:
            after = (*rows[: mark.at], mark.row, *rows[mark.at + 1 :])
        return check_planted(rationale, Planted(show_rows(after), mark.at + 1, mark.part, name, carried))
    raise NotApplicableError("no error of this kind fits the rationale")


def rewrite(question: str, rationale: str, rng: random.Random) -> str:
    """Another right rationale of the same question: one to three changes of the telling."""
    first = rows = read_rows(rationale)
    _check_right(question, rows)
    wanted = rng.randint(1, 3)
    for name in shuffled(REWRITES, rng):
        changed = REWRITES[name](rows, rng)
        if changed is not None:
            rows, wanted = changed, wanted - 1
        if not wanted:
            break
    _check_right(question, rows)
    if rows == first:
        raise NotApplicableError("no other telling found")
    return show_rows(rows)
