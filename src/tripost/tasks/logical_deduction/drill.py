"""Small exercises: what a clue says as an ordering, and what two orderings say together."""

import random
from collections.abc import Sequence

from tripost.tasks.logical_deduction.arrangements import (
    MANY,
    Tokens,
    follows,
    holds_beside_others,
    matching,
    strongest,
)
from tripost.tasks.logical_deduction.clues import Place, write_place, write_relation
from tripost.tasks.logical_deduction.themes import THEMES, Theme

_SIZE = 7
"""The row is long enough that nobody has to count its objects."""


def exercise(rng: random.Random) -> tuple[str, str]:
    """What is given, and what is to be said."""
    theme = rng.choice(THEMES)
    names = rng.sample(theme.names, _SIZE)
    return _clue(theme, names, rng) if rng.random() < 0.5 else _together(theme, names, rng)


def _clue(theme: Theme, names: list[str], rng: random.Random) -> tuple[str, str]:
    if rng.random() < 0.5:
        place = Place(count=rng.randrange(4), from_end=rng.random() < 0.5)
        return f"{write_place(theme, names[0], place)[:-1]}: ", f"{write_pattern(theme, names, place.tokens(0))}."
    relation = theme.relations[0]
    forward = rng.random() < 0.5
    sentence = write_relation(theme, rng.choice(relation.forward if forward else relation.back), names[0], names[1])
    tokens = (MANY, 0, MANY, 1, MANY) if forward else (MANY, 1, MANY, 0, MANY)
    return f"{sentence[:-1]}: ", f"{write_pattern(theme, names, tokens)}."


def _together(theme: Theme, names: list[str], rng: random.Random) -> tuple[str, str]:
    """Two orderings that share an object."""
    while True:
        count = rng.randrange(3)
        pair = (MANY, 0, MANY, 1, MANY)
        third: Tokens = rng.choice(
            ((MANY, 1, MANY, 2, MANY), (MANY, 2, MANY, 0, MANY), Place(count=count, from_end=False).tokens(1),
             Place(count=count, from_end=True).tokens(0))
        )  # fmt: skip
        both = matching(_SIZE, pair) & matching(_SIZE, third)
        if not both:
            continue
        tokens = strongest(_SIZE, both, (0, 1, 2) if 2 in third else (0, 1))
        if not follows(matching(_SIZE, third), matching(_SIZE, pair)) and holds_beside_others(
            _SIZE, (pair, third), tokens
        ):
            break
    given = [pair, third]
    rng.shuffle(given)
    first, second = (write_pattern(theme, names, one) for one in given)
    return f"{first} and {second}: ", f"{write_pattern(theme, names, tokens)}."


def write_pattern(theme: Theme, names: Sequence[str], tokens: Tokens) -> str:
    """`"(left) ?? hawk ?? (right)"`: a pattern in the words of a theme."""
    signs = {-1: "?", -2: "??"}
    words = [signs.get(token) or names[token].removesuffix(f" {theme.noun}") for token in tokens]
    return f'"({theme.start.label}) {" ".join(words)} ({theme.end.label})"'
