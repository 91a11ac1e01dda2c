"""The kinds of error that are planted in word-sorting rationales.

Each planter takes the rows of a right rationale and gives back one row made wrong, or None where it does
not apply.
"""

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from bench.planted.sorting import (
    Beliefs,
    Group,
    Groups,
    Item,
    Letters,
    Response,
    Row,
    Words,
    right_item,
    show_groups,
    show_item,
)

ALPHABET = "abcdefghijklmnopqrstuvwxyz"


@dataclass(frozen=True)
class Mark:
    """One wrong row, the wrong text in it, and what a reasoner who goes on from it believes."""

    at: int
    row: Row
    part: str
    beliefs: Beliefs = field(default_factory=Beliefs)
    misspelt: tuple[str, str] | None = None


def nth_at(rows: Sequence[Row], at: int) -> int:
    """Which letters of the words are looked at, at a row."""
    return next((row.nth for row in reversed(rows[: at + 1]) if isinstance(row, Letters)), 1)


def _letters(rows: Sequence[Row], rng: random.Random) -> tuple[int, Letters]:
    return rng.choice([(at, row) for at, row in enumerate(rows) if isinstance(row, Letters)])


def _groups(rows: Sequence[Row], rng: random.Random) -> list[tuple[int, Groups]]:
    found = [(at, row) for at, row in enumerate(rows) if isinstance(row, Groups)]
    rng.shuffle(found)
    return found


def _words(groups: Sequence[Group]) -> list[str]:
    return [word for _, words in groups for word in words]


def _item(rows: Sequence[Row], at: int, index: int, item: Item) -> Mark:
    row = rows[at]
    if not isinstance(row, Letters):
        raise TypeError("not a line of letters")
    items = (*row.items[:index], item, *row.items[index + 1 :])
    return Mark(at, replace(row, items=items), show_item(item), Beliefs(items={(item[0], row.nth): item}))


def _regrouped(rows: Sequence[Row], at: int, groups: Sequence[Group], part: Sequence[Group]) -> Mark:
    row = rows[at]
    if not isinstance(row, Groups):
        raise TypeError("not a line of groups")
    beliefs = Beliefs(groups={(frozenset(_words(row.groups)), nth_at(rows, at)): tuple(groups)})
    return Mark(at, replace(row, groups=tuple(groups)), show_groups(part), beliefs)


def letter(rows: Sequence[Row], rng: random.Random) -> Mark | None:
    """A wrong letter of a word, with its own number or with that of the right letter."""
    at, row = _letters(rows, rng)
    index = rng.randrange(len(row.items))
    word, right, number = row.items[index]
    source = word if rng.random() < 0.5 and set(word) & set(ALPHABET) - {right} else ALPHABET
    wrong = rng.choice([char for char in source if char in ALPHABET and char != right])
    return _item(rows, at, index, (word, wrong, rng.choice([number, right_item(wrong, 1)[2]])))


def number(rows: Sequence[Row], rng: random.Random) -> Mark | None:
    """A wrong number of a right letter."""
    at, row = _letters(rows, rng)
    index = rng.randrange(len(row.items))
    word, right, old = row.items[index]
    return _item(rows, at, index, (word, right, _other_number(old, rng)))


def _other_number(old: int, rng: random.Random) -> int:
    near = [old - 2, old - 1, old + 1, old + 2, rng.randint(1, 26)]
    return rng.choice([other for other in near if other != old and 1 <= other <= 26])


def group_number(rows: Sequence[Row], rng: random.Random) -> Mark | None:
    """A wrong number before a group."""
    for at, row in _groups(rows, rng):
        index = rng.randrange(len(row.groups))
        old, words = row.groups[index]
        new = (_other_number(old, rng), words)
        return _regrouped(rows, at, (*row.groups[:index], new, *row.groups[index + 1 :]), [new])
    return None


def misspell(word: str, rng: random.Random) -> str:
    """The word with one letter dropped, doubled, replaced, or exchanged with the next."""
    at = rng.choice([at for at, char in enumerate(word) if char in ALPHABET])
    before, char, after = word[:at], word[at], word[at + 1 :]
    choices = [before + char + char + after, before + rng.choice(ALPHABET) + after]
    if len(word) > 3:
        choices.append(before + after)
    if after and after[0] in ALPHABET:
        choices.append(before + after[0] + char + after[1:])
    return rng.choice(choices)


def respelt(row: Row, old: str, new: str) -> Row:
    """A row with a word written another way wherever it stands."""

    def swap(words: Words) -> Words:
        return tuple(new if word == old else word for word in words)

    if isinstance(row, Letters):
        items = tuple((swap((word,))[0], char, count) for word, char, count in row.items)
        return replace(row, part=swap(row.part), items=items)
    if isinstance(row, Groups):
        return replace(row, groups=tuple((count, swap(words)) for count, words in row.groups))
    return replace(row, words=swap(row.words))


def spelling(rows: Sequence[Row], rng: random.Random) -> Mark | None:
    """A word misspelt into one that is not in the list; in a subpart's line perhaps at one of its places."""
    words = rows[-1].words if isinstance(rows[-1], Response) else ()
    at = rng.randrange(len(rows))
    row = rows[at]
    old = rng.choice([word for word in words if respelt(row, word, "") != row])
    new = old
    while new in words:
        new = misspell(old, rng)
    changed = respelt(row, old, new)
    if isinstance(row, Letters) and isinstance(changed, Letters) and row.part and rng.random() < 0.5:
        changed = replace(changed, part=row.part) if rng.random() < 0.5 else replace(changed, items=row.items)
    return Mark(at, changed, new if isinstance(row, Response) else f'"{new}"', misspelt=(old, new))


def groups_order(rows: Sequence[Row], rng: random.Random) -> Mark | None:
    """Two neighbouring groups exchanged."""
    for at, row in _groups(rows, rng):
        if len(row.groups) > 1:
            index = rng.randrange(len(row.groups) - 1)
            pair = [row.groups[index + 1], row.groups[index]]
            return _regrouped(rows, at, (*row.groups[:index], *pair, *row.groups[index + 2 :]), pair)
    return None


def merged(rows: Sequence[Row], rng: random.Random) -> Mark | None:
    """Two neighbouring groups made one, though their letters differ."""
    for at, row in _groups(rows, rng):
        if len(row.groups) > 1:
            index = rng.randrange(len(row.groups) - 1)
            (low, left), (high, right) = row.groups[index : index + 2]
            new = (rng.choice([low, high]), left + right)
            return _regrouped(rows, at, (*row.groups[:index], new, *row.groups[index + 2 :]), [new])
    return None


def _split(rows: Sequence[Row], rng: random.Random, in_order: bool) -> Mark | None:
    for at, row in _groups(rows, rng):
        ties = [index for index, group in enumerate(row.groups) if len(group[1]) > 1]
        if ties:
            index = rng.choice(ties)
            count, tied = row.groups[index]
            words = sorted(tied)
            while not in_order and words == sorted(tied):
                rng.shuffle(words)
            singles = [(count, (word,)) for word in words]
            return _regrouped(rows, at, (*row.groups[:index], *singles, *row.groups[index + 1 :]), singles)
    return None


def tie_split(rows: Sequence[Row], rng: random.Random) -> Mark | None:
    """Tied words written as decided, in a wrong order."""
    return _split(rows, rng, in_order=False)


def tie_split_in_order(rows: Sequence[Row], rng: random.Random) -> Mark | None:
    """Tied words written as decided, in the order that is right but not yet known."""
    return _split(rows, rng, in_order=True)


def groups_missing(rows: Sequence[Row], rng: random.Random) -> Mark | None:
    """A word missing from its group, or with its group."""
    for at, row in _groups(rows, rng):
        words = _words(row.groups)
        if len(words) > 2:
            gone = rng.choice(words)
            rest = [(count, tuple(word for word in tied if word != gone)) for count, tied in row.groups]
            kept = [group for group in rest if group[1]]
            return _regrouped(rows, at, kept, kept)
    return None


def groups_twice(rows: Sequence[Row], rng: random.Random) -> Mark | None:
    """A word once more, as a group of its own."""
    for at, row in _groups(rows, rng):
        count, words = rng.choice(row.groups)
        index = rng.randint(0, len(row.groups))
        new = (*row.groups[:index], (count, (rng.choice(words),)), *row.groups[index:])
        return _regrouped(rows, at, new, new)
    return None


Planter = Callable[[Sequence[Row], random.Random], Mark | None]
