"""When a completion is finished: EOS, or one of the stop strings."""

from collections.abc import Sequence
from typing import Any

TAIL = 24
"""Tokens that are decoded to look for a stop; a stop string is never longer than that."""


class Stops:
    """EOS and stop strings. Text is only decoded where the new token holds the last character of a stop."""

    def __init__(self, tokenizer: Any, stops: Sequence[str]) -> None:
        self.tokenizer = tokenizer
        self.stops = tuple(stops)
        self.last_characters = {stop[-1] for stop in stops}
        self.may_stop: dict[int, bool] = {}

    def finished(self, written: list[int], token: int) -> str | None:
        """Append `token` to `written`; the completion's text where it is finished by it, else None."""
        if token == self.tokenizer.eos_token_id:
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
