"""Why a trajectory is dropped, or None (paper, section 3.1, and the authors' filter made explicit).

Every reason is a name that is counted; a dropped row is kept beside the data with its reason and detail.
"""

from collections.abc import Iterable, Iterator, Mapping
from hashlib import sha256

from tripost.interfaces import Task
from tripost.parts import find_part
from tripost.records import Attempt, Dropped, Feedback, Problem, Trajectory, Turn
from tripost.text import LEFTOVERS, parse_attempt, parse_feedback

Flaw = tuple[str, str]
"""The reason (a fixed name) and the detail (free text)."""

REASONS = {
    "malformed_attempt": "an attempt cannot be read, or not as its fields say",
    "malformed_feedback": "a feedback is missing, or cannot be read as its fields say",
    "ends_wrong": "the last feedback does not say that all is correct",
    "salvaged_right": "a salvaged trajectory ends with all correct",
    "wrong_answer": "the last attempt's answer is not the reference answer",
    "continues_after_correct": "an attempt that was called correct is updated",
    "part_not_in_step": "the feedback quotes a part that does not stand in that step",
    "unchanged_update": "the update is the attempt again",
    "lost_steps": "the update changes steps before the wrong one",
    "kept_wrong_part": "the update's step still holds the wrong part",
    "earlier_error": "the next error comes earlier than the last one",
    "same_error": "the next error is the same part of the same step",
    "reveals_answer": "the feedback gives the reference answer away",
    "leftovers": "special tokens or broken characters stand in the text",
    "too_long": "a training text would not fit into the model's context",
    "duplicate": "the same words for the same question stand in an earlier row",
}


def flaw(trajectory: Trajectory, problem: Problem, task: Task, context: int) -> Flaw | None:
    """The first flaw of an edited trajectory, or None. `context` is the model's context in tokens."""
    last = trajectory.turns[-1]
    for i, turn in enumerate(trajectory.turns):
        found = _turn_flaw(turn, problem, is_last=turn is last, salvaged=trajectory.salvaged)
        if found is None and turn is not last:
            after = trajectory.turns[i + 1]
            found = update_flaw(turn, after.attempt, after.feedback)
        if found:
            return found
    if not trajectory.salvaged and not task.is_correct(problem, last.attempt):
        return "wrong_answer", f"{last.attempt.final} instead of {problem.answer}"
    longest = max(turn.n_tokens for turn in trajectory.turns)
    return ("too_long", f"{longest} tokens, context {context}") if longest > context else None


def _turn_flaw(turn: Turn, problem: Problem, *, is_last: bool, salvaged: bool) -> Flaw | None:
    attempt, feedback = turn.attempt, turn.feedback
    if attempt.malformed or parse_attempt(attempt.raw, attempt.author) != attempt:
        return "malformed_attempt", attempt.raw[:80]
    if feedback is None or parse_feedback(feedback.text, attempt, feedback.author) != feedback or feedback.malformed:
        return "malformed_feedback", feedback.text[:80] if feedback else "none"
    leftover = LEFTOVERS.search(f"{attempt.raw}\n{feedback.text}")
    if leftover:
        return "leftovers", repr(leftover[0])
    if feedback.says_correct:
        if is_last:
            return ("salvaged_right", "") if salvaged else None
        return "continues_after_correct", ""
    if is_last and not salvaged:
        return "ends_wrong", feedback.text[:200]
    assert feedback.wrong_step is not None
    if find_part(feedback.wrong_part, attempt.line(feedback.wrong_step)) is None:
        return "part_not_in_step", f"{feedback.wrong_part!r} in {attempt.line(feedback.wrong_step)!r}"
    known = f"{problem.question}\n{attempt.raw}"
    if find_part(problem.answer, feedback.reason) and not find_part(problem.answer, known):
        return "reveals_answer", feedback.reason
    return None


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


def filter_all(
    trajectories: Iterable[Trajectory],
    problems: Mapping[str, Problem],
    tasks: Mapping[str, Task],
    context: int,
) -> Iterator[Trajectory | Dropped]:
    """Each row as it came, or dropped with its reason. Of equal rows the first is kept."""
    known: dict[bytes, str] = {}
    for trajectory in trajectories:
        found = flaw(trajectory, problems[trajectory.problem_id], tasks[trajectory.task], context)
        if found is None:
            first = known.setdefault(words_of(trajectory), trajectory.id)
            found = None if first == trajectory.id else ("duplicate", f"of {first}")
        if found is None:
            yield trajectory
        else:
            yield Dropped(trajectory=trajectory, stage="validate", reason=found[0], detail=found[1])


def words_of(trajectory: Trajectory) -> bytes:
    """What makes two rows duplicates: the question and all words, white space in attempts aside."""
    texts = [trajectory.question_sha256]
    for turn in trajectory.turns:
        texts += [*turn.attempt.raw.split(), "|", turn.feedback.text if turn.feedback else "", "|"]
    return sha256("\0".join(texts).encode()).digest()
