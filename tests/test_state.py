"""What is published: numbers and names out of the stages' files, digests as DVC computes them, the best iteration."""

import os
from pathlib import Path
from typing import Any

import pytest

from tripost import state as states
from tripost.credentials import masked
from tripost.errors import DataError
from tripost.records import Attempt, Prediction, Step, Trajectory, Turn
from tripost.state import Digests, IterationState, Output, PipelineState, best_iteration

LOCK = """schema: '2.0'
stages:
  warmup:
    outs:
    - path: models/t0
      md5: 93cfecad5458190e56c3e51d3976002e.dir
      size: 5
    - path: f.txt
      md5: 764efa883dda1e11db47671c4a3bbd9e
      size: 3
"""
"""What DVC 3.67 wrote for the files below, without `cmd`, `hash` and `nfiles`."""


def prediction(number: int, right: bool, task: str = "word_sorting") -> Prediction:
    """One turn, right or wrong."""
    same: dict[str, Any] = {"task": task, "problem_id": f"p{number}"}
    step, said = Step(label="1", text="a"), "So the answer is a."
    attempt = Attempt(steps=(step,), final="a", final_text=said, raw="a", author="m_theta")
    turns = (Turn(attempt=attempt, feedback=None, n_tokens=3),)
    row = Trajectory(id=f"p{number}/greedy", question_sha256="0", seed=0, turns=turns, **same)
    told: dict[str, Any] = {"right": (right,), "verdicts": (0 if right else 1,), "trajectory": row}
    return Prediction(seen=True, group_id=f"p{number}", difficulty="2 words", **told, **same)


def predictions(k: int, n: int = 100) -> list[Prediction]:
    """The first k of n are right."""
    return [prediction(i, i < k) for i in range(n)]


def write_outputs(root: Path) -> None:
    (root / "models/t0/sub").mkdir(parents=True)
    (root / "models/t0/z").write_text("1\n")
    (root / "models/t0/sub/ü.txt").write_text("é\n")
    (root / "f.txt").write_text("hi\n")


def state(**changes: Any) -> PipelineState:
    outputs = (Output("models/t0", changes.pop("digest", "d"), "file"),)
    metrics = {"word_sorting.total.final": changes.pop("value", 0.5)}
    fields: dict[str, Any] = {
        "params": {"seed": "1"},
        "iterations": (IterationState("t0", metrics, (), outputs, ()),),
        "final": "t0",
        "best": "t0",
        "reason": "it is alone",
        "tags": {},
    }
    return PipelineState(**(fields | changes))


def test_rates_count_as_their_value_and_nothing_as_nothing() -> None:
    rate = {"value": 0.5, "k": 1, "n": 2, "low": 0.1, "high": 0.9}
    empty = {"value": None, "k": 0, "n": 0, "low": None, "high": None}
    evaluation = {"word_sorting": {"seen": {"n": 2, "final": rate, "located": empty}}}
    validate = {"rows_in": 9, "dropped": {"ends_wrong": 3, "odd/näme!": 1}, "sha256": "abc", "passed": True}
    nested = {"word_sorting": {"dropped": {"not_sampled": 2}, "reached_p": 0.43, "asked_p": float("nan")}}
    found = states.iteration_metrics(
        {"eval": evaluation, "validate": validate, "rebalance": nested, "train": {"steps": 7}}
    )
    assert found == {
        "word_sorting.seen.n": 2.0,
        "word_sorting.seen.final": 0.5,
        "validate.rows_in": 9.0,
        "validate.passed": 1.0,
        "dropped.validate.ends_wrong": 3.0,
        "dropped.validate.odd_näme_": 1.0,
        "dropped.rebalance.word_sorting.not_sampled": 2.0,
        "rebalance.word_sorting.reached_p": 0.43,
        "train.steps": 7.0,
    }


def test_params_are_flat_and_hold_no_credentials_and_no_tracking() -> None:
    params = {
        "seed": 1,
        "rebalance": {"p": 0.43, "weights": "paper"},
        "validate": {"improves_share": [0.05, 0.98]},
        "model": {"base": "https://me:hunter2@host/model", "path": None},
        "track": {"tracking_uri": "https://me:hunter2@host"},
        "iterations": {},
    }
    assert states.flat_params(params) == {
        "seed": "1",
        "rebalance.p": "0.43",
        "rebalance.weights": "paper",
        "validate.improves_share": "[0.05, 0.98]",
        "model.base": "https://***@host/model",
        "model.path": "null",
        "iterations": "{}",
    }


def test_long_values_end_with_a_hash() -> None:
    one, other = states.shortened("a" * 9000, 500), states.shortened("a" * 9001, 500)
    assert len(one) == len(other) == 500
    assert one != other
    assert states.shortened("short", 500) == "short"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("at http://me:pass@host:5000/x", "at http://***@host:5000/x"),
        ("http://me:p@ss/word@host/x", "http://***@host/x"),
        ("postgresql+psycopg2://me:pw@host/db", "postgresql+psycopg2://***@host/db"),
        ("sqlite:////home/me@work/mlflow.db", "sqlite:////home/me@work/mlflow.db"),
        ("header: Bearer s3cr3t!", "header: Bearer ***"),
    ],
)
def test_masking(text: str, shown: str) -> None:
    assert masked(text, ["s3cr3t!", ""]) == shown


def test_the_key_is_the_content() -> None:
    key = state().key
    assert key == state(tags={"git.sha": "1"}).key
    assert len({key, state(value=0.6).key, state(digest="e").key, state(params={"seed": "2"}).key}) == 4


def test_digests_are_those_of_dvc_with_and_without_the_lock(tmp_path: Path) -> None:
    write_outputs(tmp_path)
    names = [Path("models/t0"), Path("f.txt"), Path("missing")]
    alone = Digests(tmp_path, Path("dvc.lock")).outputs(*names)
    (tmp_path / "dvc.lock").write_text(LOCK)
    locked = Digests(tmp_path, Path("dvc.lock")).outputs(*names)
    assert [out.digest for out in alone] == [out.digest for out in locked]
    assert [out.digest for out in alone] == [
        "93cfecad5458190e56c3e51d3976002e.dir",
        "764efa883dda1e11db47671c4a3bbd9e",
    ]
    assert {out.by for out in alone} == {"file"}
    assert {out.by for out in locked} == {"dvc.lock"}


def test_a_lock_that_is_older_than_the_output_is_not_believed(tmp_path: Path) -> None:
    write_outputs(tmp_path)
    (tmp_path / "dvc.lock").write_text(LOCK)
    (tmp_path / "f.txt").write_text("ho\n")
    later = (tmp_path / "dvc.lock").stat().st_mtime + 10
    os.utime(tmp_path / "f.txt", (later, later))
    (output,) = Digests(tmp_path, Path("dvc.lock")).outputs(Path("f.txt"), rows=True)
    assert output == Output("f.txt", states.digest_of(tmp_path / "f.txt"), "file", 1)


def test_an_output_that_is_not_pulled_is_known_by_the_lock(tmp_path: Path) -> None:
    (tmp_path / "dvc.lock").write_text(LOCK)
    (output,) = Digests(tmp_path, Path("dvc.lock")).outputs(Path("f.txt"), rows=True)
    assert output == Output("f.txt", "764efa883dda1e11db47671c4a3bbd9e", "dvc.lock")


@pytest.mark.parametrize("text", ["<<<<<<< HEAD\nstages: {", "just text", "stages: [1]", ""])
def test_a_broken_lock_is_named(tmp_path: Path, text: str) -> None:
    (tmp_path / "dvc.lock").write_text(text)
    with pytest.raises(DataError, match=r"^dvc\.lock: cannot be read: "):
        Digests(tmp_path, Path("dvc.lock"))


@pytest.mark.parametrize(
    ("right", "best", "says"),
    [
        ({"t0": 50}, "t0", "t0 has the highest final accuracy on validation, 50.0 % of 100 problems"),
        ({"t0": 50, "t1": 40}, "t0", "no later one surpasses it"),
        ({"t0": 50, "t1": 50}, "t0", "no later one surpasses it"),
        ({"t0": 50, "t1": 60}, "t1", "significantly more than every earlier one (p <= 0.002)"),
        ({"t0": 50, "t1": 55}, "t0", "not significantly more than the earlier t0 with 50.0 % (p = 0.062)"),
        ({"t0": 30, "t1": 57, "t2": 60}, "t1", "not significantly more than the earlier t1"),
        ({"t2": 60, "t10": 90, "t0": 30}, "t10", "significantly more"),
    ],
)
def test_the_best_iteration(right: dict[str, int], best: str, says: str) -> None:
    t, reason = best_iteration({t: predictions(k) for t, k in right.items()})
    assert t == best
    assert says in reason


def test_iterations_are_compared_on_the_problems_that_all_answered() -> None:
    few, many = predictions(10, 10), predictions(40, 100)
    assert best_iteration({"t0": few, "t1": many}) == (
        "t0",
        "t0 has the highest final accuracy on validation, 100.0 % of 10 problems, and no later one surpasses it",
    )


def test_another_final_than_the_best_is_a_warning() -> None:
    assert state().warning is None
    warning = state(final="t3", best="t1", reason="because").warning
    assert warning == "final: t3, but t1 is best on validation (because); set final: t1 in params.yaml"
