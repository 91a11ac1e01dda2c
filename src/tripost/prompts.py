"""What M_theta is asked with, and the same texts as segments to be trained on, in the layout of `text.py`."""

from collections.abc import Sequence

from tripost.layout import Layout
from tripost.records import Attempt, Part, Problem, Turn
from tripost.text import ANSWER, FEEDBACK, QUESTION, UPDATE, walk


def attempt_prompt(question: str) -> str:
    """What M_theta is asked with for y_0."""
    return f"{QUESTION}{question}{ANSWER}"


def context(question: str, before: Sequence[Turn], layout: Layout) -> str:
    """Everything before y_i: the question alone, or with `history: full` all turns before it as well."""
    text = attempt_prompt(question)
    if layout.history == "full":
        for turn in before:
            text += turn.attempt.raw + feedback_segment(turn, layout) + UPDATE
    return text


def feedback_segment(turn: Turn, layout: Layout) -> str:
    """`f_i` as a segment; nothing where there is none."""
    if turn.feedback is None:
        return ""
    walked = walk(turn.attempt, turn.feedback) if layout.feedback == "walk" else ""
    return f"{FEEDBACK} {walked}{turn.feedback.text}"


def feedback_prompt(question: str, before: Sequence[Turn], attempt: Attempt, layout: Layout) -> str:
    """What M_theta is asked with for f_i."""
    return context(question, before, layout) + attempt.raw + FEEDBACK


def update_prompt(question: str, before: Sequence[Turn], turn: Turn, layout: Layout) -> str:
    """What M_theta is asked with for y_{i+1}."""
    return context(question, before, layout) + turn.attempt.raw + feedback_segment(turn, layout) + UPDATE


def pair_segments(
    question: str, turns: Sequence[Turn], i: int, layout: Layout, *, with_update: bool
) -> tuple[tuple[Part, str], ...]:
    """The turn pair (x, y_i, f_i[, y_{i+1}]) as (part, text): joined, they begin with the prompts above."""
    turn, head = turns[i], context(question, turns[:i], layout)
    feedback: tuple[Part, str] = ("feedback", feedback_segment(turn, layout))
    wrong = with_update or (turn.feedback is not None and turn.feedback.wrong_step is not None)
    attempt: tuple[Part, str] = ("wrong_attempt" if wrong else "attempt", turn.attempt.raw)
    update = (("update", UPDATE + turns[i + 1].attempt.raw),) if with_update else ()
    return (("question", head), attempt, feedback, *update)


def rationale_segments(problem: Problem) -> tuple[tuple[Part, str], ...]:
    """(x, rationale) as M_0 is fine-tuned on it. The problem must have a rationale."""
    if problem.rationale is None:
        raise ValueError(f"{problem.id}: no rationale")
    return (("question", attempt_prompt(problem.question)), ("attempt", problem.rationale.strip()))
