"""`tripost replies`: what is in the log, and taking something out of it."""

from pathlib import Path

import msgspec
import pytest

from tests.bad_world import write_params
from tests.test_reply_log import reply
from tripost.chat.reply_log import ReplyLog
from tripost.chat.request import Reply
from tripost.cli import main
from tripost.shell.runs import Run, note

PATH = Path(".tripost/replies.jsonl")


@pytest.fixture
def log(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ReplyLog:
    monkeypatch.chdir(tmp_path)
    found = ReplyLog(tmp_path / PATH)
    for name in "abc":
        found.append(reply(name))
    found.append(
        msgspec.structs.replace(reply("cut"), finish="length", task="dates", purpose="improve", model="big\x1b")
    )
    return found


def said(capsys: pytest.CaptureFixture[str], *words: str) -> str:
    assert main(["replies", *words]) is None
    return capsys.readouterr().out


def test_it_counts_by_task_role_and_model(log: ReplyLog, capsys: pytest.CaptureFixture[str]) -> None:
    write_params(Path())
    note(Run(stage="edit@t1 asking", seconds=1.0, used=8, known=4))
    lines = said(capsys).splitlines()
    rows = [line.split() for line in lines[1:3]]
    assert rows == [
        ["dates", "improve", "big\\x1b", "1", "3", "1", "0.5000", "1", "length"],
        ["t", "feedback", "m", "3", "9", "3", "1.5000", "-"],
    ]
    assert lines[-2].startswith("4 replies, ")
    assert lines[-2].endswith("cost 2.0000 of 5.00 (calls.max_cost)")
    assert lines[-1] == "8 used by 1 runs of stages; 4 of them (50 %) were in the log"


def test_what_goes_is_said_first_and_goes_with_yes(log: ReplyLog, capsys: pytest.CaptureFixture[str]) -> None:
    assert said(capsys, "prune", "--outcome", "length").startswith("1 replies that cost 0.5000 would go")
    assert len(ReplyLog(PATH)) == 4
    assert said(capsys, "prune", "--outcome", "length", "--yes") == "1 replies that cost 0.5000 are gone\n"
    assert [row.outcome for row in ReplyLog(PATH).replies()] == ["answered"] * 3


def test_broken_lines_go_alone(log: ReplyLog, capsys: pytest.CaptureFixture[str]) -> None:
    with PATH.open("ab") as file:
        file.write(b"{no\n")
    assert "1 lines that are none (prune --broken)" in said(capsys)
    assert said(capsys, "prune", "--broken", "--yes") == "0 replies that cost 0.0000 and 1 broken lines are gone\n"
    again = ReplyLog(PATH)
    assert (len(again), again.broken) == (4, 0)


def test_nothing_is_pruned_unless_it_is_named(log: ReplyLog, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["replies", "prune", "--yes"]) == 1
    assert "say which: --task" in capsys.readouterr().err
    assert len(ReplyLog(PATH)) == 4


def test_the_export_holds_what_was_asked_and_overwrites_nothing(
    log: ReplyLog, capsys: pytest.CaptureFixture[str]
) -> None:
    said(capsys, "export", "out.jsonl", "--task", "t")
    rows = [msgspec.json.decode(line, type=Reply) for line in Path("out.jsonl").read_bytes().splitlines()]
    assert [row.asked[0].content for row in rows] == ["a", "b", "c"]
    assert said(capsys, "export", "-", "--role", "improve").count("\n") == 1
    assert main(["replies", "export", "out.jsonl"]) == 1
    assert "is there already" in capsys.readouterr().err


def test_without_a_log_it_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert "no LLM has answered yet" in said(capsys)
    assert not PATH.exists()
