"""A question of this task, read: the theme, the objects, what its clues and options claim, and what follows."""

import re
from functools import lru_cache

import msgspec

from tripost.errors import DataError
from tripost.tasks.logical_deduction.arrangements import MAX_OBJECTS, Tokens, follows, matching, row
from tripost.tasks.logical_deduction.clues import MAX_SENTENCE, Claim, read_claim
from tripost.tasks.logical_deduction.names import Names, is_name, names_of, read_list
from tripost.tasks.logical_deduction.themes import HEADERS, NUMBERS, THEMES, Theme
from tripost.tasks.options import read_options

MAX_CLUES = 40
NOT_ONE = "not a question of logical deduction"


class Question(msgspec.Struct, frozen=True):
    """`names` as in the introduction, `short` as in patterns ("yellow" for "yellow book"), `known` with all ways to
    name an object. `left`: the arrangements that all clues leave. `right`: the letter of the one option that holds in
    all of these."""

    theme: Theme
    names: tuple[str, ...]
    short: tuple[str, ...]
    known: Names
    listed: str
    clues: tuple[tuple[str, Claim], ...]
    options: dict[str, str]
    claims: dict[str, Claim]
    left: int
    right: str

    @property
    def size(self) -> int:
        """The number of objects."""
        return len(self.names)

    @property
    def many(self) -> str:
        """`five books`."""
        return f"{NUMBERS[self.size]} {self.theme.plural}"

    def stranger(self, sentence: str) -> str | None:
        """An object of the theme, but not of the question, that a sentence names: however the rest of it is worded,
        the question cannot say so. `owl` within `barn owl`, which is of the question, is none; nor is `black` of `the
        black letters` where no book is spoken of."""
        theme = self.theme
        words = f" {' '.join(_WORD.findall(sentence[:MAX_SENTENCE].casefold()))} "
        for name in sorted(self.known.numbers, key=len, reverse=True):
            words = words.replace(f" {name} ", " # ")
        for name in theme.names:
            short = name.removesuffix(f" {theme.noun}")
            alone = f" the {short} {theme.verb} " if short != name else f" {name.casefold()} "
            if name.casefold() not in self.known.numbers and (f" {name.casefold()} " in words or alone in words):
                return name
        return None

    def fits(self, tokens: Tokens) -> int:
        """The arrangements that a pattern fits."""
        return matching(self.size, tokens)


_WORD = re.compile(r"[a-z]+(?:-[a-z]+)*")
_INTROS = {
    intro.replace("{n}", NUMBERS[n])[:-1].casefold(): (theme, n)
    for theme in THEMES
    for intro in theme.intros
    for n in range(2, MAX_OBJECTS + 1)
}
_HEADERS = {n: tuple(header.replace("{n}", NUMBERS[n]) for header in HEADERS) for n in range(2, MAX_OBJECTS + 1)}


@lru_cache(maxsize=1024)
def read_question(question: str) -> Question:
    """Raises DataError for another question, for one that cannot be read, and where not just one option is right."""
    stem, options = read_options(question)
    stem = " ".join(stem.split())
    header = next((text for many in _HEADERS.values() for text in many if stem.startswith(text)), "")
    sentences = stem[len(header) :].strip().split(". ")
    intro, colon, listed = sentences[0].removesuffix(".").partition(": ")
    if not colon or intro.casefold() not in _INTROS:
        raise DataError(f"{NOT_ONE}: it opens with {(intro or stem)[:60]!r}, which is no known introduction")
    theme, size = _INTROS[intro.casefold()]
    if header and header not in _HEADERS[size]:
        raise DataError(f"{NOT_ONE}: it speaks of two numbers of objects")
    names = read_list(listed, MAX_OBJECTS + 1)
    if len(names) != size or len({name.casefold() for name in names}) != size or not all(map(is_name, names)):
        raise DataError(f"{NOT_ONE}: it does not name {NUMBERS[size]} different {theme.plural}")
    if not 2 <= len(sentences) <= MAX_CLUES:
        raise DataError(f"{NOT_ONE}: it has no clues, or too many")
    short = tuple(name.removesuffix(f" {theme.noun}") for name in names)
    known = names_of(names, theme.noun, plural=theme.verb == "are")
    clues = tuple((f"{text.removesuffix('.')}.", _claim(theme, known, text)) for text in sentences[1:])
    claims = {letter: _claim(theme, known, text) for letter, text in options.items()}
    left = row(size).full
    for _, claim in clues:
        left &= matching(size, claim.tokens)
    right = [letter for letter, claim in claims.items() if follows(left, matching(size, claim.tokens))]
    if not left or len(right) != 1:
        raise DataError(f"the clues make {len(right) if left else 'all'} of the options right, not one; mend them")
    return Question(
        theme=theme, names=names, short=short if len(set(short)) == size else names, known=known,
        listed=listed, clues=clues, options=options, claims=claims, left=left, right=right[0],
    )  # fmt: skip


def _claim(theme: Theme, known: Names, text: str) -> Claim:
    claim = read_claim(theme, known, text)
    if claim is None:
        raise DataError(f"{NOT_ONE}: {text[:60]!r} cannot be read")
    return claim
