"""The lines of a word-sorting rationale as rows, and a whole rationale worked out from what is believed."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

NTH = ("first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth")
LINE = re.compile(r"\(([\d.]+|Final response)\) (.+)\.")
FIRST = re.compile(r"The first letter: (.+)")
PART = re.compile(r"Now sort this subpart \[(.+?)\] by looking at their (\w+) letters: (.+)")
ITEM = re.compile(r'"([^"]+)"="([^"]+)" \((\d+)\)')
GROUP = re.compile(r'\((\d+)\) (?:\[(.+)\]|"([^"]+)")')
Words = tuple[str, ...]
Item = tuple[str, str, int]
Group = tuple[int, Words]


@dataclass(frozen=True)
class Letters:
    """The nth letters of some words; part is the tied words as the line lists them, empty for all words."""

    depth: int
    nth: int
    part: Words
    items: tuple[Item, ...]


@dataclass(frozen=True)
class Groups:
    """A "We now have" line: groups of words with the number of their letter."""

    depth: int
    groups: tuple[Group, ...]


@dataclass(frozen=True)
class Hence:
    """A "Hence" line."""

    depth: int
    words: Words


@dataclass(frozen=True)
class Response:
    """The final response."""

    words: Words
    depth: int = 1


Row = Letters | Groups | Hence | Response


def quoted(words: Iterable[str], between: str) -> str:
    """Words in double quotes with something between them."""
    return between.join(f'"{word}"' for word in words)


def show_item(item: Item) -> str:
    """One word with its letter and number."""
    return f'"{item[0]}"="{item[1]}" ({item[2]})'


def show_groups(groups: Iterable[Group]) -> str:
    """Groups in the order given."""
    texts = []
    for number, words in groups:
        inner = quoted(words, " ? ")
        texts.append(f"({number}) [{inner}]" if len(words) > 1 else f"({number}) {inner}")
    return " < ".join(texts)


def show_row(row: Row) -> str:
    """A line without its label and its full stop."""
    if isinstance(row, Letters):
        items = ", ".join(show_item(item) for item in row.items)
        if not row.part:
            return f"The first letter: {items}"
        part = quoted(row.part, " ? ")
        return f"Now sort this subpart [{part}] by looking at their {NTH[row.nth - 1]} letters: {items}"
    if isinstance(row, Groups):
        return f"We now have: {show_groups(row.groups)}"
    if isinstance(row, Hence):
        return f"Hence, we have {quoted(row.words, ' < ')}"
    return f"So the answer is: {' '.join(row.words)}"


def show_rows(rows: Sequence[Row]) -> str:
    """The text of a rationale, numbered by the depths of its rows."""
    lines = []
    counts: list[int] = []
    for row in rows:
        counts = [*counts, 0, 0, 0][: row.depth]
        counts[-1] += 1
        label = "Final response" if isinstance(row, Response) else ".".join(map(str, counts))
        lines.append(f"({label}) {show_row(row)}.")
    return "\n".join(lines)


def _names(text: str, between: str) -> Words:
    return tuple(word.strip('"') for word in text.split(between))


def _read_items(text: str) -> tuple[Item, ...]:
    return tuple((word, letter, int(number)) for word, letter, number in ITEM.findall(text))


def _read_line(line: str) -> Row:
    match = LINE.fullmatch(line)
    if match is None:
        raise ValueError(f"not a line of word sorting: {line!r}")
    depth, body = match[1].count(".") + 1, match[2]
    if first := FIRST.fullmatch(body):
        return Letters(depth, 1, (), _read_items(first[1]))
    if part := PART.fullmatch(body):
        return Letters(depth, NTH.index(part[2]) + 1, _names(part[1], " ? "), _read_items(part[3]))
    kind, _, rest = body.partition(": ")
    if kind == "We now have":
        found = [GROUP.fullmatch(text) for text in rest.split(" < ")]
        groups = [(int(m[1]), _names(m[2] or m[3], " ? ")) for m in found if m is not None]
        return Groups(depth, tuple(groups))
    if kind == "So the answer is":
        return Response(tuple(rest.split()))
    return Hence(depth, _names(body.removeprefix("Hence, we have "), " < "))


def read_rows(rationale: str) -> tuple[Row, ...]:
    """Read a rationale; ValueError where it is not of the format."""
    rows = tuple(_read_line(line) for line in rationale.split("\n"))
    if show_rows(rows) != rationale:
        raise ValueError("not a word-sorting rationale")
    return rows


def right_item(word: str, nth: int) -> Item:
    """A word with its nth letter and the number of that letter in the alphabet."""
    if not "a" <= word[nth - 1 : nth] <= "z":
        raise ValueError(f"{word!r} has no letter {nth}")
    return (word, word[nth - 1], ord(word[nth - 1]) - ord("a") + 1)


@dataclass
class Beliefs:
    """What a reasoner wrongly holds; empty beliefs give the right rationale."""

    items: dict[tuple[str, int], Item] = field(default_factory=dict)
    groups: dict[tuple[frozenset[str], int], tuple[Group, ...]] = field(default_factory=dict)
    hence: dict[tuple[frozenset[str], int], Words] = field(default_factory=dict)


def derive(words: Words, beliefs: Beliefs) -> tuple[Row, ...]:
    """The whole rationale that follows from the beliefs, in the usual style.

    ValueError where tied words run out of letters, as a word that is tied with itself does.
    """
    items = _items(words, 1, beliefs)
    rows, order = _settle(items, 1, 1, beliefs)
    return (Letters(1, 1, (), items), *rows, Response(order))


def _items(words: Words, nth: int, beliefs: Beliefs) -> tuple[Item, ...]:
    return tuple(beliefs.items.get((word, nth)) or right_item(word, nth) for word in words)


def _settle(items: tuple[Item, ...], nth: int, depth: int, beliefs: Beliefs) -> tuple[list[Row], Words]:
    """The rows from the "We now have" line of some words to their "Hence" line, and their order."""
    words = tuple(item[0] for item in items)
    groups = beliefs.groups.get((frozenset(words), nth))
    if groups is None:
        numbers = sorted({item[2] for item in items})
        groups = tuple((number, tuple(i[0] for i in items if i[2] == number)) for number in numbers)
    rows: list[Row] = [Groups(depth, groups)]
    order: list[str] = []
    for _, tied in groups:
        if len(tied) == 1:
            order += tied
            continue
        following = _items(tied, nth + 1, beliefs)
        rows.append(Letters(depth, nth + 1, tied, following))
        # A tie of all the words goes on at the same depth, but not at the top.
        if len(groups) == 1 and depth > 1:
            more, inner = _settle(following, nth + 1, depth, beliefs)
            return rows + more, inner
        more, inner = _settle(following, nth + 1, depth + 1, beliefs)
        rows += more
        order += inner
    final = beliefs.hence.get((frozenset(words), depth), tuple(order))
    return [*rows, Hence(depth, final)], final
