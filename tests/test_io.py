"""Records on disk: round trips, `file:line` errors, whole or not at all."""

from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.fakes import ARITHMETIC, arithmetic_problem, problems
from tests.test_filter import GOOD, X
from tripost.errors import DataError
from tripost.records import Attempt, Dropped, Example, Feedback, Problem, Segment, Step, Trajectory, Turn
from tripost.shell.io import (
    file_sha256,
    load_problems,
    load_trajectories,
    read_json,
    read_records,
    write_json,
    write_records,
)
from tripost.shell.lines import MAX_LINE_BYTES

TEXT = st.text(max_size=30)
RAW = msgspec.json.encode(X)
ATTEMPTS = st.builds(
    Attempt,
    steps=st.lists(st.builds(Step, label=TEXT, text=TEXT), max_size=3).map(tuple),
    final=st.none() | TEXT,
    final_text=TEXT,
    raw=TEXT,
    author=TEXT,
)
FEEDBACK = st.builds(
    Feedback, text=TEXT, wrong_step=st.none() | st.integers(1, 9), wrong_part=TEXT, reason=TEXT, author=TEXT,
    malformed=st.booleans(),
)  # fmt: skip
TRAJECTORIES = st.builds(
    Trajectory,
    id=TEXT,
    task=TEXT,
    problem_id=TEXT,
    question_sha256=TEXT,
    seed=st.integers(0, 2**63 - 1),
    turns=st.lists(
        st.builds(Turn, attempt=ATTEMPTS, feedback=st.none() | FEEDBACK, n_tokens=st.integers(0, 9999)), max_size=3
    ).map(tuple),
)


@given(TRAJECTORIES)
def test_trajectories_round_trip(row: Trajectory) -> None:
    assert msgspec.json.decode(msgspec.json.encode(row), type=Trajectory) == row


@given(st.binary(max_size=200))
def test_reading_anything_raises_only_our_error(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    path = tmp_path_factory.mktemp("any") / "x.jsonl"
    path.write_bytes(content)
    try:
        rows = len(list(read_records(path, Problem)))
    except DataError as error:
        rows = -1 if str(path) in str(error) else -2
    assert rows in (-1, content.count(b"\n"))


def test_files_round_trip_and_equal_content_is_equal_bytes(tmp_path: Path) -> None:
    many = problems(ARITHMETIC, 5)
    assert write_records(tmp_path / "a.jsonl", many) == 5
    write_records(tmp_path / "b.jsonl", iter(many))
    assert list(read_records(tmp_path / "a.jsonl", Problem)) == many
    assert file_sha256(tmp_path / "a.jsonl") == file_sha256(tmp_path / "b.jsonl")
    example = Example(
        id="e",
        kind="correct",
        task="t",
        problem_id="p",
        segments=(Segment(part="attempt", text="\u2028 \n", weight=1.5),),
    )
    dropped = Dropped(trajectory=GOOD, stage="edit", reason="r", detail="d")
    for record in (example, dropped):
        write_records(tmp_path / "c.jsonl", [record])
        assert list(read_records(tmp_path / "c.jsonl", type(record))) == [record]


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (RAW + b"\n" + RAW[:50] + b"\n", ":2: not JSON"),
        (RAW + b"\n" + RAW, ":2: the last line is not complete"),
        (b"\xff\xfe{}\n", ":1: not UTF-8: invalid start byte; make it anew: dvc repro"),
        (
            RAW.replace(b'"seen":true', b'"seen":"yes"') + b"\n",
            ":1: not a Problem: Expected `bool`, got `str` - at `$.seen`",
        ),
        (RAW.replace(b'"seen":true,', b"") + b"\n", ":1: not a Problem: Object missing required field `seen`"),
        (RAW.replace(b'"seen":true', b'"seen":true,"more":1') + b"\n", "unknown field `more`"),
        (
            RAW.replace(b'"schema_version":1', b'"schema_version":2') + b"\n",
            "made by a newer version (schema_version 2); update tripost",
        ),
        (
            RAW.replace(b'"schema_version":1', b'"schema_version":0') + b"\n",
            "made by an older version (schema_version 0); make it anew: dvc repro",
        ),
        (b'{"x":' + b"[" * 100_000 + b"\n", ":1: not"),
    ],
)
def test_bad_lines_are_named(tmp_path: Path, content: bytes, says: str) -> None:
    path = tmp_path / "bad.jsonl"
    path.write_bytes(content)
    with pytest.raises(DataError) as error:
        list(read_records(path, Problem))
    assert says in str(error.value)
    assert str(error.value).startswith(f"{path}:")
    assert len(str(error.value).splitlines()) == 1


def test_a_line_without_end_is_bounded(tmp_path: Path) -> None:
    path = tmp_path / "long.jsonl"
    path.write_bytes(b'"' + b"a" * (MAX_LINE_BYTES + 10))
    with pytest.raises(DataError, match="a line of more than"):
        list(read_records(path, Problem))


def test_missing_files_ids_twice_and_strangers(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"nothing\.jsonl: cannot be read"):
        load_problems(tmp_path / "nothing.jsonl")
    write_records(tmp_path / "p.jsonl", [X, X])
    with pytest.raises(DataError, match=r"p\.jsonl:2: the id 'x1' stands in an earlier line"):
        load_problems(tmp_path / "p.jsonl")
    write_records(tmp_path / "t.jsonl", [GOOD])
    with pytest.raises(DataError, match=r"t\.jsonl:1: no problem has the id 'x1'"):
        load_trajectories(tmp_path / "t.jsonl", {})
    other = msgspec.structs.replace(arithmetic_problem(), question="another =")
    with pytest.raises(DataError, match=r"t\.jsonl:1: the question of 'x1' has changed"):
        load_trajectories(tmp_path / "t.jsonl", {"x1": other})
    assert list(load_trajectories(tmp_path / "t.jsonl", {"x1": X})) == [GOOD]
    write_records(tmp_path / "e.jsonl", [msgspec.structs.replace(GOOD, turns=())])
    with pytest.raises(DataError, match="a trajectory without turns"):
        load_trajectories(tmp_path / "e.jsonl", {"x1": X})


def test_an_error_while_writing_leaves_what_was_there(tmp_path: Path) -> None:
    path = tmp_path / "p.jsonl"
    write_records(path, [X])
    before = path.read_bytes()

    def broken() -> "list[Problem]":
        raise RuntimeError("power cut")

    with pytest.raises(RuntimeError):
        write_records(path, (row for _ in range(1) for row in broken()))
    assert path.read_bytes() == before
    assert [p.name for p in tmp_path.iterdir()] == ["p.jsonl"]


def test_json_is_sorted_rounded_and_read_back(tmp_path: Path) -> None:
    write_json(tmp_path / "m.json", {"b": 1 / 3, "a": {"z": (1, 2.00000049)}})
    assert (
        tmp_path / "m.json"
    ).read_text() == '{\n  "a": {\n    "z": [\n      1,\n      2.0\n    ]\n  },\n  "b": 0.333333\n}\n'
    assert read_json(tmp_path / "m.json")["b"] == 0.333333
    (tmp_path / "m.json").write_text("[1]")
    with pytest.raises(DataError, match="not as it was written: Expected `object`, got `array`; make it anew"):
        read_json(tmp_path / "m.json")
