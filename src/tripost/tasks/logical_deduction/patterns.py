"""Orderings as text: `(left) ?? yellow ? blue jay (right)`, read and written.

`?` is exactly one object, `??` are zero or more; without a gap two objects stand directly side by side.
"""

import re

import msgspec

from tripost.tasks.logical_deduction.arrangements import MANY, MAX_TOKENS, ONE, Tokens
from tripost.tasks.logical_deduction.question import Question
from tripost.tasks.logical_deduction.themes import THEMES, Theme

_ENDS = re.compile(r"\(([^()]{1,40})\)([^()]{0,2000})\(([^()]{1,40})\)")
_SIGNS = {"?": ONE, "??": MANY}


class Pattern(msgspec.Struct, frozen=True):
    """`tokens` always begin at the theme's first end; `ends` are the labels in small letters, `backward` where they
    stand the other way round."""

    tokens: Tokens
    ends: tuple[str, str]
    backward: bool


class NotReadable(msgspec.Struct, frozen=True):
    """Text that may mean something, but not to us."""

    reason: str


class NotAPattern(msgspec.Struct, frozen=True):
    """Text that is wrong whatever the clues say, and why."""

    reason: str


def _labels(theme: Theme) -> dict[str, int]:
    ends = (theme.start, theme.end)
    return {label: side for side, end in enumerate(ends) for label in (end.label, *end.labels)}


_OF_THEME = {theme.noun: _labels(theme) for theme in THEMES}
_OF_ANY = frozenset(label for labels in _OF_THEME.values() for label in labels)


def read_pattern(question: Question, text: str) -> Pattern | NotAPattern | NotReadable:
    """The pattern between the quotes."""
    match = _ENDS.fullmatch(text.strip())
    if match is None:
        return NotReadable("the ordering has no ends")
    theme, ends = question.theme, (match[1].casefold(), match[3].casefold())
    sides = _OF_THEME[theme.noun].get(ends[0]), _OF_THEME[theme.noun].get(ends[1])
    if sides not in ((0, 1), (1, 0)):
        if not {*ends} <= _OF_ANY:
            return NotReadable("ends that no theme has")
        return NotAPattern(f"the ends are ({theme.start.label}) and ({theme.end.label})")
    words = match[2].split()
    if len(words) > MAX_TOKENS:
        return NotAPattern("it is too long for an ordering")
    found = _tokens(question, words)
    if not isinstance(found, tuple):
        return found
    backward = sides == (1, 0)
    return Pattern(tokens=found[::-1] if backward else found, ends=ends, backward=backward)


def _tokens(question: Question, words: list[str]) -> Tokens | NotAPattern | NotReadable:
    tokens: list[int] = []
    position = 0
    small = [word.casefold() for word in words]
    while position < len(words):
        sign = _SIGNS.get(words[position])
        if sign is not None:
            tokens.append(sign)
            position += 1
            continue
        named = question.known.starting(small, position)
        if named is None:
            return _unknown(question, words[position])
        tokens.append(named[0])
        position = named[1]
    return tuple(tokens)


def _unknown(question: Question, word: str) -> NotAPattern | NotReadable:
    if not word.replace("-", "").isalpha():
        return NotReadable("an ordering with other signs than ? and ??")
    return NotAPattern(f'"{word}" is none of the {question.theme.plural}')


def outermost(question: Question, ends: tuple[str, str], thing: int, *, at_top: bool) -> Tokens:
    """The object stands first (or last) in an ordering written with these ends."""
    at_start = at_top != (_OF_THEME[question.theme.noun][ends[0]] == 1)
    return (thing, MANY) if at_start else (MANY, thing)


def own_ends(theme: Theme) -> tuple[str, str]:
    """The labels that we write."""
    return theme.start.label, theme.end.label


def write_pattern(question: Question, tokens: Tokens, ends: tuple[str, str]) -> str:
    """The pattern with these labels (those of the theme, either way round), in quotes."""
    backward = _OF_THEME[question.theme.noun][ends[0]] == 1
    signs = {ONE: "?", MANY: "??"}
    words = [signs.get(token) or question.short[token] for token in (tokens[::-1] if backward else tokens)]
    return f'"({ends[0]}) {" ".join(words)} ({ends[1]})"'
