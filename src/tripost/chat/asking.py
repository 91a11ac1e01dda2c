"""What experts and `in_order` need of whoever asks LLMs for them (`asker.py`), and what was used."""

from collections.abc import Mapping
from typing import Any, Protocol

import msgspec

from tripost.chat.request import Failure, Reply, Request


class UnansweredError(Exception):
    """This request has to be answered first."""

    def __init__(self, request: Request) -> None:
        super().__init__(request.key)
        self.request = request


class Used(msgspec.Struct):
    """Replies that a stage's rows used, by task and purpose: tokens, and what was paid for them, whoever did when."""

    calls: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    failed: int = 0
    cost: float = 0.0


class Asking(Protocol):
    """What experts and `in_order` need of an asker."""

    at_once: int
    memo: dict[tuple[str, ...], Any]
    """What experts that are no LLM have said about this row: they are not asked again when it is worked on again."""

    def answer(self, request: Request) -> Reply | Failure:
        """The answer, if it is there. Raises UnansweredError."""
        ...

    def submit(self, request: Request) -> None:
        """Have it answered."""
        ...

    def wait(self) -> list[str]:
        """Keys of requests that have been answered, or have failed, since; at least one."""
        ...

    def begin(self, memo: dict[tuple[str, ...], Any]) -> None:
        """A row is worked on; the memo is its own."""
        ...

    def end(self) -> None:
        """It is finished."""
        ...


def spent(used: Mapping[tuple[str, str, str], Used]) -> dict[str, dict[str, dict[str, dict[str, float]]]]:
    """task -> purpose -> LLM -> calls and tokens, for a stage's metrics."""
    table: dict[str, dict[str, dict[str, dict[str, float]]]] = {}
    for (task, purpose, llm), counts in sorted(used.items()):
        table.setdefault(task, {}).setdefault(purpose, {})[llm] = msgspec.to_builtins(counts)
    return table
