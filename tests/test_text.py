"""Trajectory <-> text: round trips, bounds, and the same bytes at rollout, evaluation and training."""

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.fakes import ARITHMETIC, WORDS, arithmetic_problem, attempt, problems
from tripost.layout import PAPER_LAYOUT, Layout
from tripost.parts import find_part
from tripost.prompts import attempt_prompt, feedback_prompt, feedback_segment, pair_segments, update_prompt
from tripost.records import Step, Turn
from tripost.text import (
    ALL_CORRECT,
    MARKERS,
    MAX_CHARS,
    has_marker,
    label_key,
    parse_attempt,
    parse_feedback,
    read_written_feedback,
    write_attempt,
    write_feedback,
)

LINE = st.text(
    st.characters(min_codepoint=33, max_codepoint=0x24F, exclude_categories=("C", "Z")), min_size=1, max_size=20
)
LABELS = st.lists(
    st.lists(st.integers(1, 99), min_size=1, max_size=3).map(tuple), min_size=0, max_size=6, unique=True
).map(sorted)


@given(LABELS, st.data())
def test_attempt_round_trips(labels: list[tuple[int, ...]], data: st.DataObject) -> None:
    texts = [data.draw(LINE.filter(lambda line: not has_marker(line))) for _ in labels]
    steps = tuple(Step(label=".".join(map(str, k)), text=text) for k, text in zip(labels, texts, strict=True))
    written = write_attempt(steps, "So the answer is 7.", "script")
    assert written.steps == steps
    assert written.final == "7"
    assert parse_attempt(written.raw, "script") == written


@given(st.text(max_size=400))
def test_parsing_never_raises_and_malformed_keeps_its_words(text: str) -> None:
    parsed = parse_attempt(text, "m_theta")
    assert parsed.raw == text.strip()
    assert parsed.malformed == (parsed.final is None)
    assert not parsed.malformed or parsed.steps == ()
    said = parse_feedback(text, attempt("(1) a\n(Final response) So the answer is 1."), "m_theta")
    assert said.malformed or said.says_correct or said.wrong_step in (1, 2)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "(1) one",
        "(1) one\n(2) two",
        "(2) two\n(1) one\n(Final response) So the answer is 1.",
        "(1) one\n(1) one\n(Final response) So the answer is 1.",
        "(1) one\n(Final response) So the answer is 1.\n(2) more",
        "(1) one\n(Final response) So the answer is .",
        "(1) one\nQ: another question\n(Final response) So the answer is 1.",
        "(1) one\nFeedback: All steps and the final response are correct.\n(Final response) So the answer is 1.",
        "(\u0661) arabic digit\n(Final response) So the answer is 1.",
        "x" * (MAX_CHARS + 1),
        "\n".join(f"({k}) a" for k in range(1, 400)) + "\n(Final response) So the answer is 1.",
    ],
)
def test_malformed_attempts(text: str) -> None:
    assert parse_attempt(text, "m_theta").malformed


@pytest.mark.parametrize(
    ("last", "final"),
    [
        ("(Final response) So the answer is -7.", "-7"),
        (" (Final response) So The answer is: a b c.", "a b c"),
        ("(Final answer) The kiwis are last. So the answer is (B).", "(B)"),
        ("(7) So the answer is 12", "12"),
    ],
)
def test_published_last_lines(last: str, final: str) -> None:
    assert parse_attempt(f"(1) one\n{last}", "dataset").final == final


@given(part=LINE, reason=LINE, step=st.integers(1, 3))
def test_feedback_round_trips(part: str, reason: str, step: int) -> None:
    y = attempt("(1) one\n(2.1) two\n(Final response) So the answer is 1.")
    if '" is incorrect. This is because ' in f'{part}" is incorrect. This is because {reason}'[1:][: len(part)]:
        return
    reason = reason.rstrip(".") or "so"
    said = write_feedback(y, step, part, reason, "script")
    assert parse_feedback(said.text, y, "script") == said


def test_all_correct_is_fixed_and_a_step_that_is_not_there_is_malformed() -> None:
    y = attempt("(1) one\n(Final response) So the answer is 1.")
    assert parse_feedback(f" {ALL_CORRECT} ", y, "m_theta").says_correct
    assert parse_feedback('In step (9) the part "x" is incorrect. This is because y.', y, "m_theta").malformed
    assert parse_feedback('In step (1) the part "" is incorrect. This is because y.', y, "m_theta").malformed
    assert parse_feedback("All correct!", y, "m_theta").malformed


@pytest.mark.parametrize(
    ("part", "line", "found"),
    [
        ("= 5", "A = 5.", True),
        ("= 5", "A = 57.", False),
        ("12", "112", False),
        ("12", "a 12, b", True),
        ("", "a", False),
    ],
)
def test_part_stands_in_a_line_but_not_inside_a_number(part: str, line: str, found: bool) -> None:
    assert (find_part(part, line) is not None) == found


LAYOUTS = [
    Layout(history=history, feedback=feedback) for history in ("last", "full") for feedback in ("verdict", "walk")
]


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("task", [ARITHMETIC, WORDS])
def test_prompts_are_the_beginning_of_the_training_texts(task: str, layout: Layout) -> None:
    x, other = problems(task, 2)
    y = [attempt(str(p.rationale)) for p in (x, other, x)]
    turns = [
        Turn(attempt=y[0], feedback=write_feedback(y[0], 1, "a", "b", "script"), n_tokens=0),
        Turn(attempt=y[1], feedback=write_feedback(y[1], 2, "c", "d", "script"), n_tokens=0),
        Turn(attempt=y[2], feedback=write_feedback(y[2], None, "", "", "script"), n_tokens=0),
    ]
    for i in range(2):
        text = "".join(t for _, t in pair_segments(x.question, turns, i, layout, with_update=True))
        asked_feedback = feedback_prompt(x.question, turns[:i], turns[i].attempt, layout)
        asked_update = update_prompt(x.question, turns[:i], turns[i], layout)
        assert text.startswith(attempt_prompt(x.question))
        assert text.startswith(asked_feedback)
        assert text[len(asked_feedback) :].startswith(" ")
        assert text == asked_update + turns[i + 1].attempt.raw
        assert (layout.history == "full") == (turns[0].attempt.raw in asked_update) or i == 0


def test_history_last_shows_only_the_last_pair() -> None:
    x = arithmetic_problem()
    first, second = attempt(str(x.rationale)), attempt("(1) one\n(Final response) So the answer is 1.")
    before = [Turn(attempt=first, feedback=write_feedback(first, 1, "a", "b", "script"), n_tokens=0)]
    assert first.raw not in feedback_prompt(x.question, before, second, PAPER_LAYOUT)
    assert first.raw in feedback_prompt(x.question, before, second, Layout(history="full"))


@given(st.sampled_from(MARKERS), st.text(string.ascii_letters, max_size=5))
def test_markers_are_found_at_the_start_of_any_line(marker: str, text: str) -> None:
    assert has_marker(f"x\n {marker}{text}")


def test_labels_order_as_numbers() -> None:
    assert label_key("3.10") > label_key("3.9") > label_key("3")


THREE = attempt("(1) one\n(2) two\n(2.1) more\n(Final response) So the answer is 1.")
WALK = Layout(feedback="walk")


@pytest.mark.parametrize(
    ("wrong_step", "walked"),
    [
        (1, ""),
        (3, "Step (1) is correct. Step (2) is correct. "),
        (4, "Step (1) is correct. Step (2) is correct. Step (2.1) is correct. "),
        (None, "Step (1) is correct. Step (2) is correct. Step (2.1) is correct. "),
    ],
)
def test_a_walk_says_of_each_step_before_the_wrong_one_that_it_is_correct(
    wrong_step: int | None, walked: str
) -> None:
    said = write_feedback(THREE, wrong_step, "o", "it is not", "m_theta")
    written = feedback_segment(Turn(attempt=THREE, feedback=said, n_tokens=0), WALK)
    assert written == f"\nFeedback: {walked}{said.text}"
    assert read_written_feedback(written.removeprefix("\nFeedback:"), THREE, "m_theta", WALK) == said


@pytest.mark.parametrize(
    "said",
    [
        ALL_CORRECT,
        f"Step (1) is correct. Step (2) is correct. {ALL_CORRECT}",
        f"Step (1) is correct. Step (2.1) is correct. Step (2) is correct. {ALL_CORRECT}",
        'Step (1) is correct. In step (1) the part "one" is incorrect. This is because it is not.',
        'In step (2) the part "two" is incorrect. This is because it is not.',
        "Step (1) is correct. Step (2) is correct. Step (2.1) is correct. Fine.",
    ],
)
def test_a_walk_that_disagrees_with_its_verdict_is_malformed(said: str) -> None:
    assert read_written_feedback(said, THREE, "m_theta", WALK).malformed
