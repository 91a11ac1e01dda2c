"""`tripost plan`: which stages run and why, what LLMs are going to cost, and what falls short."""

import shutil
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import pytest

from tests.llm_cases import served_params
from tests.test_llm_stage import expert_served
from tests.toy import ROOT, raw_params
from tripost.cli import plan
from tripost.cli.plan_calls import forecasts
from tripost.edit import apart, edit_all
from tripost.estimates import CALLS_FOR_WRONG, Seen, forecast, seconds_for
from tripost.experts import chosen
from tripost.params import LlmParams, Params
from tripost.params_llm import EndpointParams
from tripost.probes import make_probes, places
from tripost.registry import tasks_of
from tripost.shell.asking import asker_of
from tripost.shell.io import load_problems, write_json, write_records
from tripost.shell.pipeline import Due, Stage, due, stages
from tripost.shell.runs import Run

RAW = raw_params()
LLM = LlmParams.model_validate(RAW["llms"]["llm"], strict=True)
ENDPOINT = EndpointParams.model_validate(RAW["calls"]["endpoints"]["llm"], strict=True)
CHAIN = [
    Stage("a", ("raw",), ("x", "x.json")),
    Stage("b", ("x", "src/b.py"), ("y/t1/z",)),
    Stage("c", ("y",), ("w",)),
    Stage("d", ("other",), ("v",)),
]


def test_what_follows_a_change_may_run_and_the_rest_does_not() -> None:
    found = due(CHAIN, {"a": [{"changed deps": {"params.yaml": {"seed": "modified"}, "raw": "modified"}}]})
    assert found == [
        Due("a", "changed: seed, raw", surely=True),
        Due("b", "after a", surely=False),
        Due("c", "after b", surely=False),
    ]


@pytest.mark.parametrize(
    ("said", "why"),
    [
        (["always changed"], None),
        ([{"changed outs": {"v": "deleted"}}, {"changed deps": {"other": "modified"}}], "no results yet"),
        ([{"changed outs": {"v": "modified"}}], "changed: v"),
        ([{"changed deps": {"src/tripost/edit.py": "modified"}}], "changed: edit.py"),
        (["changed command"], "changed: another command"),
        (
            [{"changed deps": {f"f{k}": "modified" for k in range(5)}}],
            "changed: f0, f1, f2 and 2 more",
        ),
    ],
)
def test_why_in_a_few_words(said: list[Any], why: str | None) -> None:
    assert [stage.why for stage in due(CHAIN, {"d": said})] == ([why] if why else [])


def test_stages_are_those_of_dvc_yaml_with_iterations_filled_in(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    found = {stage.name: stage for stage in stages({"t1": "t0", "t2": "t1"})}
    assert "embedded_model" not in found
    assert {"problems", "rollout@t1", "rollout@t2", "eval@t2", "track"} <= found.keys()
    assert "models/t1" in found["rollout@t2"].deps
    assert found["rollout@t2"].outs[0] == "data/t2/rollout.jsonl"
    after = [stage.name for stage in due(list(found.values()), {"edit@t2": [{"changed deps": {"x": "modified"}}]})]
    assert after == ["edit@t2", "validate@t2", "rebalance@t2", "train@t2", "eval@t2", "track"]


def test_tokens_money_and_time_are_those_of_calls_that_are_not_known() -> None:
    seen = Seen(10, 1000.0, 100.0)
    made = forecast(
        "edit@t1", "t", "feedback", "llm", LLM, ENDPOINT, calls=200, known=50, seen=seen, prompt_characters=0,
        batch=False, measured=True,
    )  # fmt: skip
    assert (made.calls, made.known, made.prompt_tokens, made.completion_tokens) == (200, 50, 150_000, 15_000)
    assert made.cost == pytest.approx(0.15 * 0.40 + 0.015 * 1.60)
    assert made.seconds == pytest.approx(150 / (200_000 / 60 / 1100))
    assert msgspec.structs.replace(made, cost=made.cost / 2) == forecast(
        "edit@t1", "t", "feedback", "llm", LLM, ENDPOINT, calls=200, known=50, seen=seen, prompt_characters=0,
        batch=True, measured=True,
    )  # fmt: skip


def test_the_lowest_limit_sets_the_pace() -> None:
    free = ENDPOINT.model_copy(update={"requests_per_minute": None, "tokens_per_minute": None, "concurrency": 10})
    assert seconds_for(100, 50, free) == pytest.approx(20)
    assert seconds_for(100, 50, free.model_copy(update={"requests_per_minute": 60})) == pytest.approx(100)
    assert seconds_for(100, 50, free.model_copy(update={"tokens_per_minute": 600})) == pytest.approx(500)


class Toy(NamedTuple):
    params: Params
    server: Any
    done: Any


@pytest.fixture
def toy(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Any:
    """A rollout that lies there, and a server that can edit it."""
    with expert_served(monkeypatch, tmp_path, 15) as (server, rows, by_id):
        write_records(tmp_path / "data/problems/train.jsonl", by_id.values())
        write_records(tmp_path / "data/t1/rollout.jsonl", rows)
        params = served_params(server.base_url)

        def edit_it() -> tuple[int, int]:
            tasks = tasks_of(params.problems)
            with asker_of(params, "edit t1") as asker:
                experts = chosen.experts(tasks, params.problems, params.llms, asker)
                by_answer = chosen.by_answer(params.problems, params.llms)
                made = make_probes(rows, by_id, tasks, params.edit.probes, params.seed, "t1", (), by_answer)
                asked = places(made, len(rows), "x")
                counts = lambda texts: [1 for _ in texts]  # noqa: E731 (a stand-in for a tokenizer)
                apart(edit_all(rows, by_id, tasks, experts, params.edit, counts, probes=asked, asker=asker))
            assert asker is not None
            return asker.sent_now, len(rows)

        yield Toy(params, server, edit_it)


def expected(params: Params) -> float:
    from tripost.chat.reply_log import ReplyLog
    from tripost.shell.home import replies_file

    path = replies_file(Path())
    found = list(forecasts(params, ["edit@t1"], ReplyLog(path) if path.exists() else None))
    assert {(item.task, item.purpose) for item in found} == {
        (task, role) for task in params.problems for role in ("feedback", "improve")
    }
    return sum(item.calls - item.known for item in found)


def test_calls_are_counted_on_the_attempts_that_lie_there_and_the_replies_in_the_log(toy: Toy) -> None:
    before = expected(toy.params)
    sent, rows = toy.done()
    assert sent > 2 * rows, "probes are asked about, too"
    assert before == pytest.approx(sent, rel=0.25)
    assert expected(toy.params) == 0


def test_without_a_rollout_the_last_evaluation_counts(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    params = served_params("http://x/v1")
    assumed = list(forecasts(params, ["rollout@t1", "edit@t1"], None))
    assert not any(item.measured for item in assumed)
    nothing_right = {task: {"total": {"direct": {"value": 0.0}}} for task in params.problems}
    write_json(tmp_path / "eval/t1/metrics.json", nothing_right)
    known = list(forecasts(params, ["rollout@t2", "edit@t2"], None))
    assert [a.stage for a in known] == ["edit@t2"] * 4
    assert all(b.calls > a.calls for a, b in zip(assumed, known, strict=True))


def test_an_evaluation_is_of_the_problems_that_lie_there(toy: Toy, tmp_path: Path) -> None:
    problems = list(load_problems(tmp_path / "data/problems/train.jsonl").values())
    write_records(tmp_path / "data/problems/validation.jsonl", problems[:4])
    found = {item.task: item.calls for item in forecasts(toy.params, ["eval_t0"], None)}
    assert found == {problems[0].task: pytest.approx(4 * CALLS_FOR_WRONG["feedback"]), problems[-1].task: 0}


def test_money_and_disk_that_fall_short_are_refused(
    toy: Toy, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    poor = toy.params.model_copy(update={"calls": toy.params.calls.model_copy(update={"max_cost": 0.0})})
    everything = [Due("edit@t1", "new", surely=True), Due("train@t1", "after edit@t1", surely=False)]
    (tmp_path / "models/embedded").mkdir(parents=True)
    (tmp_path / "models/embedded/model.safetensors").write_bytes(b"0" * 10_000_000)
    embedded = poor.model_copy(update={"model": poor.model.model_copy(update={"base": "embedded"})})
    monkeypatch.setattr(plan, "load_params", lambda path: embedded)
    monkeypatch.setattr(plan, "status", dict)
    monkeypatch.setattr(plan, "stages", lambda iterations: [])
    monkeypatch.setattr(plan, "due", lambda known, said: everything)
    monkeypatch.setattr(shutil, "disk_usage", lambda path: type("Usage", (), {"free": 200_000_000}))
    assert plan.main([]) == 1
    said = capsys.readouterr()
    assert "error: params.yaml: calls.max_cost: 0.0000 of 0.0 are spent and this takes some 0." in said.err
    assert "the disk is too small: 0.2 GB are free, 1 checkpoints need some 0.1 GB" in said.err
    assert "edit@t1" in said.out
    assert "2 stages: 1 have changed, 1 run where what they follow comes out otherwise" in said.out


def test_minutes_are_those_of_the_last_run_here() -> None:
    measured = [
        Run(stage="edit@t1", seconds=100.0),
        Run(stage="edit@t1 asking", seconds=90.0),
        Run(stage="train@t1", seconds=30.0),
        Run(stage="train@t1", seconds=40.0),
    ]
    assert plan._took("edit@t1", measured) == 10.0
    assert plan._took("train@t2", measured) == 40.0
    assert plan._took("warmup", measured) is None
