"""Turn pairs, the share p, the weights."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.fakes import ARITHMETIC, arithmetic_problem, attempts_of, balanced
from tests.test_edit import RIGHT, WRONG, WRONG_LATER, said
from tests.test_filter import FOUND, LATER, OK
from tripost.errors import DataError
from tripost.layout import Layout
from tripost.params import RebalanceParams, WeightParams
from tripost.rebalance import shares
from tripost.records import Example, Problem, Trajectory
from tripost.text import ALL_CORRECT

X = arithmetic_problem()
WEIGHTS = WeightParams(question=0.0, attempt=1.0, wrong_attempt=0.25, feedback=1.5, update=2.0)
COUNTS = st.integers(0, 200)


def params(p: object, shortage: str = "shrink", weights: object = WEIGHTS) -> RebalanceParams:
    return RebalanceParams.model_validate({"p": p, "shortage": shortage, "replay": "window", "weights": weights})


def rows(improving: int, right: int) -> tuple[list[Trajectory], dict[str, Problem]]:
    kept, problems = [], {}
    for k in range(improving + right):
        x = msgspec.structs.replace(X, id=f"x{k}", question=X.question + " " * k)
        problems[x.id] = x
        turns = [(WRONG, FOUND), (WRONG_LATER, LATER), (RIGHT, OK)] if k < improving else [(RIGHT, OK)]
        kept.append(attempts_of(x, *turns))
    return kept, problems


def of_kind(examples: list[Example], kind: str) -> list[Example]:
    return [example for example in examples if example.kind == kind]


@given(st.floats(0.01, 0.99), COUNTS, COUNTS, COUNTS)
def test_shrink_holds_p_to_rounding(p: float, improvements: int, corrects: int, truths: int) -> None:
    k, c, g = shares(p, "shrink", improvements, corrects, truths)
    assert k <= improvements
    assert c <= corrects
    assert g <= truths
    if k:
        assert abs(c + g - k * (1 - p) / p) <= 0.5
        assert abs(c - g) <= 1 or c == corrects or g == truths
    else:
        assert not improvements or (1 - p) / p > corrects + truths
        assert c == g or (c, g) in ((corrects, 0), (0, truths))
        assert c + g > 0 or not corrects + truths


@given(st.floats(0.01, 0.99), COUNTS, COUNTS, COUNTS)
def test_keep_takes_all_improvements(p: float, improvements: int, corrects: int, truths: int) -> None:
    k, c, g = shares(p, "keep", improvements, corrects, truths)
    assert k == improvements
    assert c <= corrects
    assert g <= truths
    assert improvements == 0 or c + g == min(corrects + truths, round(improvements * (1 - p) / p))


@pytest.mark.parametrize(
    ("p", "expected"),
    [(0.43, (30, 20, 20)), (0.0, (0, 40, 40)), (1.0, (30, 0, 0)), (None, (30, 40, 40)), (0.5, (30, 15, 15))],
)
def test_the_papers_ratio_and_the_ends(p: float | None, expected: tuple[int, int, int]) -> None:
    assert shares(p, "shrink", 30, 40, 40) == expected


@pytest.mark.parametrize(
    ("p", "shortage", "available", "taken"),
    [
        (0.43, "shrink", (0, 400, 8000), (0, 400, 400)),
        (0.43, "keep", (0, 400, 8000), (0, 400, 400)),
        (0.01, "shrink", (1, 99, 30), (1, 69, 30)),
        (0.5, "shrink", (300, 200, 0), (200, 200, 0)),
        (0.5, "keep", (300, 100, 50), (300, 100, 50)),
        (0.0, "keep", (300, 300, 0), (0, 300, 0)),
    ],
)
def test_where_one_kind_runs_short_the_other_fills_up(
    p: float, shortage: str, available: tuple[int, int, int], taken: tuple[int, int, int]
) -> None:
    assert shares(p, shortage, *available) == taken


def test_a_task_is_never_left_without_examples_silently() -> None:
    kept, problems = rows(0, 5)
    with pytest.raises(DataError, match=r"rebalance\.p: multistep_arithmetic: p = 1\.0 leaves no example of 5"):
        balanced(kept, problems, params(1.0), {}, "1 t1")
    with pytest.raises(DataError, match="auto: no first attempt of multistep_arithmetic could be judged"):
        balanced(kept, problems, params("auto"), {}, "1 t1")


def test_what_an_older_iteration_wrote_already_is_taken_once() -> None:
    kept, problems = rows(2, 2)
    again = [msgspec.structs.replace(row, id=f"{row.id}/again") for row in kept]
    examples, dropped, _ = balanced(kept + again, problems, params("none"), {}, "1 t1")
    assert not [e for e in examples if "again" in e.id]
    assert [(d.trajectory.id, d.reason) for d in dropped] == [(row.id, "duplicate") for row in again]


def test_pairs_are_improvements_and_one_last_correct() -> None:
    kept, problems = rows(1, 0)
    examples, dropped, reached = balanced(kept, problems, params("none"), {}, "1 t1")
    assert not dropped
    assert [len(of_kind(examples, kind)) for kind in ("improvement", "correct", "ground_truth")] == [2, 1, 1]
    first = next(e for e in examples if e.id.endswith("/0"))
    assert [s.part for s in first.segments] == ["question", "wrong_attempt", "feedback", "update"]
    assert first.segments[1].text == WRONG
    assert first.segments[3].text.endswith(WRONG_LATER)
    last = of_kind(examples, "correct")[0]
    assert last.segments[-1].text.endswith(ALL_CORRECT)
    assert last.segments[1].text == RIGHT
    assert reached[ARITHMETIC].improvement == 2


def test_what_was_salvaged_teaches_feedback_beside_p() -> None:
    kept, problems = rows(3, 3)
    lost = [msgspec.structs.replace(row, turns=row.turns[:2], salvaged=True) for row in kept[:2]]
    lone = [msgspec.structs.replace(row, turns=row.turns[:1], salvaged=True) for row in kept[2:3]]
    examples, dropped, reached = balanced([*lost, *lone, *kept[3:]], problems, params(0.5), {}, "1 t1")
    found = reached[ARITHMETIC]
    assert (found.improvement, found.feedback, found.reached_p) == (2, 3, 0.5)
    assert not [row for row in dropped if row.trajectory.salvaged]
    said = {e.id: e for e in of_kind(examples, "feedback")}
    assert set(said) == {f"{row.id}/1" for row in lost} | {f"{lone[0].id}/0"}
    for example in said.values():
        assert [(s.part, s.weight) for s in example.segments] == [
            ("question", 0.0), ("wrong_attempt", 0.25), ("feedback", 1.5),
        ]  # fmt: skip
    assert said[f"{lone[0].id}/0"].segments[1].text == WRONG


def test_where_nothing_else_is_left_feedback_alone_is_learned() -> None:
    kept, problems = rows(2, 0)
    bare = {key: msgspec.structs.replace(x, rationale=None) for key, x in problems.items()}
    lone = [msgspec.structs.replace(row, turns=row.turns[:1], salvaged=True) for row in kept]
    examples, _, reached = balanced(lone, bare, params(0.43), {}, "1 t1")
    assert [e.kind for e in examples] == ["feedback", "feedback"]
    assert (reached[ARITHMETIC].reached_p, reached[ARITHMETIC].feedback) == (0.0, 2)


def test_weights_by_segment_and_the_papers_profile() -> None:
    kept, problems = rows(1, 1)
    by_kind = {}
    for weights in (WEIGHTS, "paper"):
        examples, _, _ = balanced(kept, problems, params("none", weights=weights), {}, "1 t1")
        for e in examples:
            improving = e.problem_id == "x0" and e.kind != "ground_truth"
            by_kind[str(weights == "paper"), e.kind, improving] = [s.weight for s in e.segments]
    assert by_kind["False", "improvement", True] == [0.0, 0.25, 1.5, 2.0]
    assert by_kind["False", "correct", True] == [0.0, 1.0, 1.5]
    assert by_kind["False", "correct", False] == [0.0, 1.0, 1.0]
    assert by_kind["True", "improvement", True] == [1.0, 1.0, 1.5, 1.5]
    assert by_kind["True", "correct", True] == [1.0, 1.0, 1.5]
    assert by_kind["True", "correct", False] == by_kind["True", "ground_truth", False] == [1.0, 1.0, 1.0]


def test_p_is_reached_reported_and_unused_rows_are_dropped_with_a_reason() -> None:
    kept, problems = rows(12, 30)
    examples, dropped, reached = balanced(kept, problems, params(0.43), {}, "1 t1")
    found = reached[ARITHMETIC]
    assert found.reached_p == pytest.approx(0.43, abs=0.01)
    assert (found.improvement, found.correct, found.ground_truth) == (24, 16, 16)
    used = {e.id.rpartition("/")[0] for e in examples}
    assert {d.trajectory.id for d in dropped} == {k.id for k in kept} - used
    assert {d.reason for d in dropped} == {"not_sampled"}


def test_auto_takes_the_share_of_wrong_first_attempts() -> None:
    kept, problems = rows(10, 30)
    _, _, reached = balanced(kept, problems, params("auto"), {ARITHMETIC: 0.25}, "1 t1")
    assert reached[ARITHMETIC].asked_p == 0.25
    assert reached[ARITHMETIC].reached_p == pytest.approx(0.25, abs=0.02)


def test_the_same_seed_gives_the_same_examples_and_another_one_others() -> None:
    kept, problems = rows(10, 30)
    first, *_ = balanced(kept, problems, params(0.43), {}, "1 t1")
    again, *_ = balanced(kept, problems, params(0.43), {}, "1 t1")
    other, *_ = balanced(kept, problems, params(0.43), {}, "2 t1")
    assert first == again
    assert [e.id for e in first] != [e.id for e in other]


def test_ground_truth_comes_from_train_problems_with_a_rationale_alone() -> None:
    kept, problems = rows(4, 4)
    problems["x1"] = msgspec.structs.replace(problems["x1"], split="validation")
    problems["x2"] = msgspec.structs.replace(problems["x2"], rationale=None)
    examples, *_ = balanced(kept, problems, params("none"), {}, "1 t1")
    assert not {e.problem_id for e in of_kind(examples, "ground_truth")} & {"x1", "x2"}


def test_history_full_puts_all_turns_before_into_the_question_segment() -> None:
    kept, problems = rows(1, 0)
    examples, *_ = balanced(kept, problems, params("none"), {}, "1 t1", Layout(history="full"))
    second = next(e for e in examples if e.id.endswith("/1"))
    assert WRONG in second.segments[0].text
    assert said(WRONG, 2, "= 4", "(-1 + 3) is not 4").text in second.segments[0].text
