"""The three kinds of lines in a word-sorting rationale, read and written.

    The first letter: "pam"="p" (16), ...
    Now sort this subpart ["a" ? "b"] by looking at their second letters: "a"="x" (24), ...
    We now have: (3) ["coarse" ? "comet"] < (16) "pam".
    Hence, we have "coarse" < "comet" < "pam".

Readers go once from left to right and stop with `UnreadableError` at the first place that does not fit.
"""

import re
from collections.abc import Sequence

import msgspec

ORDINALS = [
    "first",
    "second",
    "third",
    "fourth",
    "fifth",
    "sixth",
    "seventh",
    "eighth",
    "ninth",
    "tenth",
    "eleventh",
    "twelfth",
    "thirteenth",
    "fourteenth",
    "fifteenth",
    "sixteenth",
    "seventeenth",
    "eighteenth",
    "nineteenth",
    "twentieth",
]
FIRST = "The first letter: "
SUBPART = "Now sort this subpart "
HAVE = "We now have: "
HENCE = "Hence, we have "
MAX_LETTERS = 60
_WORD = r'"([^"]{1,60})"'
_LETTER = re.compile(_WORD + r'="([^"]?)" \((-?[0-9]{1,4})\)')
_GROUP = re.compile(r'\((-?[0-9]{1,4})\) (?:"([^"]{1,60})"|\[("[^"]{1,60}"(?: \? "[^"]{1,60}"){0,200})\])')
_QUOTED = re.compile(_WORD)
_SUB = re.compile(SUBPART + r'\[("[^"]{1,60}"(?: \? "[^"]{1,60}"){0,200})\] by looking at their ([a-z]+) letters: ')


class UnreadableError(ValueError):
    """Carries the rest of the line from the first place that does not fit."""


class Letter(msgspec.Struct, frozen=True):
    """`"word"="letter" (number)` as written in `text`."""

    word: str
    letter: str
    number: int
    text: str


class Group(msgspec.Struct, frozen=True):
    """`(number) "word"` or `(number) ["word" ? "word"]` as written in `text`."""

    number: int
    words: tuple[str, ...]
    text: str


def letter(word: str, k: int) -> tuple[str, int]:
    """The k-th letter (from 1) and its number: a=1 .. z=26, by code point for what sorts before `a`.

    Behind the end of the word: no letter, a number below all others.
    """
    found = word[k - 1 : k]
    return found, (ord(found) if found else 0) - 96


def read_letters(text: str) -> tuple[tuple[str, ...] | None, int, list[Letter]]:
    """(the words of the subpart or None for the whole list, k, the letters). Raises UnreadableError."""
    words, k, start = None, 1, len(FIRST)
    if text.startswith(SUBPART):
        head = _SUB.match(text)
        if head is None or head[2] not in ORDINALS:
            raise UnreadableError(text)
        words, k, start = tuple(_QUOTED.findall(head[1])), ORDINALS.index(head[2]) + 1, head.end()
    matches = _items(text, start, _LETTER, ", ")
    return words, k, [Letter(word=m[1], letter=m[2], number=int(m[3]), text=m[0]) for m in matches]


def read_groups(text: str) -> list[Group]:
    """The groups of a `We now have` line. Raises UnreadableError."""
    matches = _items(text, len(HAVE), _GROUP, " < ")
    return [
        Group(number=int(m[1]), words=(m[2],) if m[2] else tuple(_QUOTED.findall(m[3])), text=m[0]) for m in matches
    ]


def read_order(text: str) -> list[str]:
    """The words of a `Hence` line. Raises UnreadableError."""
    return [m[1] for m in _items(text, len(HENCE), _QUOTED, " < ")]


def _items(text: str, position: int, item: re.Pattern[str], separator: str) -> list[re.Match[str]]:
    whole, text = text, text.rstrip().removesuffix(".")
    found: list[re.Match[str]] = []
    while True:
        match = item.match(text, position)
        if match is None:
            raise UnreadableError(whole[position:] or whole)
        found.append(match)
        position = match.end()
        if position == len(text):
            return found
        if not text.startswith(separator, position):
            raise UnreadableError(whole[match.start() :])
        position += len(separator)


def write_letters(words: Sequence[str], k: int, *, whole: bool) -> str:
    """The line that looks at the k-th letters of these words."""
    letters = ", ".join(f'"{word}"="{letter(word, k)[0]}" ({letter(word, k)[1]})' for word in words)
    head = FIRST if whole else f"{SUBPART}{write_group(words)} by looking at their {ORDINALS[k - 1]} letters: "
    return f"{head}{letters}."


def write_group(words: Sequence[str]) -> str:
    """`"pam"` for one word, `["a" ? "b"]` for several."""
    return f'"{words[0]}"' if len(words) == 1 else "[" + " ? ".join(f'"{word}"' for word in words) + "]"


def write_groups(groups: Sequence[tuple[int, Sequence[str]]]) -> str:
    """The `We now have` line."""
    return HAVE + " < ".join(f"({number}) {write_group(words)}" for number, words in groups) + "."


def write_order(words: Sequence[str]) -> str:
    """The `Hence` line."""
    return HENCE + " < ".join(f'"{word}"' for word in words) + "."
