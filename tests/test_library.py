"""What an endpoint may do to us on the way: send us elsewhere, talk without end, know us under another dialect."""

import asyncio
import gzip
import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import msgspec
import pytest

from tests.llm_cases import KEY, served_params
from tests.test_llm_stage import edited, expert_served, rows_and_problems
from tripost.chat.library import Library, api_key
from tripost.chat.money import Purse
from tripost.chat.outcomes import LARGEST_BODY, CallError
from tripost.chat.reply_log import ReplyLog
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


def says(content: bytes, **headers: str) -> Any:
    """A 200 with these bytes."""

    def answer(handler: Any) -> None:
        handler.send_response(int(headers.get("status", "200")))
        for name, value in headers.items():
            if name != "status":
                handler.send_header(name.replace("_", "-"), value)
        handler.send_header("content-length", str(len(content)))
        handler.end_headers()
        handler.wfile.write(content)

    return answer


def asked_of(
    answer: Any, monkeypatch: pytest.MonkeyPatch, folder: Path, **endpoint: Any
) -> tuple[ReplyLog, list[Any], Purse]:
    """A few rows asked of such a server: the log, what was dropped, the purse."""
    monkeypatch.chdir(folder)
    monkeypatch.setenv("TRIPOST_TEST_KEY", KEY)
    rows, by_id = rows_and_problems(2)
    price = {"price": {"input": 1000.0, "output": 1000.0}}
    with saying(answer) as (base_url, _):
        params = served_params(f"{base_url}/v1", {"deadline_s": 1.0, "timeout_s": 1.0, **price, **endpoint})
        _, dropped, _ = edited(params, rows, by_id)
    log = ReplyLog(folder / ".tripost" / "replies.jsonl")
    return log, dropped, Purse(None, log.total)


def chat(text: str | None = "x", usage: Any = None, finish: str = "stop") -> bytes:
    choice = {"message": {"content": text}, "finish_reason": finish}
    return msgspec.json.encode({"choices": [choice], **({} if usage is None else {"usage": usage})})


@pytest.mark.parametrize(
    "usage",
    [
        {"prompt_tokens": -(10**9), "completion_tokens": -5},
        {"prompt_tokens": 10**30, "completion_tokens": 10**30},
        {"prompt_tokens": None, "completion_tokens": 3},
        {"prompt_tokens": 1.5, "completion_tokens": "many"},
        [1, 2],
        "none",
    ],
)
def test_a_usage_that_cannot_be_true_is_not_believed(
    usage: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    log, dropped, _ = asked_of(says(chat("Hm.", usage)), monkeypatch, tmp_path, tokens_per_minute=10_000_000)
    assert {row.reason for row in dropped} == {"malformed_feedback"}
    for reply in log.replies():
        assert 0 <= reply.prompt_tokens < 100_000
        assert 0 <= reply.completion_tokens <= 700
        assert 0 <= reply.cost < 110


def test_a_call_that_was_charged_and_brought_nothing_counts(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    body = msgspec.json.encode({"choices": [], "usage": {"prompt_tokens": 900, "completion_tokens": 100}})
    log, dropped, _ = asked_of(says(body), monkeypatch, tmp_path)
    assert {row.reason for row in dropped} == {"expert_failed"}
    assert len(log) == 0
    assert log.charges >= 4
    assert log.total_cost == pytest.approx(log.charges * 1.0)


def test_the_key_said_back_anywhere_is_in_no_file(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    asked_of(says(chat(f"the key is {KEY}", finish=KEY)), monkeypatch, tmp_path)
    for padding in (0, 250, 280, 290, 299, 590):
        error = msgspec.json.encode({"error": {"message": "x" * padding + KEY, "code": KEY}})
        _, dropped, _ = asked_of(says(error, status="500"), monkeypatch, tmp_path / ".")
        assert KEY[:12] not in f"{dropped}"
        shutil.rmtree(tmp_path / ".tripost")
    assert KEY[:12] not in "".join(capfd.readouterr())
    assert not [path for path in tmp_path.rglob("*") if path.is_file() and KEY.encode() in path.read_bytes()]


@pytest.mark.parametrize("text", ["&keykeykey" * 40_000, "://" * 100_000, "eyJ" * 100_000])
def test_an_error_that_is_hard_to_search_takes_no_time(
    text: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A search that doubles its time with each letter would not end within this test's limit."""
    _, dropped, _ = asked_of(
        says(msgspec.json.encode({"error": {"message": text}}), status="500"), monkeypatch, tmp_path
    )
    assert {row.reason for row in dropped} == {"expert_failed"}


def test_nothing_packed_is_unpacked(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    packed = gzip.compress(b" " * 50_000_000)
    _, dropped, _ = asked_of(says(packed, content_encoding="gzip"), monkeypatch, tmp_path)
    assert all("packed: an answer in" in row.detail for row in dropped)


def test_an_endpoint_that_asks_for_a_day_stops_the_stage(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    with pytest.raises(EndpointError, match="it asks to wait 80,000 s; run dvc repro then: answers are kept"):
        asked_of(says(b"{}", status="429", retry_after="80000"), monkeypatch, tmp_path)
