"""The names of a question's objects, found at the beginning or the end of a run of words."""

from collections.abc import Sequence

import msgspec

MAX_NAME = 40
ARTICLES = ("the", "a", "an")


class Names(msgspec.Struct, frozen=True):
    """`numbers`: from every way to name an object (in small letters) to its place in the introduction. `openings` and
    `endings`: for the first and the last word of a name, how many words it may have, the most first."""

    numbers: dict[str, int]
    openings: dict[str, tuple[int, ...]]
    endings: dict[str, tuple[int, ...]]

    def starting(self, words: Sequence[str], position: int) -> tuple[int, int] | None:
        """The object named from `position` on, and the position behind its name."""
        for length in self.openings.get(words[position], ()) if position < len(words) else ():
            thing = self.numbers.get(" ".join(words[position : position + length]))
            if thing is not None:
                return thing, position + length
        return None

    def ending(self, words: Sequence[str]) -> tuple[int, int] | None:
        """The object named at the end of the words, and the position of its name or of the article before it."""
        for length in self.endings.get(words[-1], ()) if words else ():
            thing = self.numbers.get(" ".join(words[-length:]))
            if thing is not None:
                start = max(0, len(words) - length)
                return thing, start - 1 if start and words[start - 1] in ARTICLES else start
        return None


def names_of(names: Sequence[str], noun: str, *, plural: bool) -> Names:
    """Full names first; names without the theme's noun, and the singular of plural ones, where they are of one object
    only."""
    full = [name.casefold() for name in names]
    ways = [full, [name.removesuffix(f" {noun}") for name in full]]
    if plural:
        ways += [[name.removesuffix("s") for name in full], [name.removesuffix("es") for name in full]]
    numbers: dict[str, int] = {}
    for way in ways:
        # Of a fruit called `s` nothing is left.
        new = {name: k for k, name in enumerate(way) if name.strip() and way.count(name) == 1}
        numbers = new | numbers
    openings: dict[str, tuple[int, ...]] = {}
    endings: dict[str, tuple[int, ...]] = {}
    for words in sorted((name.split() for name in numbers), key=len, reverse=True):
        for table, word in ((openings, words[0]), (endings, words[-1])):
            table[word] = tuple(dict.fromkeys((*table.get(word, ()), len(words))))
    return Names(numbers=numbers, openings=openings, endings=endings)


def read_list(text: str, most: int) -> tuple[str, ...]:
    """`a red book, a blue book, and a gray book`: the names without articles; `a red book and a blue book` as well.
    No more than `most`."""
    items = text.replace(", and ", ", ").replace(" and ", ", ").split(", ", most)[:most]
    return tuple(_without_article(item.strip()) for item in items)


def _without_article(item: str) -> str:
    article, space, name = item.partition(" ")
    return name.strip() if space and article.casefold() in ARTICLES else item


def is_name(text: str) -> bool:
    """Whether it is made of letters, blanks and hyphens."""
    return 0 < len(text) <= MAX_NAME and text.replace(" ", "").replace("-", "").isalpha()
