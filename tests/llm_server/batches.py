"""Files and batches: rows are answered little by little over `batch_seconds`, and may fail or expire."""

import asyncio
import math
import time
from collections.abc import Iterator
from itertools import islice
from typing import Any
from urllib.parse import parse_qs

import msgspec

from tests.llm_server import calls, faults
from tests.llm_server.config import BATCH_FAULTS, Body
from tests.llm_server.state import State
from tests.llm_server.wire import Reply, Request, error, form

ENDPOINTS = {"/v1/chat/completions": True, "/v1/completions": False}
STEPS = 10
EXPIRED = {
    "code": "batch_expired",
    "message": "This request could not be executed before the completion window expired.",
}


class Row(msgspec.Struct):
    """A line of an input file; the body as it was written, for its hash."""

    custom_id: str
    method: str
    url: str
    body: msgspec.Raw


class File(msgspec.Struct):
    """What was uploaded, or what a batch left."""

    id: str
    filename: str
    purpose: str
    content: bytes

    def shown(self) -> Body:
        """As the API shows it."""
        return {
            "id": self.id,
            "object": "file",
            "bytes": len(self.content),
            "created_at": int(time.time()),
            "filename": self.filename,
            "purpose": self.purpose,
            "status": "processed",
        }


class Batches:
    """The files and batches of one server."""

    def __init__(self, state: State) -> None:
        self._state = state
        self._files: dict[str, File] = {}
        self._batches: dict[str, Body] = {}
        self._work: set[asyncio.Task[None]] = set()

    def reply(self, request: Request) -> Reply:
        """The reply to whatever begins with /v1/files or /v1/batches."""
        match (request.method, *request.path.split("/")[2:]):
            case ("POST", "files"):
                return self._upload(request)
            case ("GET", "files", id, "content") if id in self._files:
                return Reply(200, self._files[id].content, content_type="application/octet-stream")
            case ("POST", "batches"):
                return self._create(request)
            case ("GET", "batches"):
                return self._list(parse_qs(request.query))
            case ("GET", "batches", id) if id in self._batches:
                return shown(self._batches[id])
            case ("POST", "batches", id, "cancel") if id in self._batches:
                return self._cancel(self._batches[id])
        return error(404, f"No such thing: {request.method} {request.path}", "not_found")

    def _upload(self, request: Request) -> Reply:
        parts = form(request)
        if "file" not in parts or parts.get("purpose", ("", b""))[1] != b"batch":
            return error(400, "a file and purpose=batch are needed")
        return shown(self._keep(*parts["file"], "batch").shown())

    def _keep(self, name: str, content: bytes, purpose: str) -> File:
        file = File(f"file-{len(self._files) + 1}", name, purpose, content)
        self._files[file.id] = file
        return file

    def _create(self, request: Request) -> Reply:
        try:
            asked = msgspec.json.decode(request.body, type=dict[str, Any])
            file, endpoint = self._files[asked["input_file_id"]], asked["endpoint"]
            if endpoint not in ENDPOINTS or asked["completion_window"] != "24h":
                raise ValueError("no such endpoint or completion_window")
        except (ValueError, KeyError, TypeError) as wrong:
            return error(400, f"Invalid batch: {type(wrong).__name__}: {wrong}")
        now = int(time.time())
        batch: Body = {
            "id": f"batch_{len(self._batches) + 1}",
            "object": "batch",
            "endpoint": endpoint,
            "errors": None,
            "input_file_id": file.id,
            "completion_window": "24h",
            "status": "validating",
            "output_file_id": None,
            "error_file_id": None,
            "created_at": now,
            "expires_at": now + 86_400,
            "request_counts": {"total": 0, "completed": 0, "failed": 0},
            "metadata": asked.get("metadata"),
        }
        self._batches[batch["id"]] = batch
        self._state.stats.batches += 1
        task = asyncio.get_running_loop().create_task(self._run(batch, file.content))
        self._work.add(task)
        task.add_done_callback(self._work.discard)
        return shown(batch)

    def _list(self, query: dict[str, list[str]]) -> Reply:
        ids = [*reversed(self._batches)]
        if after := query.get("after"):
            ids = ids[ids.index(after[0]) + 1 :] if after[0] in ids else []
        limit = int(query.get("limit", ["20"])[0])
        page = ids[:limit]
        ends = {"first_id": page[0] if page else None, "last_id": page[-1] if page else None}
        data = [self._batches[id] for id in page]
        return shown({"object": "list", "data": data, **ends, "has_more": len(ids) > limit})

    def _cancel(self, batch: Body) -> Reply:
        if batch["status"] not in ("validating", "in_progress", "cancelling"):
            return error(400, f"Cannot cancel a batch with status '{batch['status']}'.")
        enter(batch, "cancelling")
        return shown(batch)

    async def _run(self, batch: Body, content: bytes) -> None:
        step = self._state.config.batch_seconds / (STEPS + 1)
        await asyncio.sleep(step)
        try:
            rows = [msgspec.json.decode(line, type=Row) for line in content.splitlines() if line]
            if len({row.custom_id for row in rows}) < len(rows) or {row.url for row in rows} != {batch["endpoint"]}:
                raise ValueError("a custom_id is there twice, or a url is not the endpoint")
        except ValueError as wrong:
            batch["errors"] = {"object": "list", "data": [{"code": "invalid_line", "message": str(wrong)}]}
            enter(batch, "failed")
            return
        counts = batch["request_counts"]
        counts["total"] = len(rows)
        if batch["status"] == "validating":
            enter(batch, "in_progress")
        key = faults.key_of(content)
        nth = self._state.asked.get(key, 0)
        expires = faults.pick(self._state.config, key, nth, BATCH_FAULTS)
        self._state.try_begins(key, nth, expires)
        left = iter(rows[: len(rows) // 2] if expires else rows)
        done: list[bytes] = []
        failed: list[bytes] = []
        for _ in range(STEPS):
            await asyncio.sleep(step)
            if batch["status"] == "cancelling":
                break
            self._answer(islice(left, math.ceil(len(rows) / STEPS)), batch, done, failed)
            counts["completed"], counts["failed"] = len(done), len(failed)
        ends = "cancelled" if batch["status"] == "cancelling" else "expired" if expires else "completed"
        if ends == "expired":
            failed += [line(row.custom_id, None, EXPIRED) for row in rows[len(rows) // 2 :]]
        for found, name in ((done, "output"), (failed, "error")):
            if found:
                batch[f"{name}_file_id"] = self._keep(f"{name}.jsonl", b"".join(reversed(found)), "batch_output").id
        enter(batch, ends)

    def _answer(self, rows: Iterator[Row], batch: Body, done: list[bytes], failed: list[bytes]) -> None:
        for row in rows:
            self._state.stats.batch_rows += 1
            status, body = calls.row(self._state, bytes(row.body), ENDPOINTS[batch["endpoint"]])
            response = {"status_code": status, "request_id": f"req_{row.custom_id}", "body": msgspec.Raw(body)}
            (done if status == 200 else failed).append(line(row.custom_id, response, None))


def enter(batch: Body, status: str) -> None:
    """Give a batch a state, and the time of it."""
    batch["status"] = status
    batch[f"{status}_at"] = int(time.time())


def line(custom_id: str, response: Body | None, failure: dict[str, str] | None) -> bytes:
    """A line of an output or error file."""
    found = {"id": f"batch_req_{custom_id}", "custom_id": custom_id, "response": response, "error": failure}
    return msgspec.json.encode(found) + b"\n"


def shown(found: Body) -> Reply:
    """A 200 with this as JSON."""
    return Reply(200, msgspec.json.encode(found))
