"""What a document of the corpus is made of: pieces of text, of which some are only given."""

import random
from collections.abc import Callable
from typing import TypeAlias

Page: TypeAlias = list[tuple[str, bool]]
"""Pieces of text; True where the model learns to write them, False where they are given (a question, say)."""
Maker: TypeAlias = Callable[[random.Random], Page]
Statement: TypeAlias = tuple[str, str]
"""The same line said right and said wrong."""


def exercises(pairs: list[tuple[str, str]]) -> Page:
    """What is given and what is to be said, a line each."""
    page: Page = []
    for given, said in pairs:
        page += [(given, False), (f"{said}\n", True)]
    return page


def differing(right: str, wrong: str) -> tuple[str, str]:
    """The words in which two lines differ: what stands in `wrong`, and in its place in `right`."""
    a, b = wrong.split(" "), right.split(" ")
    start = 0
    while start < min(len(a), len(b)) and a[start] == b[start]:
        start += 1
    end = 0
    while end < min(len(a), len(b)) - start and a[-1 - end] == b[-1 - end]:
        end += 1
    start = max(0, min(start, len(a) - end - 1, len(b) - end - 1))
    return " ".join(a[start : len(a) - end]), " ".join(b[start : len(b) - end])


def checks(statements: list[Statement], rng: random.Random) -> Page:
    """Numbered lines, about half of them wrong, judged one by one: each behind its line, or all at the end."""
    at_once = rng.random() < 0.4
    page: Page = [("Check each line.\n" if at_once else "Check all lines.\n", False)]
    verdicts: list[str] = []
    for number, (right, wrong) in enumerate(statements, start=1):
        fine = rng.random() < 0.5
        page.append((f"({number}) {right if fine else wrong}\n", False))
        verdict = "is correct." if fine else 'is incorrect: "{}" should be "{}".'.format(*differing(right, wrong))
        if at_once:
            page.append((f"This {verdict}\n", True))
        verdicts.append(f"Step ({number}) {verdict}")
    if not at_once:
        page.append((" ".join(verdicts) + "\n", True))
    return page
