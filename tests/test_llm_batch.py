"""The Batch API, over real sockets: the same answers at half the price, and no batch is paid twice, whoever dies when."""

import asyncio
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import openai
import pytest
from openai.resources.batches import AsyncBatches

from tests.llm_cases import KEY, served, served_params
from tests.llm_server import Config, Server
from tests.test_llm_stage import edited, expert_served
from tests.toy import ROOT
from tripost.chat import batch_claims
from tripost.chat.asker import Asker
from tripost.chat.batch import Batches
from tripost.chat.batch_answers import Answers
from tripost.chat.batch_api import BatchApi as BatchApi
from tripost.chat.batch_api import State
from tripost.chat.batch_notes import Note, Notes, name_of
from tripost.chat.batch_rows import line_of, lines
from tripost.chat.claims import Claims
from tripost.chat.client import Endpoint
from tripost.chat.in_order import in_order
from tripost.chat.money import Purse
from tripost.chat.reply_log import ReplyLog
from tripost.chat.request import Failure, Message, Reply, Request
from tripost.errors import DataError, EndpointError
from tripost.params_llm import CallsParams

ECHO = "tests.llm_server.answers:echo"
ROWS = 24
PRICE = {"price": {"input": 0.0, "output": 1000.0}}
Found = list[Reply | Failure]


@pytest.fixture(autouse=True)
def _quick() -> Iterator[None]:
    kept = Batches.first_poll, Batches.longest_poll, Batches.settle
    quick()
    yield
    Batches.first_poll, Batches.longest_poll, Batches.settle = kept


def quick() -> None:
    """No batch of ours takes a day."""
    Batches.first_poll, Batches.longest_poll, Batches.settle = 0.03, 0.1, 0.6


def requests(count: int = ROWS, **more: Any) -> list[Request]:
    """As many different ones."""
    made: dict[str, Any] = {
        "llm": "llm",
        "task": "word_sorting",
        "purpose": "improve",
        "model": "test-model",
        "temperature": None,
        "max_tokens": 20,
        "schema": "",
        "sample": 0,
        **more,
    }
    return [Request(messages=(Message(role="user", content=f"say {n}"),), **made) for n in range(count)]


def calls(base_url: str, endpoint: dict[str, Any] | None = None, **more: Any) -> CallsParams:
    """Params for batches."""
    return served_params(base_url, endpoint, **{"batch": True, **more}).calls


def asked(params: CallsParams, wanted: list[Request] | None = None) -> Found:
    """What the requests give, through the log of the current folder."""
    with Asker(params, ReplyLog(Path(".tripost", "replies.jsonl").absolute())) as asker:
        return [*in_order([lambda r=r: asker.answer(r) for r in wanted or requests()], asker)]  # type: ignore[misc]


def texts(found: Found) -> list[str]:
    """Of replies; of failures the outcome."""
    return [came.text if isinstance(came, Reply) else str(came).split(":")[0] for came in found]


ALL = [f"say {n}" for n in range(ROWS)]


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Server]:
    with served(monkeypatch, tmp_path, answer=ECHO, batch_seconds=0.1) as found:
        yield found


def faulty(server: Server, **config: Any) -> None:
    """What it is from now on."""
    server.configure(Config(**{"key": KEY, "answer": ECHO, "batch_seconds": 0.1, **config}))


def left_behind() -> list[str]:
    """Notes and locks of batches that are no more."""
    return sorted(path.name for path in Path(".tripost/batches").iterdir() if path.name != "claims.lock")


def test_rows_are_those_of_single_calls_at_half_the_price(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    with expert_served(monkeypatch, tmp_path, 6, batch_seconds=0.1) as (server, rows, by_id):
        single = edited(served_params(server.base_url), rows, by_id)
        paid = ReplyLog(tmp_path / ".tripost" / "replies.jsonl").total_cost
        (tmp_path / "batch").mkdir()
        monkeypatch.chdir(tmp_path / "batch")
        params = served_params(server.base_url, batch=True)
        assert edited(params, rows, by_id) == single
        log = ReplyLog(tmp_path / "batch" / ".tripost" / "replies.jsonl")
        assert log.total_cost == pytest.approx(paid / 2)
        assert (len(log), server.stats().batches, server.stats().batch_rows) == (24, 2, 24)
        assert edited(params, rows, by_id) == single
        assert server.stats().batches == 2
        assert left_behind() == []
    said = capfd.readouterr().err
    assert "llm: batch batch_1 of 12 requests is sent" in said
    assert "llm: batch batch_2 completed: 12 answered\n" in said
    written = b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
    assert KEY not in said
    assert KEY.encode() not in written


def test_more_rows_than_a_batch_holds_go_out_in_several(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batch_claims, "MOST_ROWS", 10)
    assert texts(asked(calls(server.base_url))) == ALL
    assert (server.stats().batches, server.stats().batch_rows) == (3, ROWS)
    monkeypatch.setattr(batch_claims, "MOST_BYTES", 3 * len(line_of(requests()[0], _endpoint(server), False)))
    assert len(asked(calls(server.base_url), requests(7, sample=1))) == 7
    assert server.stats().batches == 6


def _endpoint(server: Server) -> Any:
    return calls(server.base_url).endpoints["llm"]


def test_rows_that_fail_go_into_the_next_batch_and_are_named_after_three(server: Server) -> None:
    faulty(server, faults={"batch_row_error": 1.0}, fault_first_tries=1)
    assert texts(asked(calls(server.base_url))) == ALL
    assert (server.stats().batches, server.stats().answered_more_than_once) == (2, 0)
    faulty(server, faults={"batch_row_error": 1.0})
    failed = asked(calls(server.base_url), requests(3, sample=1))
    assert {str(came) for came in failed} == {
        "server_error after 3 tries: 500: The server had an error while processing this row."
    }
    assert server.stats().batches == 5
    assert left_behind() == []


def test_what_had_no_time_goes_into_the_next_batch_and_is_named_after_three(server: Server) -> None:
    faulty(server, faults={"batch_expired": 1.0})
    assert texts(asked(calls(server.base_url))) == ALL[:21] + ["expired after 3 tries"] * 3
    assert (server.stats().batches, server.stats().batch_rows) == (3, 21)
    assert server.stats().answered_more_than_once == 0


def test_words_that_cannot_be_used_are_answers_as_in_single_calls(server: Server) -> None:
    faulty(server, faults={"refusal": 1.0})
    found = asked(calls(server.base_url), requests(2))
    assert [came.outcome for came in found] == ["refusal", "refusal"]
    faulty(server, faults={"empty_choices": 1.0})
    assert texts(asked(calls(server.base_url), requests(1, sample=1))) == ["empty_choice after 3 tries"]


def test_an_endpoint_that_takes_no_schema_is_asked_without(server: Server) -> None:
    faulty(server, no_structured=True)
    assert texts(asked(calls(server.base_url), requests(schema='{"type":"object"}'))) == ALL
    assert server.stats().batches == 2


def test_what_no_batch_can_mend_is_one_line(server: Server) -> None:
    with pytest.raises(EndpointError, match=r"unknown_model: 404: .*mend base_url, or llms.llm.model \(other\)$"):
        asked(calls(server.base_url), requests(model="other"))
    faulty(server, no_batch=True)
    with pytest.raises(EndpointError, match=r"llm: 404: .*it has no Batch API; set calls.batch: false$") as caught:
        asked(calls(server.base_url))
    assert "\n" not in str(caught.value)
    faulty(server, key="sk-another-key-of-theirs")
    with pytest.raises(
        EndpointError, match=r"wrong_key: 401: .*; the endpoint does not take the key in TRIPOST_TEST"
    ):
        asked(calls(server.base_url))
    assert left_behind() == []


def test_no_more_is_sent_than_can_be_paid(server: Server) -> None:
    with pytest.raises(EndpointError, match=r"calls.max_cost: 0.0000 of 0.001 are spent; raise it"):
        asked(calls(server.base_url, PRICE, max_cost=0.001))
    assert server.stats().requests == 0
    with pytest.raises(EndpointError, match=r"calls.max_cost: 0.0100 of 0.1 are spent; raise it"):
        asked(calls(server.base_url, PRICE, max_cost=0.1))
    assert (server.stats().batches, server.stats().batch_rows) == (1, 10)
    assert texts(asked(calls(server.base_url, PRICE))) == ALL
    assert (server.stats().batches, server.stats().batch_rows) == (2, ROWS)


def test_a_batch_that_is_cancelled_or_refused_is_named(
    server: Server, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    faulty(server, batch_seconds=1.1)

    def cancel() -> None:
        client = openai.OpenAI(api_key=KEY, base_url=server.base_url)
        while not (made := client.batches.list().data) or made[0].request_counts.completed < 6:  # type: ignore[union-attr]
            time.sleep(0.02)
        client.batches.cancel(made[0].id)

    thread = threading.Thread(target=cancel)
    thread.start()
    found = texts(asked(calls(server.base_url)))
    thread.join()
    assert 6 <= found.count("cancelled after 1 try") < ROWS
    assert set(found) - set(ALL) == {"cancelled after 1 try"}
    assert "llm: batch batch_1 cancelled: " in capfd.readouterr().err
    monkeypatch.setattr(batch_claims, "line_of", lambda *said: 2 * line_of(*said))
    faulty(server)
    failed = asked(calls(server.base_url), requests(2, sample=1))
    assert "batch_failed after 1 try: batch_2: the endpoint refused the batch (invalid_line:" in str(failed[0])
    assert left_behind() == []


def test_interrupted_it_says_what_goes_on_and_the_next_run_awaits_it(
    server: Server, capfd: pytest.CaptureFixture[str]
) -> None:
    params = calls(server.base_url)

    def interrupt() -> None:
        while not list(Path(".tripost/batches").glob("*.json")) or b"batch_" not in _note():
            time.sleep(0.01)
        os.kill(os.getpid(), signal.SIGINT)

    thread = threading.Thread(target=interrupt)
    thread.start()
    with pytest.raises(KeyboardInterrupt):
        asked(params)
    thread.join()
    said = capfd.readouterr().err
    assert "left under way at the endpoint: 1 batch of 24 requests; the next run awaits what comes of it\n" in said
    single = calls(server.base_url, batch=False)
    assert texts(asked(single, requests(1, max_tokens=21))) == ["say 0"]
    assert "set calls.batch: true to await them" in capfd.readouterr().err
    assert texts(asked(params)) == ALL
    assert "llm: a batch of 24 requests is under way already; waiting for it" in capfd.readouterr().err
    assert (server.stats().batches, server.stats().answered_more_than_once) == (1, 0)
    assert left_behind() == []


def _note() -> bytes:
    return next(Path(".tripost/batches").glob("*.json")).read_bytes()


def test_a_batch_whose_making_was_not_confirmed_is_found(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    create = AsyncBatches.create

    async def made_and_lost(self: AsyncBatches, **said: Any) -> Any:
        made = await create(self, **said)
        raise openai.APIConnectionError(request=made)  # type: ignore[arg-type]

    monkeypatch.setattr(AsyncBatches, "create", made_and_lost)
    assert texts(asked(calls(server.base_url))) == ALL
    assert server.stats().batches == 1


@pytest.mark.parametrize(
    ("note", "says"),
    [
        ({"batch": "batch_99"}, r"404: .*it knows no batch_99; take the account .*, or remove .*\.json to ask, and"),
        ({"address": "http://another"}, r"\.json: a batch of llm is under way at http://another, which calls.endp"),
        ({"llm": "gone"}, r"\.json: a batch of gone is under way at http://127.*, which calls.endpoints does not"),
    ],
)
def test_a_batch_that_cannot_be_awaited_is_not_sent_anew(server: Server, note: dict[str, Any], says: str) -> None:
    keys = [request.key for request in requests()]
    whole = {"name": name_of(keys), "draw": "x", "llm": "llm", "address": server.base_url, "keys": keys}
    made = msgspec.convert({**whole, "schema": True, "dearest": 1.0, "file": "file-1", "batch": "b", **note}, Note)
    Notes(Path(".tripost", "batches").absolute()).write(made)
    with pytest.raises(EndpointError, match=says):
        asked(calls(server.base_url))
    assert server.stats().batches == 0
    Path(".tripost", "batches", f"{made.name}.json").write_bytes(b"{")
    with pytest.raises(DataError, match=r"\.json: no note of a batch .*; remove it"):
        asked(calls(server.base_url))


PROCESS = """
import os, signal, sys
from pathlib import Path
from tests.test_llm_batch import ReplyLog, Notes, BatchApi, asked, calls, quick, texts
quick()
moment, rows = sys.argv[2], 0

def die(when, before=lambda: None):
    if when:
        before()
        os.kill(os.getpid(), signal.SIGKILL)

write, remove, append, state = Notes.write, Notes.remove, ReplyLog.append, BatchApi.state

def writing(self, note):
    die(moment == "made" and note.batch)
    write(self, note)
    die(moment == "noted" or (moment == "uploaded" and note.file))

def appending(self, reply):
    global rows
    rows += 1
    die(moment == "half read" and rows == 12, lambda: self.path.open("ab").write(b'{"key": "torn'))
    append(self, reply)

async def looking(self, *said):
    found = await state(self, *said)
    die(moment == "waiting" and found.status == "in_progress")
    return found

Notes.write, ReplyLog.append, BatchApi.state = writing, appending, looking
Notes.remove = lambda self, note: (die(moment == "read"), remove(self, note))
found = texts(asked(calls(sys.argv[1])))
Path(sys.argv[3]).write_text("\\n".join(found))
"""


def process(server: Server, moment: str, out: str = "out") -> "subprocess.Popen[bytes]":
    """One that asks for all, and dies at that moment."""
    environment = {**os.environ, "PYTHONPATH": f"{ROOT / 'src'}{os.pathsep}{ROOT}"}
    return subprocess.Popen([sys.executable, "-c", PROCESS, server.base_url, moment, out], env=environment)


@pytest.mark.parametrize(
    ("moment", "batches_then"),
    [("noted", 0), ("uploaded", 0), ("made", 1), ("waiting", 1), ("half read", 1), ("read", 1)],
)
def test_killed_at_any_moment_a_batch_is_awaited_and_never_sent_twice(
    server: Server, moment: str, batches_then: int, capfd: pytest.CaptureFixture[str]
) -> None:
    assert process(server, moment).wait() == -signal.SIGKILL
    assert server.stats().batches == batches_then
    assert len(left_behind()) == 2  # the note and its lock
    assert texts(asked(calls(server.base_url))) == ALL
    stats = server.stats()
    assert (stats.batches, stats.batch_rows, stats.answered_more_than_once) == (1, ROWS, 0)
    assert len(ReplyLog(Path(".tripost", "replies.jsonl").absolute())) == ROWS
    asked(calls(server.base_url), requests(1, max_tokens=21))  # where nothing was left to ask, the next one tidies up
    assert left_behind() == []


@pytest.mark.parametrize("moment", ["never", "made", "half read"])
def test_two_at_once_share_one_batch_also_when_one_dies(server: Server, moment: str) -> None:
    faulty(server, batch_seconds=0.5)
    running = [process(server, moment, "one"), process(server, "never", "two")]
    ends = [one.wait() for one in running]
    assert ends[1] == 0
    assert Path("two").read_text(encoding="utf-8").split("\n") == ALL
    assert ends[0] in (0, -signal.SIGKILL)
    stats = server.stats()
    assert (stats.batches, stats.batch_rows, stats.answered_more_than_once) == (1, ROWS, 0)
    assert sum(1 for _ in ReplyLog(Path(".tripost", "replies.jsonl").absolute()).replies()) == ROWS


def _in_loop(make: Callable[[], Any]) -> Any:
    async def made() -> Any:
        return make()

    return asyncio.run(made())


def test_strange_lines_of_an_output_change_nothing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("TRIPOST_TEST_KEY", KEY)
    first, second, elsewhere = requests(3)
    log = ReplyLog(tmp_path / "replies.jsonl")
    params = calls("http://127.0.0.1:9/v1").endpoints["llm"]
    endpoint = _in_loop(lambda: Endpoint("llm", params, Purse(None, lambda: 0.0), log, Claims(log.path)))
    note = Note(
        name="n", draw="d", llm="llm", address="", keys=[r.key for r in requests(3)], schema=True, dearest=1.0
    )
    answers = Answers(endpoint, note, {r.key: r for r in (first, second)})

    def line(key: str, said: str, status: int = 200) -> bytes:
        body = {"choices": [{"message": {"content": said}, "finish_reason": "stop"}]}
        return msgspec.json.encode({"custom_id": key, "response": {"status_code": status, "body": body}})

    for said in (b"", b"[]", b"\xff", b'{"custom_id": 3}', b"[" * 10_000):
        answers.take(said)
    answers.take(line("of nobody", "x"))
    answers.take(line(first.key, f"the first, {KEY}"))
    answers.take(line(first.key, "the second"))
    answers.take(line(elsewhere.key, "not asked for"))
    came = answers.came(State("b", "completed", 1, 0, 3, (), ""), tries=3)
    assert [(len(log), reply.text) for reply in log.replies()] == [(1, "the first, ***")]
    assert str(came.outcomes[second.key]) == "missing after 3 tries: b: the batch ended without a word on this row"
    assert (answers.unread, answers.unknown) == ({elsewhere.key}, 1)


@pytest.mark.parametrize("size", [1, 3, 7, 100])
def test_lines_come_whole_and_those_too_long_not_at_all(size: int) -> None:
    content = b"one\n\ntwelve bytes\n" + 50 * b"x" + b"\nlast"

    async def pieces() -> AsyncIterator[bytes]:
        for start in range(0, len(content), size):
            yield content[start : start + size]

    async def read() -> list[bytes]:
        return [found async for found in lines(pieces(), most=12)]

    assert asyncio.run(read()) == [b"one", b"twelve bytes", b"last"]
