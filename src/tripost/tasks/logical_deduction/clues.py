"""What a sentence claims about the order: read and written in the wordings of a theme.

    The hawk is to the left of the robin.       two objects
    The robin is the second from the right.     an object and its place
    The second bird from the right is the robin.

Reading is a look into tables made from the theme; a sentence that is not in them is not guessed at.
"""

from functools import lru_cache

import msgspec

from tripost.tasks.logical_deduction.arrangements import MANY, MAX_OBJECTS, ONE, Tokens
from tripost.tasks.logical_deduction.names import ARTICLES, Names
from tripost.tasks.logical_deduction.themes import ORDINALS, THEMES, End, Theme

MAX_SENTENCE = 300


class Claim(msgspec.Struct, frozen=True):
    """What a sentence says. `predicate`: its words behind the subject where that is given a place, else empty."""

    tokens: Tokens
    subject: int
    predicate: str = ""


class Place(msgspec.Struct, frozen=True):
    """The `count`-th place from one end, from 0."""

    count: int
    from_end: bool

    def tokens(self, thing: int) -> Tokens:
        """The pattern of an object that stands there."""
        gap = (ONE,) * self.count
        return (MANY, thing, *gap) if self.from_end else (*gap, thing, MANY)


class Wordings(msgspec.Struct, frozen=True):
    """How a theme speaks: of places as predicates (`is the leftmost`) and as subjects (`leftmost book`), and of two
    objects (`is to the left of`: the gap between them, and whether the first one named stands first)."""

    predicates: dict[str, Place]
    subjects: dict[str, Place]
    relations: dict[str, tuple[Tokens, bool]]


GAPS: dict[str, Tokens] = {"??": (MANY,), "": (), "?": (ONE,)}


def place_words(theme: Theme, place: Place) -> str:
    """`the second from the left`."""
    return _counted(_end(theme, place), place, extreme="extreme", nth="nth")


def place_noun(theme: Theme, place: Place) -> str:
    """`second book from the left`."""
    return _counted(_end(theme, place), place, extreme="extreme_noun", nth="nth_noun").replace("{noun}", theme.noun)


def _end(theme: Theme, place: Place) -> End:
    return theme.end if place.from_end else theme.start


def _counted(end: End, place: Place, *, extreme: str, nth: str) -> str:
    if place.count == 0:
        return str(getattr(end, extreme))
    return str(getattr(end, nth)).replace("{}", ORDINALS[place.count])


@lru_cache(maxsize=len(THEMES))
def wordings(theme: Theme) -> Wordings:
    """All of a theme's wordings, as tables."""
    predicates: dict[str, Place] = {}
    subjects: dict[str, Place] = {}
    for from_end in (True, False):
        for count in range(MAX_OBJECTS):
            place = Place(count=count, from_end=from_end)
            words = place_words(theme, place)
            for form in {words, words.removeprefix("the ")}:
                for verb in _verbs(theme):
                    predicates[f"{verb} {form}"] = place
                    for noun in (theme.noun, theme.plural, "person"):
                        subjects |= {f"{noun} {who} {verb} {form}": place for who in ("that", "who")}
            subjects[words.removeprefix("the ")] = subjects[place_noun(theme, place)] = place
            subjects[place_noun(theme, place).replace(theme.noun, theme.plural)] = place
    relations: dict[str, tuple[Tokens, bool]] = {}
    for relation in theme.relations:
        relations |= dict.fromkeys(relation.forward, (GAPS[relation.gap], True))
        relations |= dict.fromkeys(relation.back, (GAPS[relation.gap], False))
    return Wordings(predicates=predicates, subjects=subjects, relations=relations)


def _verbs(theme: Theme) -> tuple[str, ...]:
    return ("are", "is") if theme.verb == "are" else (theme.verb,)


def read_claim(theme: Theme, names: Names, sentence: str) -> Claim | None:
    """What a sentence says of the objects with these names; None where it cannot be read."""
    if len(sentence) > MAX_SENTENCE:
        return None
    words = sentence.casefold().rstrip().removesuffix(".").split()
    tables = wordings(theme)
    last = names.ending(words)
    if last and words[last[1] - 1] in ("is", "are"):
        skip = 1 if words[0] in ARTICLES else 0
        place = tables.subjects.get(" ".join(words[skip : last[1] - 1]))
        if place is not None:
            return Claim(tokens=place.tokens(last[0]), subject=last[0])
    first = names.starting(words, 1 if words and words[0] in ARTICLES else 0)
    if first is None:
        return None
    thing, position = first
    predicate = " ".join(words[position:])
    if predicate in tables.predicates:
        return Claim(tokens=tables.predicates[predicate].tokens(thing), subject=thing, predicate=predicate)
    found = tables.relations.get(" ".join(words[position : last[1]])) if last else None
    if last is None or found is None or last[0] == thing:
        return None
    gap, forward = found
    pair = (thing, *gap, last[0]) if forward else (last[0], *gap, thing)
    return Claim(tokens=(MANY, *pair, MANY), subject=thing)


def compares_with_itself(theme: Theme, names: Names, sentence: str) -> bool:
    """`The hawk is to the left of the hawk.`"""
    words = sentence[:MAX_SENTENCE].casefold().rstrip().removesuffix(".").split()
    first, last = names.starting(words, 1 if words and words[0] in ARTICLES else 0), names.ending(words)
    if first is None or last is None or first[0] != last[0]:
        return False
    return " ".join(words[first[1] : last[1]]) in wordings(theme).relations


def thing_in(theme: Theme, name: str, *, opens: bool = False) -> str:
    """`the hawk`, or `The hawk` where it opens a sentence; `Rob` either way."""
    return f"{'The' if opens else 'the'} {name}" if theme.article else name


def write_place(theme: Theme, name: str, place: Place) -> str:
    """`The robin is the second from the right.`"""
    return f"{thing_in(theme, name, opens=True)} {theme.verb} {place_words(theme, place)}."


def write_place_first(theme: Theme, name: str, place: Place) -> str:
    """`The second bird from the right is the robin.`"""
    return f"The {place_noun(theme, place)} {'are' if theme.verb == 'are' else 'is'} {thing_in(theme, name)}."


def write_relation(theme: Theme, words: str, first: str, second: str) -> str:
    """`The hawk is to the left of the robin.`"""
    return f"{thing_in(theme, first, opens=True)} {words} {thing_in(theme, second)}."
