"""openai's client of an endpoint: how it is made, what it sends, and its errors as ours. The only home of openai."""

import asyncio
import os
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from tripost.chat.outcomes import LARGEST_BODY, LONGEST_DETAIL, CallError, error_of, refused
from tripost.errors import EndpointError

POOL = 32
"""Connections a client, about: with each call its pool looks at all of them."""
HERE = {"127.0.0.1", "localhost", "::1"}
"""Hosts that no proxy leads to."""
NO_KEY = "none"
"""What is sent where there is no key: the library wants one."""


class Heard(NamedTuple):
    """The body of a 200, and its headers."""

    content: bytes
    headers: Mapping[str, str]


def api_key(where: str, variable: str | None) -> str:
    """The key in this environment variable, and nowhere else; "" for none. Raises EndpointError, at `where`."""
    if variable is None:
        return ""
    key = os.environ.get(variable, "").strip()
    if not key:
        raise EndpointError(f"{where}: the environment has no {variable}; export it, or name another variable")
    if not (key.isascii() and key.isprintable()):
        raise EndpointError(f"{where}: {variable} holds what no header may hold; copy the key again")
    return key


class Library:
    """Clients of one endpoint, for so many calls at once. To be used in the event loop that closes it."""

    def __init__(
        self,
        base_url: str,
        key: str,
        *,
        timeout_s: float,
        at_once: int,
        azure_version: str | None = None,
    ) -> None:
        import httpx2

        self.raw = httpx2.Response
        trusted = httpx2.create_ssl_context()
        self.clients = [
            _client(base_url, key or NO_KEY, azure_version, timeout_s, trusted) for _ in range(-(-at_once // POOL))
        ]
        self.calls = 0

    @property
    def client(self) -> Any:
        """One of the clients."""
        return self.clients[0]

    async def send(self, path: str, body: Mapping[str, Any] | None, seconds: float) -> Heard:
        """POST the body, or GET. Raises CallError."""
        self.calls += 1
        client = self.clients[self.calls % len(self.clients)]
        with named_errors():
            try:
                async with asyncio.timeout(seconds):
                    if body is None:
                        response = await client.get(path, cast_to=self.raw)
                    else:
                        response = await client.post(path, cast_to=self.raw, body=body)
            except TimeoutError:
                raise CallError("timeout", f"no answer in {seconds:.0f} s", choked=True) from None
        return Heard(response.content, response.headers)

    async def close(self) -> None:
        """Let go of the connections."""
        for client in self.clients:
            await client.close()


def _client(base_url: str, key: str, azure_version: str | None, timeout_s: float, trusted: Any) -> Any:
    import httpx2
    import openai

    # A redirect would carry the key, and what is asked, to whoever the endpoint names.
    http = openai.DefaultAsyncHttpxClient(
        follow_redirects=False,
        trust_env=urlsplit(base_url).hostname not in HERE,
        verify=trusted,
        limits=httpx2.Limits(max_connections=None, max_keepalive_connections=None),
        headers={"accept-encoding": "identity"},
        event_hooks={"response": [_bounded]},
    )
    same: dict[str, Any] = {"api_key": key, "max_retries": 0, "timeout": timeout_s, "http_client": http}
    if azure_version is not None:
        return openai.AsyncAzureOpenAI(azure_endpoint=base_url, api_version=azure_version, **same)
    return openai.AsyncOpenAI(base_url=base_url, **same)


async def _bounded(response: Any) -> None:
    """A body without end is not read to its end; files of batches are read in pieces. Nothing packed is unpacked."""
    if response.headers.get("content-encoding", "identity") != "identity":
        raise CallError("packed", "an answer in an encoding that was not asked for", again=False)
    if not response.request.url.path.endswith("/content"):
        response.stream = _bounded_stream(response.stream)


def _bounded_stream(stream: Any) -> Any:
    import httpx2

    class Bounded(httpx2.AsyncByteStream):
        async def __aiter__(self) -> AsyncIterator[bytes]:
            size = 0
            async for chunk in stream:
                size += len(chunk)
                if size > LARGEST_BODY:
                    raise CallError("too_large", f"an answer of more than {LARGEST_BODY} bytes", again=False)
                yield chunk

        async def aclose(self) -> None:
            await stream.aclose()

    return Bounded()


@contextmanager
def named_errors() -> Iterator[None]:
    """What goes wrong with a call of the library becomes a CallError."""
    import httpx2
    import openai

    try:
        yield
    except openai.APITimeoutError:
        raise CallError("timeout", "no answer in time", choked=True) from None
    except openai.APIStatusError as error:
        said, code = error_of(error.body)
        raise refused(error.status_code, said or str(error), code, error.response.headers) from None
    except (openai.APIConnectionError, httpx2.TransportError) as error:
        raise _connection(error) from None
    except CallError:
        raise
    # Such as a page instead of JSON; what the library makes of odd types is anybody's guess.
    except (openai.OpenAIError, ValueError, TypeError, AttributeError, LookupError, AssertionError) as error:
        raise CallError("invalid_json", f"{type(error).__name__}: {error}"[:LONGEST_DETAIL]) from None


def _connection(error: Exception) -> CallError:
    cause: BaseException = error
    while (below := cause.__cause__ or cause.__context__) is not None:
        cause = below
        if isinstance(cause, CallError):
            return cause
    said = f"{type(error.__cause__ or error).__name__}: {cause}"[:LONGEST_DETAIL]
    if "RemoteProtocol" in said or "incomplete" in said or "peer closed" in said:
        return CallError("truncated_body", said)
    return CallError("reset" if "eset" in said or "ReadError" in said else "no_connection", said)
