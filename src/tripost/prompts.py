"""What M_theta is asked with, and the same texts as segments to be trained on, in the layout of `text.py`.

Plain text has the paper's markers, which M_theta learns to write: they end what comes before. In a chat they are
messages of the user's, so M_theta learns to end its turn instead, and what the user says has the question's weight.
"""

from collections.abc import Sequence

from tripost.layout import PAPER_LAYOUT, Layout
from tripost.records import Attempt, Part, Problem, Turn
from tripost.text import ANSWER, ATTEMPT_STOPS, FEEDBACK, FEEDBACK_STOPS, QUESTION, UPDATE, walk

Segments = tuple[tuple[Part, str], ...]


def attempt_stops(layout: Layout) -> tuple[str, ...]:
    """What ends an attempt or an update, besides EOS."""
    return (layout.chat.end,) if layout.chat else ATTEMPT_STOPS


def feedback_stops(layout: Layout) -> tuple[str, ...]:
    """What ends a feedback, besides EOS."""
    return (layout.chat.end,) if layout.chat else FEEDBACK_STOPS


def attempt_prompt(question: str, layout: Layout = PAPER_LAYOUT) -> str:
    """What M_theta is asked with for y_0."""
    chat = layout.chat
    return f"{chat.question}{chat.content(question)}{chat.answer}" if chat else f"{QUESTION}{question}{ANSWER}"


def context(question: str, before: Sequence[Turn], layout: Layout) -> str:
    """Everything before y_i: the question alone, or with `history: full` all turns before it as well."""
    text = attempt_prompt(question, layout)
    if layout.history == "full":
        for turn in before:
            text += _joined((*_attempt("attempt", turn.attempt, layout), *_feedback(turn, layout)))
            text += layout.chat.update if layout.chat else UPDATE
    return text


def feedback_segment(turn: Turn, layout: Layout) -> str:
    """`f_i` with the marker before it; nothing where there is none."""
    return _joined(_feedback(turn, layout))


def feedback_prompt(question: str, before: Sequence[Turn], attempt: Attempt, layout: Layout) -> str:
    """What M_theta is asked with for f_i."""
    asked = layout.chat.feedback if layout.chat else FEEDBACK
    return context(question, before, layout) + _joined(_attempt("attempt", attempt, layout)) + asked


def update_prompt(question: str, before: Sequence[Turn], turn: Turn, layout: Layout) -> str:
    """What M_theta is asked with for y_{i+1}."""
    said = (*_attempt("attempt", turn.attempt, layout), *_feedback(turn, layout))
    return context(question, before, layout) + _joined(said) + (layout.chat.update if layout.chat else UPDATE)


def pair_segments(question: str, turns: Sequence[Turn], i: int, layout: Layout, *, with_update: bool) -> Segments:
    """The turn pair (x, y_i, f_i[, y_{i+1}]) as (part, text): joined, they begin with the prompts above."""
    turn, head = turns[i], context(question, turns[:i], layout)
    wrong = with_update or (turn.feedback is not None and turn.feedback.wrong_step is not None)
    attempt = _attempt("wrong_attempt" if wrong else "attempt", turn.attempt, layout)
    update = _update(turns[i + 1].attempt, layout) if with_update else ()
    return (("question", head), *attempt, *_feedback(turn, layout), *update)


def rationale_segments(problem: Problem, layout: Layout = PAPER_LAYOUT) -> Segments:
    """(x, rationale) as M_0 is fine-tuned on it. The problem must have a rationale."""
    if problem.rationale is None:
        raise ValueError(f"{problem.id}: no rationale")
    return (
        ("question", attempt_prompt(problem.question, layout)),
        ("attempt", _said(problem.rationale.strip(), layout)),
    )


def _said(text: str, layout: Layout) -> str:
    """M_theta's words, and in a chat the end of its turn."""
    chat = layout.chat
    return f"{chat.lead}{chat.content(text)}{chat.end}" if chat else text


def _attempt(part: Part, attempt: Attempt, layout: Layout) -> Segments:
    return ((part, _said(attempt.raw, layout)),)


def _feedback(turn: Turn, layout: Layout) -> Segments:
    if turn.feedback is None:
        return () if layout.chat else (("feedback", ""),)
    said = (walk(turn.attempt, turn.feedback) if layout.feedback == "walk" else "") + turn.feedback.text
    if layout.chat:
        return (("question", layout.chat.feedback), ("feedback", _said(said, layout)))
    return (("feedback", f"{FEEDBACK} {said}"),)


def _update(attempt: Attempt, layout: Layout) -> Segments:
    if layout.chat:
        return (("question", layout.chat.update), ("update", _said(attempt.raw, layout)))
    return (("update", UPDATE + attempt.raw),)


def _joined(segments: Segments) -> str:
    return "".join(text for _, text in segments)
