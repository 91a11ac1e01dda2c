"""FBK and IMP take over at M_theta's first mistake, and only there."""

import msgspec
import pytest

from tests.fakes import ARITHMETIC, WORDS, arithmetic_problem, attempt, attempts_of, problems
from tripost import registry
from tripost.edit import agrees, apart, edit, edit_all, wrong_share
from tripost.filter import flaw
from tripost.interfaces import CannotImprove, CannotJudge, Expert
from tripost.params import EditParams
from tripost.records import Attempt, Dropped, Feedback, Problem, Trajectory
from tripost.text import parse_attempt, write_feedback

X = arithmetic_problem()
RIGHT = str(X.rationale)
WRONG = (
    RIGHT.replace("(-1 + 3) = 2.", "(-1 + 3) = 4.").replace("(2 - 7) = -5", "(4 - 7) = -3").replace("is -5", "is -3")
)
WRONG_LATER = RIGHT.replace("(2 - 7) = -5", "(2 - 7) = 5").replace("is -5", "is 5")
PARAMS = EditParams(max_updates=5, check_reason=True, probes=None, salvage=False)


def said(text: str, step: int | None, part: str = "", reason: str = "") -> Feedback:
    return write_feedback(attempt(text), step, part, reason, "m_theta")


OWN = said(WRONG, 2, "= 4", "(-1 + 3) is 2")
"""M_theta's feedback on WRONG, just as FBK would put it."""


def edited(
    *turns: tuple[str, Feedback | None], expert: Expert | None = None, params: EditParams = PARAMS
) -> Trajectory:
    row = edit(attempts_of(X, *turns), X, registry.task(ARITHMETIC), expert or registry.script(ARITHMETIC), params)
    assert isinstance(row, Trajectory), row
    return row


def authors(row: Trajectory) -> list[tuple[str, str]]:
    return [(turn.attempt.author, turn.feedback.author if turn.feedback else "") for turn in row.turns]


def test_a_right_attempt_gets_the_fixed_feedback() -> None:
    row = edited((RIGHT, None))
    assert authors(row) == [("m_theta", "script")]
    assert row.turns[0].feedback == write_feedback(row.turns[0].attempt, None, "", "", "script")


def test_a_wrong_attempt_is_criticised_and_continued_by_the_expert() -> None:
    row = edited((WRONG, None))
    assert authors(row) == [("m_theta", "script"), ("script", "script")]
    assert row.turns[0].feedback is not None
    assert (row.turns[0].feedback.wrong_step, row.turns[0].feedback.wrong_part) == (2, "= 4")
    assert row.turns[1].attempt.raw == RIGHT
    assert row.improves
    assert flaw(with_tokens(row), X, registry.task(ARITHMETIC), 10_000) is None


def test_a_right_attempt_wrongly_criticised_is_mended() -> None:
    wrong_critique = said(RIGHT, 3, "= 7", "(8 - 1) is not 7")
    row = edited((RIGHT, wrong_critique), (WRONG, None))
    assert authors(row) == [("m_theta", "script")]
    assert row.turns[0].feedback is not None
    assert row.turns[0].feedback.says_correct
    assert flaw(with_tokens(row), X, registry.task(ARITHMETIC), 10_000) is None


def test_own_words_stay_as_long_as_nothing_disagrees() -> None:
    row = edited((WRONG, OWN), (RIGHT, said(RIGHT, None)))
    assert authors(row) == [("m_theta", "m_theta"), ("m_theta", "m_theta")]


@pytest.mark.parametrize(
    "contradicted",
    [
        said(WRONG, None),
        said(WRONG, 3, "= 7", "(8 - 1) is not 7"),
        said(WRONG, 2, "= (-1 + 3)", "(-1 + 3) is 2"),
        said(WRONG, 2, "= 4", "A is 2"),
        msgspec.structs.replace(OWN, malformed=True),
    ],
    ids=["called right", "another step", "no overlap of the part", "another reason", "malformed"],
)
def test_contradicted_feedback_is_replaced_and_everything_after_it_dropped(contradicted: Feedback) -> None:
    row = edited((WRONG, contradicted), (RIGHT, said(RIGHT, None)))
    assert authors(row) == [("m_theta", "script"), ("script", "script")]
    assert row.turns[0].feedback is not None
    assert row.turns[0].feedback.text == OWN.text


def test_another_reason_counts_only_where_it_is_asked_for() -> None:
    own = said(WRONG, 2, "= 4", "A is 2")
    row = edited(
        (WRONG, own), (RIGHT, None), params=EditParams(max_updates=5, check_reason=False, probes=None, salvage=False)
    )
    assert authors(row) == [("m_theta", "m_theta"), ("m_theta", "script")]


@pytest.mark.parametrize(
    "bad_update",
    [WRONG, RIGHT.replace("(1 - 2 + 3) and", "(1 - 2 - 3) and"), RIGHT.replace("= 2.", "= 4."), "(1) no end"],
    ids=["unchanged", "lost steps", "kept wrong part", "malformed"],
)
def test_a_bad_own_update_is_cut_and_the_expert_continues(bad_update: str) -> None:
    row = edited((WRONG, OWN), (bad_update, None))
    assert authors(row) == [("m_theta", "m_theta"), ("script", "script")]
    assert row.turns[1].attempt.raw == RIGHT


def test_an_own_update_with_a_later_error_stays_and_is_criticised() -> None:
    row = edited((WRONG, OWN), (WRONG_LATER, None))
    assert authors(row) == [("m_theta", "m_theta"), ("m_theta", "script"), ("script", "script")]
    assert row.turns[1].feedback is not None
    assert row.turns[1].feedback.wrong_step == 4


class NeverRight:
    """IMP that repairs one step and breaks the next one; FBK is the script's."""

    def feedback(self, problem: Problem, attempt: Attempt) -> Feedback | CannotJudge:
        return registry.script(ARITHMETIC).feedback(problem, attempt)

    def improve(self, problem: Problem, attempt: Attempt, feedback: Feedback) -> Attempt | CannotImprove:
        assert (problem.answer, problem.rationale) == ("", None), "IMP must not see the reference"
        return msgspec.structs.replace(attempt, author="script")


@pytest.mark.parametrize("max_updates", [1, 2, 5])
def test_updates_are_bounded(max_updates: int) -> None:
    row = edited(
        (WRONG, None),
        expert=NeverRight(),
        params=EditParams(max_updates=max_updates, check_reason=True, probes=None, salvage=False),
    )
    assert len(row.turns) == max_updates + 1
    assert row.turns[-1].feedback is not None
    assert not row.turns[-1].feedback.says_correct


SALVAGE = EditParams(max_updates=2, check_reason=True, probes=None, salvage=True)


class Clumsy:
    """FBK is the script's until it has judged `judges` attempts; IMP gives its updates one after the other."""

    def __init__(self, *updates: str, judges: int = 99) -> None:
        self.updates, self.judges = list(updates), judges

    def feedback(self, problem: Problem, attempt: Attempt) -> Feedback | CannotJudge:
        self.judges -= 1
        return registry.script(ARITHMETIC).feedback(problem, attempt) if self.judges >= 0 else CannotJudge("tired")

    def improve(self, problem: Problem, attempt: Attempt, feedback: Feedback) -> Attempt | CannotImprove:
        return parse_attempt(self.updates.pop(0), "script") if self.updates else CannotImprove("out of ideas")


@pytest.mark.parametrize(
    ("expert", "attempts"),
    [
        (Clumsy(), [WRONG]),
        (Clumsy(WRONG_LATER), [WRONG, WRONG_LATER]),
        (Clumsy(WRONG), [WRONG]),
        (Clumsy("gibberish"), [WRONG]),
        (Clumsy(RIGHT, judges=1), [WRONG]),
        (Clumsy(WRONG_LATER, WRONG_LATER.replace("= 5.", "= 6.").replace("is 5", "is 6")), None),
    ],
    ids=["cannot improve", "cannot improve any further", "unchanged update", "unreadable update", "cannot judge it", "ends wrong"],
)  # fmt: skip
def test_what_cannot_be_mended_is_salvaged_up_to_its_last_verified_feedback(
    expert: Clumsy, attempts: list[str] | None
) -> None:
    row = edited((WRONG, None), expert=expert, params=SALVAGE)
    assert row.salvaged
    assert attempts is None or [turn.attempt.raw for turn in row.turns] == attempts
    last = row.turns[-1]
    assert last.feedback is not None
    assert last.feedback == registry.script(ARITHMETIC).feedback(X, last.attempt), "verified"
    assert not last.feedback.says_correct
    assert flaw(with_tokens(row), X, registry.task(ARITHMETIC), 10_000) is None


def test_what_is_not_to_be_salvaged_is_dropped_and_what_ends_right_is_never_salvaged() -> None:
    lost = edit(attempts_of(X, (WRONG, None)), X, registry.task(ARITHMETIC), Clumsy(), PARAMS)
    assert isinstance(lost, Dropped)
    assert lost.reason == "cannot_improve"
    assert not edited((WRONG, None), params=SALVAGE).salvaged
    assert not edited((RIGHT, None), params=SALVAGE).salvaged
    first = edit(attempts_of(X, (WRONG, None)), X, registry.task(ARITHMETIC), Clumsy(judges=0), SALVAGE)
    assert isinstance(first, Dropped), "without one verified feedback there is nothing to salvage"


def test_a_salvaged_row_counts_as_wrong_at_first() -> None:
    row = edited((WRONG, None), expert=Clumsy(), params=SALVAGE)
    assert not row.improves
    assert wrong_share([row], [], {X.id: X}, registry.tasks([ARITHMETIC])) == {ARITHMETIC: 1.0}


def test_what_cannot_be_judged_or_improved_is_dropped_with_the_reason() -> None:
    task, expert = registry.task(ARITHMETIC), registry.script(ARITHMETIC)
    prose = "(1) Easy.\n(Final response) So the answer is -5."
    lost = edit(attempts_of(X, (prose, None)), X, task, expert, PARAMS)
    assert isinstance(lost, Dropped)
    assert (lost.stage, lost.reason) == ("edit", "cannot_judge")
    lost = edit(attempts_of(X, ("gibberish", None)), X, task, expert, PARAMS)
    assert isinstance(lost, Dropped)
    assert lost.reason == "malformed_attempt"


def test_a_label_that_contradicts_the_script_is_reported_not_trained_on() -> None:
    x = msgspec.structs.replace(X, answer="99")
    lost = edit(attempts_of(x, (RIGHT, None)), x, registry.task(ARITHMETIC), registry.script(ARITHMETIC), PARAMS)
    assert isinstance(lost, Dropped)
    assert "not the reference answer" in lost.detail


@pytest.mark.parametrize("task", [ARITHMETIC, WORDS])
def test_rows_in_are_edited_plus_dropped_and_tokens_are_counted(task: str) -> None:
    many = problems(task, 12)
    texts = [str(p.rationale) if k % 3 else ("nonsense" if k % 2 else str(p.rationale).replace("1", "2"))
             for k, p in enumerate(many)]  # fmt: skip
    rows = [attempts_of(p, (text, None)) for p, text in zip(many, texts, strict=True)]
    by_id = {p.id: p for p in many}
    names = [task]
    tasks, scripts = registry.tasks(names), registry.scripts(names)
    kept, lost, _ = apart(edit_all(rows, by_id, tasks, scripts, PARAMS, lambda texts: [len(t) for t in texts]))
    assert len(kept) + len(lost) == len(rows)
    assert all(turn.n_tokens > 0 for row in kept for turn in row.turns)
    share = wrong_share(kept, lost, by_id, registry.tasks(names))[task]
    assert share == pytest.approx(4 / 12)


def test_agreement_needs_the_same_verdict() -> None:
    assert agrees(said(RIGHT, None), said(RIGHT, None), attempt(RIGHT), True)
    assert not agrees(said(RIGHT, None), OWN, attempt(WRONG), True)
    assert not agrees(OWN, said(RIGHT, None), attempt(WRONG), True)


def with_tokens(row: Trajectory) -> Trajectory:
    turns = tuple(msgspec.structs.replace(turn, n_tokens=9) for turn in row.turns)
    return msgspec.structs.replace(row, turns=turns)
