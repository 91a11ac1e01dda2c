"""`algorithm.py` and the chain of stages give the same records, on toy data with a real model."""

import shutil
from hashlib import sha256
from pathlib import Path
from types import SimpleNamespace

import pytest

from stages import edit, rebalance, rollout, train, validate
from tests.toy import toy_params
from tripost import registry
from tripost.algorithm import Iteration, tripost
from tripost.models.decoder import TorchDecoder
from tripost.models.learner import TorchLearner
from tripost.models.load import load_context_length
from tripost.params import Params
from tripost.records import Dropped, Example, Trajectory
from tripost.shell.io import load_problems, read_records
from tripost.shell.training import training_seed


def stages_chain(toy: SimpleNamespace, params: Params, root: Path) -> dict[str, Iteration]:
    """Both iterations as DVC runs them: files between the stages."""
    models, data, problems = root / "models", root / "data", toy.problems
    shutil.copytree(toy.models / "t0", models / "t0")
    shutil.copytree(toy.data / "t0", data / "t0")
    base = toy.models / "base"
    written = {}
    for t, iteration in params.iterations.items():
        prev, d = iteration.prev, data / t
        rollout.main(
            params,
            problems=problems,
            model=models / prev,
            out=d / "rollout.jsonl",
            counts=d / "rollout.json",
            t=t,
            prev=prev,
        )
        edit.main(
            params, problems=problems, rollout=d / "rollout.jsonl", model=base, out=d / "edited.jsonl",
            dropped=d / "edit.dropped.jsonl", probes=d / "probes.jsonl", counts=d / "edit.json", t=t,
        )  # fmt: skip
        validate.main(
            params, problems=problems, edited=d / "edited.jsonl", probes=d / "probes.jsonl", model=base, out=d / "kept.jsonl",
            dropped=d / "validate.dropped.jsonl", report=d / "report.json", page=d / "report.html",
            counts=d / "validate.json", quarantine=root / "quarantine", t=t,
        )  # fmt: skip
        rebalance.main(
            params, problems=problems, model=base, kept=d / "kept.jsonl", report=d / "report.json", edited=d / "edit.json",
            previous_pool=data / prev / "pool.jsonl",
            previous_pool_meta=data / prev / "pool.meta.json", pool_meta=d / "pool.meta.json", out=d / "examples.jsonl", meta=d / "examples.meta.json",
            dropped=d / "rebalance.dropped.jsonl", pool=d / "pool.jsonl", counts=d / "rebalance.json", t=t,
        )  # fmt: skip
        train.main(
            params, model=models / prev, examples=d / "examples.jsonl", meta=d / "examples.meta.json",
            report=d / "report.json", out=models / t, loss=models / f"{t}.loss.csv", counts=models / f"{t}.json", t=t,
        )  # fmt: skip
        dropped = [
            row
            for name in ("edit", "validate", "rebalance")
            for row in read_records(d / f"{name}.dropped.jsonl", Dropped)
        ]
        written[t] = Iteration(
            t,
            list(read_records(d / "rollout.jsonl", Trajectory)),
            list(read_records(d / "kept.jsonl", Trajectory)),
            dropped,
            list(read_records(d / "examples.jsonl", Example)),
        )
    return written


def page(toy: SimpleNamespace, params: Params, root: Path) -> dict[str, Iteration]:
    """The same by the page, in memory but for the models."""

    def decode(model: Path) -> TorchDecoder:
        return TorchDecoder(str(model), params.rollout.batch_size)

    def learn(model: Path, examples: list[Example], t: str) -> Path:
        learner = TorchLearner(str(model), params.train)
        learner.fit(examples, training_seed(f"{params.seed} {t}"))
        learner.save(root / t)
        return root / t

    names = sorted(params.problems)
    problems = list(load_problems(toy.problems / "train.jsonl").values())
    context = load_context_length(toy.models / "base")
    tasks, experts = registry.tasks(names), registry.scripts(names)
    return {
        it.t: it for it, _ in tripost(toy.models / "t0", problems, tasks, experts, params, context, decode, learn)
    }


@pytest.mark.parametrize(
    ("replay", "p", "feedback"), [("window", "auto", "verdict"), ("all", "none", "walk"), ("all", 0.43, "walk")]
)
def test_the_page_and_the_stages_write_the_same_records(
    toy: SimpleNamespace, tmp_path: Path, replay: str, p: object, feedback: str
) -> None:
    raw = toy_params().rebalance.model_dump() | {"replay": replay, "p": p}
    params = toy_params(rebalance=raw, feedback=feedback)
    staged, paged = stages_chain(toy, params, tmp_path / "staged"), page(toy, params, tmp_path / "paged")
    assert list(staged) == list(paged) == ["t1", "t2"]
    for t, iteration in staged.items():
        assert iteration.attempts == paged[t].attempts
        assert iteration.kept == paged[t].kept
        assert iteration.dropped == paged[t].dropped
        assert iteration.examples == paged[t].examples
    weights = [(tmp_path / f / "model.safetensors").read_bytes() for f in ("staged/models/t2", "paged/t2")]
    assert sha256(weights[0]).digest() == sha256(weights[1]).digest()
    first = staged["t1"]
    assert any(row.improves for row in first.kept), "the toy must make mistakes, or this test shows nothing"
    assert any(not row.improves for row in first.kept)
    assert all(len(row.turns) == 1 for row in first.attempts)
    assert any(turn.feedback for row in staged["t2"].attempts for turn in row.turns)
