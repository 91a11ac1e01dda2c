"""The work as ours takes it: a request a question, and how the endpoint is to be called."""

from collections.abc import Callable, Iterable, Iterator
from functools import partial
from typing import Any

from bench.llm.told import KEY_NAME, MAX_TOKENS, MODEL, SYSTEM, TIMEOUT_S
from tripost.chat.asking import Asking
from tripost.chat.request import Failure, Message, Reply, Request
from tripost.params_llm import CallsParams

NAME = "bench"


def request(text: str) -> Request:
    """A question as a request of ours."""
    return Request(
        llm=NAME, task="bench", purpose="feedback", model=MODEL, temperature=0.0, max_tokens=MAX_TOKENS,
        messages=(Message(role="system", content=SYSTEM), Message(role="user", content=text)), schema="", sample=0,
    )  # fmt: skip


def works(texts: Iterable[str], asker: Asking) -> Iterator[Callable[[], Reply | Failure]]:
    """A piece of work a question, as `in_order` takes them."""
    for text in texts:
        yield partial(_ask, asker, text)


def _ask(asker: Asking, text: str) -> Reply | Failure:
    return asker.answer(request(text))


def calls(base_url: str, concurrency: int, changes: dict[str, Any]) -> CallsParams:
    """How ours is told to ask; `changes` are of the endpoint."""
    endpoint: dict[str, Any] = {
        "base_url": base_url, "api": "compatible", "api_version": None, "key": KEY_NAME, "concurrency": concurrency,
        "requests_per_minute": None, "tokens_per_minute": None, "timeout_s": TIMEOUT_S, "deadline_s": 600.0,
        "price": {"input": 1.0, "output": 2.0},
    }  # fmt: skip
    whole = {"max_cost": None, "max_failed_share": 1.0, "batch": False, "traces": 0}
    return CallsParams.model_validate({**whole, "endpoints": {NAME: {**endpoint, **changes}}})
