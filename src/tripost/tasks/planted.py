"""What planters share: an attempt with other words in some of its lines, and slips in numbers."""

import random
from collections.abc import Mapping

from tripost.records import Attempt
from tripost.text import parse_attempt

AUTHOR = "probe"
"""Whose words an attempt with a planted error is."""


def rewrite(attempt: Attempt, lines: Mapping[int, str]) -> Attempt:
    """The attempt with these texts at these lines (1..n the steps, n+1 the final response).

    Labels, spaces and all other lines stay to the letter, so that nothing but the error sets it apart.
    """
    written = attempt.raw.split("\n")
    for number, text in lines.items():
        line = written[number - 1].rstrip()
        written[number - 1] = line[: len(line) - len(attempt.line(number))] + text
    return parse_attempt("\n".join(written), AUTHOR)


def with_answer(attempt: Attempt, answer: str) -> str:
    """The final response with another answer in the place of its own."""
    start = attempt.final_text.rindex(str(attempt.final))
    return attempt.final_text[:start] + answer + attempt.final_text[start + len(str(attempt.final)) :]


def demand(holds: bool) -> None:
    """Raises ValueError where it does not: nothing is planted in an attempt that is not seen to be right."""
    if not holds:
        raise ValueError("a line that cannot be read, or does not hold")


def near(number: int, rng: random.Random) -> list[int]:
    """Numbers that may be written for another by mistake, in random order."""
    slips = {number + 1, number - 1, number + 2, number - 2, -number}
    if abs(number) > 9:
        slips |= {number + 10, number - 10, int(str(abs(number))[::-1])}
    found = sorted(slips - {number})
    rng.shuffle(found)
    return found
