"""What of the layout of turns can be chosen; `prompts.py` writes it, `text.py` reads it."""

import re
from functools import lru_cache
from typing import Literal

import msgspec

BREAKS = 8
"""Rounds of breaking up special tokens in a text; what then still holds one loses its letters."""


class ChatTurns(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A chat template, as the strings around what is said (`models/chat.py` finds them in a tokenizer's template):
    `question` x `answer` y_0 `end` `feedback` f_0 `end` `update` y_1 `end`.

    `answer`, `feedback` and `update` end in what the template has before the model's turn; `lead` (often nothing) is
    what the model says before its words, `end` the token that ends them. `special`: what the tokenizer takes for
    special tokens wherever it stands.
    """

    question: str
    answer: str
    feedback: str
    update: str
    lead: str
    end: str
    special: tuple[str, ...]

    def content(self, text: str) -> str:
        """The text as somebody's words: a space stands in what would be read as a special token."""
        if not self.special:
            return text
        pattern = _any_of(self.special)
        for _ in range(BREAKS):
            broken = pattern.sub(lambda match: f"{match[0][0]} {match[0][1:]}", text)
            if broken == text:
                return text
            text = broken
        while pattern.search(text):
            text = pattern.sub("", text)
        return text


@lru_cache(maxsize=4)
def _any_of(tokens: tuple[str, ...]) -> re.Pattern[str]:
    return re.compile("|".join(map(re.escape, sorted(tokens, key=len, reverse=True))))


class Layout(msgspec.Struct, frozen=True):
    """How M_theta reads and writes turns, in rollout, evaluation and training alike.

    `history`: what it sees besides x, the last (y_i, f_i) or all turns. `feedback`: what it writes as f_i, the
    `verdict` at once, or a `walk` that first says of each step before the wrong one that it is correct. `chat`: turns
    are the messages of a chat; None for the paper's plain text.
    """

    history: Literal["last", "full"] = "last"
    feedback: Literal["verdict", "walk"] = "verdict"
    chat: ChatTurns | None = None


PAPER_LAYOUT = Layout()
"""What the authors' code has."""
