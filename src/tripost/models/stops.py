"""When a completion is finished: EOS, or one of the stop strings."""

from collections.abc import Sequence
from typing import Any

TAIL = 24
"""Tokens that are decoded to look for a stop; a stop string is never longer than that."""


class Stops:
    """EOS and stop strings. Text is only decoded where the new token holds the last character of a stop."""

    def __init__(self, tokenizer: Any, stops: Sequence[str], ends: frozenset[int]) -> None:
        self.tokenizer, self.ends = tokenizer, ends
        self.stops = tuple(stops)
        self.last_characters = {stop[-1] for stop in stops}
        self.may_stop: dict[int, bool] = {}

    def finished(self, written: list[int], token: int) -> str | None:
        """Append `token` to `written`; the completion's text where it is finished by it, else None."""
        if token in self.ends:
            return str(self.tokenizer.decode(written))
        written.append(token)
        if token not in self.may_stop:
            text = self.tokenizer.decode([token])
            self.may_stop[token] = any(character in text for character in self.last_characters)
        if not self.may_stop[token]:
            return None
        tail = self.tokenizer.decode(written[-TAIL:])
        if not any(stop in tail for stop in self.stops):
            return None
        text = str(self.tokenizer.decode(written))
        return text[: min(text.find(stop) for stop in self.stops if stop in text)]


def eos_tokens(model: Any, tokenizer: Any) -> frozenset[int]:
    """The tokenizer's EOS, and those that the model's generation configuration names (the end of a chat's turn)."""
    named = model.generation_config.eos_token_id if model.generation_config else None
    others = named if isinstance(named, list) else [] if named is None else [named]
    return frozenset({tokenizer.eos_token_id, *others})
