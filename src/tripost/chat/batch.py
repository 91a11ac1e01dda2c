"""Requests that go out as batches, at half the price, and come back within a day.

What is under way is in the notes (`batch_notes.py`): a request that stands in one is awaited and never sent again,
whoever sent it. All batches of a run are awaited at once; the rows of one are told together, when it has ended.
"""

import asyncio
import time
from collections.abc import Callable

from tripost.chat.batch_answers import Answers, Outcomes
from tripost.chat.batch_api import ENDED, BatchApi, State
from tripost.chat.batch_claims import Claims, Fresh, OutOfMoneyError, Part, say
from tripost.chat.batch_notes import Note, Notes
from tripost.chat.client import Endpoint
from tripost.chat.money import Purse
from tripost.chat.reply_log import ReplyLog
from tripost.chat.request import Failure, Request
from tripost.credentials import masked_address
from tripost.errors import EndpointError
from tripost.params_llm import CallsParams


class Batches:
    """All batches of an asker; lives in its event loop. `tell` is given what became of requests."""

    first_poll, longest_poll = 5.0, 60.0
    settle = 30.0
    """Seconds after which a batch that was asked for is listed, if it was made."""
    progress_seconds = 60.0

    def __init__(
        self,
        calls: CallsParams,
        endpoint_of: Callable[[str], Endpoint],
        log: ReplyLog,
        purse: Purse,
        tell: Callable[[Outcomes], None],
    ) -> None:
        self.calls, self.endpoint_of, self.log, self.tell = calls, endpoint_of, log, tell
        self.notes = Notes(log.path.parent / "batches")
        self.claims = Claims(self.notes, endpoint_of, log, purse, tell)

    async def ask(self, requests: list[Request], tries: int = 1) -> None:
        """Have requests of one LLM answered. Raises EndpointError, after what was sent has come in."""
        left = {request.key: request for request in requests}
        parts: list[Part] = []
        stopped: Exception | None = None
        try:
            while left:
                fresh = self.claims.take(left, parts)
                if fresh:
                    await self._send(fresh)
                    parts.append(fresh.part)
                fresh = None  # its file is large
        except Exception as error:  # whatever it is, what was sent comes in first; then it is raised
            stopped = error
        ends = await asyncio.gather(*(self._await(part, tries) for part in parts), return_exceptions=True)
        for end in (*ends, stopped):
            if isinstance(end, OutOfMoneyError):
                raise self.claims.out_of_money()
            if isinstance(end, BaseException):
                raise end

    def leave(self) -> None:
        """The run ends: say what goes on without it."""
        if self.claims.awaited:
            count = f"{len(self.claims.awaited)} {'batch' if len(self.claims.awaited) == 1 else 'batches'}"
            rows = sum(self.claims.awaited.values())
            say(f"left under way at the endpoint: {count} of {rows} requests; the next run awaits what comes of it")
            self.claims.awaited.clear()

    async def _send(self, fresh: Fresh) -> None:
        note = fresh.part.note
        try:
            await self._api(fresh.part).make(note, bytes(fresh.content), self.notes)
        except BaseException as error:  # a Ctrl-C, too: what was not made must leave no note
            if not note.file:  # so nothing was made
                self.notes.remove(note)
            if not note.file or isinstance(error, Exception):
                self.claims.done(note)
            raise
        finally:
            fresh.lock.release()
        rows = len(fresh.part.wanted)
        say(f"{note.llm}: batch {note.batch} of {rows} requests is sent; it may take a day, and goes on without us")

    async def _await(self, part: Part, tries: int) -> None:
        """Tell what comes of a batch, and have the rest asked again. Raises EndpointError."""
        note, wanted = part
        try:
            api = self._api(part)
            batch = note.batch or await self._made(api, note)
            if not batch:  # it was never sent, or its answers are in the log by now
                self.claims.done(note)
                await self.ask([*wanted.values()], tries)
                return
            state = await self._ended(api, note, batch)
            answers = Answers(api.endpoint, note, wanted)
            async with self.notes.hold(note.name):
                self.log.refresh()
                gone = f"its answers are gone; remove {self.notes.path(note.name)} to ask, and pay, anew"
                for file in state.files:
                    await api.read(file, gone, answers.take)
                came = answers.came(state, tries)
                if not answers.unread:
                    self.notes.remove(note)
        except Exception:  # it is raised again; the money must not stay reserved
            self.claims.done(note)
            raise
        self.claims.done(note)
        self._conclude(note, state, answers, came.outcomes, len(came.again))
        self.tell(came.outcomes)
        if came.stop:
            raise EndpointError(came.stop)
        if came.again:
            await self.ask(came.again, tries + 1)

    async def _made(self, api: BatchApi, note: Note) -> str:
        """The id of a batch that another process was about to make; "" where it did not."""
        async with self.notes.hold(note.name):
            now = self.notes.read(note.name)
            if now is None or now.draw != note.draw:
                self.notes.remove(note)
                return ""
            found = now.batch or (now.file and await api.find(now)) or ""
            if not found:
                self.notes.remove(now)
            elif not now.batch:
                now.batch = found
                self.notes.write(now)
            return found

    async def _ended(self, api: BatchApi, note: Note, batch: str) -> State:
        """The batch once it has an end."""
        how = f"take the account that sent it, or remove {self.notes.path(note.name)} to ask, and pay, anew"
        unknown = f"it knows no {batch}; {how}"
        wait, said_at = self.first_poll, time.monotonic()
        while (state := await api.state(batch, unknown)).status not in ENDED:
            if time.monotonic() - said_at > self.progress_seconds:
                said_at = time.monotonic()
                done = f"{state.done + state.failed} of {state.total} requests"
                say(f"{note.llm}: batch {batch} is {state.status}: {done}")
            await asyncio.sleep(wait)
            wait = min(1.5 * wait, self.longest_poll)
        return state

    def _api(self, part: Part) -> BatchApi:
        note = part.note
        params = self.calls.endpoints.get(note.llm)
        if params is None or masked_address(params.base_url) != note.address:
            what = f"a batch of {note.llm} is under way at {note.address}, which calls.endpoints does not name"
            raise EndpointError(
                f"{self.notes.path(note.name)}: {what}; name it, or remove the file to ask, and pay, anew"
            )
        return BatchApi(self.endpoint_of(note.llm), next(iter(part.wanted.values())), self.settle)

    def _conclude(self, note: Note, state: State, answers: Answers, outcomes: Outcomes, again: int) -> None:
        failed = [came for came in outcomes.values() if isinstance(came, Failure)]
        said = f"{note.llm}: batch {state.id} {state.status}: {len(outcomes) - len(failed)} answered"
        said += f", {again} to be asked again" * bool(again)
        said += f", {len(failed)} failed (such as: {failed[0]})" if failed else ""
        said += f", {answers.unknown} that nobody asked for ignored" * bool(answers.unknown)
        say(said)
