"""params.yaml is checked whole, before anything runs."""

import re
from pathlib import Path
from typing import Any

import pytest

from tests.toy import ROOT, raw_params
from tripost.errors import ParamsError
from tripost.params import Params
from tripost.params_file import check_params, load_params


def test_the_shipped_params_are_valid_and_cover_three_iterations() -> None:
    params = load_params(ROOT / "params.yaml")
    assert list(params.iterations) == ["t1", "t2", "t3"]
    assert params.rebalance.p == 0.43
    assert params.final == "t3"


def findings(raw: dict[str, Any]) -> list[str]:
    with pytest.raises(ParamsError) as error:
        check_params(raw)
    return str(error.value).splitlines()


def changed(path: str, value: Any) -> dict[str, Any]:
    raw = raw_params()
    *parents, last = path.split(".")
    section = raw
    for key in parents:
        section = section[key]
    section[last] = value
    return raw


@pytest.mark.parametrize(
    ("path", "value", "says"),
    [
        ("sede", 1, "sede: unknown key; did you mean 'seed'?"),
        ("rebalance.shortge", 1, "rebalance.shortge: unknown key; did you mean 'shortage'?"),
        ("rebalance.weights.atempt", 1.0, "rebalance.weights.atempt: unknown key; did you mean 'attempt'?"),
        ("problems.word_sorting.seeen", 1, "problems.word_sorting.seeen: unknown key; did you mean 'seen'?"),
        ("rebalance.p", 1.5, "rebalance.p: input should be less than or equal to 1 (found 1.5)"),
        ("rebalance.p", "some", "rebalance.p: input should be 'auto' or 'none' (found 'some')"),
        ("rollout.window", 0, "rollout.window: input should be greater than or equal to 1 (found 0)"),
        ("train.learning_rate", "1e-5", "train.learning_rate: input should be a valid number (found '1e-5')"),
        ("edit.check_reason", "on", "edit.check_reason: input should be a valid boolean (found 'on')"),
        ("train.tokens", 5.5, "train.tokens: input should be a valid integer"),
        ("problems.word_sorting.source", "web", "problems.word_sorting.source: input should be"),
        ("problems.word_sorting.source", "bbh", "problems.word_sorting: source: bbh needs a path"),
        ("train.epochs", 3, None),
        ("train.tokens", 3, "train: set exactly one of epochs and tokens, and the other to null"),
        ("final", "t9", "final: t9 is no iteration"),
        ("iterations.t2", {"prev": "t7"}, "iterations.t2.prev: t7 is no iteration"),
        ("iterations.t1", {"prev": "t2"}, "iterations.t1.prev: runs in a circle: t1 -> t2 -> t1"),
        ("iterations.x", {"prev": "t0"}, "iterations.x"),
        ("warmup", "none", None),
        ("warmup", "no", "warmup: input should be 'none' (found 'no')"),
        ("warmup.epochs", "x", "warmup.epochs: input should be a valid integer (found 'x')"),
        ("model.writes_feedback", "on", "model.writes_feedback: input should be a valid boolean"),
        ("edit.salvage", 1, "edit.salvage: input should be a valid boolean (found 1)"),
        ("problems.word_sorting.expert.improve", ["grader", "script"], None),
        ("problems.word_sorting.expert.improve", "gradr", "improve: unknown expert 'gradr'; did you mean 'grader'?"),
        (
            "problems.word_sorting.expert.improve",
            ["script", "x"],
            "improve: unknown expert 'x'; known: grader, llm, script",
        ),
        ("problems.word_sorting.expert.improve", [], "problems.word_sorting.expert.improve: tuple should have at"),
        (
            "problems.word_sorting.expert.improve",
            5,
            "problems.word_sorting.expert.improve: input should be a valid tup",
        ),
        ("problems.word_sorting.expert", "script", "problems.word_sorting.expert: input should be a valid dict"),
        ("problems.word_sorting.expert.judge", "script", "expert.judge: unknown key; known: feedback, improve"),
        ("problems.word_sorting.module", "x.py", "module: 'x.py' names no class in a file; write path/to/file.py:Cl"),
        ("problems.word_sorting.module", "a/b.py:C", None),
    ],
)
def test_each_error_names_the_key(path: str, value: Any, says: str | None) -> None:
    raw = changed(path, value)
    if says is None:
        assert isinstance(check_params(raw), Params)
        return
    found = findings(raw)
    assert any(says in line for line in found), found
    assert all(line.startswith("params.yaml: ") for line in found)


def test_a_section_that_is_wrong_is_not_told_to_be_a_word() -> None:
    for section in ("warmup", "rebalance.weights"):
        (line,) = findings(changed(f"{section}.more", 1))
        assert line.startswith(f"params.yaml: {section}.more: unknown key")


def test_a_task_that_nobody_registered_may_be_a_file_of_ones_own() -> None:
    raw = raw_params()
    raw["problems"]["mine"] = {**raw["problems"]["word_sorting"], "module": None}
    assert findings(raw)[0].startswith("params.yaml: problems.mine: unknown task")
    raw["problems"]["mine"]["module"] = "mine.py:Mine"
    assert isinstance(check_params(raw), Params), "whether the file is there is for `tripost check`"


def test_all_errors_are_reported_at_once() -> None:
    raw = changed("sede", 1)
    raw["rebalance"]["p"] = 7
    del raw["eval"]["batch_size"]
    text = "\n".join(findings(raw))
    assert "sede" in text
    assert "rebalance.p" in text
    assert "eval.batch_size: field required" in text


def test_numbers_are_read_as_dvc_reads_them(tmp_path: Path) -> None:
    shipped = (ROOT / "params.yaml").read_text(encoding="utf-8")
    text, changed = re.subn(r"learning_rate: \S+", "learning_rate: 1e-3", shipped)
    assert changed > 1
    (tmp_path / "params.yaml").write_text(text, encoding="utf-8")
    assert load_params(tmp_path / "params.yaml").train.learning_rate == 1e-3


@pytest.mark.parametrize("content", [b"seed: [1", b"\xff\xfe", b"", b"- 1", b"seed: !!python/object:os.system x"])
def test_unreadable_files_are_one_line(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "params.yaml").write_bytes(content)
    with pytest.raises(ParamsError) as error:
        load_params(tmp_path / "params.yaml")
    assert str(error.value).startswith(("params.yaml: ", "params.yaml:1: "))
    assert "\n" not in str(error.value)


def test_params_are_frozen() -> None:
    with pytest.raises(ValueError, match="frozen"):
        check_params(raw_params()).seed = 2


@pytest.mark.parametrize(
    ("name", "says"), [("train", "nothing to learn from"), ("validation", "nothing to measure on")]
)
def test_no_problems_at_all_are_refused_before_anything_runs(name: str, says: str) -> None:
    raw = raw_params()
    for source in raw["problems"].values():
        source.update({name: 0, "unseen_validation": 0})
    (line,) = findings(raw)
    assert line.startswith(f"params.yaml: problems: {name} is 0 for every task, there is {says}")
    raw["problems"]["word_sorting"].update({name: 1})
    if name == "validation":
        assert isinstance(check_params(raw), Params), "one task is enough"


def test_the_params_of_the_example_have_every_knob() -> None:
    params = load_params(ROOT / "examples" / "addition" / "params.yaml")
    assert [source.module for source in params.problems.values()] == ["examples/addition/addition.py:Addition"]
