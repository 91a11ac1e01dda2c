"""The kinds of error that are planted in arithmetic rationales.

Each planter takes a right rationale and gives it back with one row made wrong, or None where it does not
apply. Every wrong text differs in value from the right one: a changed text of the same value (0 * 5 for
0 * 4) is not surely an error.
"""

import random
from collections.abc import Callable
from dataclasses import dataclass

from bench.planted.derivation import Row, Work, right_values, stated, substituted
from bench.planted.expression import (
    LEFT_TO_RIGHT,
    NORMAL,
    SUMS_FIRST,
    chain,
    grouped,
    is_number,
    join,
    parse,
    reductions,
    show,
    tokens,
    value_of,
)


@dataclass(frozen=True)
class Mark:
    """A rationale with one row made wrong, and the place of the wrong expression in it."""

    work: Work
    row: int
    index: int

    @property
    def part(self) -> str:
        """The wrong expression."""
        return self.work.rows[self.row][self.index]


def near_numbers(number: int, rng: random.Random) -> list[int]:
    """Numbers that a model might write for another, in random order."""
    digits = str(abs(number))
    sign = -1 if number < 0 else 1
    slips = {number + 1, number - 1, number + 2, number - 2, number + 10, number - 10, -number}
    if len(digits) > 1:
        slips |= {sign * int(digits[::-1]), sign * int(digits[:-1])}
    found = sorted(slips - {number})
    rng.shuffle(found)
    return found


def slips(text: str, rng: random.Random) -> list[str]:
    """The text with one number or one operator changed, all that change its value, in random order."""
    parts = tokens(text)
    found = []
    for at, part in enumerate(parts):
        if is_number(part):
            near = near_numbers(int(part), rng)
            others = [str(number) for number in near if abs(number) < 10 or len(part) > 1]
        else:
            others = [op for op in "+-*" if part in "+-*" and op != part]
        found += [join([*parts[:at], other, *parts[at + 1 :]]) for other in others]
    rng.shuffle(found)
    return found


def _onward(text: str) -> Row:
    """What follows a wrong expression when the reckoning goes on from it; nothing follows a number."""
    return chain(text)[1:] if not is_number(text) else ()


def _steps(work: Work, rng: random.Random, total: bool = True) -> list[int]:
    rows = list(range(1, len(work.rows) - (1 if total else 2)))
    rng.shuffle(rows)
    return rows


def _wrong(work: Work, row: int, index: int, text: str) -> bool:
    """Whether the text would be false in that place: its value is not the one that belongs there."""
    return value_of(text, work.truth) != right_values(work, row)[index]


def operation(work: Work, carry: bool, rng: random.Random) -> Mark | None:
    """A wrong result of one operation inside a chain."""
    for row in _steps(work, rng):
        line = work.rows[row]
        indices = list(range(1, len(line) - 1))
        rng.shuffle(indices)
        for index in indices:
            old, new = tokens(line[index - 1]), tokens(line[index])
            if any(part.isalpha() for part in old):
                continue
            for at, part in enumerate(new):
                # Only a number that the reduction brought in: the text before it is as in the last step.
                if at < len(old) and part == old[at]:
                    continue
                if not is_number(part):
                    break
                for number in near_numbers(int(part), rng):
                    text = join([*new[:at], str(number), *new[at + 1 :]])
                    if _wrong(work, row, index, text):
                        rest = _onward(text) if carry else line[index + 1 :]
                        return Mark(work.put_row(row, (*line[:index], text, *rest)), row, index)
                break
    return None


def definition(work: Work, carry: bool, rng: random.Random) -> Mark | None:
    """A definition in the first step that is not what the question has there."""
    index = rng.randrange(1, len(work.rows[0]))
    for text in slips(work.rows[0][index], rng):
        if _wrong(work, 0, index, text):
            return Mark(work.put(0, index, text), 0, index)
    return None


def shape(work: Work, carry: bool, rng: random.Random) -> Mark | None:
    """A shape in the first step, or at the head of the final equation, with another operator in it."""
    row = rng.choice([0, len(work.rows) - 2])
    line = work.rows[row]
    for text in slips(line[0], rng):
        if _wrong(work, row, 0, text):
            changed = work.put(row, 0, text)
            if carry and row:
                first = substituted(text, stated(work))
                changed = work.put_row(row, (text, first, *reductions(parse(first))))
            return Mark(changed, row, 0)
    return None


def head(work: Work, carry: bool, rng: random.Random) -> Mark | None:
    """A calculation that begins with a wrong copy of its definition."""
    row = _steps(work, rng, total=False)[0]
    line = work.rows[row]
    for text in slips(line[0], rng):
        if _wrong(work, row, 0, text):
            return Mark(work.put_row(row, chain(text) if carry else (text, *line[1:])), row, 0)
    return None


def substitution(work: Work, carry: bool, rng: random.Random) -> Mark | None:
    """A wrong number for a letter in the final equation."""
    row = len(work.rows) - 2
    line, letters = work.rows[row], stated(work)
    names = sorted(letters)
    rng.shuffle(names)
    for name in names:
        others = near_numbers(letters[name], rng)
        for number in [*rng.sample(sorted(letters.values()), 1), *others]:
            text = substituted(line[0], letters | {name: number})
            if len(line) > 2 and _wrong(work, row, 1, text):
                rest = _onward(text) if carry else line[2:]
                return Mark(work.put_row(row, (line[0], text, *rest)), row, 1)
    return None


def grouping(work: Work, carry: bool, rng: random.Random) -> Mark | None:
    """A calculation grouped against the order of operations."""
    readings = [(LEFT_TO_RIGHT, False), (SUMS_FIRST, False), (NORMAL, True), (LEFT_TO_RIGHT, True)]
    rng.shuffle(readings)
    for row in _steps(work, rng, total=False):
        line = work.rows[row]
        for levels, from_right in readings:
            text = show(grouped(parse(line[0], levels, from_right)))
            if _wrong(work, row, 0, text):
                rest = _onward(text) if carry else line[min(2, len(line) - 1) :]
                return Mark(work.put_row(row, (line[0], text, *rest)), row, 1)
    return None


def end(work: Work, carry: bool, rng: random.Random) -> Mark | None:
    """A wrong last number of a chain."""
    row = _steps(work, rng)[0]
    text = str(near_numbers(int(work.rows[row][-1]), rng)[0])
    last = len(work.rows[row]) - 1
    return Mark(work.put(row, last, text), row, last)


def response(work: Work, carry: bool, rng: random.Random) -> Mark | None:
    """A wrong number in the final response."""
    row = len(work.rows) - 1
    text = str(near_numbers(int(work.rows[row][0]), rng)[0])
    return Mark(work.put(row, 0, text), row, 0)


def sign(work: Work, carry: bool, rng: random.Random) -> Mark | None:
    """A minus sign of a number dropped, anywhere."""
    places = [(row, index) for row, line in enumerate(work.rows) for index in range(len(line))]
    rng.shuffle(places)
    for row, index in places:
        line = work.rows[row]
        parts = tokens(line[index])
        negative = [at for at, part in enumerate(parts) if is_number(part) and part.startswith("-")]
        rng.shuffle(negative)
        for at in negative:
            text = join([*parts[:at], parts[at][1:], *parts[at + 1 :]])
            if _wrong(work, row, index, text):
                in_chain = 0 < row < len(work.rows) - 1
                rest = _onward(text) if carry and in_chain else line[index + 1 :]
                return Mark(work.put_row(row, (*line[:index], text, *rest)), row, index)
    return None


Planter = Callable[[Work, bool, random.Random], Mark | None]
KINDS: dict[str, Planter] = {
    "operation": operation,
    "definition": definition,
    "shape": shape,
    "head": head,
    "substitution": substitution,
    "grouping": grouping,
    "end": end,
    "response": response,
    "sign": sign,
}
