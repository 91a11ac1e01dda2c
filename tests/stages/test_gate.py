"""The gate stops the pipeline: validate fails, and rebalance and train refuse what it did not pass."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest

from stages import rebalance, train, validate
from tests.fakes import problems
from tests.test_edit import WRONG
from tests.test_filter import GOOD, OK, X, row
from tests.toy import toy_params
from tripost.errors import GateError
from tripost.layout import PAPER_LAYOUT
from tripost.lengths import with_token_counts
from tripost.models.encode import TokenCounter
from tripost.params import Params
from tripost.records import Dropped, Trajectory
from tripost.shell.guards import pool_meta_of
from tripost.shell.io import read_json, read_records, write_json, write_records


class Folder:
    """One iteration's files behind edit, and the three stages on them."""

    def __init__(self, toy: SimpleNamespace, root: Path, rows: list[Trajectory]) -> None:
        self.toy, self.root, self.d = toy, root, root / "data" / "t1"
        counter = TokenCounter(str(toy.models / "base"))
        write_records(root / "problems" / "train.jsonl", [X])
        for split in ("validation", "test"):
            held_out = [msgspec.structs.replace(p, split=split) for p in problems(X.task, 3)]
            write_records(root / "problems" / f"{split}.jsonl", held_out)
        write_records(self.d / "edited.jsonl", with_token_counts(rows, {X.id: X}, counter.count_tokens, PAPER_LAYOUT))
        write_records(self.d / "probes.jsonl", [])
        write_json(self.d / "edit.json", {"wrong_first_attempts": {X.task: 0.5}})
        pool = root / "data" / "t0" / "pool.jsonl"
        write_records(pool, [])
        write_json(root / "data" / "t0" / "pool.meta.json", pool_meta_of(pool))

    def validate(self, params: Params) -> None:
        d = self.d
        validate.main(
            params, problems=self.root / "problems", edited=d / "edited.jsonl", probes=d / "probes.jsonl", model=self.toy.models / "base",
            out=d / "kept.jsonl", dropped=d / "validate.dropped.jsonl", report=d / "report.json",
            page=d / "report.html", counts=d / "validate.json", quarantine=self.root / "quarantine", t="t1",
        )  # fmt: skip

    def rebalance(self, params: Params) -> None:
        d = self.d
        rebalance.main(
            params, problems=self.root / "problems", model=self.toy.models / "base", kept=d / "kept.jsonl", report=d / "report.json",
            edited=d / "edit.json", previous_pool=self.root / "data" / "t0" / "pool.jsonl",
            previous_pool_meta=self.root / "data" / "t0" / "pool.meta.json", pool_meta=d / "pool.meta.json",
            out=d / "examples.jsonl",
            meta=d / "examples.meta.json", dropped=d / "rebalance.dropped.jsonl", pool=d / "pool.jsonl",
            counts=d / "rebalance.json", t="t1",
        )  # fmt: skip

    def train(self, params: Params) -> None:
        d, models = self.d, self.root / "models"
        train.main(
            params, model=self.toy.models / "t0", examples=d / "examples.jsonl", meta=d / "examples.meta.json",
            report=d / "report.json", out=models / "t1", loss=models / "t1.loss.csv", counts=models / "t1.json", t="t1",
        )  # fmt: skip


def params(min_rows: int, **changes: Any) -> Params:
    found = toy_params()
    one_task = {X.task: found.problems[X.task].model_dump()}
    weights = found.rebalance.model_dump() | {"p": "none"}
    bounds = {"min_rows": min_rows, "improves_share": (0.0, 1.0), "min_recall": 0.9, "max_false_alarms": 0.05}
    return toy_params(problems=one_task, rebalance=weights, validate=bounds, **changes)


@pytest.fixture
def folder(toy: SimpleNamespace, tmp_path: Path) -> Folder:
    rows = [
        GOOD,
        msgspec.structs.replace(GOOD, id="x1/t1/1", seed=2),
        row((str(X.rationale), OK)),
        row((WRONG, None)),
    ]
    rows = [msgspec.structs.replace(r, id=f"x1/t1/{k}") for k, r in enumerate(rows)]
    return Folder(toy, tmp_path, rows)


def test_what_passes_flows_on_to_training(folder: Folder) -> None:
    for stage in (folder.validate, folder.rebalance, folder.train):
        stage(params(1))
    kept = list(read_records(folder.d / "kept.jsonl", Trajectory))
    lost = list(read_records(folder.d / "validate.dropped.jsonl", Dropped))
    assert ([r.id for r in kept], sorted(d.reason for d in lost)) == (
        ["x1/t1/0", "x1/t1/2"],
        ["duplicate", "malformed_feedback"],
    )
    assert read_json(folder.d / "validate.json")["rows_in"] == 4
    assert read_json(folder.d / "report.json")["success"] is True
    assert "<html" in (folder.d / "report.html").read_text(encoding="utf-8")
    assert (folder.root / "models" / "t1" / "model.safetensors").exists()
    assert not (folder.root / "quarantine").exists()


def test_a_critical_failure_quarantines_and_names_expectation_rows_ids_and_page(folder: Folder) -> None:
    with pytest.raises(GateError) as error:
        folder.validate(params(1000))
    text = str(error.value)
    assert "rows_per_task" in text
    assert str(folder.root / "quarantine" / "report.html") in text
    assert (folder.root / "quarantine" / "kept.jsonl").exists()
    assert not (folder.d / "kept.jsonl").exists()
    report = read_json(folder.d / "report.json")
    assert (report["success"], report["failed"]) == (False, ["rows_per_task"])


def test_after_a_failure_nothing_is_rebalanced_or_trained_from_older_files(folder: Folder) -> None:
    for stage in (folder.validate, folder.rebalance):
        stage(params(1))
    with pytest.raises(GateError):
        folder.validate(params(1000))
    for stage in (folder.rebalance, folder.train):
        with pytest.raises(GateError, match="did not pass"):
            stage(params(1000))
    assert not (folder.root / "models").exists()


def test_train_alone_is_refused_as_soon_as_the_bounds_have_changed(folder: Folder) -> None:
    for stage in (folder.validate, folder.rebalance):
        stage(params(1))
    with pytest.raises(GateError, match="other values of `validate`"):
        folder.train(params(1000))


def test_what_the_filter_does_not_look_at_is_caught_by_the_gate(folder: Folder) -> None:
    """The gate counts tokens again: stored counts that somebody changed do not get through."""
    rows = list(read_records(folder.d / "edited.jsonl", Trajectory))
    turns = tuple(msgspec.structs.replace(turn, n_tokens=turn.n_tokens - 1) for turn in rows[0].turns)
    write_records(folder.d / "edited.jsonl", [msgspec.structs.replace(rows[0], turns=turns), *rows[1:]])
    with pytest.raises(GateError, match=r"tokens_recounted: 1 row \(ids x1/t1/0\)"):
        folder.validate(params(0))
