"""Questions with lettered options, as published: the options stand below the question, the answer is `(B)`.

What is the date tomorrow in MM/DD/YYYY?
Options:
(A) 04/20/1969
(B) 04/18/1969
"""

import random
import re
import string
from collections.abc import Sequence

from tripost.errors import DataError
from tripost.records import Attempt, Problem

HEAD = "\nOptions:\n"
MAX_OPTIONS = 26
MAX_QUESTION = 20_000
_OPTION = re.compile(r"\(([A-Z])\)[ \t]+(\S.*)")
_LETTER = re.compile(r"\(?([A-Z])\)?")


def read_options(question: str) -> tuple[str, dict[str, str]]:
    """The question itself, and letter -> text of its options. Raises DataError where they are not A, B, C, ..."""
    if len(question) > MAX_QUESTION:
        raise DataError("not a question with options: too long")
    stem, found, rest = question.partition(HEAD)
    lines = [line.strip() for line in rest.strip().split("\n")] if found else []
    options: dict[str, str] = {}
    for letter, line in zip(string.ascii_uppercase, lines, strict=False):
        match = _OPTION.fullmatch(line)
        if match is None or match[1] != letter:
            raise DataError(f"not a question with options: {line[:40]!r} is not option ({letter})")
        options[letter] = match[2].rstrip().removesuffix(".")
    if not 2 <= len(lines) <= MAX_OPTIONS:
        raise DataError("not a question with options: it needs a line `Options:` and 2 to 26 lettered lines below it")
    if len(set(options.values())) < len(options):
        raise DataError("not a question with options: two of them are the same")
    return stem.strip(), options


def write_options(stem: str, texts: Sequence[str]) -> str:
    """The question with its options, lettered in the order given."""
    lines = [f"({letter}) {text}" for letter, text in zip(string.ascii_uppercase, texts, strict=False)]
    return stem + HEAD + "\n".join(lines)


def shuffled(right: str, wrong: Sequence[str], rng: random.Random) -> tuple[list[str], str]:
    """All options in random order, and the letter of the right one as an answer: `(B)`."""
    texts = [right, *wrong]
    rng.shuffle(texts)
    return texts, f"({string.ascii_uppercase[texts.index(right)]})"


def read_letter(text: str | None) -> str | None:
    """`(B)` or `B` -> `B`; None for anything else."""
    match = _LETTER.fullmatch(text) if text is not None and len(text) <= 3 else None
    return match[1] if match else None


class Lettered:
    """What tasks with options have in common."""

    def is_correct(self, problem: Problem, attempt: Attempt) -> bool:
        """The same letter."""
        letter = read_letter(attempt.final)
        return letter is not None and letter == read_letter(problem.answer)

    def shared(self, question: str) -> str:
        """The question without its options: asked again with others, it is the same one."""
        return question.partition(HEAD)[0]
