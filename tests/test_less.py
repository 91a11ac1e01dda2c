"""Less than a whole task or a warm-up: a base that already writes feedback, no warm-up, a grader and nothing else."""

import shutil
from pathlib import Path
from types import SimpleNamespace

import pytest

from stages import base_model, edit, problems, rebalance, rollout, train, validate, warmup
from stages import eval as evaluate
from tests.fakes import balanced
from tests.toy import EMBEDDED, raw_params, toy_params
from tripost import registry
from tripost.edit import edit as edited_by
from tripost.models.learner import TorchLearner
from tripost.params import Params
from tripost.params_file import check_params
from tripost.records import Dropped, Example, Prediction, Problem, Trajectory, Turn
from tripost.rollout import trajectory
from tripost.shell.io import load_problems, read_json, read_records
from tripost.shell.snapshot import _losses
from tripost.text import parse_attempt


def taught(toy: SimpleNamespace, folder: Path) -> Path:
    """M_0 of the toy, taught to write feedback: such a model as somebody may bring."""
    rows, train_ = [], load_problems(toy.problems / "train.jsonl")
    for x in train_.values():
        for k, raw in enumerate([str(x.rationale), str(x.rationale).replace("(1) ", "(1) The ", 1)]):
            turn = Turn(attempt=parse_attempt(raw.replace("= 1", "= 2"), "m_theta"), feedback=None, n_tokens=0)
            row = trajectory(x, f"{x.id}/t1/{k}", 0, (turn,))
            done = edited_by(row, x, registry.task(x.task), registry.script(x.task), toy.params.edit)
            rows += [done] if isinstance(done, Trajectory) else []
    asked = toy.params.rebalance.model_copy(update={"p": "none"})
    examples, *_ = balanced(rows, train_, asked, {}, "1")
    learner = TorchLearner(
        str(toy.models / "t0"), toy.params.train.model_copy(update={"epochs": 8, "learning_rate": 2e-3})
    )
    learner.fit(examples, 1)
    learner.save(folder)
    return folder


def start(params: Params, root: Path, problems_: Path) -> None:
    """Base and M_0."""
    base_model.main(params, out=root / "models" / "base", embedded=EMBEDDED)
    warmup.main(
        params, model=root / "models/base", problems=problems_, out=root / "models/t0", loss=root / "models/t0.loss.csv",
        counts=root / "models/t0.json", pool=root / "data/t0/pool.jsonl", pool_meta=root / "data/t0/pool.meta.json",
    )  # fmt: skip


def iteration(params: Params, root: Path, problems_: Path) -> None:
    """t1, as DVC runs it."""
    m, d = root / "models", root / "data/t1"
    rollout.main(
        params,
        problems=problems_,
        model=m / "t0",
        out=d / "rollout.jsonl",
        counts=d / "rollout.json",
        t="t1",
        prev="t0",
    )
    edit.main(
        params, problems=problems_, rollout=d / "rollout.jsonl", model=m / "base", out=d / "edited.jsonl",
        dropped=d / "edit.dropped.jsonl", probes=d / "probes.jsonl", counts=d / "edit.json", t="t1",
    )  # fmt: skip
    validate.main(
        params, problems=problems_, edited=d / "edited.jsonl", probes=d / "probes.jsonl", model=m / "base", out=d / "kept.jsonl",
        dropped=d / "validate.dropped.jsonl", report=d / "report.json", page=d / "report.html",
        counts=d / "validate.json", quarantine=root / "quarantine", t="t1",
    )  # fmt: skip
    rebalance.main(
        params, problems=problems_, model=m / "base", kept=d / "kept.jsonl", report=d / "report.json", edited=d / "edit.json",
        previous_pool=root / "data/t0/pool.jsonl", previous_pool_meta=root / "data/t0/pool.meta.json",
        pool_meta=d / "pool.meta.json", out=d / "examples.jsonl", meta=d / "examples.meta.json",
        dropped=d / "rebalance.dropped.jsonl", pool=d / "pool.jsonl", counts=d / "rebalance.json", t="t1",
    )  # fmt: skip
    train.main(
        params, model=m / "t0", examples=d / "examples.jsonl", meta=d / "examples.meta.json", report=d / "report.json",
        out=m / "t1", loss=m / "t1.loss.csv", counts=m / "t1.json", t="t1",
    )  # fmt: skip


@pytest.fixture(scope="module")
def own(toy: SimpleNamespace, tmp_path_factory: pytest.TempPathFactory) -> SimpleNamespace:
    """A pipeline that starts at t1 from a model that writes feedback, without a warm-up."""
    root = tmp_path_factory.mktemp("less")
    raw = raw_params(warmup="none")
    raw["model"].update(base=str(taught(toy, root / "mine")), writes_feedback=True)
    params = check_params(raw)
    start(params, root, toy.problems)
    iteration(params, root, toy.problems)
    return SimpleNamespace(root=root, params=params)


def files(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_without_a_warm_up_m_0_is_the_base_and_its_files_say_so(own: SimpleNamespace) -> None:
    models = own.root / "models"
    assert files(models / "t0") == files(models / "base")
    assert not [path for path in models.iterdir() if path.name.endswith(".writing")]
    assert read_json(models / "t0.json") == {"examples": {}, "steps": 0, "target_tokens": 0}
    assert _losses(models / "t0.loss.csv") == ()


def test_a_base_that_writes_feedback_is_asked_for_its_own_at_t1_and_in_eval_t0(
    own: SimpleNamespace, toy: SimpleNamespace, tmp_path: Path
) -> None:
    rows = list(read_records(own.root / "data/t1/rollout.jsonl", Trajectory))
    said = [turn.feedback for row in rows for turn in row.turns if turn.feedback is not None]
    assert any(not feedback.malformed for feedback in said), "the toy must have learned to write feedback"
    assert {feedback.author for feedback in said} == {"m_theta"}
    assert (own.root / "models/t1/model.safetensors").exists()
    for writes, params in ((True, own.params), (False, toy.params)):
        out = tmp_path / f"{writes}.jsonl"
        evaluate.main(
            params, problems=toy.problems, model=own.root / "models/t0", out=out, counts=tmp_path / "m.json", t="t0"
        )
        predictions = list(read_records(out, Prediction))
        readable = [row.trajectory.turns[0] for row in predictions if not row.trajectory.turns[0].attempt.malformed]
        assert readable
        assert all((turn.feedback is not None) == writes for turn in readable)


def test_a_task_with_a_grader_alone_runs_to_a_model_and_no_feedback_of_it_is_false(
    toy: SimpleNamespace, tmp_path: Path
) -> None:
    raw = raw_params()
    for section in raw["problems"].values():
        section["expert"] = {"feedback": "grader", "improve": "grader"}
    params = check_params(raw)
    problems.main(params, out=tmp_path / "data/problems", counts=tmp_path / "data/problems.json")
    counts = read_json(tmp_path / "data/problems.json")
    assert not any(counts["rationales_not_trusted"].values())
    shutil.copytree(toy.models, tmp_path / "models")
    shutil.copytree(toy.data / "t0", tmp_path / "data/t0")
    iteration(params, tmp_path, tmp_path / "data/problems")
    folder = tmp_path / "data/t1"
    x = load_problems(tmp_path / "data/problems/train.jsonl")
    kept = list(read_records(folder / "kept.jsonl", Trajectory))
    assert kept
    assert not any(row.improves for row in kept)
    for row in kept:
        (turn,) = row.turns
        assert turn.feedback is not None
        assert (turn.feedback.author, turn.feedback.says_correct) == ("grader", True)
        assert registry.task(row.task).is_correct(x[row.problem_id], turn.attempt)
    dropped = list(read_records(folder / "edit.dropped.jsonl", Dropped))
    assert {row.reason for row in dropped} <= {"cannot_judge", "malformed_attempt"}
    assert {row.kind for row in read_records(folder / "examples.jsonl", Example)} == {"correct", "ground_truth"}
    checked = {finding["name"] for finding in read_json(folder / "report.json")["findings"]}
    assert not {name for name in checked if name.startswith("expert")}, "a grader has nothing planted, by design"


def test_a_scratch_base_can_do_without_rationales_generator_and_script(tmp_path: Path) -> None:
    (tmp_path / "none.py").write_text(
        "class Bare:\n    name = 'bare'\n    def problems(self, d, s): return iter(())\n"
        "    def is_correct(self, x, y): return y.final == x.answer\n    def seen(self, d): return True\n"
    )
    raw = raw_params()
    raw["model"]["scratch"].update(drill=None, layers=1)
    section = {**raw["problems"]["word_sorting"], "expert": {"feedback": "grader", "improve": "grader"}}
    raw["problems"] = {"bare": {**section, "module": "none.py:Bare", "source": "jsonl", "path": "x", "seen": []}}
    with pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.chdir(tmp_path)
        base_model.main(check_params(raw), out=tmp_path / "base", embedded=EMBEDDED)
    assert (tmp_path / "base" / "model.safetensors").exists()


def test_generated_problems_may_have_no_rationale_and_no_difficulty_gives_none() -> None:
    from tripost.tasks.generated import generate

    task = registry.task("word_sorting")
    found: list[Problem] = []
    for problem in generate(task, ["2 words"], 1, lambda difficulty, rng: (f"q{rng.random()}", "a", None)):
        found.append(problem)
        if len(found) == 2:
            break
    assert [problem.rationale for problem in found] == [None, None]
    assert list(task.problems([], 1)) == []
    assert toy_params().warmup != "none"
