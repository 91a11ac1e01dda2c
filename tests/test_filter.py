"""Each reason for which a trajectory is dropped, from a row that is right but for that."""

import msgspec
import pytest

from tests.fakes import ARITHMETIC, arithmetic_problem, attempt, attempts_of
from tests.test_edit import RIGHT, WRONG, WRONG_LATER, said
from tripost import registry
from tripost.edit import apart
from tripost.filter import REASONS, filter_all, flaw
from tripost.records import Feedback, Trajectory

X = arithmetic_problem()
TASK = registry.task(ARITHMETIC)
OK = said(RIGHT, None)
FOUND = said(WRONG, 2, "= 4", "(-1 + 3) is not 4")
LATER = said(WRONG_LATER, 4, "= 5", "(2 - 7) is not 5")
EARLIER_WRONG = RIGHT.replace('"(A - B)"', '"(A + B)"')


def row(*turns: tuple[str, Feedback | None]) -> Trajectory:
    return attempts_of(X, *turns)


GOOD = row((WRONG, FOUND), (WRONG_LATER, LATER), (RIGHT, OK))


def test_a_good_row_has_no_flaw() -> None:
    assert flaw(GOOD, X, TASK, 100) is None
    assert flaw(row((RIGHT, OK)), X, TASK, 100) is None


FLAWS = {
    "malformed_attempt": row((WRONG, FOUND), ("(1) no end", OK)),
    "malformed_feedback": row((WRONG, msgspec.structs.replace(FOUND, malformed=True)), (RIGHT, OK)),
    "leftovers": row((WRONG, said(WRONG, 2, "= 4", "(-1 + 3) is not 4 <|end|>")), (RIGHT, OK)),
    "ends_wrong": row((WRONG, FOUND)),
    "salvaged_right": msgspec.structs.replace(row((RIGHT, OK)), salvaged=True),
    "wrong_answer": row((WRONG_LATER, said(WRONG_LATER, None))),
    "continues_after_correct": row((WRONG, said(WRONG, None)), (RIGHT, OK)),
    "part_not_in_step": row((WRONG, said(WRONG, 2, "= 44", "no")), (RIGHT, OK)),
    "unchanged_update": row((WRONG, FOUND), (WRONG.replace(" =", "  ="), OK)),
    "lost_steps": row((WRONG, FOUND), (RIGHT.replace("A = (1 - 2 + 3) and", "A = (1 - 2 - 3) and"), OK)),
    "kept_wrong_part": row((WRONG, FOUND), (RIGHT.replace("= 2.", "= 2 = 4."), OK)),
    "earlier_error": row(
        (WRONG, FOUND), (RIGHT.replace("= -1", "= 0"), said(RIGHT, 1, "(1 - 2 + 3)", "no")), (RIGHT, OK)
    ),
    "same_error": row(
        (WRONG_LATER, said(WRONG_LATER, 4, "= 5", "no")),
        (RIGHT.replace("(2 - 7) = -5", "(2 - 7) = 6"), said(RIGHT, 4, "= 5", "no")),
        (RIGHT, OK),
    ),
    "reveals_answer": row((WRONG, said(WRONG, 2, "= 4", "it ends with -5")), (RIGHT, OK)),
    "too_long": msgspec.structs.replace(GOOD, turns=(msgspec.structs.replace(GOOD.turns[0], n_tokens=101), *GOOD.turns[1:])),
}  # fmt: skip


@pytest.mark.parametrize("reason", FLAWS)
def test_each_flaw_is_named(reason: str) -> None:
    found = flaw(FLAWS[reason], X, TASK, 100)
    assert found is not None
    assert found[0] == reason, found


def test_every_reason_is_explained_and_tested() -> None:
    assert set(FLAWS) | {"duplicate"} == set(REASONS)


def test_the_answer_may_be_named_where_the_question_or_the_attempt_holds_it() -> None:
    x = msgspec.structs.replace(X, answer="3")
    text = RIGHT.replace("= -5.", "= 3.").replace("is -5", "is 3")
    held = attempts_of(x, (WRONG, said(WRONG, 2, "= 4", "3 is not 4")), (text, said(text, None)))
    assert flaw(held, x, TASK, 100) is None


def test_a_salvaged_row_may_end_wrong_and_in_nothing_else_than_that() -> None:
    salvaged = msgspec.structs.replace(row((WRONG, FOUND), (WRONG_LATER, LATER)), salvaged=True)
    assert flaw(salvaged, X, TASK, 100) is None
    for reason in ("malformed_feedback", "leftovers", "part_not_in_step", "unchanged_update", "lost_steps"):
        found = flaw(msgspec.structs.replace(FLAWS[reason], salvaged=True), X, TASK, 100)
        assert found is not None
        assert found[0] == reason


def test_duplicates_go_by_words_and_the_first_one_stays() -> None:
    again = msgspec.structs.replace(GOOD, id="x1/t1/1", seed=9)
    other = row((RIGHT, OK))
    kept, dropped, _ = apart(filter_all([GOOD, again, other, other], {X.id: X}, {ARITHMETIC: TASK}, 100))
    assert [k.id for k in kept] == [GOOD.id, other.id, other.id]
    assert [(d.reason, d.detail, d.stage) for d in dropped] == [("duplicate", f"of {GOOD.id}", "validate")]


def test_attempt_text_of_the_fixtures_is_what_the_names_say() -> None:
    script = registry.script(ARITHMETIC)
    verdicts = [script.feedback(X, attempt(text)) for text in (RIGHT, WRONG, WRONG_LATER, EARLIER_WRONG)]
    assert [v.wrong_step for v in verdicts if isinstance(v, Feedback)] == [None, 2, 4, 1]
