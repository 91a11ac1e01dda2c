"""What is wrong with a feedback's reason or with an update: the filter's words, which experts know, too."""

from tripost.parts import find_part
from tripost.records import Attempt, Feedback, Problem, Turn

Flaw = tuple[str, str]
"""A reason, and what of it."""


def reveals(problem: Problem, attempt: Attempt, reason: str) -> bool:
    """Whether a reason gives the reference answer away where neither question nor attempt holds it."""
    known = f"{problem.question}\n{attempt.raw}"
    return find_part(problem.answer, reason) is not None and find_part(problem.answer, known) is None


def update_flaw(turn: Turn, update: Attempt, verdict: Feedback | None) -> Flaw | None:
    """What is wrong with `update` as an answer to `turn`; `verdict` is what FBK (or the row) says of the update.

    The turn's feedback must name a wrong step. Used by edit for M_theta's own updates, too.
    """
    attempt, feedback = turn.attempt, turn.feedback
    assert feedback is not None
    step = feedback.wrong_step
    assert step is not None
    if update.malformed:
        return "malformed_attempt", update.raw[:80]
    if update.raw.split() == attempt.raw.split():
        return "unchanged_update", f"step {step}"
    if update.steps[: step - 1] != attempt.steps[: step - 1]:
        return "lost_steps", f"steps before {step}"
    line = update.line(min(step, len(update.steps) + 1))
    if _holds(line, feedback.wrong_part, cut_off=attempt.line(step).endswith(feedback.wrong_part)):
        return "kept_wrong_part", f"{feedback.wrong_part!r} in {line!r}"
    if verdict is None or verdict.wrong_step is None:
        return None
    if verdict.wrong_step < step:
        return "earlier_error", f"step {verdict.wrong_step} after step {step}"
    if verdict.wrong_step == step and verdict.wrong_part == feedback.wrong_part:
        return "same_error", f"{feedback.wrong_part!r} in step {step}"
    return None


def _holds(line: str, part: str, *, cut_off: bool) -> bool:
    """Whether the line has the part; one that ran to the end of its line (cut off, say) must end this one, too."""
    return line.endswith(part) if cut_off else find_part(part, line) is not None
