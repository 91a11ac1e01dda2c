"""Targets: rows that somebody forged, record files, `params.yaml`, problem files, and what reaches the screen."""

from copy import deepcopy
from datetime import date
from functools import lru_cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Literal, cast

import msgspec
from ruamel.yaml import YAML

from tests.fakes import ARITHMETIC, SCRIPT, WORDS
from tests.fuzz import task_targets, written
from tests.fuzz.bytes_reader import BytesReader
from tripost import registry
from tripost.cli.screen import clean, shorten
from tripost.errors import DataError, ParamsError
from tripost.params import Params, SourceParams
from tripost.params_file import check_params, load_params
from tripost.problems import check_rationales, collect
from tripost.records import Dropped, Example, Prediction, Problem, Record, Trajectory
from tripost.shell.io import load_problems, read_json, read_records
from tripost.text import unreadable_attempt

PARAMS = Path(__file__).parent.parent.parent / "params.yaml"
VALUES: tuple[Any, ...] = (
    "int", "", 1, None, "WeightParams", "literal[", True, 0, -1, 0.5, 1e-5, float("inf"), float("nan"), 10**5000, 2**31,
    "t1", "t2", "\x1b[31m", "\u202e", [], [1, [2]], [0.1, 0.2], {}, {"int": 1}, {"prev": "t0"}, {1: 2}, date(1, 1, 1), b"x",
)  # fmt: skip
SOURCES: tuple[Literal["tripost", "bbh", "jsonl"], ...] = ("tripost", "bbh", "jsonl")
KINDS: tuple[type[Record], ...] = (Problem, Trajectory, Dropped, Example, Prediction)


FOLDER = TemporaryDirectory(prefix="fuzz-", dir="/dev/shm" if Path("/dev/shm").is_dir() else None)


class Held:
    """A file that goes by another name than the one it is kept under, so that error lines are the same everywhere."""

    name, stem = "held.jsonl", "held"

    def __init__(self, content: bytes) -> None:
        self.path = Path(FOLDER.name) / "held"
        self.path.write_bytes(content)

    def __str__(self) -> str:
        return self.name

    def __fspath__(self) -> str:
        return str(self.path)


def held(content: bytes) -> Path:
    """The content as a Path."""
    return cast(Path, Held(content))


def rows(data: bytes) -> None:
    """Filter and gate take any row, also one whose fields say what its texts do not."""
    reader = BytesReader(data)
    x = written.problem(reader, reader.choice((ARITHMETIC, WORDS)))
    row = written.own_words(reader, x)
    for _ in range(reader.number(3)):
        row = written.forged(reader, row)
    task_targets.kept(row, x)


def records(data: bytes) -> None:
    """DataError, or records that are the same again after writing them."""
    reader = BytesReader(data)
    kind = reader.choice(KINDS)
    content = _changed_file(reader, b"".join(msgspec.json.encode(x) + b"\n" for x in _records(kind)))
    try:
        found = list(read_records(held(content), kind))
    except DataError as error:
        assert str(error).startswith(Held.name)
    else:
        assert list(read_records(held(b"".join(msgspec.json.encode(x) + b"\n" for x in found)), kind)) == found
    for read in (load_problems, read_json):
        try:
            read(held(content))
        except DataError as error:
            assert str(error).startswith(Held.name)


def _records(kind: type[Record]) -> list[Record]:
    x = written.known(ARITHMETIC)[0]
    row = written.own_words(BytesReader(b"\x01\x05\x00\x01\x00"), x)
    many: list[Record] = [x, row, Dropped(trajectory=row, stage="edit", reason="r", detail="d")]
    return [record for record in many if isinstance(record, kind)]


def _changed_file(reader: BytesReader, content: bytes) -> bytes:
    return reader.raw() if reader.number(4) == 0 else reader.changed(content.decode()).encode()


def params(data: bytes) -> None:
    """ParamsError, each finding a line that can be printed, or Params."""
    reader = BytesReader(data)
    try:
        if reader.number(4) == 0:
            found = load_params(held(reader.text().encode() if reader.flag() else reader.raw()))
        else:
            found = check_params(_changed_params(reader), Held.name)
    except ParamsError as error:
        assert all(line.startswith(Held.name) and line.isprintable() for line in str(error).split("\n"))
    else:
        assert isinstance(found, Params)


def _changed_params(reader: BytesReader) -> dict[Any, Any]:
    """The shipped params with some values replaced, and some keys that nobody knows."""
    raw: dict[Any, Any] = deepcopy(shipped())
    for _ in range(reader.number(5)):
        section = raw
        while reader.number(3):
            inner = reader.choice(list(section.values())) if section else None
            if not isinstance(inner, dict):
                break
            section = inner
        key = reader.choice([*section, *VALUES[:6]])
        section[key] = reader.choice((*VALUES, reader.words(), {reader.words(): reader.choice(VALUES)}))
    return raw


@lru_cache
def shipped() -> dict[str, Any]:
    """`params.yaml` as it is read."""
    raw: dict[str, Any] = YAML(typ="safe", pure=True).load(PARAMS.read_text(encoding="utf-8"))
    return raw


def sources(data: bytes) -> None:
    """DataError, or problems whose answer somebody can reach and nothing malformed can."""
    reader = BytesReader(data)
    task = registry.task(reader.choice((ARITHMETIC, WORDS)))
    source = reader.choice(SOURCES)
    seen = tuple(reader.choice((["length 3, depth [2]"], ["3 words"], ["5 words", "2 words"], [])))
    counts = dict.fromkeys(("train", "validation", "test", "unseen_validation", "unseen_test"), reader.number(3))
    asked = SourceParams(module=None, source=source, path="x", expert=SCRIPT, seen=seen, unseen=(), **counts)
    try:
        found = collect(task, asked, _source_rows(reader, task.name, source), seed=1)
    except DataError as error:
        assert str(error)
        return
    for x in found.problems:
        assert x.task == task.name
        assert not task.is_correct(x, unreadable_attempt("", "m_theta"))
    mended, findings = check_rationales(found.problems, task, registry.script(task.name))
    assert len(mended) == len(found.problems)
    assert all(finding["reason"] for finding in findings)


def _source_rows(reader: BytesReader, task: str, source: str) -> list[tuple[str, dict[str, Any]]]:
    """Rows as `read_rows` gives them: any JSON object, mostly in the shape of the source."""
    found: list[tuple[str, dict[str, Any]]] = []
    for number in range(1 + reader.number(4)):
        x = written.problem(reader, task)
        shapes = {
            "tripost": {"meta_data": {"question": x.question, "answer": x.answer.split(), "rationale": x.rationale}},
            "bbh": {"input": x.question, "target": x.answer},
            "jsonl": msgspec.to_builtins(x) | {"id": f"x{number}"},
        }
        text = reader.changed(msgspec.json.encode(shapes[source]).decode())
        try:
            found.append((f"f:{number}", msgspec.json.decode(text, type=dict[str, Any])))
        except (msgspec.DecodeError, RecursionError):
            continue
    return found


def screen(data: bytes) -> None:
    """Nothing that a terminal would obey, and nothing that is lost without saying so."""
    text = BytesReader(data).text() if len(data) % 2 else data.decode("utf-8", "surrogateescape")
    shown = clean(text)
    assert all(c.isprintable() or c in "\n\t" for c in shown)
    assert clean(shown) == shown
    assert len(shorten(text, 100)) <= 100 * 10 + 40
