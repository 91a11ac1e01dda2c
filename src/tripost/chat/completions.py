"""Text completions of an endpoint, many at once: each is tried until it is there, or its time is over.

Unlike `client.py` nothing is logged here and no row may fail: whoever asks keeps what comes in (`on_said`), and the
first completion that cannot be had ends it all. `ask` runs an event loop of its own, in the thread that calls it.
"""

import asyncio
import signal
import threading
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any, TypeVar

from tripost.chat.library import Library, api_key
from tripost.chat.outcomes import CallError, shown
from tripost.chat.pacing import Gate, Pacer, backoff
from tripost.chat.said import Said, read_models, read_said
from tripost.errors import EndpointError
from tripost.params_serve import ServeParams

T = TypeVar("T")
REMEDIES = {
    "wrong_key": "the endpoint does not take the key in {key}; set the right one",
    "unknown_model": "nothing is there; mend base_url, or served_as",
    "too_long": "let the server take texts as long as the checkpoint does (max_position_embeddings)",
    "bad_request": "let the server take /v1/completions as OpenAI's does",
}


class Completions:
    """POST /v1/completions at `base_url`. `still_there`: raises where it makes no sense to try again."""

    def __init__(self, params: ServeParams, base_url: str, still_there: Callable[[], None] = lambda: None) -> None:
        self.params, self.base_url, self.still_there = params, base_url, still_there
        self.key = api_key("params.yaml: serve.key", params.key)

    def ask(
        self,
        bodies: Sequence[Mapping[str, Any]],
        on_said: Callable[[int, Said], None] = lambda place, said: None,
    ) -> list[Said]:
        """What is said to each body, in their order; `on_said` gets each as soon as it is there.

        Raises CallError for a body that the endpoint refuses, EndpointError for what cannot be had otherwise.
        """
        return run_alone(self._ask(bodies, on_said))

    def models(self) -> list[str]:
        """What the endpoint says it serves. Raises EndpointError."""
        return run_alone(self._models())

    def failed(self, trouble: CallError) -> EndpointError:
        """What the user is told."""
        said, outcome = shown(trouble, self.key), trouble.outcome
        todo = REMEDIES.get(outcome, "see to the endpoint, then run dvc repro: what is finished is kept")
        return EndpointError(
            f"params.yaml: serve: {outcome}: {said}; {todo.format(key=self.params.key or 'serve.key')}"
        )

    async def _ask(self, bodies: Sequence[Mapping[str, Any]], on_said: Callable[[int, Said], None]) -> list[Said]:
        found: dict[int, Said] = {}
        clock = asyncio.get_running_loop().time
        gate, pacer = Gate(self.params.concurrency, clock), Pacer(None, None, clock)

        async def one(place: int) -> None:
            content = await self._until_there(library, "/completions", bodies[place], gate, pacer)
            found[place] = content
            on_said(place, content)

        async with self._library(len(bodies)) as library:
            try:
                async with asyncio.TaskGroup() as group:
                    for place in range(len(bodies)):
                        group.create_task(one(place))
            except BaseExceptionGroup as several:
                raise several.exceptions[0] from None
        return [found[place] for place in range(len(bodies))]

    async def _until_there(
        self, library: Library, path: str, body: Mapping[str, Any] | None, gate: Gate, pacer: Pacer
    ) -> Said:
        clock, deadline, tries = asyncio.get_running_loop().time, None, 0
        while True:
            tries += 1
            await gate.enter()
            try:
                await pacer.admit(0)
                said = read_said(await self._send(library, path, body, deadline), self.key)
                gate.went_well()
                return said
            except CallError as found:
                trouble = found
                if trouble.choked:
                    gate.was_too_much()
            finally:
                gate.leave()
            if trouble.outcome == "bad_request":
                raise trouble
            deadline = deadline or clock() + self.params.deadline_s
            wait = backoff(tries, trouble.after)
            if trouble.after is not None and trouble.choked:
                pacer.pause(trouble.after)
            if not trouble.again or clock() + wait > deadline:
                raise self.failed(trouble)
            self.still_there()
            await asyncio.sleep(wait)

    async def _models(self) -> list[str]:
        async with self._library(1) as library:
            try:
                return read_models(await self._send(library, "/models", None, None))
            except CallError as trouble:
                raise self.failed(trouble) from None

    async def _send(
        self, library: Library, path: str, body: Mapping[str, Any] | None, deadline: float | None
    ) -> bytes:
        """The body of a 200. Raises CallError."""
        left = self.params.timeout_s
        if deadline is not None:
            left = max(0.1, min(left, deadline - asyncio.get_running_loop().time()))
        return (await library.send(path, body, left)).content

    @asynccontextmanager
    async def _library(self, rows: int) -> AsyncIterator[Library]:
        at_once = max(1, min(rows, self.params.concurrency))
        library = Library(self.base_url, self.key, timeout_s=self.params.timeout_s, at_once=at_once)
        try:
            yield library
        finally:
            await library.close()


def run_alone(work: Coroutine[Any, Any, T]) -> T:
    """Run it in an event loop. A TERM ends it as Ctrl-C does: from outside, not in the midst of some task."""
    handler = signal.getsignal(signal.SIGTERM)
    if not callable(handler) or threading.current_thread() is not threading.main_thread():
        return asyncio.run(work)
    told: list[int] = []

    async def watched() -> T:
        task = asyncio.current_task()
        assert task

        def end() -> None:
            told.append(signal.SIGTERM)
            task.cancel()

        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, end)
        return await work

    try:
        return asyncio.run(watched())
    finally:
        signal.signal(signal.SIGTERM, handler)
        if told:
            handler(signal.SIGTERM, None)
