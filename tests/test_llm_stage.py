"""Rows that wait for an LLM, over real sockets: every way a call can fail is named, and nothing is paid twice."""

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.fakes import ARITHMETIC, WORDS, problems
from tests.llm_cases import KEY, served, served_params
from tests.llm_server import Config, expert
from tests.llm_server.config import Body
from tests.toy import ROOT
from tripost import registry
from tripost.chat.reply_log import ReplyLog
from tripost.edit import apart, edit_all
from tripost.errors import EndpointError
from tripost.experts import chosen
from tripost.params import Params
from tripost.records import Dropped, Probe, Problem, Trajectory, Turn
from tripost.rollout import trajectory
from tripost.shell.asking import asker_of, calls_used
from tripost.shell.io import write_records
from tripost.text import parse_attempt

TASKS = registry.tasks([ARITHMETIC, WORDS])
ANSWER = "tests.llm_server.expert:answer"
Edited = tuple[list[Trajectory], list[Dropped], list[Probe]]


def rows_and_problems(count: int) -> tuple[list[Trajectory], dict[str, Problem]]:
    """Wrong attempts at so many problems of each of two tasks."""
    found = [problem for name in (ARITHMETIC, WORDS) for problem in problems(name, count)]
    rows = []
    for number, problem in enumerate(found):
        right = parse_attempt(str(problem.rationale), "m_theta")
        task, rng = TASKS[problem.task], random.Random(number)
        wrong = next(made.attempt for made in _planted(task, problem, right, rng))
        rows.append(trajectory(problem, f"{problem.id}/t1/0", 0, (Turn(attempt=wrong, feedback=None, n_tokens=0),)))
    return rows, {problem.id: problem for problem in found}


def _planted(task: Any, problem: Problem, right: Any, rng: random.Random) -> Iterator[Any]:
    while True:
        made = task.plant(problem, right, rng)
        if made and not task.is_correct(problem, made.attempt):
            yield made


def edited(params: Params, rows: list[Trajectory], by_id: dict[str, Problem], **said: Any) -> Edited:
    """What the stage's one call gives; `said` gets the metrics."""
    with asker_of(params, "edit t1") as asker:
        experts = chosen.experts(TASKS, params.problems, params.llms, asker)
        counts = lambda texts: [len(text) for text in texts]  # noqa: E731 (a stand-in for a tokenizer)
        found = apart(edit_all(rows, by_id, TASKS, experts, params.edit, counts, asker=asker))
        said.update(calls_used(asker))
    return found


@contextmanager
def expert_served(monkeypatch: pytest.MonkeyPatch, folder: Path, count: int, **config: Any) -> Iterator[Any]:
    """A server that answers as the scripts would, and rows for it."""
    rows, by_id = rows_and_problems(count)
    write_records(folder / "problems.jsonl", by_id.values())
    monkeypatch.setenv("TRIPOST_ANSWERS", str(folder / "problems.jsonl"))
    with served(monkeypatch, folder, **{"answer": ANSWER, "models": ["test-model"], **config}) as server:
        yield server, rows, by_id


def test_an_llm_that_says_what_the_script_says_gives_the_same_rows(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with expert_served(monkeypatch, tmp_path, 12, latency_ms=20, latency_jitter_ms=80) as (server, rows, by_id):
        params = served_params(server.base_url)
        kept, dropped, _ = edited(params, rows, by_id)
        assert dropped == []
        scripts = registry.scripts(TASKS)
        same, _, _ = apart(edit_all(rows, by_id, TASKS, scripts, params.edit, lambda texts: [len(t) for t in texts]))
        assert [row.id for row in kept] == [row.id for row in rows]
        for mine, theirs in zip(kept, same, strict=True):
            assert [turn.attempt.raw for turn in mine.turns] == [turn.attempt.raw for turn in theirs.turns]
            assert mine.turns[0].feedback is not None
            assert mine.turns[0].feedback.author == "llm:test-model"
        stats = server.stats()
        assert (stats.answered, stats.answered_more_than_once) == (2 * len(rows), 0)
        assert stats.most_in_flight > 5
        assert edited(params, rows, by_id) == (kept, [], [])
        assert server.stats().requests == stats.requests
    assert "48 replies used, 48 of them from the log; 0.0000 paid now" in capsys.readouterr().err


@pytest.mark.parametrize(
    "fault",
    ["429", "500", "503", "reset", "truncated_body", "empty_choices", "null_content", "invalid_json", "html"],
)
def test_what_passes_is_tried_again(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, fault: str) -> None:
    faults = {"faults": {fault: 1.0}, "fault_first_tries": 1}
    with expert_served(monkeypatch, tmp_path, 1, **faults) as (server, rows, by_id):
        kept, dropped, _ = edited(served_params(server.base_url), rows, by_id)
        assert (len(kept), dropped) == (2, [])
        assert server.stats().by_fault == {fault: 4}
        assert server.stats().answered_more_than_once == 0


def test_a_call_that_hangs_is_given_up_and_tried_again(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    faults = {"faults": {"timeout": 1.0}, "fault_first_tries": 1}
    with expert_served(monkeypatch, tmp_path, 1, **faults) as (server, rows, by_id):
        kept, _, _ = edited(served_params(server.base_url, {"timeout_s": 0.5}), rows, by_id)
        assert len(kept) == 2


@pytest.mark.parametrize(
    ("fault", "reason", "detail"),
    [
        ("500", "expert_failed", "server_error: "),
        ("reset", "expert_failed", "reset: "),
        ("truncated_body", "expert_failed", "truncated_body: "),
        ("empty_choices", "expert_failed", "empty_choice: "),
        ("invalid_json", "expert_failed", "invalid_json: "),
        ("429", "expert_failed", "rate_limited: "),
        ("length", "length", "it was cut off"),
        ("content_filter", "content_filter", "content_filter"),
        ("refusal", "refusal", "can't help"),
        ("not_the_schema", "malformed_feedback", "it does not name step, part and reason"),
    ],
)
def test_what_does_not_pass_is_named(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, fault: str, reason: str, detail: str
) -> None:
    with expert_served(monkeypatch, tmp_path, 1, faults={fault: 1.0}) as (server, rows, by_id):
        _, dropped, _ = edited(served_params(server.base_url, {"deadline_s": 1.0, "timeout_s": 1.0}), rows, by_id)
        assert [(row.stage, row.reason) for row in dropped] == [("edit", reason)] * 2
        assert all(detail in row.detail for row in dropped)


def test_failed_rows_are_asked_again_and_answered_ones_are_not(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    faults = {"faults": {"500": 0.6}, "seed": 3}
    with expert_served(monkeypatch, tmp_path, 10, **faults) as (server, rows, by_id):
        params = served_params(server.base_url, {"deadline_s": 0.5, "timeout_s": 0.5})
        kept, dropped, _ = edited(params, rows, by_id)
        assert kept
        assert {row.reason for row in dropped} == {"expert_failed"}
        assert f"{len(dropped)} of 20 rows got no answer (such as: server_error after" in capsys.readouterr().err
        answered = server.stats().answered
        server.configure(Config(key=KEY, answer=ANSWER))
        again, none, _ = edited(params, rows, by_id)
        assert (len(again), none) == (20, [])
        assert {row.id: row for row in again}.items() >= {row.id: row for row in kept}.items()
        stats = server.stats()
        assert (stats.answered, stats.answered_more_than_once) == (40, 0)
        assert answered < 40


def test_too_many_failed_rows_fail_the_stage(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    with expert_served(monkeypatch, tmp_path, 3, faults={"500": 1.0}) as (server, rows, by_id):
        params = served_params(server.base_url, {"deadline_s": 0.5, "timeout_s": 0.5}, max_failed_share=0.5)
        with pytest.raises(EndpointError, match=r"edit t1: 6 of 6 rows got no answer .* calls.max_failed_share: 0.5"):
            edited(params, rows, by_id)


@pytest.mark.parametrize(
    ("config", "says"),
    [
        ({"key": "sk-another-key"}, "calls.endpoints.llm: wrong_key: 401: .*; the endpoint does not take the key in"),
        (
            {"models": ["other"]},
            r"unknown_model: 404: .*; nothing is there; mend base_url, or llms.llm.model \(test-m",
        ),
        ({"faults": {"quota": 1.0}}, "no_quota: 429: .*; the account has no money left"),
    ],
)
def test_what_no_call_can_mend_stops_at_once_with_one_line(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, config: dict[str, Any], says: str
) -> None:
    with expert_served(monkeypatch, tmp_path, 20, latency_ms=30) as (server, rows, by_id):
        server.configure(Config(**{"key": KEY, "answer": ANSWER, "latency_ms": 30, **config}))
        with pytest.raises(EndpointError, match=says) as caught:
            edited(served_params(server.base_url), rows, by_id)
        assert "\n" not in str(caught.value)
        assert KEY not in str(caught.value)
        assert server.stats().requests <= 32  # those that were under way


def test_a_missing_key_is_named_and_nothing_is_asked(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    with expert_served(monkeypatch, tmp_path, 1) as (server, rows, by_id):
        monkeypatch.delenv("TRIPOST_TEST_KEY")
        with pytest.raises(
            EndpointError, match=r"calls\.endpoints\.llm\.key: the environment has no TRIPOST_TEST_KEY"
        ):
            edited(served_params(server.base_url), rows, by_id)
        assert server.stats().requests == 0


def test_nobody_there_stops_instead_of_failing_row_by_row(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    with expert_served(monkeypatch, tmp_path, 30) as (server, rows, by_id):
        server.stop()
        params = served_params(server.base_url, {"deadline_s": 0.5, "timeout_s": 0.5})
        with pytest.raises(EndpointError, match="20 requests in a row got no answer, the last: no_connection after"):
            edited(params, rows, by_id)


def test_an_endpoint_that_takes_no_schema_is_asked_without(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    with expert_served(monkeypatch, tmp_path, 3, no_structured=True) as (server, rows, by_id):
        kept, _, _ = edited(served_params(server.base_url, {"concurrency": 1}), rows, by_id)
        assert len(kept) == 6
        said = server.stats().by_status
        assert said[200] == 12
        assert said[400] <= 2  # the first, and one that was waiting beside it


def test_the_budget_is_never_passed_and_what_was_paid_is_kept(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    price = {"price": {"input": 0.0, "output": 1000.0}}
    with expert_served(monkeypatch, tmp_path, 20, latency_ms=20) as (server, rows, by_id):
        params = served_params(server.base_url, price, max_cost=2.0)
        with pytest.raises(
            EndpointError, match=r"calls.max_cost: .* of 2.0 are spent; a call may cost 0.[37]000; raise it, run dvc"
        ):
            edited(params, rows, by_id)
        log = ReplyLog(tmp_path / ".tripost" / "replies.jsonl")
        stats = server.stats()
        assert 0 < log.total_cost <= 2.0
        assert len(log) == stats.answered == stats.requests
        edited(served_params(server.base_url, price, max_cost=None), rows, by_id)
        assert server.stats().answered_more_than_once == 0


def says_the_key(body: Body) -> str:
    """A hostile endpoint, which knows the key from the header."""
    return f"Step: 1\nPart: x\nReason: {KEY}"


def test_the_key_is_in_no_output(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    with expert_served(monkeypatch, tmp_path, 2, answer="tests.test_llm_stage:says_the_key") as (server, rows, by_id):
        found = edited(served_params(server.base_url), rows, by_id)
        server.configure(Config(key=KEY, answer=ANSWER, faults={"500": 0.5, "reset": 0.5}))
        failed = edited(served_params(server.base_url, {"deadline_s": 0.5, "timeout_s": 0.5}), rows, by_id)
    written = b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
    assert b"***" in written
    assert KEY.encode() not in written
    assert KEY not in f"{found}{failed}{capfd.readouterr()}"


KILLED = """
import signal, sys
signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
from tests.test_llm_stage import edited, rows_and_problems, served_params
from tripost.shell.io import write_records
from pathlib import Path
rows, by_id = rows_and_problems(int(sys.argv[2]))
kept, dropped, _ = edited(served_params(sys.argv[1]), rows, by_id)
write_records(Path("edited.jsonl"), kept)
write_records(Path("dropped.jsonl"), dropped)
"""


def process(base_url: str, folder: Path, count: int) -> "subprocess.Popen[bytes]":
    environment = {**os.environ, "PYTHONPATH": f"{ROOT / 'src'}{os.pathsep}{ROOT}"}
    command = [sys.executable, "-c", KILLED, base_url, str(count)]
    return subprocess.Popen(command, env=environment, cwd=folder, stderr=subprocess.DEVNULL)


def test_killed_and_begun_again_it_asks_nothing_twice_that_was_logged(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    count = 40
    undisturbed, disturbed = tmp_path / "a", tmp_path / "b"
    undisturbed.mkdir()
    disturbed.mkdir()
    with expert_served(monkeypatch, tmp_path, count, latency_ms=100, faults={"500": 0.1}) as (server, _, _):
        assert process(server.base_url, undisturbed, count).wait() == 0
        before = server.stats()
        in_flight = 0
        log = disturbed / ".tripost" / "replies.jsonl"
        for wanted in (5, 40, 90):
            running = process(server.base_url, disturbed, count)
            while running.poll() is None and (not log.exists() or log.read_bytes().count(b"\n") < wanted):
                time.sleep(0.01)
            running.send_signal(signal.SIGKILL)
            running.wait()
            time.sleep(0.3)  # the server finishes what it was asked
            in_flight += server.stats().answered - before.answered - ReplyLog(log).__len__() - in_flight
        assert process(server.base_url, disturbed, count).wait() == 0
        after = server.stats()
    assert len(ReplyLog(log)) == 4 * count
    assert after.answered - before.answered == 4 * count + in_flight
    assert in_flight <= 3 * 64
    for name in ("edited.jsonl", "dropped.jsonl"):
        assert (disturbed / name).read_bytes() == (undisturbed / name).read_bytes()


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_what_is_under_way_at_an_interruption_comes_in_first(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, how: signal.Signals
) -> None:
    with expert_served(monkeypatch, tmp_path, 20, latency_ms=700) as (server, _, _):
        running = process(server.base_url, tmp_path, 20)
        while server.stats().in_flight < 5 and running.poll() is None:
            time.sleep(0.02)
        running.send_signal(how)
        assert running.wait(timeout=20) != 0
        stats = server.stats()
        assert len(ReplyLog(tmp_path / ".tripost" / "replies.jsonl")) == stats.answered == stats.requests >= 5


def test_two_runs_at_once_pay_for_each_request_once(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    count = 15
    with expert_served(monkeypatch, tmp_path, count, latency_ms=150) as (server, _, _):
        both = [process(server.base_url, tmp_path, count) for _ in "ab"]
        assert [one.wait(timeout=60) for one in both] == [0, 0]
        stats = server.stats()
    assert (stats.answered, stats.answered_more_than_once) == (4 * count, 0)
    assert len(ReplyLog(tmp_path / ".tripost" / "replies.jsonl")) == 4 * count


def test_rows_that_fail_alone_do_not_fail_the_next_run(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Only they are left to ask then, so nothing is answered: the log knows that the endpoint answers."""
    with expert_served(monkeypatch, tmp_path, 15, answer=f"{__name__}:fails_for_some") as (server, rows, by_id):
        params = served_params(server.base_url, {"deadline_s": 0.5, "timeout_s": 0.5})
        kept, dropped, _ = edited(params, rows, by_id)
        assert {row.reason for row in dropped} == {"expert_failed"}
        assert len(dropped) == 15
        assert len(kept) == 15
        assert edited(params, rows, by_id) == (kept, dropped, [])


def fails_for_some(body: Body) -> str:
    """Crashes, a 500 then, for one task."""
    said = body["messages"][-1]["content"]
    if "Sort the following" in said:
        raise ValueError("poison")
    return expert.answer(body)
