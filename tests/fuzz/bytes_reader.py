"""Bytes -> choices, numbers and hostile text: what lets a fuzzer write attempts that get deep into the code.

Short input, long text: a piece can be repeated thousands of times, so that every bound is within reach of a few bytes.
"""

from collections.abc import Sequence
from typing import TypeVar

Choice = TypeVar("Choice")

MAX_TEXT = 40_000
"""Twice what the parsers accept."""
REPEATS = (0, 1, 2, 3, 7, 19, 41, 60, 150, 199, 300, 1_000, 2_000, 5_000, 10_000, 20_000)

PIECES = (
    "(1) ", "(2) ", "(2.1) ", "(3) ", "(4) ", "(5)", "(10) ", "(999) ", "(1.1.1.1.1.1.1.1) ", "(1000) ", "(01) ",
    "(Final response) ", "(final answer) ", "So the answer is ", "so the answer is: ", "\n", "\n(", ")", "(", "[", "]",
    "Feedback:", "\nFeedback: ", "\nUpdated Answer:\n", "\nQ: ", "\nAnswer:", "Answer: Let's think step by step.\n",
    "All steps and the final response are correct.", 'In step (1) the part "', 'In step (2) the part "',
    'In (Final response) the part "', '" is incorrect. This is because ', '"', ".", ":", ", ", " and ", " < ", " = ", "=",
    " ? ", " + ", " - ", " * ", "-", "+", "*", "--", "**", "9**9**9", '__import__("os")', "A", "B", "C", "Z", "x", "a", "b",
    "0", "1", "7", "-5", "12", "9999999999999999999999999999999999999999", "\u0663", "\u00b2", "\u00b3\u2075", "\u212a",
    "\u017f", "\u0130", "\u202e", "\u2066", "\u200b", "\ufeff", "\x00", "\x1b[31m", "\x7f", "\x85", "\u2028", "\r", "\x0b",
    "\x1c", "\t", " ", "  ", "\u00a0", "\u3000", "\ufffd", "\U0001f600", "e\u0301", "<|im_end|>", "<|", "|>", "</s>", "<pad>",
    'This equation can be written as "', '", where ', "A = ", "B = (1 - 2)", "Let's calculate ", "Then, the final equation is ",
    "(A - B)", "(1 - 2 + 3)", "The first letter: ", "Now sort this subpart ", " by looking at their ", " letters: ", "second",
    "third", "twentieth", "We now have: ", "Hence, we have ", '"a"', '"b"', '="a" (1)', '"ab"="b" (2)', "(16) ", "(-96) ",
    '["a" ? "b"]', "a b", "ab abc", "a's", "{", "}", "null", "\\ud800", "1e999",
)  # fmt: skip


def _times(text: str, count: int) -> str:
    return (text * min(count, MAX_TEXT // max(1, len(text)) + 1))[:MAX_TEXT]


class BytesReader:
    """Reads bytes from the front; where there are no more, everything is the first choice, 0 or empty."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.position = 0

    @property
    def left(self) -> int:
        """How many bytes are left."""
        return len(self.data) - self.position

    def number(self, below: int) -> int:
        """A number from 0 on, below this one (at most 65,536)."""
        width = 1 if below <= 256 else 2
        taken = self.data[self.position : self.position + width]
        self.position += len(taken)
        return int.from_bytes(taken, "big") % below

    def choice(self, options: Sequence[Choice]) -> Choice:
        """One of the options."""
        return options[self.number(len(options))]

    def flag(self) -> bool:
        """Yes or no."""
        return self.number(2) == 1

    def raw(self) -> bytes:
        """All bytes that are left."""
        taken = self.data[self.position :]
        self.position = len(self.data)
        return taken

    def words(self) -> str:
        """Some bytes of the input as they are: a length, then so many."""
        size = self.number(64)
        taken = self.data[self.position : self.position + size]
        self.position += len(taken)
        return taken.decode("utf-8", "replace")

    def piece(self) -> str:
        """A piece of the grammar, now and then many times over; or bytes of the input."""
        kind = self.number(len(PIECES) + 8)
        if kind < len(PIECES):
            return PIECES[kind]
        if kind < len(PIECES) + 4:
            return self.words()
        return _times(self.piece() if self.left else "x", self.choice(REPEATS))

    def text(self, most: int = 40) -> str:
        """Pieces one after the other."""
        found = ""
        for _ in range(self.number(most)):
            if not self.left or len(found) > MAX_TEXT:
                break
            found += self.piece()
        return found[:MAX_TEXT]

    def changed(self, text: str) -> str:
        """The text with a few spans cut out, replaced, doubled, or lines moved."""
        for _ in range(self.number(6)):
            kind = self.number(6)
            if kind == 0:
                lines = text.split("\n")
                lines.insert(self.number(len(lines) + 1), lines.pop(self.number(len(lines))))
                text = "\n".join(lines)
                continue
            start = self.number(min(len(text) + 1, 65_536))
            end = start + self.number(24)
            if kind == 1:
                text = text[:start] + text[end:]
            elif kind == 2:
                text = (text[:end] + _times(text[start:end], self.choice(REPEATS)) + text[end:])[:MAX_TEXT]
            elif kind == 3:
                text = text[:start]
            else:
                text = text[:start] + self.piece() + text[end if kind == 4 else start :]
        return text[:MAX_TEXT]
