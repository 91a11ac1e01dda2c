"""Who asks: takes requests from the thread that works on rows, has them answered by the endpoints' thread.

An expert that needs an answer looks here (`answer`). Where it is not there yet, `UnansweredError` goes up to whoever
works on the row, the request goes out, and the row is worked on again when the answer is in the log (`in_order.py`):
so experts stay plain functions, and hundreds of rows wait at once.
"""

import asyncio
import queue
import sys
import threading
from collections.abc import Mapping
from typing import Any

from tripost.chat.asking import UnansweredError, Used
from tripost.chat.claims import Claims
from tripost.chat.money import Purse
from tripost.chat.reply_log import ReplyLog
from tripost.chat.request import Failure, Reply, Request
from tripost.errors import EndpointError
from tripost.params_llm import CallsParams

DRAIN_SECONDS = 10.0
"""After a Ctrl-C: what is under way is paid for, and gets so long to come in."""

AT_ONCE_IN_BATCHES = 50_000
"""Rows that wait at once where a batch takes as many."""


class Asker:
    """`with Asker(calls, log) as asker`: endpoints are opened when they are first asked."""

    def __init__(self, calls: CallsParams, log: ReplyLog) -> None:
        self.calls, self.log = calls, log
        log.refresh()
        self.claims = Claims(log.path)
        self.purse = Purse(calls.max_cost, log.total)
        self.at_once = 2 * max([e.concurrency for e in calls.endpoints.values()], default=1)
        if calls.batch:
            self.at_once = AT_ONCE_IN_BATCHES
        self.used: dict[tuple[str, str, str], Used] = {}
        self.counted: set[str] = set()
        self.failures: dict[str, Failure] = {}
        self.sent_now = 0
        self.rows_asked = self.rows_failed = 0
        self._asked = self._failed = False
        self.memo: dict[tuple[str, ...], Any] = {}
        self.found: queue.SimpleQueue[tuple[str, ...] | BaseException] = queue.SimpleQueue()
        self.collected: list[Request] = []
        self.batches: Any = None
        self.stop_for: BaseException | None = None
        self.endpoints: dict[str, Any] = {}
        self.tasks: set[asyncio.Task[None]] = set()
        self.loop: asyncio.AbstractEventLoop | None = None
        self.thread: threading.Thread | None = None

    def begin(self, memo: dict[tuple[str, ...], Any]) -> None:
        """A row is worked on (again)."""
        self.memo = memo
        self._asked = self._failed = False

    def end(self) -> None:
        """The row is finished."""
        self.rows_asked += self._asked
        self.rows_failed += self._failed

    def answer(self, request: Request) -> Reply | Failure:
        """The reply in the log, or the failure of this run. Raises UnansweredError, DataError."""
        self._asked = True
        key = request.key
        failure = self.failures.get(key)
        reply = None if failure else self.log.get(key)
        if failure is None and reply is None:
            raise UnansweredError(request)
        if key not in self.counted:
            self.counted.add(key)
            name = (request.task, request.purpose, request.llm)
            used = self.used.setdefault(name, Used())
            used.calls += reply is not None
            used.failed += reply is None
            if reply is not None:
                used.prompt_tokens += reply.prompt_tokens
                used.completion_tokens += reply.completion_tokens
                used.cost += reply.cost
        if failure is not None:
            self._failed = True
            return failure
        assert reply is not None
        return reply

    def submit(self, request: Request) -> None:
        """Have it answered, in the other thread; of those that go into a batch, when there is nothing else to do."""
        self.sent_now += 1
        if self.calls.batch:
            self.collected.append(request)
        else:
            self._running().call_soon_threadsafe(self._start, [request])

    def wait(self) -> list[str]:
        """Keys that are answered. Raises EndpointError where it makes no sense to go on, with all answers logged."""
        if self.collected and self.found.empty():
            groups: dict[tuple[str, str], list[Request]] = {}
            for request in self.collected:
                groups.setdefault((request.llm, request.model), []).append(request)
            self.collected = []
            for group in groups.values():
                self._running().call_soon_threadsafe(self._start, group)
        keys = [*self._keys(self.found.get())]
        while True:
            try:
                keys += self._keys(self.found.get_nowait())
            except queue.Empty:
                return keys

    def sample(self, most: int) -> list[str]:
        """Keys of replies that were used: always the same ones, whatever came first."""
        return sorted(self.counted - self.failures.keys())[:most]

    @property
    def status(self) -> str:
        """For the progress line."""
        cost = f", cost {self.purse.paid:.4f}" if self.purse.paid else ""
        return f"{self.sent_now} calls{cost}" if self.sent_now else ""

    def __enter__(self) -> "Asker":
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if self.loop is not None and self.thread is not None:
            try:
                self._stop(interrupted=kind is not None and not issubclass(kind, Exception))
            finally:
                self.loop.call_soon_threadsafe(self.loop.stop)
                self.thread.join(timeout=5)
        self.log.close()

    def _keys(self, item: tuple[str, ...] | BaseException) -> tuple[str, ...]:
        if isinstance(item, BaseException):
            raise item
        return item

    def _running(self) -> asyncio.AbstractEventLoop:
        if self.loop is None:
            if not self.calls.batch and any(self.log.path.parent.glob("batches/*.json")):
                said = "what is asked now may be paid twice; set calls.batch: true to await them"
                sys.stderr.write(f"batches are under way ({self.log.path.parent / 'batches'}): {said}\n")
            self.loop = asyncio.new_event_loop()
            self.thread = threading.Thread(target=self._run, args=(self.loop,), daemon=True, name="tripost-asker")
            self.thread.start()
        return self.loop

    def _run(self, loop: asyncio.AbstractEventLoop) -> None:
        asyncio.set_event_loop(loop)
        try:
            loop.run_forever()
            left = asyncio.all_tasks(loop)
            for task in left:
                task.cancel()
            loop.run_until_complete(asyncio.gather(*left, return_exceptions=True))
            loop.run_until_complete(loop.shutdown_asyncgens())
        finally:
            loop.close()

    def _start(self, requests: list[Request]) -> None:
        if self.stop_for is None:
            task = asyncio.get_running_loop().create_task(self._work(requests))
            self.tasks.add(task)
            task.add_done_callback(self.tasks.discard)

    async def _work(self, requests: list[Request]) -> None:
        try:
            await (self._in_batches(requests) if self.calls.batch else self._answered(requests[0]))
        except asyncio.CancelledError:
            raise
        except BaseException as error:  # whatever it is, it ends the stage, in the other thread
            await self._end_for(error)

    async def _answered(self, request: Request) -> None:
        self._tell({request.key: await self._endpoint(request.llm).ask(request)})

    async def _in_batches(self, requests: list[Request]) -> None:
        if self.batches is None:
            from tripost.chat.batch import Batches

            self.batches = Batches(self.calls, self._endpoint, self.log, self.purse, self._tell)
        await self.batches.ask(requests)

    def _endpoint(self, llm: str) -> Any:
        if llm not in self.endpoints:
            from tripost.chat.client import Endpoint

            self.endpoints[llm] = Endpoint(llm, self.calls.endpoints[llm], self.purse, self.log, self.claims)
        return self.endpoints[llm]

    def _tell(self, outcomes: Mapping[str, Reply | Failure]) -> None:
        self.failures.update({key: came for key, came in outcomes.items() if isinstance(came, Failure)})
        if outcomes:
            self.found.put((*outcomes,))

    async def _end_for(self, error: BaseException) -> None:
        """The first error ends the stage: what is not sent is not sent, what is under way comes in first."""
        if self.stop_for is not None:
            return
        self.stop_for = error
        await self._settle()
        self.found.put(error)

    async def _settle(self) -> None:
        for endpoint in self.endpoints.values():
            endpoint.stopping = True
        sent = {task for endpoint in self.endpoints.values() for task in endpoint.sent}
        me = asyncio.current_task()
        for task in self.tasks - sent:
            if task is not me:
                task.cancel()
        under_way = [task for task in sent if task is not me and task is not None]
        if under_way:
            await asyncio.wait(under_way, timeout=max(e.params.timeout_s for e in self.endpoints.values()))

    def _stop(self, *, interrupted: bool) -> None:
        assert self.loop is not None
        self.stop_for = self.stop_for or EndpointError("stopped")
        under_way = sum(len(endpoint.sent) for endpoint in self.endpoints.values())
        if interrupted and under_way:
            sys.stderr.write(f"waiting up to {DRAIN_SECONDS:.0f} s for {under_way} answers under way\n")

        async def end() -> None:
            await self._settle()
            if self.batches is not None:
                if self.tasks:
                    await asyncio.wait(self.tasks, timeout=1.0)
                self.batches.leave()
            for endpoint in self.endpoints.values():
                await endpoint.close()

        try:
            asyncio.run_coroutine_threadsafe(end(), self.loop).result(timeout=DRAIN_SECONDS)
        except TimeoutError:
            sys.stderr.write("some answers did not come in time; they are asked again on the next run\n")
