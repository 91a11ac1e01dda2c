"""How an error reaches the terminal, and the small pure checks behind the messages."""

from pathlib import Path

import pytest

from tripost.chain import chain_flaws
from tripost.errors import LONGEST_LINE, DataError, GateError, ParamsError, one_line
from tripost.models.folder import names_a_folder


def test_a_line_is_printable_and_one_line() -> None:
    assert one_line("x\x1b[2J\r\n\u202ey\x00 \xa0é") == "x\\x1b[2J\\r\\n\\u202ey\\x00 \\xa0é"
    assert one_line("plain text; do that") == "plain text; do that"
    assert one_line(b"\xff".decode(errors="surrogateescape")) == "\\udcff"


@pytest.mark.parametrize("middle", ["x" * 10_000_000, "\x1b" * 1_000, "\U0001f600" * 700])
def test_a_long_line_keeps_its_ends(middle: str) -> None:
    line = one_line(f"rows.jsonl:7: {middle}; make it anew")
    assert len(line) <= LONGEST_LINE
    assert line.startswith("rows.jsonl:7: ")
    assert line.endswith("; make it anew")


def test_every_argument_is_a_line_of_its_own() -> None:
    assert ParamsError("a: x\n", "b: y").report() == "error: a: x\\n\nerror: b: y"
    assert GateError("failed; look", "  not_empty: 1").report() == "error: failed; look\n  not_empty: 1"
    assert str(DataError("f:1: no")) == "f:1: no"


@pytest.mark.parametrize(
    ("prev", "final", "says"),
    [
        ({}, "t0", []),
        ({"t1": "t0", "t2": "t1", "t3": "t1"}, "t2", []),
        ({"t1": "t9"}, "t1", ["iterations.t1.prev: t9 is no iteration; known: t0, t1"]),
        ({"t1": "t1"}, "t1", ["iterations.t1.prev: runs in a circle: t1 -> t1; let one of them start at t0"]),
        ({"t1": "t2", "t2": "t3", "t3": "t2"}, "t1", [
            "iterations.t1.prev: t2 must stand before t1; move t1 below it",
            "iterations.t2.prev: runs in a circle: t2 -> t3 -> t2; let one of them start at t0",
            "iterations.t3.prev: runs in a circle: t3 -> t2 -> t3; let one of them start at t0",
        ]),
        ({"t1": "t0"}, "t4", ["final: t4 is no iteration; known: t0, t1"]),
    ],
)  # fmt: skip
def test_the_chain_names_every_flaw(prev: dict[str, str], final: str, says: list[str]) -> None:
    assert chain_flaws(prev, final) == says


def test_what_may_be_a_name_on_the_hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert not names_a_folder("some/model")
    assert not names_a_folder("model")
    for source in ("./model", "/models/x", "a/b/c", "~/x"):
        assert names_a_folder(source)
    Path("imported").mkdir()
    assert names_a_folder("imported/mdoel")
