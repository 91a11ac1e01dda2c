"""A second reader of attempts and feedbacks, for the gate alone.

It knows the layout of the words as `tripost.text` does, and shares no parsing with it: a slip in one of the
two shows as a stored field that disagrees with the text it was read from. Text beyond MAX_CHARS is unreadable.
"""

import re
from collections.abc import Sequence
from itertools import pairwise

import msgspec

from tripost.records import Turn
from tripost.text import ALL_CORRECT, MARKERS, MAX_CHARS, MAX_STEPS

Line = tuple[str, str]
"""The label of a line and the text behind it; the final response has the label ``""``."""

_LABEL = re.compile(r"[0-9]{1,3}(?:\.[0-9]{1,3}){0,7}")
_FINAL = re.compile(r"final (?:response|answer)", re.IGNORECASE)
_ANSWER = re.compile(r"so the answer is:?", re.IGNORECASE)
_WORDS = re.compile(r"(?:(?!_)\w)+|\W|_")
_SPECIAL = re.compile(
    r"<\|[^|\n]{0,40}\|>|</?s>|<(?:bos|eos|pad|unk)>"
    r"|[\ufffd\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]",
    re.IGNORECASE,
)


class Verdict(msgspec.Struct, frozen=True):
    """What a feedback says. `step` None: all is correct; 0: wrong in a step that the attempt has not."""

    step: int | None
    part: str = ""
    reason: str = ""


class Reading(msgspec.Struct, frozen=True):
    """A turn and what its text says; None where that cannot be read."""

    turn: Turn
    lines: list[Line] | None
    verdict: Verdict | None

    @property
    def says_correct(self) -> bool:
        """Whether the feedback says that all is correct."""
        return self.verdict is not None and self.verdict.step is None

    @property
    def says_wrong(self) -> bool:
        """Whether the feedback says that something is wrong."""
        return self.verdict is not None and self.verdict.step is not None

    @property
    def wrong_line(self) -> int:
        """The number of the line that the feedback calls wrong; 0 where there is none."""
        return (self.verdict.step or 0) if self.verdict and self.lines else 0

    @property
    def answer(self) -> str:
        """The attempt's final answer; empty where it cannot be read."""
        return answer(self.lines[-1][1]) if self.lines else ""


def read(turn: Turn) -> Reading:
    """Read a turn from its two texts, whatever its fields say."""
    lines = read_attempt(turn.attempt.raw)
    return Reading(turn, lines, read_feedback(turn.feedback.text, lines or []) if turn.feedback else None)


def read_attempt(raw: str) -> list[Line] | None:
    """The lines of an attempt: steps with rising labels, then a final response with an answer in it."""
    if len(raw) > MAX_CHARS or raw.count("\n") > MAX_STEPS:
        return None
    lines = [_line(line) for line in raw.strip().split("\n")]
    label, text = lines.pop()
    labels = [step for step, _ in lines]
    keys = [tuple(map(int, step.split("."))) for step in labels if _LABEL.fullmatch(step)]
    rising = len(keys) == len(labels) and all(a < b for a, b in pairwise(keys))
    ends = _FINAL.fullmatch(label) or _LABEL.fullmatch(label)
    return [*lines, ("", text)] if rising and ends and answer(text) and all(t for _, t in lines) else None


def _line(line: str) -> Line:
    head, bracket, text = line.lstrip(" \t").partition(")")
    return (head[1:], text.strip()) if bracket and head.startswith("(") else ("", "")


def answer(final_text: str) -> str:
    """What stands behind the last "So the answer is"; empty where that is missing."""
    _, *answers = _ANSWER.split(final_text)
    return answers[-1].strip().removesuffix(".").rstrip() if answers else ""


def read_feedback(text: str, lines: Sequence[Line]) -> Verdict | None:
    """What a feedback on an attempt with these lines says; None where it has no known form."""
    if text == ALL_CORRECT:
        return Verdict(None)
    if len(text) > MAX_CHARS:
        return None
    where, quote, rest = text.partition(' the part "')
    part, because, reason = rest.partition('" is incorrect. This is because ')
    reason = reason.removesuffix(".")
    if not (quote and part and because and reason) or "\n" in text:
        return None
    if where == "In (Final response)":
        return Verdict(len(lines), part, reason)
    label = where.removeprefix("In step (").removesuffix(")")
    if where != f"In step ({label})" or not label:
        return None
    labels = [step for step, _ in lines]
    return Verdict(labels.index(label) + 1 if label in labels else 0, part, reason)


def stands_in(part: str, line: str) -> bool:
    """Whether the line has the part, and not only inside a longer number or word."""
    return _by_words(part) in _by_words(line)


def _by_words(text: str) -> str:
    """Words, numbers and single signs with a line break before, between and behind them (the text has none)."""
    return "\n".join(["", *_WORDS.findall(text), ""])


def attempt_is_stale(reading: Reading) -> bool:
    """Whether the attempt's fields say something else than its text."""
    stored, lines = reading.turn.attempt, reading.lines
    if lines is None:
        return bool(stored.steps) or stored.final is not None
    written = [*((step.label, step.text) for step in stored.steps), ("", stored.final_text)]
    return written != lines or stored.final != reading.answer


def feedback_is_stale(reading: Reading) -> bool:
    """Whether the feedback's fields say something else than its text."""
    stored, verdict = reading.turn.feedback, reading.verdict
    if stored is None or verdict is None or verdict.step == 0:
        return stored is not None and not stored.malformed
    fields = (stored.malformed, stored.wrong_step, stored.wrong_part, stored.reason)
    return fields != (False, verdict.step, verdict.part, verdict.reason)


def leftovers(turn: Turn) -> int:
    """Lines that begin as a segment does, special tokens, and characters that nobody could decode."""
    texts = [turn.attempt.raw[:MAX_CHARS], turn.feedback.text[:MAX_CHARS] if turn.feedback else ""]
    marked = sum(line.lstrip().startswith(MARKERS) for text in texts for line in text.split("\n"))
    return marked + sum(len(_SPECIAL.findall(text)) for text in texts)
