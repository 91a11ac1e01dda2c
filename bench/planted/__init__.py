"""Errors planted in right rationales, and right rationales told another way, to measure a judge.

The task modules (`arithmetic`, `words`, `dates` and `deduction`) are written from the format of the rationales alone
and share no code with the judge that they measure, so that a misreading on one side shows on the other.
"""

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeVar


@dataclass(frozen=True)
class Planted:
    """A rationale with one planted error."""

    text: str
    """The whole corrupted rationale."""
    step: int
    """1-based ordinal of the first wrong line; nested labels count, the final response is the last."""
    part: str
    """The wrong text as it now stands in that line."""
    kind: str
    """Which kind of error it is; each task module lists its own in KINDS."""
    carried: bool = False
    """Whether the later lines were worked out anew from the error (otherwise they are as they were)."""


class NotApplicableError(ValueError):
    """The rationale is right, but it has no place for the kind of error, or no other telling."""


Value = TypeVar("Value")


def shuffled(options: Mapping[str, Callable[..., Value]], rng: random.Random) -> list[str]:
    """The names of the options in a random order that depends on the seed alone."""
    names = sorted(options)
    rng.shuffle(names)
    return names


def check_planted(original: str, planted: Planted) -> Planted:
    """Refuse a planting that changed a line before the error, or left the wrong line as it was."""
    before, after = original.split("\n"), planted.text.split("\n")
    at = planted.step - 1
    if before[:at] != after[:at] or before[at] == after[at] or planted.part not in after[at]:
        raise AssertionError(f"bad planting of {planted.kind!r} at step {planted.step}")
    return planted
