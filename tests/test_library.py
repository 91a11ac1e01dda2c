"""What an endpoint may do to us on the way: send us elsewhere, talk without end, know us under another dialect."""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from tests.llm_cases import KEY, served_params
from tests.test_llm_stage import edited, expert_served, rows_and_problems
from tripost.chat.library import Library, api_key
from tripost.chat.outcomes import LARGEST_BODY, CallError
from tripost.errors import EndpointError


@contextmanager
def saying(answer: Any) -> Iterator[tuple[str, list[dict[str, str]]]]:
    """A server whose POSTs are answered by a function of the handler; address, and headers of what came."""
    heard: list[dict[str, str]] = []

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            heard.append({name.lower(): value for name, value in self.headers.items()})
            self.rfile.read(int(self.headers.get("content-length", 0)))
            answer(self)

        def log_message(self, format: str, *args: Any) -> None:
            """Nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}", heard
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def sent(base_url: str, **changes: Any) -> bytes:
    async def main() -> bytes:
        library = Library(base_url, KEY, timeout_s=5, at_once=1, **changes)
        try:
            return (await library.send("/chat/completions", {"model": "m"}, 5)).content
        finally:
            await library.close()

    return asyncio.run(main())


@pytest.mark.parametrize("azure_version", [None, "2024-10-21"])
def test_the_key_does_not_follow_a_redirect(azure_version: str | None) -> None:
    def fine(handler: Any) -> None:
        handler.send_response(200)
        handler.send_header("content-length", "2")
        handler.end_headers()
        handler.wfile.write(b"{}")

    with saying(fine) as (elsewhere, heard):

        def away(handler: Any) -> None:
            handler.send_response(307)
            handler.send_header("location", f"{elsewhere}/v1/chat/completions")
            handler.send_header("content-length", "0")
            handler.end_headers()

        with saying(away) as (base_url, _), pytest.raises(CallError) as caught:
            sent(base_url, azure_version=azure_version)
        assert (caught.value.outcome, caught.value.fatal) == ("redirected", True)
        assert heard == []


def test_a_body_without_end_is_not_read_to_its_end() -> None:
    written: list[int] = []

    def endless(handler: Any) -> None:
        handler.send_response(200)
        handler.end_headers()
        try:
            while len(written) < 1_000:
                handler.wfile.write(b" " * 1_000_000)
                written.append(1)
        except OSError:
            return

    with saying(endless) as (base_url, _), pytest.raises(CallError) as caught:
        sent(base_url)
    assert caught.value.outcome == "too_large"
    assert len(written) * 1_000_000 < 10 * LARGEST_BODY


@pytest.mark.parametrize("key", ["sk-ä", "sk-a\nb", "  "])
def test_a_key_that_no_header_can_hold_is_refused_without_being_said(
    key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SOME_KEY", key)
    with pytest.raises(EndpointError, match=r"here: .*SOME_KEY") as caught:
        api_key("here", "SOME_KEY")
    assert key.strip() == "" or key not in str(caught.value)


def test_azure_is_asked_in_its_own_dialect(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    with expert_served(monkeypatch, tmp_path, 2) as (server, rows, by_id):
        azure = {"api": "azure", "api_version": "2024-10-21"}
        kept, dropped, _ = edited(served_params(server.base_url.removesuffix("/v1"), azure), rows, by_id)
        assert (len(kept), dropped) == (4, [])
        assert server.stats().answered == 8


def test_an_endpoint_that_redirects_stops_the_stage_with_one_line(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def away(handler: Any) -> None:
        handler.send_response(301)
        handler.send_header("location", "http://127.0.0.1:1/v1")
        handler.send_header("content-length", "0")
        handler.end_headers()

    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TRIPOST_TEST_KEY", KEY)
    with saying(away) as (base_url, _), pytest.raises(EndpointError, match=r"redirected: 301.*write that address as"):
        edited(served_params(f"{base_url}/v1"), *rows_and_problems(1))
