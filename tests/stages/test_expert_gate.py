"""An expert that is no good stops the pipeline, with its task, its figures and what to do; probes leave no trace."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest

from stages import edit, rebalance, validate
from tests.fakes import ARITHMETIC, WORDS, attempts_of
from tests.gate_rows import ROWS
from tests.test_expectations import failing, table
from tests.test_expectations import verdict as gated
from tests.toy import raw_params, toy_params
from tripost.errors import GateError
from tripost.params import Params
from tripost.rates import rate
from tripost.recall import Figures
from tripost.records import Probe, Trajectory
from tripost.shell.guards import pool_meta_of
from tripost.shell.io import load_probes, load_problems, read_json, read_records, write_json, write_records

TASKS = [ARITHMETIC, WORDS]


class Iteration:
    """The files of t1 from rollout on: right attempts of all problems, the last of which is wrong at its end."""

    def __init__(self, toy: SimpleNamespace, root: Path) -> None:
        self.toy, self.root, self.d = toy, root, root / "data" / "t1"
        self.train = load_problems(toy.problems / "train.jsonl")
        texts = {x.id: str(x.rationale) for x in self.train.values()}
        last = [*texts][-1]
        texts[last] = texts[last].rpartition(" ")[0] + " zzz."
        rows = [attempts_of(self.train[identity], (text, None)) for identity, text in texts.items()]
        write_records(self.d / "rollout.jsonl", rows)

    def edit(self, params: Params) -> list[Probe]:
        d = self.d
        edit.main(
            params, problems=self.toy.problems, rollout=d / "rollout.jsonl", model=self.toy.models / "base",
            out=d / "edited.jsonl", dropped=d / "edit.dropped.jsonl", probes=d / "probes.jsonl",
            counts=d / "edit.json", t="t1",
        )  # fmt: skip
        return load_probes(d / "probes.jsonl", self.train)

    def validate(self, params: Params) -> None:
        d = self.d
        validate.main(
            params, problems=self.toy.problems, edited=d / "edited.jsonl", probes=d / "probes.jsonl",
            model=self.toy.models / "base", out=d / "kept.jsonl", dropped=d / "validate.dropped.jsonl",
            report=d / "report.json", page=d / "report.html", counts=d / "validate.json",
            quarantine=self.root / "quarantine", t="t1",
        )  # fmt: skip

    def rebalance(self, params: Params) -> None:
        d, before = self.d, self.root / "data" / "t0"
        write_records(before / "pool.jsonl", [])
        write_json(before / "pool.meta.json", pool_meta_of(before / "pool.jsonl"))
        rebalance.main(
            params, problems=self.toy.problems, model=self.toy.models / "base", kept=d / "kept.jsonl", report=d / "report.json",
            edited=d / "edit.json", previous_pool=before / "pool.jsonl", previous_pool_meta=before / "pool.meta.json",
            out=d / "examples.jsonl", meta=d / "examples.meta.json", dropped=d / "rebalance.dropped.jsonl",
            pool=d / "pool.jsonl", pool_meta=d / "pool.meta.json", counts=d / "rebalance.json", t="t1",
        )  # fmt: skip


@pytest.fixture
def iteration(toy: SimpleNamespace, tmp_path: Path) -> Iteration:
    return Iteration(toy, tmp_path)


def params(**changes: Any) -> Params:
    raw = toy_params()
    section = raw.edit.model_dump() | changes
    return toy_params(edit=section, rebalance=raw.rebalance.model_dump() | {"p": "none"})


def test_a_good_expert_passes_and_probes_are_nowhere_but_in_their_file(iteration: Iteration) -> None:
    probes = iteration.edit(params())
    iteration.validate(params())
    iteration.rebalance(params())
    assert sorted({p.task for p in probes}) == TASKS
    expert = read_json(iteration.d / "edit.json")["expert"]
    for task in TASKS:
        mine = [p for p in probes if p.task == task]
        assert [sum(p.planted_step is None for p in mine), len(mine)] == [3, 6]
        assert (expert[task]["planted"], expert[task]["clean"]) == (3, 3)
        assert (expert[task]["found"]["value"], expert[task]["false_alarms"]["value"]) == (1.0, 0.0)
    planted = [p.attempt.raw for p in probes if p.planted_step is not None]
    files = [path for path in iteration.d.iterdir() if path.suffix == ".jsonl" and path.name != "probes.jsonl"]
    assert len(files) == 8
    for path in files:
        text = path.read_text(encoding="utf-8")
        assert "/probe" not in text
        assert not any(msgspec.json.encode(raw).decode()[1:-1] in text for raw in planted), path
    report = read_json(iteration.d / "report.json")
    assert {"expert_recall", "expert_false_alarms", "expert_probed"} <= {f["name"] for f in report["findings"]}


def test_probes_change_no_trajectory_and_can_be_turned_off(iteration: Iteration) -> None:
    names = ("edited.jsonl", "edit.dropped.jsonl", "probes.jsonl", "edit.json")
    iteration.edit(params())
    first = [(iteration.d / name).read_bytes() for name in names]
    iteration.edit(params())
    assert [(iteration.d / name).read_bytes() for name in names] == first
    assert iteration.edit(params(probes=None)) == []
    assert [(iteration.d / name).read_bytes() for name in names[:2]] == first[:2]
    assert read_json(iteration.d / "edit.json")["expert"] == {}
    iteration.validate(params(probes=None))
    names_of = {f["name"] for f in read_json(iteration.d / "report.json")["findings"]}
    assert not {name for name in names_of if name.startswith("expert")}
    with pytest.raises(GateError, match=r"`edit\.probes`"):
        iteration.rebalance(params())


def refused(iteration: Iteration, **classes: str) -> list[str]:
    """The lines of the gate about experts, where tasks are classes of failing_experts.py."""
    sections = raw_params()["problems"]
    for task, name in classes.items():
        sections[task]["module"] = f"tests/stages/failing_experts.py:{name}"
    failing_ = toy_params(problems=sections)
    iteration.edit(failing_)
    with pytest.raises(GateError) as error:
        iteration.validate(failing_)
    assert not (iteration.d / "kept.jsonl").exists()
    return [line for line in str(error.value).splitlines() if line.startswith("  expert_")]


def test_an_expert_that_misses_is_refused(iteration: Iteration) -> None:
    (line,) = refused(iteration, word_sorting="BlindWords")
    assert line.strip() == (
        "expert_recall: 1 expert (ids word_sorting (found 0 of 3 errors, 0 false alarms in 3 right attempts)): the "
        "expert finds 0.9 of the errors that were planted, allowing for chance; read data/<t>/probes.jsonl "
        "(tripost show <t> --probes), mend the expert or take another, or change validate.min_recall"
    )


def test_the_page_says_what_to_do(iteration: Iteration) -> None:
    refused(iteration, multistep_arithmetic="BlindArithmetic", word_sorting="BlindWords")
    page = (iteration.root / "quarantine" / "report.html").read_text(encoding="utf-8")
    assert "word_sorting (found 0 of 3 errors, 0 false alarms in 3 right attempts)" in page
    assert "What to do: read data/&lt;t&gt;/probes.jsonl" in page
    assert "recall_at_most: 0.7076" in page


def test_an_expert_with_false_alarms_is_refused(iteration: Iteration) -> None:
    (line,) = refused(iteration, multistep_arithmetic="AlarmedArithmetic")
    told = "ids multistep_arithmetic (found 3 of 3 errors, 3 false alarms in 3 right attempts)"
    assert f"expert_false_alarms: 1 expert ({told}): " in line
    assert line.endswith("or change validate.max_false_alarms")


def test_an_expert_that_does_not_judge_is_refused(iteration: Iteration) -> None:
    (line,) = refused(iteration, word_sorting="HelplessWords")
    assert "expert_recall: 1 expert (ids word_sorting (found 0 of 3 errors" in line
    unable = [p.cannot_judge for p in read_records(iteration.d / "probes.jsonl", Probe) if p.cannot_judge]
    assert unable == ["hm"] * 3


def test_of_a_grader_no_planted_errors_are_asked_for(iteration: Iteration) -> None:
    sections = raw_params()["problems"]
    sections[WORDS]["expert"] = {"feedback": "grader", "improve": "grader"}
    mixed = toy_params(problems=sections)
    iteration.edit(mixed)
    iteration.validate(mixed)
    findings = {f["name"]: f["success"] for f in read_json(iteration.d / "report.json")["findings"]}
    assert findings["expert_probed"]


def found(errors: tuple[int, int], alarms: tuple[int, int]) -> Figures:
    def share(k: int, n: int) -> Any:
        return rate([True] * k + [False] * (n - k))

    nothing = share(0, 0)
    return Figures(
        planted=errors[1], clean=alarms[1], found=share(*errors), located=nothing, false_alarms=share(*alarms),
        cannot_judge=nothing, missed={},
    )  # fmt: skip


@pytest.mark.parametrize(
    ("errors", "alarms", "fails"),
    [
        ((20, 20), (0, 20), set()),
        ((4, 5), (0, 20), set()),  # one miss of five is no failure
        ((15, 20), (0, 20), set()),
        ((14, 20), (0, 20), {"expert_recall"}),
        ((420, 500), (0, 20), {"expert_recall"}),
        ((440, 500), (0, 20), set()),
        ((20, 20), (1, 5), set()),
        ((20, 20), (3, 20), set()),
        ((20, 20), (4, 20), {"expert_false_alarms"}),
        ((20, 20), (40, 500), {"expert_false_alarms"}),
        ((0, 20), (20, 20), {"expert_recall", "expert_false_alarms"}),
        ((0, 0), (0, 20), {"expert_probed"}),
        ((20, 20), (0, 0), {"expert_probed"}),
    ],
)
def test_few_probes_get_the_benefit_of_the_doubt(
    errors: tuple[int, int], alarms: tuple[int, int], fails: set[str]
) -> None:
    result = gated(table(ROWS), expert={WORDS: found(errors, alarms), ARITHMETIC: found((20, 20), (0, 20))})
    assert failing(result) == fails
    assert result.success == (fails <= {"expert_probed"})


def test_trajectories_of_the_rollout_are_all_there(iteration: Iteration) -> None:
    iteration.edit(params())
    rows = [r.id for r in read_records(iteration.d / "edited.jsonl", Trajectory)]
    assert len(rows) == 12
