"""The flat rows of the gate, and the second reader behind them."""

import ast
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.fakes import flat_rows
from tests.gate_rows import CONTEXT, DIFFICULTIES, PROBLEMS, ROWS, count_tokens, with_fields, with_turn
from tripost import columns, reading
from tripost.columns import COLUMNS, TaskCount, task_counts
from tripost.layout import PAPER_LAYOUT, Layout
from tripost.reading import attempt_is_stale, feedback_is_stale, read, read_attempt, read_feedback, stands_in
from tripost.records import Turn
from tripost.text import ALL_CORRECT, parse_attempt, parse_feedback

ALLOWED = {"tripost.layout", "tripost.prompts", "tripost.reading", "tripost.records", "tripost.text"}
FRAGMENTS = [
    "(1) a = 3.", "(2)b", "  (2.1)  c ", "(10) d", "(Final response) So the answer is -7.",
    "(3) so the answer is: x .", "(Final answer) SO THE ANSWER IS 4", "(Final response) no", "", "(",
    "Feedback: f", "(1) ", "So the answer is 1.",
]  # fmt: skip
NONE_OF = [
    "early_all_correct", "unreadable", "stale_fields", "missing_steps", "missing_parts", "lost_steps",
    "kept_wrong_lines", "leftovers", "miscounted_turns",
]  # fmt: skip
SAYINGS = [
    ALL_CORRECT, 'In step (1) the part "3" is incorrect. This is because it is 4.', "In step", " the part ", '"',
    'In (Final response) the part "-7" is incorrect. This is because " is incorrect. This is because .', "\n",
    'In step (9) the part "x" is incorrect. This is because y.', 'the part "', '" is incorrect. This is because ',
]  # fmt: skip


@pytest.mark.parametrize("module", [columns, reading])
def test_nothing_that_the_gate_guards_against_is_imported(module: object) -> None:
    tree = ast.parse(Path(str(getattr(module, "__file__", ""))).read_text(encoding="utf-8"))
    found = {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) and node.module}
    assert {name for name in found if name.startswith("tripost")} <= ALLOWED


@settings(max_examples=300, deadline=None, derandomize=True)
@given(st.lists(st.sampled_from(FRAGMENTS), max_size=6), st.lists(st.sampled_from(SAYINGS), max_size=5))
def test_both_readers_agree_on_what_one_of_them_reads(lines: list[str], sayings: list[str]) -> None:
    attempt = parse_attempt("\n".join(lines), "m_theta")
    feedback = parse_feedback("".join(sayings), attempt, "m_theta")
    turn = read(Turn(attempt=attempt, feedback=feedback, n_tokens=1))
    if not attempt.malformed:
        assert not attempt_is_stale(turn)
        assert (turn.verdict is None or turn.verdict.step == 0) == feedback.malformed
        assert not feedback_is_stale(turn)


def test_a_row_says_what_its_trajectory_says() -> None:
    row = flat_rows([ROWS[2]], PROBLEMS, [], count_tokens, layout=PAPER_LAYOUT, sample=1, seed=1)[0]
    turns = ROWS[2].turns
    assert row == {
        "id": ROWS[2].id,
        "task": "multistep_arithmetic",
        "problem_task": "multistep_arithmetic",
        "split": "train",
        "question_matches": True,
        "held_out": False,
        "n_turns": 3,
        "improves": True,
        "salvaged": False,
        "starts_wrong": True,
        "may_start_wrong": True,
        "ends_all_correct": True,
        "must_end_all_correct": True,
        "ends_found_wrong": False,
        "final_answer": PROBLEMS[ROWS[2].problem_id].answer,
        "reference_answer": PROBLEMS[ROWS[2].problem_id].answer,
        "tokens_min": turns[0].n_tokens,
        "tokens_max": turns[2].n_tokens,
        "counted": True,
        **dict.fromkeys(NONE_OF, 0),
    }
    assert tuple(row) == COLUMNS


@pytest.mark.parametrize(
    ("written", "reference", "same"),
    [("+7", "7", True), ("-0", "0", True), ("007", "7", True), ("7.0", "7", False), ("a  b", "a b", True),
     ("A b", "a b", False), ("\u0667", "7", False), ("9" * 5000, "9", False)],
)  # fmt: skip
def test_integers_are_compared_as_integers_and_the_rest_as_text(written: str, reference: str, same: bool) -> None:
    row = with_turn(ROWS[0], 0, lambda raw: raw.rpartition("is ")[0] + f"is {written}.")
    problems = {row.problem_id: msgspec.structs.replace(PROBLEMS[row.problem_id], answer=reference)}
    flat = flat_rows([row], problems, [], None, layout=PAPER_LAYOUT, sample=0, seed=1)[0]
    assert (flat["final_answer"] == flat["reference_answer"]) is same


def test_what_cannot_be_known_is_never_taken_for_right() -> None:
    empty = msgspec.structs.replace(ROWS[0], turns=())
    blank = {ROWS[0].problem_id: msgspec.structs.replace(PROBLEMS[ROWS[0].problem_id], answer=" ")}
    for problems in (PROBLEMS, blank, {}):
        flat = flat_rows([empty], problems, [], count_tokens, layout=PAPER_LAYOUT, sample=5, seed=1)[0]
        assert flat["final_answer"] != flat["reference_answer"]
        assert (flat["n_turns"], flat["tokens_min"], flat["ends_all_correct"]) == (0, 0, False)
        assert None not in flat.values()
    assert (flat["question_matches"], flat["split"], flat["counted"]) == (False, "(unknown problem)", False)


def test_a_held_out_question_is_found_whatever_its_case_and_spaces() -> None:
    question = PROBLEMS[ROWS[3].problem_id].question
    held_out = [f"  {question.upper()} \n".replace(" ", "  ")]
    flat = flat_rows(ROWS, PROBLEMS, held_out, None, layout=PAPER_LAYOUT, sample=0, seed=1)
    assert [row["held_out"] for row in flat] == [row.problem_id == ROWS[3].problem_id for row in ROWS]


def test_tokens_are_counted_anew_on_a_sample_that_the_seed_decides() -> None:
    many = [msgspec.structs.replace(ROWS[n % 6], id=f"row {n}") for n in range(60)]

    def sampled(seed: int, sample: int = 20) -> list[object]:
        rows = flat_rows(many, PROBLEMS, [], count_tokens, layout=PAPER_LAYOUT, sample=sample, seed=seed)
        return [row["id"] for row in rows if row["counted"]]

    assert len(sampled(1)) == 20
    assert sampled(1) == sampled(1) != sampled(2)
    assert len(sampled(1, sample=1000)) == 60


def test_a_wrong_token_count_is_found_in_each_turn_and_history() -> None:
    row = with_turn(ROWS[2], 1, n_tokens=lambda n: n - 1)
    for layout, wrong in (
        (PAPER_LAYOUT, 1),
        (Layout(history="full"), 2),
    ):  # with all turns before it, the third text is longer, too
        flat = flat_rows([row], PROBLEMS, [], count_tokens, layout=layout, sample=1, seed=1)
        assert flat[0]["miscounted_turns"] == wrong


def test_a_task_without_rows_counts_as_none() -> None:
    rows = flat_rows(ROWS, PROBLEMS, [], None, layout=PAPER_LAYOUT, sample=0, seed=1)
    assert task_counts([(row["task"], row["improves"]) for row in rows], ["word_sorting", "absent"]) == [
        TaskCount("word_sorting", 3, 2, 0.6667),
        TaskCount("absent", 0, 0, 0.0),
    ]


def test_parts_stand_in_a_line_as_whole_words_and_numbers() -> None:
    assert stands_in("= 3", "A = 3.")
    assert stands_in("(a+", "x (a+ b")
    assert not stands_in("3", "A = 13 - 31.")
    assert not stands_in("cat", "concat cats")


def test_labels_must_rise_and_the_answer_must_be_there() -> None:
    final = "(Final response) So the answer is 1."
    assert read_attempt(f"(1) a\n(1.1) b\n(2) c\n(10) d\n{final}") is not None
    for raw in (f"(2) a\n(1) b\n{final}", f"(1) a\n(1) b\n{final}", f"a\n{final}", "(1) a", "(Final response) 1", ""):
        assert read_attempt(raw) is None


def test_a_feedback_on_a_step_that_is_not_there_is_read_as_step_0() -> None:
    said = read_feedback('In step (4) the part "a" is incorrect. This is because b.', [("1", "a"), ("", "x")])
    assert said is not None
    assert (said.step, said.part, said.reason) == (0, "a", "b")


def test_changed_fields_are_found_one_by_one() -> None:
    attempt, feedback = ROWS[1].turns[0].attempt, ROWS[1].turns[0].feedback
    assert feedback is not None
    attempts: list[dict[str, Any]] = [
        {"final": "0"},
        {"final_text": "0"},
        {"steps": ()},
        {"steps": (), "final": None},
    ]
    feedbacks: list[dict[str, Any]] = [{"wrong_step": 1}, {"wrong_part": "B"}, {"reason": "x"}, {"malformed": True}]
    replace = msgspec.structs.replace
    changed = [with_fields(ROWS[1], 0, replace(attempt, **change)) for change in attempts]
    changed += [with_fields(ROWS[1], 0, feedback=replace(feedback, **change)) for change in feedbacks]
    rows = flat_rows(changed, PROBLEMS, [], None, layout=PAPER_LAYOUT, sample=0, seed=1)
    assert [row["stale_fields"] for row in rows] == [1] * 8


def test_the_rows_of_these_tests_are_of_all_kinds() -> None:
    assert {row.task for row in ROWS} == set(DIFFICULTIES)
    assert [len(row.turns) for row in ROWS] == [1, 2, 3, 1, 2, 3]
    assert max(turn.n_tokens for row in ROWS for turn in row.turns) <= CONTEXT
