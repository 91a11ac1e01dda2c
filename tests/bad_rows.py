"""Bad files: what a stage reads of earlier stages or from outside, and how it is spoilt."""

import json
from collections.abc import Callable
from pathlib import Path

import msgspec

from tests.bad_world import OWN, Case, Spoil, both, fields, gone, params, sign, text, write_params
from tests.fakes import ARITHMETIC, WORDS, arithmetic_problem, problems
from tripost.shell.io import write_records

OWN_ROWS = params(**{"problems.word_sorting.source": "jsonl", "problems.word_sorting.path": str(OWN)})
REPLAY = params(**{"rebalance.replay": "all"})
D = "data/t1"


def _lines(change: Callable[[list[bytes]], list[bytes]]) -> Callable[[str], Spoil]:
    def of(path: str) -> Spoil:
        def spoil(root: Path) -> None:
            (root / path).write_bytes(b"".join(change((root / path).read_bytes().splitlines(keepends=True))))

        return spoil

    return of


def _row(**changes: object) -> Callable[[str], Spoil]:
    """Other fields in the first line; "gone" takes one out."""

    def change(lines: list[bytes]) -> list[bytes]:
        row = {key: value for key, value in {**json.loads(lines[0]), **changes}.items() if value != "gone"}
        return [json.dumps(row).encode() + b"\n", *lines[1:]]

    return _lines(change)


def _endless(path: str) -> Spoil:
    def spoil(root: Path) -> None:
        with (root / path).open("wb") as file:
            file.truncate(100_000_000)  # NUL bytes, which take no room on the disk

    return spoil


def _rows(path: str, stage: str, field: str, then: Spoil | None = None) -> list[Case]:
    """All that can be wrong with a file of records; `field` holds text. `then`: what makes the rest fit to it."""
    flaws: list[tuple[str, Callable[[str], Spoil]]] = [
        ("a malformed line", _lines(lambda rows: [b'{"id": oops}\n', *rows])),
        ("cut off", _lines(lambda rows: [rows[0][:-9]])),
        ("empty", _lines(lambda rows: [])),
        ("not UTF-8", _lines(lambda rows: [b'{"id": "\xff"}\n', *rows])),
        ("a field missing", _row(**{field: "gone"})),
        ("a field too many", _row(more=1)),
        ("a mistyped field", _row(**{field: 7})),
        ("of an older version", _row(schema_version=0)),
        ("of a newer version", _row(schema_version=2, added=1)),
        ("a line of 100 MB", _endless),
    ]
    name = Path(path).name
    return [Case(f"{name}: {what}", stage, both(bad(path), then) if then else bad(path)) for what, bad in flaws]


def _train_in_test(root: Path) -> None:
    """A question of train that stands in test, under another id and in other letters."""
    x = arithmetic_problem()
    twin = msgspec.structs.replace(x, id="twin", question=x.question.replace(" ", "  "), split="test")
    write_records(root / "data/problems/test.jsonl", [twin])


def _two_tasks(root: Path) -> None:
    """A row of the other task, with an id that stands in the own file."""
    write_params(root, **{f"problems.{name}.{key}": value for name in (ARITHMETIC, WORDS) for key, value in
                          (("source", "jsonl"), ("path", f"imported/{name}.jsonl"))})  # fmt: skip
    for name in (ARITHMETIC, WORDS):
        row = msgspec.structs.replace(problems(name, 1)[0], id="one id")
        write_records(root / f"imported/{name}.jsonl", [row])


def _own(what: str, change: Callable[[str], Spoil]) -> Case:
    return Case(f"own problems: {what}", "problems", both(OWN_ROWS, change(str(OWN))))


def _foreign(source: str, what: str, content: str | bytes) -> Case:
    path = f"imported/{source}.json"
    named = params(**{"problems.word_sorting.source": source, "problems.word_sorting.path": path})
    return Case(f"{source}: {what}", "problems", both(named, text(path, content)))


CASES = [
    *_rows("data/problems/train.jsonl", "rollout", "question"),
    *_rows(f"{D}/rollout.jsonl", "edit", "problem_id"),
    *_rows(f"{D}/edited.jsonl", "validate", "problem_id"),
    # No probes at all is a warning of the gate, not an error of the file.
    *(case for case in _rows(f"{D}/probes.jsonl", "validate", "problem_id") if case.what != "probes.jsonl: empty"),
    *_rows(f"{D}/kept.jsonl", "rebalance", "problem_id", sign),
    *_rows(f"{D}/examples.jsonl", "train", "problem_id", sign),
    *_rows("eval/t0/predictions.jsonl", "track", "problem_id"),
    Case("predictions of the iteration before, malformed", "eval", text("eval/t0/predictions.jsonl", "{}\n")),
    Case("validation.jsonl is empty", "eval", text("data/problems/validation.jsonl", "")),
    Case("no train.jsonl", "warmup", gone("data/problems/train.jsonl")),
    Case("two problems with one id", "rollout", _lines(lambda rows: [*rows, rows[0]])("data/problems/train.jsonl")),
    Case("a train question that is in test", "validate", _train_in_test),
    Case(
        "a trajectory of no problem, its id an escape sequence",
        "edit",
        _row(problem_id="\x1b[2J\nerror: fine")(f"{D}/rollout.jsonl"),
    ),
    Case("a field's name that is an escape sequence", "edit", _row(**{"\x1b[2J\n": 1})(f"{D}/rollout.jsonl")),
    Case("a trajectory whose question has changed", "edit", _row(question_sha256="0")(f"{D}/rollout.jsonl")),
    Case("a trajectory of another task than its problem", "edit", _row(task=WORDS)(f"{D}/rollout.jsonl")),
    Case("a trajectory without turns", "validate", _row(turns=[])(f"{D}/edited.jsonl")),
    Case("a probe that was not judged", "validate", _row(feedback=None, cannot_judge=None)(f"{D}/probes.jsonl")),
    Case("two trajectories with one id", "validate", _lines(lambda rows: [*rows, rows[0]])(f"{D}/edited.jsonl")),
    Case(
        "pool.jsonl cut off",
        "rebalance",
        both(REPLAY, _lines(lambda rows: [rows[0][:-9]])("data/t0/pool.jsonl"), sign),
    ),
    Case("pool.jsonl changed", "rebalance", text("data/t0/pool.jsonl", "")),
    Case("pool.meta.json is a list", "rebalance", text("data/t0/pool.meta.json", "[]")),
    Case("edit.json without shares", "rebalance", text(f"{D}/edit.json", "{}")),
    Case(
        "edit.json: a share above 1",
        "rebalance",
        text(f"{D}/edit.json", '{"wrong_first_attempts": {"word_sorting": 1.5}}'),
    ),
    Case(
        "edit.json: a share that is text",
        "rebalance",
        text(f"{D}/edit.json", '{"wrong_first_attempts": {"word_sorting": "all"}}'),
    ),
    Case("edit.json is null", "rebalance", text(f"{D}/edit.json", "null")),
    Case("edit.json nested without end", "rebalance", text(f"{D}/edit.json", '{"a": ' + "[" * 100_000)),
    Case(
        "edit.json: a number of 5,000 digits",
        "rebalance",
        text(f"{D}/edit.json", '{"wrong_first_attempts": {"a": ' + "9" * 5000 + "}}"),
    ),
    Case(
        "p: auto, and no share for the task",
        "rebalance",
        both(params(**{"rebalance.p": "auto"}), text(f"{D}/edit.json", '{"wrong_first_attempts": {}}')),
    ),
    Case("no report.json", "rebalance", gone(f"{D}/report.json")),
    Case("report.json is a list", "rebalance", text(f"{D}/report.json", "[1]")),
    Case("report.json cut off", "train", text(f"{D}/report.json", '{"success": tr')),
    Case(
        "report.json of another shape", "train", text(f"{D}/report.json", '{"success": [true], "failed": {"a": 1}}')
    ),
    Case("report.json says failed", "train", fields(f"{D}/report.json", success=False, failed=["not_held_out"])),
    Case("report.json of other bounds", "train", params(**{"validate.min_rows": 9})),
    Case("kept.jsonl changed since the gate", "rebalance", _lines(lambda rows: rows * 2)(f"{D}/kept.jsonl")),
    Case("examples.jsonl changed", "train", _lines(lambda rows: rows[1:])(f"{D}/examples.jsonl")),
    Case("no examples.meta.json", "train", gone(f"{D}/examples.meta.json")),
    Case("examples.meta.json is not UTF-8", "train", text(f"{D}/examples.meta.json", b'{"a": "\xff"}')),
    Case("metrics.json is empty", "track", text("eval/t1/metrics.json", "")),
    Case("a loss curve without its columns", "track", text("models/t1.loss.csv", "a,b\n1,2\n")),
    Case("a loss curve with a word", "track", text("models/t1.loss.csv", "step,loss\n1,much\n")),
    Case("a loss curve that is not UTF-8", "track", text("models/t1.loss.csv", b"step,loss\n1,\xff\n")),
    Case("a loss curve that is empty", "track", text("models/t1.loss.csv", "")),
    _own("a malformed line", _lines(lambda rows: [b"{'id': 1}\n", *rows])),
    _own("empty", _lines(lambda rows: [b"\n"])),
    _own("cut off", _lines(lambda rows: [rows[0][:-9]])),
    _own("not UTF-8", _lines(lambda rows: [b'{"id": "\xff"}\n'])),
    _own("a field missing", _row(licence="gone")),
    _own("a field too many", _row(more=1)),
    _own("a mistyped field", _row(seen="yes")),
    _own("of an older version", _row(schema_version=0)),
    _own("of a newer version", _row(schema_version=2)),
    _own("a line of 100 MB", _endless),
    _own("two problems with one id", _lines(lambda rows: [*rows, rows[0]])),
    _own("of another task", _row(task="multistep_arithmetic")),
    _own("unseen, but in train", _row(seen=False, split="train")),
    _own("an empty answer", _row(answer=" ")),
    _own("control characters in the question", _row(question="\x1b[2J")),
    Case("own problems: no such file", "problems", both(OWN_ROWS, gone(str(OWN)))),
    Case("own problems: one id in two tasks", "problems", both(OWN_ROWS, _two_tasks)),
    _foreign("tripost", "another shape", '{"x": 1}\n'),
    _foreign("tripost", "meta_data is a list", '{"meta_data": [1]}\n'),
    _foreign(
        "tripost",
        "not a question of the task",
        '{"meta_data": {"question": "Why?", "answer": "a", "rationale": ""}}\n',
    ),
    _foreign("tripost", "a malformed line", "{\n"),
    _foreign("bbh", "no examples", "{}"),
    _foreign("bbh", "an empty list", '{"examples": []}'),
    _foreign("bbh", "examples of another shape", '{"examples": [1]}'),
    _foreign("bbh", "a field missing", '{"examples": [{"input": "Sort"}]}'),
    _foreign("bbh", "cut off", '{"examples": [{"inp'),
    _foreign("bbh", "not UTF-8", b'{"examples": ["\xff"]}'),
]
