"""An asker that answers at once from a function, and a served one with params that point to a local server."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.llm_server import Config, Server, running
from tests.toy import raw_params
from tripost.chat.request import Failure, Reply, Request, reply_of
from tripost.params import Params
from tripost.params_file import check_params

KEY = "sk-planted-0123456789abcdef"
"""What no output may hold."""


class Answering:
    """Asking, without a wait: `say` is given the request and gives the text, a whole reply or a failure."""

    at_once = 1

    def __init__(self, say: Callable[[Request], str | Failure | tuple[str, str, str]]) -> None:
        self.say = say
        self.asked: list[Request] = []
        self.memo: dict[tuple[str, ...], Any] = {}

    def answer(self, request: Request) -> Reply | Failure:
        """What `say` says: a text, or (text, finish, refusal)."""
        self.asked.append(request)
        said = self.say(request)
        if isinstance(said, Failure):
            return said
        text, finish, refusal = said if isinstance(said, tuple) else (said, "stop", "")
        return reply_of(request, text, finish, refusal, (1, 1), 0.0)

    def submit(self, request: Request) -> None:
        """Never needed."""
        raise AssertionError(request)

    def wait(self) -> list[str]:
        """Never needed."""
        raise AssertionError

    def begin(self, memo: dict[tuple[str, ...], Any]) -> None:
        """A row."""
        self.memo = memo

    def end(self) -> None:
        """Its end."""


def served_params(base_url: str, endpoint: dict[str, Any] | None = None, **calls: Any) -> Params:
    """Toy params whose tasks ask the LLM at this address for both roles."""
    raw = raw_params()
    for source in raw["problems"].values():
        source["expert"] = {"feedback": "llm", "improve": "llm"}
    raw["llms"]["llm"]["model"] = "test-model"
    raw["calls"].update({"max_cost": None, "max_failed_share": 1.0, **calls})
    own = {"base_url": base_url, "key": "TRIPOST_TEST_KEY", "timeout_s": 5.0, "deadline_s": 60.0}
    unlimited = {"requests_per_minute": None, "tokens_per_minute": None}
    raw["calls"]["endpoints"]["llm"].update({**own, **unlimited, **(endpoint or {})})
    return check_params(raw)


@contextmanager
def served(monkeypatch: pytest.MonkeyPatch, folder: Path, **config: Any) -> Iterator[Server]:
    """A server with the planted key; the current folder is `folder`, so the log is there."""
    monkeypatch.chdir(folder)
    monkeypatch.setenv("TRIPOST_TEST_KEY", KEY)
    with running(Config(key=KEY, **config)) as server:
        yield server
