"""Lines of the files that go into a batch and come out of it."""

from collections.abc import AsyncIterator
from typing import Any

import msgspec

from tripost.chat.outcomes import LARGEST_BODY, Answer, CallError, error_of, read_answer, refused
from tripost.chat.request import Request, body_of
from tripost.errors import one_line
from tripost.params_llm import EndpointParams

NOT_DONE = {
    "batch_expired": CallError("expired", "the batch expired before this row was done"),
    "batch_cancelled": CallError("cancelled", "the batch was cancelled at the endpoint", again=False),
}


class _Response(msgspec.Struct):
    status_code: int = 0
    body: msgspec.Raw = msgspec.Raw(b"null")


class _Trouble(msgspec.Struct):
    code: str | None = None
    message: str | None = None


class Row(msgspec.Struct):
    """A line of an output or error file."""

    custom_id: str
    response: _Response | None = None
    error: _Trouble | None = None

    def answer(self, request: Request) -> Answer:
        """The answer to the request. Raises CallError, named as if it had been asked alone."""
        if self.response is None or (self.error is not None and not self.response.status_code):
            trouble = self.error or _Trouble()
            code = trouble.code or ""
            said = one_line(f"{code}: {trouble.message or 'a row without an answer'}")[:300]
            raise NOT_DONE.get(code) or CallError("server_error", said)
        if self.response.status_code == 200:
            return read_answer(bytes(self.response.body))
        said, code = error_of(_decoded(bytes(self.response.body)))
        raise refused(self.response.status_code, said, code, {})


_ROW = msgspec.json.Decoder(Row)


def path_of(params: EndpointParams) -> str:
    """What a batch is made for."""
    return "/chat/completions" if params.api == "azure" else "/v1/chat/completions"


def line_of(request: Request, params: EndpointParams, with_schema: bool) -> bytes:
    """The request as a line of an input file."""
    body = body_of(request, params.api, with_schema)
    line = {"custom_id": request.key, "method": "POST", "url": path_of(params), "body": body}
    return msgspec.json.encode(line) + b"\n"


def read_row(line: bytes) -> Row | None:
    """The row; None where the line is none."""
    try:
        return _ROW.decode(line)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None


async def lines(chunks: AsyncIterator[bytes], most: int = LARGEST_BODY) -> AsyncIterator[bytes]:
    """The lines of a file that comes in pieces; of one that is too long, nothing."""
    rest, skipping = bytearray(), False
    async for chunk in chunks:
        *whole, last = chunk.split(b"\n")
        for part in whole:
            rest += part
            if not skipping and 0 < len(rest) <= most:
                yield bytes(rest)
            rest.clear()
            skipping = False
        rest += last
        if len(rest) > most:
            rest.clear()
            skipping = True
    if rest and not skipping:
        yield bytes(rest)


def _decoded(body: bytes) -> Any:
    try:
        return msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return body.decode(errors="replace")[:2_000]
