"""Why a trajectory is dropped, or None (paper, section 3.1, and the authors' filter made explicit).

Every reason is a name that is counted; a dropped row is kept beside the data with its reason and detail.
"""

from collections.abc import Iterable, Iterator, Mapping
from hashlib import sha256

from tripost.flaws import Flaw, reveals, update_flaw
from tripost.interfaces import Task
from tripost.parts import find_part
from tripost.records import Dropped, Problem, Trajectory, Turn
from tripost.text import LEFTOVERS, parse_attempt, parse_feedback

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
    return ("reveals_answer", feedback.reason) if reveals(problem, attempt, feedback.reason) else None


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
