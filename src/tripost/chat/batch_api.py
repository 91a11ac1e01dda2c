"""The Batch API of one endpoint: every call is tried until it is answered, and a batch is never made twice."""

import asyncio
import re
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any, NamedTuple

from tripost.chat.batch_notes import Note, Notes
from tripost.chat.batch_rows import lines, path_of
from tripost.chat.client import Endpoint
from tripost.chat.library import named_errors
from tripost.chat.outcomes import CallError, shown
from tripost.chat.pacing import FIRST_WAIT, LONGEST_WAIT
from tripost.chat.request import Request
from tripost.credentials import masked
from tripost.errors import EndpointError, one_line

ENDED = ("completed", "failed", "expired", "cancelled")
MOST_MADE = 3
"""How often a batch is asked for, each time after a look whether it is there."""
PAGE = 100
MOST_LISTED = 5_000
"""Batches that are looked through for one of ours."""
MOST_READ, LONGEST_READ = 2_000_000_000, 3_600.0
"""Bytes and seconds of a file of answers."""
CLOCKS = 3_600
"""Seconds that the endpoint's clock may be behind ours."""
NO_BATCHES = "it has no Batch API; set calls.batch: false"


class State(NamedTuple):
    """A batch as the endpoint shows it. `files`: its output and errors, as far as there; `trouble`: why it failed."""

    id: str
    status: str
    done: int
    failed: int
    total: int
    files: tuple[str, ...]
    trouble: str


class BatchApi:
    """`request`: any of those that it is about. `settle`: seconds until what was made is surely listed."""

    def __init__(self, endpoint: Endpoint, request: Request, settle: float) -> None:
        self.endpoint, self.request, self.settle = endpoint, request, settle
        self.client = endpoint.library.client

    async def make(self, note: Note, content: bytes, notes: Notes) -> None:
        """Upload and start; the note says how far it got. Without its `file` nothing was sent that costs."""

        async def upload() -> str:
            name = f"tripost-{note.name}.jsonl"
            return _id(await self.client.files.create(file=(name, content), purpose="batch"))

        file: str = await self._until_there(upload, NO_BATCHES)
        trouble = None
        for _ in range(MOST_MADE):
            note.file, note.made = file, time.time()
            notes.write(note)
            try:
                with named_errors():
                    made = await self.client.batches.create(
                        input_file_id=file,
                        endpoint=path_of(self.endpoint.params),
                        completion_window="24h",
                        metadata={"tripost": note.name, "draw": note.draw},
                    )
                    note.batch = _state(made).id
            except CallError as found:
                trouble = found
                if not found.again or _is_nowhere(found):
                    note.file = ""
                    raise self._error(found, NO_BATCHES) from None
                await asyncio.sleep(min(LONGEST_WAIT, found.after or FIRST_WAIT))
                note.batch = await self.find(note) or ""  # it may have been made all the same
            if note.batch:
                notes.write(note)
                return
        assert trouble is not None
        raise self._error(trouble, NO_BATCHES)

    async def find(self, note: Note) -> str | None:
        """The id of a batch that may have been made before anyone could write it down."""

        async def listed() -> str | None:
            seen = 0
            async for batch in self.client.batches.list(limit=PAGE):
                seen += 1
                if seen > MOST_LISTED:
                    break
                said = batch.metadata or {}
                if said.get("tripost") == note.name and said.get("draw") == note.draw:
                    return str(batch.id)
                if batch.input_file_id == note.file:
                    return str(batch.id)
                if batch.created_at < note.made - CLOCKS:
                    break
            return None

        while True:
            left = note.made + self.settle - time.time()
            found: str | None = await self._until_there(listed, NO_BATCHES)
            if found or left <= 0:
                return found
            await asyncio.sleep(min(left, 5.0))

    async def state(self, id: str, unknown: str) -> State:
        """How it stands. `unknown`: what is said where the endpoint has no such batch."""

        async def seen() -> State:
            return _state(await self.client.batches.retrieve(id))

        found: State = await self._until_there(seen, unknown)
        return found

    async def read(self, file: str, unknown: str, each: Callable[[bytes], None]) -> None:
        """Every line of a file; those before a break come again."""

        async def through() -> None:
            async with self.client.files.with_streaming_response.content(file) as response:
                chunks: AsyncIterator[bytes] = response.iter_bytes(65_536)
                found = lines(chunks)
                size, begun = 0, self.endpoint.clock()
                while True:
                    try:
                        line = await anext(found)
                    except StopAsyncIteration:
                        return
                    each(line)
                    size += len(line)
                    if size > MOST_READ or self.endpoint.clock() - begun > LONGEST_READ:
                        raise CallError("too_large", "a file of answers without end", again=False)

        await self._until_there(through, unknown)

    async def _until_there(self, call: Callable[[], Awaitable[Any]], nowhere: str) -> Any:
        clock = self.endpoint.clock
        deadline, wait = clock() + self.endpoint.params.deadline_s, FIRST_WAIT
        while True:
            try:
                with named_errors():
                    return await call()
            except CallError as trouble:
                if not trouble.again or _is_nowhere(trouble) or clock() > deadline:
                    raise self._error(trouble, nowhere) from None
                await asyncio.sleep(min(trouble.after or wait, LONGEST_WAIT))
                wait = min(2 * wait, LONGEST_WAIT)

    def _error(self, trouble: CallError, nowhere: str) -> EndpointError:
        said = shown(trouble, self.endpoint.key)
        where = f"params.yaml: calls.endpoints.{self.endpoint.name}"
        if _is_nowhere(trouble):
            return EndpointError(f"{where}: {said[:200]}: {nowhere}")
        if trouble.fatal:
            return EndpointError(self.endpoint.stop_line(self.request, trouble.outcome, said))
        kept = "answers are kept, and batches under way are awaited"
        return EndpointError(f"{where}: {trouble.outcome}: {said}; see to the endpoint, then run dvc repro: {kept}")


def _is_nowhere(trouble: CallError) -> bool:
    return trouble.detail[:3] in ("404", "405", "501")


_ID = re.compile(r"[\w.:-]{1,200}")


def _state(batch: Any) -> State:
    """Raises CallError where it is no batch."""
    id, status = _id(batch), getattr(batch, "status", None)
    if not isinstance(status, str):
        raise CallError("invalid_json", "no batch in the answer")
    counts = batch.request_counts
    done, failed, total = (counts.completed, counts.failed, counts.total) if counts else (0, 0, 0)
    files = tuple(file for file in (batch.output_file_id, batch.error_file_id) if file)
    said = [f"{error.code}: {error.message}" for error in (batch.errors and batch.errors.data) or ()]
    return State(id, status, done, failed, total, files, masked(one_line(said[0]))[:300] if said else "")


def _id(found: Any) -> str:
    id = getattr(found, "id", None)
    if not isinstance(id, str) or not _ID.fullmatch(id):
        raise CallError("invalid_json", "nothing with an id in the answer")
    return id
