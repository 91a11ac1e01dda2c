"""FBK and IMP take over at M_theta's first mistake (paper, section 3.1, "trajectory editing").

M_theta's words stay as long as nothing disagrees. A disagreement is a feedback that FBK contradicts, or an update
that the filter would reject; then FBK writes the feedback, IMP the update, and so on until FBK says correct.

Departures from the authors' code: a right attempt that M_theta wrongly criticised is mended ("all correct") instead
of dropped; every feedback of M_theta is verified, its reason too (`check_reason`); a bad update is cut; and where a
trajectory cannot be brought to a right end, what was verified of it can be kept (`salvage`).
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from types import MappingProxyType

import msgspec

from tripost import filter
from tripost.chat.asking import Asking
from tripost.chat.in_order import in_order
from tripost.flaws import update_flaw
from tripost.interfaces import CannotImprove, CannotJudge, Expert, Task
from tripost.judge import judge
from tripost.layout import PAPER_LAYOUT, Layout
from tripost.lengths import with_token_counts
from tripost.params import EditParams
from tripost.parts import find_part
from tripost.probes import ask
from tripost.records import Attempt, Dropped, Feedback, Probe, Problem, Trajectory, Turn

OF_REPLIES = (
    "malformed_feedback",
    "part_not_in_step",
    "reveals_answer",
    "unchanged_update",
    "lost_steps",
    "kept_wrong_part",
    "leftovers",
)
"""What the filter would reject is asked of an LLM anew; where no try can be used, the row is dropped for it here."""
REASONS = {
    "malformed_attempt": "an attempt cannot be read",
    "cannot_judge": "the expert could not tell whether an attempt is right",
    "cannot_improve": "the expert could not write the update",
    "expert_failed": "the expert's endpoint gave no answer; the next run of edit asks again",
    "content_filter": "the expert's endpoint filtered its reply",
    "refusal": "the expert refused to answer",
    "length": "each reply of the expert was cut off",
    "empty": "each reply of the expert was empty",
    **{reason: filter.REASONS[reason] for reason in OF_REPLIES},
}
"""Why edit drops a trajectory."""
COUNTED_AT_ONCE = 500
"""Rows whose texts are tokenised together."""


def edit_all(
    trajectories: Iterable[Trajectory],
    problems: Mapping[str, Problem],
    tasks: Mapping[str, Task],
    experts: Mapping[str, Expert],
    params: EditParams,
    count_tokens: Callable[[Sequence[str]], list[int]],
    layout: Layout = PAPER_LAYOUT,
    on_row: Callable[[int], None] = lambda rows: None,
    probes: Mapping[int, Sequence[Probe]] = MappingProxyType({}),
    asker: Asking | None = None,
) -> Iterator[Trajectory | Dropped | Probe]:
    """Each row edited, with its token counts, or dropped where the expert could not edit it; and judged probes.

    `probes`: number of a row -> those that are judged before it. They change no trajectory. `asker`: has the experts'
    questions to LLMs answered, of many rows at once.
    """
    works = _works(trajectories, problems, tasks, experts, params, probes)
    uncounted: list[Trajectory] = []
    for found in in_order(works, asker):
        if isinstance(found, Trajectory):
            uncounted.append(found)
        else:
            yield found
        if len(uncounted) == COUNTED_AT_ONCE:
            yield from with_token_counts(uncounted, problems, count_tokens, layout)
            uncounted.clear()
        if not isinstance(found, Probe):
            on_row(1)
    yield from with_token_counts(uncounted, problems, count_tokens, layout)


def _works(
    trajectories: Iterable[Trajectory],
    problems: Mapping[str, Problem],
    tasks: Mapping[str, Task],
    experts: Mapping[str, Expert],
    params: EditParams,
    probes: Mapping[int, Sequence[Probe]],
) -> Iterator[Callable[[], Trajectory | Dropped | Probe]]:
    """What there is to do: each probe and each row by itself."""
    for number, row in enumerate(trajectories):
        for probe in probes.get(number, ()):
            yield partial(ask, probe, problems[probe.problem_id], tasks[probe.task], experts[probe.task])
        yield partial(edit, row, problems[row.problem_id], tasks[row.task], experts[row.task], params)


def edit(
    trajectory: Trajectory, problem: Problem, task: Task, expert: Expert, params: EditParams
) -> Trajectory | Dropped:
    """The trajectory as far as it is right, continued by the expert; Dropped where the expert cannot tell.

    With `salvage` it then stops at its last verified feedback instead, if one names a wrong step.
    """
    turns: list[Turn] = []
    pending: list[Turn] = list(trajectory.turns)
    attempt = pending[0].attempt
    if attempt.malformed:
        return _drop(trajectory, "malformed_attempt", attempt.raw[:80])
    verdict = judge(problem, attempt, task, expert)
    while True:
        if isinstance(verdict, CannotJudge):
            return _end(trajectory, turns, params, verdict.flaw, verdict.reason)
        own = pending.pop(0).feedback if pending else None
        agreed = own is not None and agrees(own, verdict, attempt, params.check_reason)
        if not agreed:
            pending.clear()
        turns.append(Turn(attempt=attempt, feedback=own if agreed else verdict, n_tokens=0))
        if verdict.says_correct or len(turns) > params.max_updates:
            salvaged = params.salvage and not verdict.says_correct
            return msgspec.structs.replace(trajectory, turns=tuple(turns), salvaged=salvaged)
        # M_theta's own update stays if the filter would keep it, whatever FBK says next.
        if pending and not pending[0].attempt.malformed:
            attempt = pending[0].attempt
            verdict = judge(problem, attempt, task, expert)
            if isinstance(verdict, Feedback) and update_flaw(turns[-1], attempt, verdict) is None:
                continue
        pending.clear()
        improved = expert.improve(_blind(problem), turns[-1].attempt, _feedback_of(turns[-1]))
        if isinstance(improved, CannotImprove):
            return _end(trajectory, turns, params, improved.flaw, improved.reason)
        attempt = improved
        verdict = judge(problem, attempt, task, expert)
        flawed = isinstance(verdict, Feedback) and update_flaw(turns[-1], attempt, verdict) is not None
        if params.salvage and flawed:  # without, the filter drops the whole row and says why
            return _salvage(trajectory, turns)


def agrees(own: Feedback, verdict: Feedback, attempt: Attempt, check_reason: bool) -> bool:
    """Whether M_theta's feedback says what FBK says: same verdict, same step, overlapping part (and reason)."""
    if own.malformed:
        return False
    if own.wrong_step is None or own.wrong_step != verdict.wrong_step:
        return own.wrong_step == verdict.wrong_step
    line = attempt.line(own.wrong_step)
    mine, theirs = find_part(own.wrong_part, line), find_part(verdict.wrong_part, line)
    overlap = bool(mine and theirs and mine[0] < theirs[1] and theirs[0] < mine[1])
    return overlap and (not check_reason or own.reason == verdict.reason)


def wrong_share(
    edited: Iterable[Trajectory],
    dropped: Iterable[Dropped],
    problems: Mapping[str, Problem],
    tasks: Mapping[str, Task],
) -> dict[str, float]:
    """Share of wrong first attempts of M_theta for each task, rounded as it is written to disk.

    What the expert could not judge counts as wrong where it cannot be read or its answer is wrong, else not at all.
    """
    judged, wrong = Counter[str](), Counter[str]()
    for row in edited:
        judged[row.task] += 1
        wrong[row.task] += row.improves or row.salvaged
    for lost in dropped:
        row = lost.trajectory
        if not tasks[row.task].is_correct(problems[row.problem_id], row.turns[0].attempt):
            judged[row.task] += 1
            wrong[row.task] += 1
    return {task: round(wrong[task] / count, 6) for task, count in sorted(judged.items())}


def _feedback_of(turn: Turn) -> Feedback:
    assert turn.feedback is not None
    return turn.feedback


def _blind(problem: Problem) -> Problem:
    """What IMP may see: the question, never the answer or the rationale."""
    return msgspec.structs.replace(problem, answer="", rationale=None)


def _end(
    trajectory: Trajectory, turns: Sequence[Turn], params: EditParams, reason: str, detail: str
) -> Trajectory | Dropped:
    """Where the expert can go no further: what is verified, or nothing."""
    if params.salvage and turns and reason != "expert_failed":  # that row is for the next run
        return _salvage(trajectory, turns)
    return _drop(trajectory, reason, detail)


def _salvage(trajectory: Trajectory, turns: Sequence[Turn]) -> Trajectory:
    """The turns so far, each with a verified feedback that names a wrong step."""
    return msgspec.structs.replace(trajectory, turns=tuple(turns), salvaged=True)


def _drop(trajectory: Trajectory, reason: str, detail: str) -> Dropped:
    return Dropped(trajectory=trajectory, stage="edit", reason=reason, detail=detail)


def apart(rows: Iterable[Trajectory | Dropped | Probe]) -> tuple[list[Trajectory], list[Dropped], list[Probe]]:
    """Each kind in a list of its own, in their order."""
    trajectories: list[Trajectory] = []
    dropped: list[Dropped] = []
    probes: list[Probe] = []
    for row in rows:
        if isinstance(row, Trajectory):
            trajectories.append(row)
        elif isinstance(row, Dropped):
            dropped.append(row)
        else:
            probes.append(row)
    return trajectories, dropped, probes
