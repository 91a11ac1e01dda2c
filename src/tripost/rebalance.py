"""Turn pairs, the share p of improvements, and the weights (paper, section 3.2 and appendix).

`(x, y_i, f_i, y_{i+1})` is an improvement example, the last `(x, y_n, f_n)` a correct one; a reference rationale
followed by "all correct" is a ground-truth one. improvement : correct : truth = 1.5 : 1 : 1 gives p = 0.43.
The last `(x, y_n, f_n)` of a salvaged trajectory teaches feedback alone; p does not count those.
"""

import random
from collections.abc import Mapping, Sequence

import msgspec

from tripost.errors import DataError
from tripost.filter import words_of
from tripost.layout import PAPER_LAYOUT, Layout
from tripost.params import RebalanceParams, WeightParams
from tripost.prompts import pair_segments
from tripost.records import Dropped, Example, ExampleKind, Part, Problem, Segment, Trajectory, Turn
from tripost.text import parse_attempt, write_feedback

REASONS = {
    "not_sampled": "balancing took none of its turn pairs",
    "duplicate": "the same words for the same question stand in an earlier row",
}
"""Why rebalance drops a trajectory."""

PAPER_WEIGHTS = WeightParams(question=1.0, attempt=1.0, wrong_attempt=1.0, feedback=1.5, update=1.5)


class Reached(msgspec.Struct, frozen=True):
    """What balancing came to, for one task. `feedback`: examples beside those that p is about."""

    asked_p: float | None
    reached_p: float
    improvement: int
    correct: int
    ground_truth: int
    feedback: int
    improvement_available: int
    correct_available: int
    ground_truth_available: int


def rebalance(
    kept: Sequence[Trajectory],
    problems: Mapping[str, Problem],
    params: RebalanceParams,
    wrong_share: Mapping[str, float],
    seed: str,
    layout: Layout = PAPER_LAYOUT,
) -> tuple[list[Example], list[Dropped], dict[str, Reached]]:
    """Examples (shuffled), trajectories none of whose pairs was taken, and what was reached for each task.

    `wrong_share[task]`: share of wrong first attempts that M_{t-1} showed, for `p: auto`.
    """
    weights = PAPER_WEIGHTS if isinstance(params.weights, str) else params.weights
    kept, dropped = _without_repeats(kept)
    examples: list[Example] = []
    reached: dict[str, Reached] = {}
    for task in sorted({trajectory.task for trajectory in kept}):
        rng = random.Random(f"rebalance {seed} {task}")
        mine = [trajectory for trajectory in kept if trajectory.task == task]
        pairs = [pair for row in mine for pair in _pairs(row, problems[row.problem_id], weights, layout)]
        improvements = [example for example in pairs if example.kind == "improvement"]
        corrects = [example for example in pairs if example.kind == "correct"]
        feedbacks = [example for example in pairs if example.kind == "feedback"]
        truths = [
            _truth(problem, weights, layout)
            for problem in problems.values()
            if problem.task == task and problem.split == "train" and problem.rationale is not None
        ]
        p = _asked(params, task, wrong_share)
        counts = shares(p, params.shortage, len(improvements), len(corrects), len(truths))
        if not any(counts) and not feedbacks:
            raise DataError(
                f"params.yaml: rebalance.p: {task}: p = {p} leaves no example of {len(mine)} trajectories; lower p"
            )
        taken = [rng.sample(pool, n) for pool, n in zip((improvements, corrects, truths), counts, strict=True)]
        examples += [example for pool in (*taken, feedbacks) for example in pool]
        reached[task] = Reached(
            asked_p=p,
            reached_p=round(counts[0] / max(1, sum(counts)), 4),
            improvement=counts[0],
            correct=counts[1],
            ground_truth=counts[2],
            feedback=len(feedbacks),
            improvement_available=len(improvements),
            correct_available=len(corrects),
            ground_truth_available=len(truths),
        )
    random.Random(f"rebalance {seed}").shuffle(examples)
    used = {example.id.rpartition("/")[0] for example in examples}
    dropped += [
        Dropped(trajectory=row, stage="rebalance", reason="not_sampled", detail="none of its pairs was taken")
        for row in kept
        if row.id not in used
    ]
    return examples, dropped, reached


def _asked(params: RebalanceParams, task: str, wrong_share: Mapping[str, float]) -> float | None:
    if params.p == "none":
        return None
    if params.p != "auto":
        return float(params.p)
    if task not in wrong_share:
        raise DataError(f"params.yaml: rebalance.p: auto: no first attempt of {task} could be judged; set a number")
    return wrong_share[task]


def _without_repeats(rows: Sequence[Trajectory]) -> tuple[list[Trajectory], list[Dropped]]:
    """With `replay: all` an iteration may write what an older one wrote; the first one stays."""
    first: dict[bytes, str] = {}
    kept: list[Trajectory] = []
    dropped: list[Dropped] = []
    for row in rows:
        identity = first.setdefault(words_of(row), row.id)
        if identity == row.id:
            kept.append(row)
        else:
            dropped.append(Dropped(trajectory=row, stage="rebalance", reason="duplicate", detail=f"of {identity}"))
    return kept, dropped


def shares(p: float | None, shortage: str, improvements: int, corrects: int, truths: int) -> tuple[int, int, int]:
    """How many improvements, corrects and truths to take.

    With p in (0, 1): k improvements and k(1-p)/2p of each other kind; where one of those runs short, the other fills
    up. p = 0, or no improvement to take: corrects and truths one to one (all of one where the other has none).
    p = 1: improvements alone. None: everything as it comes, with as many truths as corrects.
    """
    if p is None:
        return improvements, corrects, min(truths, corrects)
    if p == 1:
        return improvements, 0, 0
    others = corrects + truths
    if shortage == "shrink" and p > 0:
        improvements = min(improvements, int(others * p / (1 - p) + 1e-9))
    if p == 0 or improvements == 0:
        even = min(corrects, truths) or others
        return 0, min(corrects, even), min(truths, even)
    wanted = min(others, round(improvements * (1 - p) / p))
    half = wanted // 2
    taken = max(wanted - half if truths >= half else wanted - truths, wanted - truths)
    taken = min(corrects, taken)
    return improvements, taken, min(truths, wanted - taken)


def _pairs(row: Trajectory, problem: Problem, weights: WeightParams, layout: Layout) -> list[Example]:
    last = len(row.turns) - 1
    end: ExampleKind = "feedback" if row.salvaged else "correct"
    return [
        _example(
            f"{row.id}/{i}",
            "improvement" if i < last else end,
            problem,
            pair_segments(problem.question, row.turns, i, layout, with_update=i < last),
            weights,
            improves=row.improves or row.salvaged,
        )
        for i in range(len(row.turns))
    ]


def _truth(problem: Problem, weights: WeightParams, layout: Layout) -> Example:
    attempt = parse_attempt(problem.rationale or "", "dataset")
    turn = Turn(attempt=attempt, feedback=write_feedback(attempt, None, "", "", "dataset"), n_tokens=0)
    segments = pair_segments(problem.question, [turn], 0, layout, with_update=False)
    return _example(f"{problem.id}/truth", "ground_truth", problem, segments, weights, improves=False)


def _example(
    identity: str,
    kind: ExampleKind,
    problem: Problem,
    segments: Sequence[tuple[Part, str]],
    weights: WeightParams,
    *,
    improves: bool,
) -> Example:
    """Where nothing improves, feedback weighs as much as the attempt (the paper's 1.5 is for improving rows)."""

    def weight(part: Part) -> float:
        found: float = getattr(weights, "attempt" if part == "feedback" and not improves else part)
        return found

    return Example(
        id=identity,
        kind=kind,
        task=problem.task,
        problem_id=problem.id,
        segments=tuple(Segment(part=part, text=text, weight=weight(part)) for part, text in segments),
    )
