"""The local server keeps its word: good answers, faults as they look on the socket, limits, counts, batches, Azure."""

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPConnection, HTTPResponse, IncompleteRead
from typing import Any, Final

import openai
import pytest

from tests.llm_server import Answer, Config, Server, running
from tests.llm_server.config import CALL_FAULTS, Body
from tests.llm_server.limits import SPAN, Window, duration

CHAT: Final = "/v1/chat/completions"
KEY = {"Authorization": "Bearer sk-test"}
ECHO = "tests.llm_server.answers:echo"
LATE = 0.4
"""Long enough for an answer without latency."""


def scored(body: Body) -> Answer:
    """The prompt's words, each as likely as e^-1."""
    words = body["prompt"].split()
    return Answer(body["prompt"], tokens=words, token_logprobs=[-1.0] * len(words))


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with running() as found:
        yield found


def said(text: str = "Hi", **more: object) -> Body:
    return {"model": "test-model", "messages": [{"role": "user", "content": text}], **more}


def ask(
    server: Server,
    body: object = None,
    path: str = CHAT,
    *,
    headers: dict[str, str] = KEY,
    timeout: float = 10.0,
    method: str = "POST",
) -> tuple[HTTPResponse, Any]:
    """The reply's head, and its JSON."""
    connection = HTTPConnection("127.0.0.1", server.port, timeout=timeout)
    try:
        connection.request(method, path, json.dumps(body if body is not None else said()), headers)
        reply = connection.getresponse()
        return reply, json.loads(reply.read())
    finally:
        connection.close()


def message(reply: tuple[HTTPResponse, Any]) -> Any:
    """The message of a 200."""
    assert reply[0].status == 200
    return reply[1]["choices"][0]["message"]


def test_a_good_answer(server: Server) -> None:
    server.configure(Config(answer=ECHO))
    reply, found = ask(server, said("Ännchen"))
    assert reply.status == 200
    assert found["choices"][0]["message"] == {"role": "assistant", "content": "Ännchen", "refusal": None}
    assert found["choices"][0]["finish_reason"] == "stop"
    assert found["usage"] == {"prompt_tokens": 2, "completion_tokens": 2, "total_tokens": 4}
    assert (found["model"], found["id"][:9]) == ("test-model", "chatcmpl-")
    parts = [{"type": "text", "text": "12345678"}, {"type": "text", "text": "9"}]
    _, found = ask(server, {"model": "test-model", "messages": [{"role": "system", "content": parts}]})
    assert found["usage"]["prompt_tokens"] == 3
    assert ask(server, path="/v1/models", method="GET")[1]["data"][0]["id"] == "test-model"
    assert ask(server, path="/health", method="GET", headers={})[1] == {"status": "ok"}


def test_text_completions_and_their_logprobs(server: Server) -> None:
    server.configure(Config(answer=f"{__name__}:scored"))
    _, found = ask(server, {"model": "test-model", "prompt": ["a b", "c"], "logprobs": 1}, "/v1/completions")
    assert [choice["text"] for choice in found["choices"]] == ["a b", "c"]
    assert found["choices"][0]["logprobs"] == {"tokens": ["a", "b"], "token_logprobs": [-1.0, -1.0]}
    _, found = ask(server, {"model": "test-model", "prompt": "a b"}, "/v1/completions")
    assert found["choices"][0]["logprobs"] is None


@pytest.mark.parametrize(
    ("body", "headers", "path", "status", "says"),
    [
        (said(), {}, CHAT, 401, "invalid_api_key"),
        (said(), {"Authorization": "Bearer sk-other"}, CHAT, 401, "invalid_api_key"),
        (said(), {"api-key": "sk-test"}, CHAT, 200, "The answer is 42."),
        ({**said(), "model": "other"}, KEY, CHAT, 404, "model_not_found"),
        (said(response_format={"type": "json_object"}), KEY, CHAT, 400, "response_format"),
        (said(n=2), KEY, CHAT, 400, "'n'"),
        ([], KEY, CHAT, 400, "JSON body"),
        ({}, KEY, "/v1/batches", 404, "unknown_url"),
        ({}, KEY, "/v1/other", 404, "unknown_url"),
    ],
)
def test_what_is_turned_away(
    server: Server, body: object, headers: dict[str, str], path: str, status: int, says: str
) -> None:
    server.configure(Config(no_structured=True, no_batch=True))
    reply, found = ask(server, body, path, headers=headers)
    assert (reply.status, "error" in found) == (status, status != 200)
    assert says in json.dumps(found)


Look = Callable[[Callable[[], Any]], bool]


def raised(kind: type[Exception]) -> Look:
    def check(asked: Callable[[], Any]) -> bool:
        with pytest.raises(kind):
            asked()
        return True

    return check


def is_error(status: int, code: str | None, retry_after: str | None = None) -> Look:
    def check(asked: Callable[[], Any]) -> bool:
        reply, found = asked()
        shown: tuple[object, ...] = (reply.status, found["error"]["code"], reply.getheader("retry-after"))
        return shown == (status, code, retry_after)

    return check


def is_message(finish_reason: str, **fields: object) -> Look:
    def check(asked: Callable[[], Any]) -> bool:
        reply = asked()
        found = message(reply)
        return reply[1]["choices"][0]["finish_reason"] == finish_reason and all(
            found[k] == v for k, v in fields.items()
        )

    return check


LOOKS: dict[str, Look] = {
    "429": is_error(429, "rate_limit_exceeded", "0.05"),
    "quota": is_error(429, "insufficient_quota"),
    "500": is_error(500, None),
    "503": is_error(503, None),
    "timeout": raised(TimeoutError),
    "slow": raised(TimeoutError),
    "reset": raised(ConnectionResetError),
    "truncated_body": raised(IncompleteRead),
    "invalid_json": raised(json.JSONDecodeError),
    "html": raised(json.JSONDecodeError),
    "empty_choices": lambda asked: asked()[1]["choices"] == [],
    "length": is_message("length", content='{"a":'),
    "content_filter": is_message("content_filter", content=""),
    "refusal": is_message("stop", content=None, refusal="I'm sorry, but I can't help with that."),
    "not_the_schema": lambda asked: message(asked())["content"][:2] in ('{"', "Su"),
    "null_content": is_message("stop", content=None, refusal=None),
}


@pytest.mark.parametrize("kind", sorted(CALL_FAULTS))
def test_each_fault_shows_on_the_socket_and_can_be_switched_off(server: Server, kind: str) -> None:
    body = said('{"a": "b"}', user=kind)
    before = server.stats()
    server.configure(Config(answer=ECHO, faults={kind: 1.0}))
    assert LOOKS[kind](lambda: ask(server, body, timeout=LATE if kind in ("timeout", "slow") else 10.0))
    server.configure(Config(answer=ECHO))
    assert message(ask(server, body))["content"] == '{"a": "b"}'
    after = server.stats()
    assert after.by_fault.get(kind, 0) - before.by_fault.get(kind, 0) == 1
    assert after.accepted - before.accepted == (1 if kind in ("429", "quota") else 2)
    assert (after.answered - before.answered, after.in_flight) == (1, 0)


def test_a_slow_answer_comes_in_the_end(server: Server) -> None:
    server.configure(Config(faults={"slow": 1.0}))
    began = time.monotonic()
    assert message(ask(server, said("slowly")))["content"] == "The answer is 42."
    assert time.monotonic() - began > 1.9


def test_faults_are_drawn_by_seed_body_and_try() -> None:
    def statuses(**more: Any) -> list[list[int]]:
        with running(Config(faults={"500": 0.3, "429": 0.2}, **more)) as server:
            return [[ask(server, said(f"{n}"))[0].status for _ in range(3)] for n in range(20)]

    found = statuses(seed=1)
    assert found == statuses(seed=1)
    assert found != statuses(seed=2)
    assert {status for tries in found for status in tries} == {200, 429, 500}
    first_only = statuses(seed=1, fault_first_tries=1)
    assert [tries[0] for tries in first_only] == [tries[0] for tries in found]
    assert all(tries[1:] == [200, 200] for tries in first_only)


def test_limits_and_their_headers() -> None:
    with running(Config(rpm=3, tpm=1000)) as server:
        replies = [ask(server, said("x" * 40))[0] for _ in range(4)]
        assert [reply.status for reply in replies] == [200, 200, 200, 429]
        assert [reply.getheader("x-ratelimit-remaining-requests") for reply in replies] == ["2", "1", "0", "0"]
        assert [reply.getheader("x-ratelimit-remaining-tokens") for reply in replies] == ["985", "970", "955", "955"]
        assert replies[0].getheader("x-ratelimit-limit-requests") == "3"
        assert replies[0].getheader("x-ratelimit-reset-tokens") == "1m0s"
        assert replies[0].getheader("retry-after") is None
        assert 55 < float(replies[3].getheader("retry-after") or 0) <= 60
        server.configure(Config(tpm=100))
        reply, found = ask(server, said("x" * 220))
        assert (reply.status, found["error"]["type"], found["error"]["code"]) == (
            429,
            "tokens",
            "rate_limit_exceeded",
        )
        reply, found = ask(server, said("x" * 2000))
        assert (reply.status, reply.getheader("retry-after")) == (429, None)
        assert "too large" in found["error"]["message"]
        stats = server.stats()
        assert (stats.requests, stats.accepted, stats.by_status) == (6, 3, {200: 3, 429: 3})
        assert (stats.most_in_60s_requests, stats.most_in_60s_tokens) == (3, 45)


def test_windows_are_exact(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tests.llm_server.limits.COMPACT_AT", 50)
    dice, now, window = random.Random(3), 1000.0, Window()
    accepted: list[tuple[float, int]] = []
    for _ in range(2000):
        now += dice.random() * 4
        tokens = dice.randint(1, 40)
        inside = [(at, spent) for at, spent in accepted if at > now - SPAN]
        wait = window.wait(now, tokens, 25, 500)
        assert (wait == 0) == (len(inside) < 25 and sum(spent for _, spent in inside) + tokens <= 500)
        if wait:
            assert window.wait(now + wait - 1e-6, tokens, 25, 500) > 0
            now += wait + 1e-9
            assert window.wait(now, tokens, 25, 500) == 0
        window.accept(now, tokens)
        accepted.append((now, tokens))
    spans = [[spent for at, spent in accepted if end - SPAN < at <= end] for end, _ in accepted]
    assert window.most_requests == max(len(span) for span in spans) == 25
    assert window.most_tokens == max(sum(span) for span in spans)
    assert [duration(s) for s in (0, 0.35, 1, 8.64, 360)] == ["0s", "350ms", "1s", "8.64s", "6m0s"]


def test_what_is_counted() -> None:
    with running(Config(latency_ms=400)) as server:
        with ThreadPoolExecutor(8) as pool:
            list(pool.map(lambda n: ask(server, said(f"{n % 6}")), range(8)))
        with pytest.raises(TimeoutError):
            ask(server, said("gone"), timeout=0.05)
        ask(server, headers={})
        stats = server.stats()
    assert (stats.requests, stats.accepted, stats.answered, stats.bad_keys) == (10, 9, 8, 1)
    assert (stats.distinct_answered, stats.answered_more_than_once) == (6, 2)
    assert (stats.most_in_flight, stats.max_in_flight, stats.in_flight) == (8, 8, 0)
    assert stats.first_at is not None
    assert stats.last_at is not None
    assert time.monotonic() - 10 < stats.first_at < stats.last_at < time.monotonic()
    assert stats.cpu_seconds > 0
    assert stats.rss_mb > 5 or sys.platform != "linux"


def test_one_connection_serves_many_and_survives_an_error(server: Server) -> None:
    server.configure(Config(answer=ECHO))
    connection = HTTPConnection("127.0.0.1", server.port, timeout=10)
    for n in range(3):
        connection.request("POST", CHAT, json.dumps(said(f"{n}")), KEY)
        assert json.loads(connection.getresponse().read())["choices"][0]["message"]["content"] == f"{n}"
        socket = connection.sock
        connection.request("POST", CHAT, "{", KEY)
        assert (connection.getresponse().read()[:9], connection.sock) == (b'{"error":', socket)
    connection.close()
    with pytest.raises(ValueError, match="no such fault: 501"):
        Config(faults={"501": 1.0})
    with pytest.raises(ValueError, match=r"400 .*no such module|400 .*No module named"):
        server.configure(Config(answer="nowhere:at_all"))


def lines(client: openai.OpenAI, file: str | None) -> dict[str, Any]:
    """A batch's output by custom_id, in the file's order."""
    rows = [json.loads(line) for line in client.files.content(file or "").text.splitlines()]
    return {row["custom_id"]: row for row in rows}


def batched(client: openai.OpenAI, name: str, count: int = 20) -> openai.types.Batch:
    """A batch of echoes, started."""
    rows = [{"custom_id": f"r{n}", "method": "POST", "url": CHAT, "body": said(f"{name} {n}")} for n in range(count)]
    file = client.files.create(file=("in.jsonl", "\n".join(map(json.dumps, rows)).encode()), purpose="batch")
    return client.batches.create(
        input_file_id=file.id, endpoint=CHAT, completion_window="24h", metadata={"name": name}
    )


def finished(client: openai.OpenAI, batch: openai.types.Batch, seen: set[str]) -> openai.types.Batch:
    """The batch once it has an end."""
    while batch.status in ("validating", "in_progress", "cancelling"):
        seen.add(batch.status)
        time.sleep(0.01)
        batch = client.batches.retrieve(batch.id)
    return batch


def test_batches_with_the_real_client() -> None:
    with (
        running(Config(answer=ECHO, batch_seconds=0.3, faults={"batch_row_error": 0.3, "refusal": 0.2})) as server,
        openai.OpenAI(base_url=server.base_url, api_key="sk-test", max_retries=0) as client,
    ):
        seen: set[str] = set()
        batch = finished(client, batched(client, "one"), seen)
        assert (batch.status, seen, batch.metadata) == ("completed", {"validating", "in_progress"}, {"name": "one"})
        good, bad = lines(client, batch.output_file_id), lines(client, batch.error_file_id)
        assert batch.request_counts is not None
        assert (len(good), len(bad)) == (batch.request_counts.completed, batch.request_counts.failed)
        assert {*good, *bad} == {f"r{n}" for n in range(20)}
        messages = {name: row["response"]["body"]["choices"][0]["message"] for name, row in good.items()}
        refused = [name for name, found in messages.items() if found["refusal"]]
        assert all(messages[name]["content"] == f"one {name[1:]}" for name in {*messages} - {*refused})
        assert all(row["response"]["status_code"] == 500 for row in bad.values())
        assert min(len(refused), len(bad)) > 0

        server.configure(Config(answer=ECHO, batch_seconds=0.2, faults={"batch_expired": 1.0}))
        expired = finished(client, batched(client, "two"), seen)
        assert (expired.status, len(lines(client, expired.output_file_id))) == ("expired", 10)
        assert lines(client, expired.error_file_id)["r19"]["error"]["code"] == "batch_expired"

        cancelled = client.batches.cancel(batched(client, "three").id)
        assert (cancelled.status, finished(client, cancelled, seen).status) == ("cancelling", "cancelled")
        assert [found.id for found in client.batches.list(limit=2)] == [cancelled.id, expired.id, batch.id]
        stats = server.stats()
        assert (stats.batches, stats.batch_rows, stats.requests > 9) == (3, 30, True)
        assert stats.distinct_answered == 30 - len(refused) - len(bad)


def test_azure_paths_with_the_real_client(server: Server) -> None:
    server.configure(Config(models=["my-deployment"], answer=ECHO))
    endpoint = server.base_url.removesuffix("/v1")
    with openai.AzureOpenAI(azure_endpoint=endpoint, api_version="2024-10-21", api_key="sk-test") as client:
        found = client.chat.completions.create(model="my-deployment", messages=[{"role": "user", "content": "Hi"}])
        assert found.choices[0].message.content == "Hi"
        with pytest.raises(openai.NotFoundError) as raised:
            client.chat.completions.create(model="other", messages=[{"role": "user", "content": "Hi"}])
        assert raised.value.code == "model_not_found"


@pytest.mark.skipif(sys.platform != "linux", reason="the kernel's help is Linux's")
def test_it_dies_with_its_parent() -> None:
    code = "import sys; from tests.llm_server import running\nwith running() as s: print(s.process.pid, flush=True); sys.stdin.read()"
    with subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, start_new_session=True
    ) as parent:
        assert parent.stdout is not None
        pid = int(parent.stdout.readline())
        os.kill(pid, 0)
        parent.send_signal(signal.SIGKILL)
    for _ in range(500):
        try:
            with open(f"/proc/{pid}/stat", encoding="ascii") as file:
                if file.read().rpartition(")")[2].split()[0] == "Z":
                    return
        except (FileNotFoundError, ProcessLookupError):
            return
        time.sleep(0.01)
    pytest.fail("the server is still there")
