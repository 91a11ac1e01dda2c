"""The gate lets good trajectories pass and refuses every kind of bad one, by name."""

import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import msgspec
import pytest

from tests.fakes import flat_rows
from tests.gate_rows import (
    BROKEN,
    CONTEXT,
    DIFFICULTIES,
    PROBLEMS,
    ROWS,
    SALVAGED,
    SALVAGED_AT_ONCE,
    TWO,
    broken,
    count_tokens,
    with_turn,
)
from tripost.columns import Row
from tripost.layout import PAPER_LAYOUT
from tripost.params import ValidateParams
from tripost.records import Trajectory
from tripost.shell import expectations
from tripost.shell.expectations import GateResult, _finding, gate
from tripost.shell.suite import row_checks, task_checks

PARAMS = ValidateParams(min_rows=3, improves_share=(0.05, 0.95), min_recall=0.9, max_false_alarms=0.05)


def table(rows: Sequence[Trajectory], held_out: Sequence[str] = (), sample: int = 100) -> list[Row]:
    return flat_rows(rows, PROBLEMS, held_out, count_tokens, layout=PAPER_LAYOUT, sample=sample, seed=1)


def verdict(rows: Sequence[Row], **changes: Any) -> GateResult:
    asked: dict[str, Any] = {"params": PARAMS, "tasks": list(DIFFICULTIES), "max_turns": 6, "context": CONTEXT}
    return gate(rows, **(asked | changes))


def failing(result: GateResult) -> set[str]:
    return {finding.name for finding in result.findings if not finding.success}


@pytest.fixture(scope="module")
def all_broken() -> GateResult:
    """One gate over the good rows and, each under its own id, the broken ones; all ids are named."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(expectations, "SHOWN", 100)
        return verdict(table([*ROWS, *broken()]))


@pytest.mark.parametrize("how", BROKEN)
def test_a_broken_trajectory_is_refused_for_what_is_broken(how: str, all_broken: GateResult) -> None:
    assert {finding.name for finding in all_broken.findings if how in finding.ids} == BROKEN[how][1]
    assert all(f.severity == "critical" and not f.success and f.detail for f in all_broken.findings if how in f.ids)


def test_good_trajectories_are_not_refused_beside_broken_ones(all_broken: GateResult) -> None:
    assert not all_broken.success
    assert not {row.id for row in ROWS} & {i for f in all_broken.findings for i in f.ids}


def test_one_broken_trajectory_is_enough() -> None:
    result = verdict(table([*ROWS, msgspec.structs.replace(BROKEN["another question"][0], id="a")]))
    assert not result.success
    assert failing(result) == {"question_matches"}


def test_good_trajectories_pass() -> None:
    result = verdict(table(ROWS))
    assert result.success
    assert failing(result) == set()
    assert result.lines() == []
    assert (result.rows, [count.rows for count in result.tasks]) == (6, [3, 3])
    suite = [*row_checks([], 6, CONTEXT), *task_checks(PARAMS, 6)]
    assert [finding.name for finding in result.findings] == [check.name for check in suite]


def test_salvaged_trajectories_pass_whatever_their_last_answer_is() -> None:
    result = verdict(table([*ROWS, SALVAGED, SALVAGED_AT_ONCE]))
    assert (result.success, failing(result)) == (True, set())


TABLES: dict[str, tuple[Callable[[list[Any]], object], set[str]]] = {
    "empty": (list.clear, {"not_empty", "rows_per_task", "tokens_sampled", "improves_share"}),
    "column missing": (
        lambda rows: [row.pop("leftovers") for row in rows],
        {"columns_complete", "no_nulls", "no_leftovers"},
    ),
    "column too many": (lambda rows: rows[0].update(more=1), {"columns_complete"}),
    "column missing in a row": (lambda rows: rows[1].pop("held_out"), {"no_nulls"}),
    "half null": (lambda rows: [row.update(split=None) for row in rows[::2]], {"no_nulls"}),
    "all null": (lambda rows: [row.update(n_turns=None) for row in rows], {"no_nulls"}),
    "nan": (lambda rows: rows[0].update(tokens_max=float("nan")), {"no_nulls"}),
    "inf": (lambda rows: rows[0].update(tokens_max=float("inf")), {"tokens_fit"}),
    "another type": (lambda rows: rows[0].update(n_turns="three"), {"turns_bounded"}),
    "same id": (lambda rows: rows[0].update(id=str(rows[1]["id"])), {"ids_unique"}),
    "another split": (lambda rows: rows[0].update(split="test"), {"train_only"}),
}


@pytest.mark.parametrize("how", TABLES)
def test_what_great_expectations_lets_pass_in_silence_is_refused(how: str) -> None:
    change, expected = TABLES[how]
    rows = table(ROWS)
    change(rows)
    result = verdict(rows)
    assert failing(result) == expected
    assert not result.success
    assert len(result.lines()) == len(expected - {"tokens_sampled", "improves_share"})


def test_every_critical_check_has_something_that_it_refuses() -> None:
    tried = {name for cases in (BROKEN, TABLES) for _, names in cases.values() for name in names}
    suite = [*row_checks([], 6, CONTEXT), *task_checks(PARAMS, 6)]
    critical = {check.name for check in suite if check.severity == "critical"}
    assert critical - tried == {"not_held_out", "tokens_recounted"}  # these have tests of their own below


def test_exceptions_are_failures_and_show_their_text() -> None:
    rows = table(ROWS)
    for row in rows:
        del row["leftovers"]
    found = {finding.name: finding for finding in verdict(rows).findings}
    assert found["columns_complete"].detail == "missing leftovers"
    assert 'The column "leftovers" in BatchData does not exist' in found["no_leftovers"].detail


def test_a_rule_that_never_came_back_has_failed() -> None:
    check = row_checks(["x"], 6, CONTEXT)[0]
    finding = _finding(check, [], [], "row")
    assert not finding.success
    assert finding.severity == "critical"
    assert finding.detail == "1 of 1 rules were not evaluated"


def test_a_task_without_rows_is_refused_even_where_others_have_enough() -> None:
    result = verdict(table(ROWS), tasks=[*DIFFICULTIES, "date_understanding"])
    assert failing(result) == {"rows_per_task", "improves_share"}
    assert result.lines() == [
        "rows_per_task: 1 task (ids date_understanding): every task has at least 3 trajectories"
    ]


def test_too_few_rows_or_no_task_at_all_is_refused() -> None:
    few = PARAMS.model_copy(update={"min_rows": 4})
    assert failing(verdict(table(ROWS), params=few)) == {"rows_per_task"}
    assert failing(verdict(table(ROWS), tasks=[])) == {"tasks_known", "rows_per_task", "improves_share"}


def test_a_share_out_of_bounds_and_a_sample_of_none_only_warn() -> None:
    narrow = PARAMS.model_copy(update={"improves_share": (0.9, 1.0)})
    result = verdict(table(ROWS, sample=0), params=narrow)
    assert failing(result) == {"improves_share", "tokens_sampled"}
    assert result.success
    assert result.lines() == []


def test_a_held_out_question_is_refused() -> None:
    result = verdict(table(ROWS, [PROBLEMS[TWO.problem_id].question.upper()]))
    assert failing(result) == {"not_held_out"}
    assert result.lines() == [f"not_held_out: 1 row (ids {TWO.id}): no question is asked in validation or test"]


@pytest.mark.parametrize(
    ("tokens", "expected"),
    [
        (0, {"tokens_fit", "tokens_recounted"}),
        (99_999, {"tokens_fit", "tokens_recounted"}),
        (77, {"tokens_recounted"}),
    ],
)
def test_token_counts_are_bounded_and_those_of_the_texts(tokens: int, expected: set[str]) -> None:
    other = with_turn(TWO, 0, n_tokens=lambda _: tokens)
    assert failing(verdict(table([other if row is TWO else row for row in ROWS]))) == expected


def test_a_row_that_is_longer_than_the_context_is_refused() -> None:
    assert failing(verdict(table(ROWS), context=1500)) == {"tokens_fit"}


def test_at_most_three_ids_are_named_and_all_rows_counted() -> None:
    rows = table([msgspec.structs.replace(ROWS[n % 6], id=f"r{n}") for n in range(50)])
    for row in rows[5:]:
        row["final_answer"] = "\x1b[31m?"
    (line,) = verdict(rows).lines()
    assert (
        line
        == "answers_match: 45 rows (ids r5, r6, r7): the final answer is the reference answer, or the row salvaged"
    )


def test_results_are_the_same_each_time_and_hold_no_path_and_nothing_is_printed(
    capfd: pytest.CaptureFixture[str],
) -> None:
    rows = table(ROWS)
    for row in rows:
        del row["split"]
    results = [msgspec.json.encode(verdict(rows)).decode() for _ in range(2)]
    assert results[0] == results[1]
    assert str(Path.cwd()) not in results[0]
    assert "site-packages" not in results[0]
    assert os.environ["GX_ANALYTICS_ENABLED"] == "false"
    assert capfd.readouterr() == ("", "")
