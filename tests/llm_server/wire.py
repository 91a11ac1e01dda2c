"""HTTP/1.1 with keep-alive over asyncio, as little of it as API clients need, and ways to break it."""

import asyncio
import re
import socket
import struct
import traceback
from http import HTTPStatus
from typing import Protocol, cast

import msgspec

HOLD_SECONDS = 30.0
MOST_HEAD = 65_536
STATUS_LINES = {status.value: f"HTTP/1.1 {status.value} {status.phrase}\r\n" for status in HTTPStatus}


class Request(msgspec.Struct, gc=False):
    """What a client sent; header names in lower case."""

    method: str
    path: str
    query: str
    headers: dict[str, str]
    body: bytes


class Reply(msgspec.Struct):
    """What to send and when, or how to fail instead; `socket` is timeout, reset, truncated_body or nothing."""

    status: int
    body: bytes
    headers: bytes = b""
    content_type: str = "application/json"
    delay: float = 0.0
    socket: str = ""
    counted: bool = True
    call: bool = False
    answers: int | None = None
    """The body that this is a good answer to."""


class Service(Protocol):
    """Who replies."""

    def reply(self, request: Request) -> Reply:
        """The reply to a request."""

    def ended(self, reply: Reply, sent: bool) -> None:
        """The reply was sent, or will never be."""


def error(
    status: int, said: str, code: str | None = None, *, kind: str = "", param: str | None = None, headers: bytes = b""
) -> Reply:
    """An error in OpenAI's shape."""
    shape = {"message": said, "type": kind or "invalid_request_error", "param": param, "code": code}
    return Reply(status, msgspec.json.encode({"error": shape}), headers)


def form(request: Request) -> dict[str, tuple[str, bytes]]:
    """The parts of a multipart form: name to file name and content."""
    boundary = re.search(r'boundary="?([^";]+)', request.headers.get("content-type", ""))
    found = {}
    for part in request.body.split(f"--{boundary[1]}".encode())[1:-1] if boundary else []:
        head, _, content = part.partition(b"\r\n\r\n")
        named = dict(re.findall(r'\b(name|filename)="([^"]*)"', head.decode()))
        found[named.get("name", "")] = (named.get("filename", ""), content.removesuffix(b"\r\n"))
    return found


class Connection(asyncio.Protocol):
    """One client's connection: one request after another, no task for any of them."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._buffer = bytearray()
        self._pending: Reply | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._told_to_continue = False
        self._last = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin."""
        self._transport = cast(asyncio.Transport, transport)
        self._loop = asyncio.get_running_loop()

    def connection_lost(self, exc: Exception | None) -> None:
        """The client has gone: what it waits for is never sent."""
        if self._timer is not None:
            self._timer.cancel()
        self._end(sent=False)

    def data_received(self, data: bytes) -> None:
        """Take in, and reply to what is complete."""
        self._buffer += data
        self._go_on()

    def _go_on(self) -> None:
        while self._pending is None and not self._transport.is_closing():
            try:
                request = self._request()
            except ValueError as wrong:
                self._last = True
                self._begin(error(400, f"not understood: {wrong}"))
                return
            if request is None:
                return
            try:
                reply = self._service.reply(request)
            except Exception:
                reply = error(500, f"this server failed, not its model: {traceback.format_exc()}", "server_failed")
            self._begin(reply)

    def _request(self) -> Request | None:
        buffer = self._buffer
        end = buffer.find(b"\r\n\r\n")
        if end < 0:
            if len(buffer) > MOST_HEAD:
                raise ValueError("the head is too long")
            return None
        first, *lines = buffer[:end].decode("latin-1").split("\r\n")
        method, target, version = first.split(" ")
        headers = {}
        for line in lines:
            name, _, value = line.partition(":")
            headers[name.lower()] = value.strip()
        if "transfer-encoding" in headers:
            raise ValueError("chunks; send content-length")
        start = end + 4
        stop = start + int(headers.get("content-length", 0))
        if len(buffer) < stop:
            if "expect" in headers and not self._told_to_continue:
                self._told_to_continue = True
                self._transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")
            return None
        body = bytes(buffer[start:stop])
        del buffer[:stop]
        self._told_to_continue = False
        self._last = version != "HTTP/1.1" or headers.get("connection", "").lower() == "close"
        path, _, query = target.partition("?")
        return Request(method, path, query, headers, body)

    def _begin(self, reply: Reply) -> None:
        self._pending = reply
        if reply.socket == "timeout":
            self._timer = self._loop.call_later(HOLD_SECONDS, self._transport.abort)
        elif reply.delay > 0:
            self._timer = self._loop.call_later(reply.delay, self._send_late, reply)
        else:
            self._send(reply)

    def _send_late(self, reply: Reply) -> None:
        self._send(reply)
        self._go_on()

    def _send(self, reply: Reply) -> None:
        if reply.socket == "reset":
            held: socket.socket = self._transport.get_extra_info("socket")
            held.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self._transport.abort()
            return
        last = self._last or reply.socket == "truncated_body"
        head = (
            f"{STATUS_LINES[reply.status]}content-type: {reply.content_type}\r\n"
            f"content-length: {len(reply.body)}\r\n{'connection: close' if last else 'connection: keep-alive'}\r\n"
        )
        body = reply.body[: len(reply.body) // 2] if reply.socket else reply.body
        self._transport.write(b"".join((head.encode(), reply.headers, b"\r\n", body)))
        self._end(sent=True)
        if last:
            self._transport.close()

    def _end(self, *, sent: bool) -> None:
        reply, self._pending, self._timer = self._pending, None, None
        if reply is not None:
            self._service.ended(reply, sent)
