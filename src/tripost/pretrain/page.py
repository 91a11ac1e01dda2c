"""What a document of the corpus is made of: pieces of text, of which some are only given."""

import random
from collections.abc import Callable, Sequence
from typing import NamedTuple, TypeAlias

from tripost.text import FEEDBACK

GIVEN, SAID, KEY = 0.0, 1.0, 8.0
"""What a token of a piece weighs in the loss: nothing where it is given (a question, say). A verdict or the letter of
an option is one token in a hundred, and takes a search or a calculation: weighed like the others, it was not learned.
"""
CORRECT, INCORRECT = " is correct", " is incorrect"
Page: TypeAlias = list[tuple[str, float]]
"""Pieces of text, and what each weighs."""
Maker: TypeAlias = Callable[[random.Random], Page]


class Statement(NamedTuple):
    """The same line said right and said wrong; `follows`: whether what is right is known from what stands before."""

    right: str
    wrong: str
    follows: bool = True


def exercises(pairs: list[tuple[str, str]]) -> Page:
    """What is given and what is to be said, a line each."""
    page: Page = []
    for given, said in pairs:
        page += [(given, GIVEN), (f"{said}\n", SAID)]
    return page


def differing(right: str, wrong: str) -> tuple[str, str]:
    """The words in which two lines differ: what stands in `wrong`, and in its place in `right`.

    With as many words around them as make the former stand there only once.
    """
    a, b = wrong.split(" "), right.split(" ")
    start = _same(a, b)
    end = 0
    while end < min(len(a), len(b)) - start and a[-1 - end] == b[-1 - end]:
        end += 1
    start = max(0, min(start, len(a) - end - 1, len(b) - end - 1))
    while wrong.count(" ".join(a[start : len(a) - end])) > 1:
        start, end = (start - 1, end) if start else (0, end - 1)
    return " ".join(a[start : len(a) - end]), " ".join(b[start : len(b) - end])


def checks(statements: list[Statement], rng: random.Random) -> Page:
    """Numbered lines, about half of them wrong, judged one by one: each behind its line, or all at the end.

    A token stands between a line and its verdict, so that there is a place at which the whole line is known and the
    verdict is not yet said. Of a right line, what follows the place of the slip is learned as well where it can be
    known: whoever judges one has to know at each place what should stand there.
    """
    at_once = rng.random() < 0.5
    page: Page = [("Check each line.\n" if at_once else "Check all lines.\n", GIVEN)]
    verdicts: Page = []
    for number, (right, wrong, follows) in enumerate(statements, start=1):
        fine = rng.random() < 0.5
        known = fine and follows
        page += _right_line(number, right, wrong) if known else [(f"({number}) {right if fine else wrong}\n", GIVEN)]
        part, instead = differing(right, wrong)
        verdict = f"{CORRECT}." if fine else f'{INCORRECT}: "{part}" should be "{instead}".'
        if at_once:
            page += [(f"Step ({number})", GIVEN), (f"{verdict}\n", KEY)]
        verdicts += [(f" Step ({number})", SAID), (verdict, KEY)]
    if not at_once:
        page += [(FEEDBACK.lstrip("\n"), GIVEN), *verdicts, ("\n", SAID)]
    return page


def _right_line(number: int, right: str, wrong: str) -> Page:
    """Given up to the word with which the wrong one begins to differ."""
    line, slipped = f"({number}) {right}\n", f"({number}) {wrong}\n"
    start = line.rfind(" ", 0, _same(line, slipped) + 1)
    return [(line[:start], GIVEN), (line[start:], SAID)]


def _same(a: Sequence[str], b: Sequence[str]) -> int:
    """With how many of the same items (words, letters) both begin."""
    return next((k for k, (one, other) in enumerate(zip(a, b, strict=False)) if one != other), min(len(a), len(b)))
