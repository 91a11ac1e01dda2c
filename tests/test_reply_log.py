"""The log of replies: nothing that was answered is lost, whoever writes, dies or tears a line."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.toy import ROOT
from tripost.chat import reply_log
from tripost.chat.reply_log import ReplyLog
from tripost.chat.request import Message, Reply, Request, reply_of
from tripost.errors import DataError


def request(text: str = "x", **changes: Any) -> Request:
    row = Request(
        llm="llm",
        task="t",
        purpose="feedback",
        model="m",
        messages=(Message("system", "s"), Message("user", text)),
        temperature=0.0,
        max_tokens=5,
        schema="",
        sample=0,
    )
    return msgspec.structs.replace(row, **changes)


def reply(text: str = "x", said: str = "yes", cost: float = 0.5) -> Reply:
    return reply_of(request(text), said, "stop", "", (3, 1), cost)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "replies.jsonl"


def test_what_was_written_is_there_for_the_next_process(path: Path) -> None:
    log = ReplyLog(path)
    assert log.get(request().key) is None
    log.append(reply())
    assert log.get(request().key) == reply()
    again = ReplyLog(path)
    assert (again.get(request().key), len(again), again.total_cost) == (reply(), 1, 0.5)
    assert path.stat().st_mode & 0o077 == 0


@pytest.mark.parametrize(
    "changes",
    [
        {"model": "n"},
        {"messages": (Message("system", "S"), Message("user", "x"))},
        {"messages": (Message("user", "s"), Message("user", "x"))},
        {"temperature": None},
        {"temperature": 0.1},
        {"max_tokens": 6},
        {"schema": "{}"},
        {"sample": 1},
    ],
)
def test_the_key_is_of_all_that_shapes_the_answer(changes: dict[str, Any]) -> None:
    assert request(**changes).key != request().key


@pytest.mark.parametrize("changes", [{"llm": "other"}, {"task": "other"}, {"purpose": "improve"}])
def test_the_key_is_of_nothing_else(changes: dict[str, Any]) -> None:
    assert request(**changes).key == request().key


@given(cut=st.integers(min_value=1, max_value=400), rest=st.binary(max_size=40))
def test_a_torn_line_costs_itself_alone(tmp_path_factory: pytest.TempPathFactory, cut: int, rest: bytes) -> None:
    path = tmp_path_factory.mktemp("log") / "replies.jsonl"
    log = ReplyLog(path)
    log.append(reply("a"))
    whole = path.read_bytes()
    path.write_bytes(whole + msgspec.json.encode(reply("b"))[:cut] + rest.replace(b"\n", b""))
    log = ReplyLog(path)
    assert (log.get(request("a").key), log.get(request("b").key)) == (reply("a"), None)
    log.append(reply("c"))
    assert [row.asked[0].content for row in ReplyLog(path).replies()] == ["a", "c"]
    assert path.read_bytes().startswith(whole)


def test_a_broken_line_within_is_passed_over_and_counted(path: Path) -> None:
    log = ReplyLog(path)
    log.append(reply("a"))
    with path.open("ab") as file:
        file.write(b"{nonsense\n\xff\xfe\n" + b"[" * 5_000 + b"\n")
    log = ReplyLog(path)
    log.append(reply("b"))
    assert (len(log), log.broken) == (2, 3)


def test_a_line_that_is_no_reply_is_named(path: Path) -> None:
    path.write_bytes(b'{"key": "k", "cost": 1.0}\n')
    with pytest.raises(DataError, match="the line at byte 0 is no reply"):
        ReplyLog(path).get("k")


def test_of_two_with_one_key_the_first_counts_and_both_were_paid(path: Path) -> None:
    one, two = ReplyLog(path), ReplyLog(path)
    one.append(reply(said="first"))
    two.append(reply(said="second"))
    for log in (one, two, ReplyLog(path)):
        found = log.get(request().key)
        assert found is not None
        assert (found.text, log.total_cost) == ("first", 1.0)


def test_a_pruned_log_is_seen_by_those_who_have_it_open(path: Path) -> None:
    one, two = ReplyLog(path), ReplyLog(path)
    for name in "abc":
        one.append(reply(name))
    assert two.get(request("b").key) == reply("b")
    two.append(reply("late"))
    assert one.drop({request("a").key, "unknown"}) == 1
    assert path.stat().st_mode & 0o077 == 0
    two.append(reply("d"))
    assert (two.get(request("d").key), two.get(request("c").key)) == (reply("d"), reply("c"))
    assert two.get(request("a").key) is None
    assert [row.asked[0].content for row in one.replies()] == ["b", "c", "late", "d"]


def test_a_link_in_its_place_is_refused(path: Path) -> None:
    path.symlink_to(path.parent / "elsewhere")
    log = ReplyLog(path)
    with pytest.raises(OSError, match="replies"):
        log.append(reply())
    assert not (path.parent / "elsewhere").exists()


WRITER = """
import sys
from pathlib import Path
from tests.test_reply_log import ReplyLog, reply
log = ReplyLog(Path(sys.argv[1]))
print("ready", flush=True)
for k in range(int(sys.argv[3])):
    log.append(reply(f"{sys.argv[2]}-{k}", said="y" * 3000))
    print(k, flush=True)
"""


def writer(path: Path, name: str, count: int) -> "subprocess.Popen[str]":
    environment = {**os.environ, "PYTHONPATH": f"{ROOT / 'src'}{os.pathsep}{ROOT}"}
    command = [sys.executable, "-c", WRITER, str(path), name, str(count)]
    return subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True, cwd=path.parent)


def test_several_processes_write_and_one_is_killed(path: Path) -> None:
    writers = [writer(path, name, 150) for name in "ab"]
    victim = writer(path, "victim", 100_000)
    assert victim.stdout is not None
    while victim.stdout.readline() != "40\n":
        pass
    time.sleep(0.01)
    victim.send_signal(signal.SIGKILL)
    said = [line for line in victim.communicate()[0].split() if line.isdigit()]
    for process in writers:
        process.communicate()
        assert process.returncode == 0
    log = ReplyLog(path)
    names = [row.asked[0].content for row in log.replies()]
    wanted = {f"{name}-{k}" for name in "ab" for k in range(150)} | {f"victim-{k}" for k in said}
    assert wanted <= set(names)
    assert len(names) == len(set(names))
    assert log.broken == 0


def test_a_line_that_is_too_long_is_passed_over(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reply_log, "MAX_LINE", 1_000)
    with path.open("wb") as file:
        file.write(b'{"key": "' + b"x" * 5_000 + b'"}\n')
    log = ReplyLog(path)
    log.append(reply("a"))
    assert (log.broken, log.get(request("a").key)) == (1, reply("a"))
    assert ReplyLog(path).get(request("a").key) == reply("a")


def test_nobody_gets_money_back(path: Path) -> None:
    log = ReplyLog(path)
    log.append(reply("a", cost=-5.0))
    log.append(reply("b", cost=2.0))
    log.charge(request("c"), "empty_choice", 0.25)
    assert ReplyLog(path).total() == log.total() == 2.25
    assert (len(log), log.charges) == (2, 1)
