"""What an evaluation reports: rates with intervals, paired tests, and what M_theta's feedback is worth."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.fakes import ARITHMETIC, ScriptedModel, arithmetic_problem
from tests.test_edit import OWN, RIGHT, WRONG, WRONG_LATER, said
from tripost import registry
from tripost.evaluate import direct, evaluate, final, metrics
from tripost.params import EvalParams, MaxNewTokens
from tripost.rates import paired, rate
from tripost.records import Prediction
from tripost.text import ALL_CORRECT

X = arithmetic_problem()
PARAMS = EvalParams(max_turns=3, max_new_tokens=MaxNewTokens(attempt=99, feedback=99), batch_size=2)
FALSE_ALARM = said(RIGHT, 3, "= 7", "(8 - 1) is not 7").text


def predict(*words: str, seen: bool = True, own: bool = True, identity: str = "x") -> Prediction:
    """What M_theta's words in turn (attempt, feedback, update, ...) become as a prediction."""
    left = list(words)
    problem = msgspec.structs.replace(X, id=identity, seen=seen)
    model = ScriptedModel(lambda prompt, seed: left.pop(0))
    tasks, experts = registry.tasks([ARITHMETIC]), registry.scripts([ARITHMETIC])
    (found,) = evaluate(model, [problem], tasks, experts, PARAMS, "t1", own_feedback=own)
    assert all(sampling.temperature == 0 for _, sampling, _ in model.asked)
    return found


FIXED = predict(WRONG, OWN.text, RIGHT, ALL_CORRECT, identity="fixed")
BROKEN = predict(RIGHT, FALSE_ALARM, WRONG_LATER, ALL_CORRECT, identity="broken")
RIGHT_AT_ONCE = predict(RIGHT, ALL_CORRECT, identity="right")
OVERLOOKED = predict(WRONG, ALL_CORRECT, identity="overlooked")
ELSEWHERE = predict(WRONG, said(WRONG, 3, "= 7", "x").text, WRONG_LATER, "well ...", identity="elsewhere", seen=False)
MALFORMED = predict("no steps", identity="malformed")


def test_a_conversation_is_judged_turn_by_turn() -> None:
    assert (FIXED.right, FIXED.verdicts) == ((False, True), (2, 0))
    assert (direct(FIXED), final(FIXED)) == (False, True)
    assert (direct(BROKEN), final(BROKEN)) == (True, False)
    assert MALFORMED.verdicts == (-1,)
    assert final(MALFORMED) is False


def test_the_final_answer_is_the_last_attempt_that_parses() -> None:
    row = predict(RIGHT, FALSE_ALARM, "no steps")
    assert len(row.trajectory.turns) == 2
    assert final(row) is True
    assert row.trajectory.final_attempt.raw == RIGHT


def test_m_0_is_asked_for_an_attempt_alone() -> None:
    row = predict(WRONG, own=False)
    found = metrics([row])[ARITHMETIC]["total"]
    assert found["flagged_wrong"].n == 0
    assert found["flagged_wrong"].value is None
    assert found["malformed"].k == 0


def test_measures() -> None:
    rows = [FIXED, BROKEN, RIGHT_AT_ONCE, OVERLOOKED, ELSEWHERE, MALFORMED]
    table = metrics(rows)[ARITHMETIC]
    assert {name: table[name]["n"] for name in table} == {"seen": 5, "unseen": 1, "total": 6}
    total = {name: (m.k, m.n) for name, m in table["total"].items() if hasattr(m, "k")}
    assert total == {
        "direct": (2, 6), "final": (2, 6), "revised": (3, 6), "fixed": (1, 6), "broken": (1, 6),
        "flagged_wrong": (2, 3), "located": (1, 2), "flagged_right": (1, 2), "malformed": (2, 6),
        "unjudged": (0, 6),
    }  # fmt: skip
    assert table["total"]["final_against_direct"].p_value == 1.0
    assert "final_against_previous" not in table["total"]


def test_the_paired_test_against_the_iteration_before_needs_the_same_problems() -> None:
    before = [msgspec.structs.replace(OVERLOOKED, problem_id=p.problem_id) for p in (FIXED, RIGHT_AT_ONCE)]
    found = metrics([FIXED, RIGHT_AT_ONCE], before)[ARITHMETIC]["total"]["final_against_previous"]
    assert (found.only_before, found.only_after, found.p_value) == (0, 2, 0.5)
    assert "final_against_previous" not in metrics([FIXED, BROKEN], before)[ARITHMETIC]["total"]


@given(st.integers(0, 60), st.integers(0, 60))
def test_intervals_hold_the_value_and_shrink_to_nothing_never(k: int, more: int) -> None:
    found = rate([True] * k + [False] * more)
    if k + more == 0:
        assert found.value is None
        return
    assert found.value is not None
    assert found.low is not None
    assert found.high is not None
    assert 0 <= found.low <= found.value <= found.high <= 1
    assert found.high - found.low > 0.01


def test_known_values() -> None:
    """Wilson 95 % for 8 of 10, and exact McNemar with 1 against 9 discordant pairs, from tables."""
    found = rate([True] * 8 + [False] * 2)
    assert found.low == pytest.approx(0.4902, abs=1e-4)
    assert found.high == pytest.approx(0.9433, abs=1e-4)
    test = paired([True] + [False] * 9 + [True] * 5, [False] + [True] * 9 + [True] * 5)
    assert (test.only_before, test.only_after) == (1, 9)
    assert test.p_value == pytest.approx(0.021484, abs=1e-6)
