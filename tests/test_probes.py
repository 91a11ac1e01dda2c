"""Probes: from which material, how many, judged as trajectories are, and without a trace in them."""

import random
from collections.abc import Sequence
from typing import Any

import msgspec
import pytest

from tests.fakes import ARITHMETIC, WORDS, attempt, attempts_of, problems
from tests.test_edit import PARAMS as EDIT
from tripost import registry
from tripost.edit import apart, edit_all
from tripost.errors import DataError
from tripost.interfaces import CannotJudge, PlantedError
from tripost.params import ProbeParams
from tripost.probes import CLEAN, OTHER_ANSWER, ask, make_probes, places
from tripost.recall import Figures, figures
from tripost.records import Attempt, Feedback, Probe, Problem, Trajectory
from tripost.state import iteration_metrics
from tripost.text import write_feedback

PARAMS = ProbeParams(share=0.5, minimum=4, planted=0.5)
XS = [*problems(ARITHMETIC, 20), *problems(WORDS, 20)]
BY_ID = {x.id: x for x in XS}
TASKS = registry.tasks([ARITHMETIC, WORDS])
EXPERTS = registry.scripts([ARITHMETIC, WORDS])


def row(x: Problem, text: str = "") -> Trajectory:
    return attempts_of(x, (text or str(x.rationale), None))


def made(rows: Sequence[Trajectory], params: ProbeParams | None = PARAMS, **changes: Any) -> list[Probe]:
    asked: dict[str, Any] = {"problems": BY_ID, "tasks": TASKS, "seed": 1, "t": "t1"} | changes
    return make_probes(rows, params=params, **asked)


def judged(probes: Sequence[Probe], expert: Any = None) -> list[Probe]:
    return [ask(p, BY_ID[p.problem_id], TASKS[p.task], expert or EXPERTS[p.task]) for p in probes]


class Says:
    """An expert that says the same of every attempt, and remembers what it saw."""

    def __init__(self, wrong_step: int | CannotJudge | None) -> None:
        self.wrong_step = wrong_step
        self.seen: list[tuple[Problem, Attempt]] = []

    def feedback(self, problem: Problem, y: Attempt) -> Feedback | CannotJudge:
        self.seen.append((problem, y))
        if isinstance(self.wrong_step, CannotJudge):
            return self.wrong_step
        return write_feedback(y, self.wrong_step, "x", "it is not", "script")

    def improve(self, problem: Problem, y: Attempt, feedback: Feedback) -> Any:
        raise AssertionError("probes are not mended")


def test_how_many_of_which_kind_by_share_and_minimum() -> None:
    rows = [row(x) for x in XS[:16]] + [row(XS[20])]
    found = {name: [p for p in made(rows) if p.task == name] for name in TASKS}
    assert {name: len(ps) for name, ps in found.items()} == {ARITHMETIC: 8, WORDS: 4}
    assert [sum(p.kind == CLEAN for p in ps) for ps in found.values()] == [4, 2]
    assert len({p.id for p in made(rows)}) == len({p.problem_id for p in made(rows)}) == 12
    assert all((p.kind == CLEAN) == (p.planted_step is None) for ps in found.values() for p in ps)
    many = made(rows, PARAMS.model_copy(update={"minimum": 1000, "planted": 0.75}))
    assert len(many) == 40, "one a problem"
    assert sum(p.kind == CLEAN for p in many) == 10
    assert made(rows, None) == []


def test_the_problems_of_this_iteration_come_first() -> None:
    rows = [row(x) for x in XS[4:8]]
    assert {p.problem_id for p in made(rows) if p.task == ARITHMETIC} == {x.id for x in XS[4:8]}


def test_seeded_by_seed_and_iteration_and_not_by_the_order_of_rows() -> None:
    rows = [row(x) for x in XS]
    assert made(rows) == made(rows) == made(random.Random(0).sample(rows, len(rows)))
    assert made(rows, seed=2) != made(rows)
    assert made(rows, t="t2") != made(rows)


def test_own_right_attempts_are_planted_in_and_never_taken_as_clean() -> None:
    own = [row(x, str(x.rationale).replace("(Final response)", "(Final answer)")) for x in XS]
    found = made(own)
    assert {p.source for p in found if p.kind != CLEAN} == {"attempt"}
    assert all("(Final answer)" in p.attempt.raw for p in found if p.kind != CLEAN)
    assert {p.source for p in found if p.kind == CLEAN} == {"rationale"}
    assert all(p.attempt.raw == BY_ID[p.problem_id].rationale for p in found if p.kind == CLEAN)


def test_an_own_attempt_that_is_right_by_luck_is_not_planted_in() -> None:
    lucky = [row(x, str(x.rationale).replace("Then, the final", "Now the final")) for x in XS[:20]]
    assert all(TASKS[ARITHMETIC].is_correct(BY_ID[r.problem_id], r.turns[0].attempt) for r in lucky)
    assert {p.source for p in made(lucky) if p.task == ARITHMETIC} == {"rationale"}


def test_without_rationales_there_are_planted_ones_from_own_attempts_alone() -> None:
    bare = {x.id: msgspec.structs.replace(x, rationale=None) for x in XS}
    found = made([row(x) for x in XS[:6]], problems=bare)
    assert len(found) == 2
    assert all(p.source == "attempt" and p.planted_step for p in found)
    assert made([row(x, "no answer") for x in XS], problems=bare) == []


class Plain:
    """A task without a planter."""

    def __init__(self, name: str) -> None:
        self.name, self.is_correct = name, TASKS[name].is_correct


@pytest.mark.parametrize("name", TASKS)
def test_a_task_without_a_planter_gets_other_answers(name: str) -> None:
    found = made([row(x) for x in XS], tasks={name: Plain(name)})
    planted = [p for p in found if p.kind != CLEAN]
    assert planted
    for p in planted:
        right = attempt(str(BY_ID[p.problem_id].rationale))
        assert (p.kind, p.source, p.planted_step) == (OTHER_ANSWER, "rationale", len(right.steps) + 1)
        assert p.attempt.steps == right.steps
        assert not TASKS[name].is_correct(BY_ID[p.problem_id], p.attempt)
    assert figures(judged(planted), [name])[name].located.value == 1.0


class Careless(Plain):
    """Names a step behind the one that it changes."""

    def plant(self, problem: Problem, y: Attempt, rng: random.Random) -> PlantedError:
        return PlantedError(attempt(y.raw.replace("(1) ", "(1) Hm, ")), 2, "hm")


def test_a_planter_is_not_taken_at_its_word() -> None:
    with pytest.raises(DataError, match=rf"problems\.{WORDS}: its plant\(\) did not change line 2 first"):
        made([row(x) for x in XS], tasks={WORDS: Careless(WORDS)})


def test_places_are_spread_over_all_rows_and_every_probe_has_one() -> None:
    probes = made([row(x) for x in XS], PARAMS.model_copy(update={"minimum": 40}))
    found = places(probes, 10, "1 t1")
    assert sorted(p.id for ps in found.values() for p in ps) == sorted(p.id for p in probes)
    assert set(found) <= set(range(10))
    assert len(found) > 5
    assert found == places(probes, 10, "1 t1") != places(probes, 10, "2 t1")


def test_probes_leave_no_trace_in_the_trajectories_and_look_like_them() -> None:
    rows = [row(x) for x in XS]
    probes = made(rows)

    def edited(**more: Any) -> Any:
        return apart(edit_all(rows, BY_ID, TASKS, EXPERTS, EDIT, lambda texts: [1] * len(texts), **more))

    assert edited()[:2] == edited(probes=places(probes, len(rows), "x"))[:2]
    assert sorted(edited(probes=places(probes, len(rows), "x"))[2], key=lambda p: p.id) == sorted(
        judged(probes), key=lambda p: p.id
    )
    expert = Says(None)
    judged(probes, expert)
    assert {y.author for _, y in expert.seen} == {"m_theta"}
    assert {p.attempt.author for p in probes} == {"dataset", "probe"}


def test_the_scripts_find_all_and_raise_no_alarm() -> None:
    found = figures(judged(made([row(x) for x in XS])), TASKS)
    for mine in found.values():
        assert (mine.found.value, mine.located.value, mine.false_alarms.value) == (1.0, 1.0, 0.0)
        assert (mine.cannot_judge.k, mine.missed) == (0, {})


def only(expert: Any) -> Figures:
    probes = made([row(x) for x in XS], PARAMS.model_copy(update={"share": 1.0}))
    return figures(judged([p for p in probes if p.task == WORDS], expert), [WORDS])[WORDS]


def test_what_an_expert_that_is_no_good_gets() -> None:
    silent, alarmed, helpless = only(Says(None)), only(Says(1)), only(Says(CannotJudge("hm")))
    assert (silent.found.k, silent.false_alarms.k, silent.planted, silent.clean) == (0, 0, 10, 10)
    assert sum(silent.missed.values()) == 10
    assert silent.cannot_judge.k > 0, "it calls attempts right whose answer is wrong"
    assert (alarmed.found.k, alarmed.false_alarms.k, alarmed.cannot_judge.k) == (10, 10, 0)
    assert alarmed.located.k < 10
    assert (helpless.found.k, helpless.false_alarms.k, helpless.cannot_judge.value) == (0, 0, 1.0)


def test_a_task_that_was_not_probed_has_figures_that_say_so() -> None:
    nothing = figures([], [WORDS])[WORDS]
    assert (nothing.planted, nothing.clean, nothing.found.value) == (0, 0, None)
    assert nothing.bounds() == {"recall_at_most": 1.0, "false_alarms_at_least": 0.0, "planted": 0, "clean": 0}


def test_the_figures_are_published_as_metrics() -> None:
    table = iteration_metrics({"edit": msgspec.to_builtins({"expert": {WORDS: only(Says(None))}})})
    name = f"edit.expert.{WORDS}"
    assert (table[f"{name}.found"], table[f"{name}.false_alarms"], table[f"{name}.planted"]) == (0.0, 0.0, 10.0)
    assert sum(value for key, value in table.items() if key.startswith(f"{name}.missed.")) == 10
