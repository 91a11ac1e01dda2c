"""Makes questions: objects in a random order, and true clues until they leave no other one."""

import random

from tripost.tasks.logical_deduction.arrangements import MANY, Tokens, follows, matching, row
from tripost.tasks.logical_deduction.clues import (
    GAPS,
    Place,
    write_place,
    write_place_first,
    write_relation,
)
from tripost.tasks.logical_deduction.themes import HEADERS, NUMBERS, THEMES, Theme
from tripost.tasks.options import write_options

_PLACED = 0.35
"""Share of clues that give one object's place; about as published."""
_SPARE = 0.2
"""Of the questions that turn out to have clues to spare (about half), the share that keeps one of them."""
_PUBLISHED = 0.5
"""Share of questions in the published wordings, header and introduction included."""
_TURNED = 0.4
"""Of the places in other wordings, the share that names the place first."""


class Clue:
    """A true clue: its pattern and what it leaves, and its sentence."""

    def __init__(self, size: int, tokens: Tokens, sentence: str) -> None:
        self.tokens = tokens
        self.sentence = sentence
        self.left = matching(size, tokens)


def make_question(size: int, rng: random.Random) -> str:
    """A question whose clues leave just one arrangement of `size` objects."""
    as_published = rng.random() < _PUBLISHED
    theme = rng.choice([theme for theme in THEMES if theme.published or not as_published])
    names = rng.sample(theme.names, size)
    order = rng.sample(range(size), size)
    clues = _clues(theme, names, order, rng, as_published=as_published)
    header = HEADERS[0] if as_published else rng.choice(("", *HEADERS))
    intro = theme.intros[0] if as_published else rng.choice(theme.intros)
    listed = [_with_article(theme, name) for name in names]
    last = f", and {listed[-1]}" if size > 2 else f" and {listed[-1]}"
    opening = f"{header} {intro} ".replace("{n}", NUMBERS[size]).lstrip()
    stem = f"{opening}{', '.join(listed[:-1])}{last}. {' '.join(clue.sentence for clue in clues)}"
    asked = _place(rng.randrange(size), size, rng)
    return write_options(stem, [write_place(theme, name, asked) for name in names])


def _with_article(theme: Theme, name: str) -> str:
    if not theme.article or theme.verb == "are":
        return name
    return f"{'an' if name[0] in 'aeiou' else 'a'} {name}"


def _clues(theme: Theme, names: list[str], order: list[int], rng: random.Random, *, as_published: bool) -> list[Clue]:
    """Clues in random order; without any of them there would be a second arrangement, but for a spare one now and
    then."""
    size = len(order)
    left = row(size).full
    taken: list[Clue] = []
    while left.bit_count() > 1:
        clue = _clue(theme, names, order, rng, as_published=as_published)
        if not follows(left, clue.left):
            left &= clue.left
            taken.append(clue)
    rng.shuffle(taken)
    needed = list(taken)
    for clue in taken:
        others = [other for other in needed if other is not clue]
        left = row(size).full
        for other in others:
            left &= other.left
        if left.bit_count() == 1:
            needed = others
    spare = [clue for clue in taken if clue not in needed]
    if len(needed) == 1:  # from one clue alone there is nothing to combine
        return _clues(theme, names, order, rng, as_published=as_published)
    if spare and rng.random() < _SPARE:
        needed.insert(rng.randrange(len(needed) + 1), rng.choice(spare))
    return needed


def _clue(theme: Theme, names: list[str], order: list[int], rng: random.Random, *, as_published: bool) -> Clue:
    size = len(order)
    if rng.random() < _PLACED:
        p = rng.randrange(size)
        place = _place(p, size, rng)
        turned = not as_published and rng.random() < _TURNED
        write = write_place_first if turned else write_place
        return Clue(size, place.tokens(order[p]), write(theme, names[order[p]], place))
    relation = rng.choice(theme.relations[:1] if as_published else theme.relations)
    gap = GAPS[relation.gap]
    distance = rng.randint(1, size - 1) if gap == (MANY,) else len(gap) + 1
    if distance >= size:
        return _clue(theme, names, order, rng, as_published=as_published)
    p = rng.randrange(size - distance)
    a, b = order[p], order[p + distance]
    forward = rng.random() < 0.5
    wordings = relation.forward if forward else relation.back
    first, second = (a, b) if forward else (b, a)
    words = wordings[0] if as_published else rng.choice(wordings)
    return Clue(size, (MANY, a, *gap, b, MANY), write_relation(theme, words, names[first], names[second]))


def _place(p: int, size: int, rng: random.Random) -> Place:
    """A place, counted from the nearer end; in and about the middle from either."""
    behind = size - 1 - p
    nearer_end = behind < p if abs(behind - p) > 1 else rng.random() < 0.5
    return Place(count=behind if nearer_end else p, from_end=nearer_end)
