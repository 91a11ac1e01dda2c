"""Turn pairs, the share p of improvements, and the weights (paper, section 3.2 and appendix).

`(x, y_i, f_i, y_{i+1})` is an improvement example, the last `(x, y_n, f_n)` a correct one; a reference rationale
followed by "all correct" is a ground-truth one. improvement : correct : truth = 1.5 : 1 : 1 gives p = 0.43.
The last `(x, y_n, f_n)` of a salvaged trajectory teaches feedback alone; p does not count those.
"""

import random
from array import array
from collections.abc import Iterator, Mapping, Sequence

import msgspec

from tripost.errors import DataError
from tripost.examples import pair_example, truth_example
from tripost.filter import words_of
from tripost.layout import PAPER_LAYOUT, Layout
from tripost.params import RebalanceParams, WeightParams
from tripost.records import Dropped, Example, Problem, Trajectory

REASONS = {
    "not_sampled": "balancing took none of its turn pairs",
    "duplicate": "the same words for the same question stand in an earlier row",
}
"""Why rebalance drops a trajectory."""

MOST_TURNS = 1 << 20
"""More turns than a trajectory has."""
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


class Pools:
    """What a task has to choose from: turn pairs as (row, turn) in one number, and problems with a rationale."""

    def __init__(self) -> None:
        self.rows = 0
        self.improvements, self.corrects, self.feedbacks = array("q"), array("q"), array("q")
        self.truths: list[str] = []

    def add(self, number: int, row: Trajectory) -> None:
        """The turn pairs of row `number`: improvements, and the last pair."""
        self.rows += 1
        last = len(row.turns) - 1
        self.improvements.extend(number * MOST_TURNS + i for i in range(last))
        (self.feedbacks if row.salvaged else self.corrects).append(number * MOST_TURNS + last)


class Balanced:
    """What balancing came to: `reached` for each task, and what was chosen of `kept`, made when it is asked for."""

    def __init__(
        self, kept: Sequence[Trajectory], problems: Mapping[str, Problem], weights: WeightParams, layout: Layout
    ) -> None:
        self.kept, self.problems, self.weights, self.layout = kept, problems, weights, layout
        self.reached: dict[str, Reached] = {}
        self.chosen: list[int | str] = []
        """Turn pairs, and ids of problems whose rationale is taken."""
        self.repeats: dict[int, str] = {}
        """Number of a row -> the id of the one that it repeats."""

    def examples(self) -> Iterator[Example]:
        """The examples, shuffled."""
        for one in self.chosen:
            if isinstance(one, str):
                yield truth_example(self.problems[one], self.weights, self.layout)
            else:
                row, i = self.kept[one // MOST_TURNS], one % MOST_TURNS
                yield pair_example(row, i, self.problems[row.problem_id], self.weights, self.layout)

    def dropped(self) -> Iterator[Dropped]:
        """Rows that stand there twice, then those none of whose pairs was taken."""
        for number, identity in self.repeats.items():
            yield _drop(self.kept[number], "duplicate", f"of {identity}")
        for number in self._unused():
            yield _drop(self.kept[number], "not_sampled", "none of its pairs was taken")

    def used(self) -> Iterator[Trajectory]:
        """The other rows."""
        unused = {*self.repeats, *self._unused()}
        return (row for number, row in enumerate(self.kept) if number not in unused)

    def _unused(self) -> Iterator[int]:
        used = bytearray(len(self.kept))
        for one in self.chosen:
            if not isinstance(one, str):
                used[one // MOST_TURNS] = 1
        return (number for number, flag in enumerate(used) if not flag and number not in self.repeats)


def rebalance(
    kept: Sequence[Trajectory],
    problems: Mapping[str, Problem],
    params: RebalanceParams,
    wrong_share: Mapping[str, float],
    seed: str,
    layout: Layout = PAPER_LAYOUT,
) -> Balanced:
    """Which turn pairs and rationales are trained on. `kept` is gone through twice and may lie on a disk.

    `wrong_share[task]`: share of wrong first attempts that M_{t-1} showed, for `p: auto`.
    """
    weights = PAPER_WEIGHTS if isinstance(params.weights, str) else params.weights
    found = Balanced(kept, problems, weights, layout)
    pools: dict[str, Pools] = {}
    first: dict[bytes, str] = {}
    for number, row in enumerate(kept):
        identity = first.setdefault(words_of(row), row.id)  # `replay: all` may bring what an older iteration wrote
        if identity == row.id:
            pools.setdefault(row.task, Pools()).add(number, row)
        else:
            found.repeats[number] = identity
    for problem in problems.values():
        if problem.task in pools and problem.split == "train" and problem.rationale is not None:
            pools[problem.task].truths.append(problem.id)
    for task, pool in sorted(pools.items()):
        rng = random.Random(f"rebalance {seed} {task}")
        p = _asked(params, task, wrong_share)
        counts = shares(p, params.shortage, len(pool.improvements), len(pool.corrects), len(pool.truths))
        if not any(counts) and not pool.feedbacks:
            raise DataError(
                f"params.yaml: rebalance.p: {task}: p = {p} leaves no example of {pool.rows} trajectories; lower p"
            )
        choices: tuple[Sequence[int | str], ...] = (pool.improvements, pool.corrects, pool.truths)
        for one, n in zip(choices, counts, strict=True):
            found.chosen += rng.sample(one, n)
        found.chosen += pool.feedbacks
        found.reached[task] = Reached(
            asked_p=p,
            reached_p=round(counts[0] / max(1, sum(counts)), 4),
            improvement=counts[0],
            correct=counts[1],
            ground_truth=counts[2],
            feedback=len(pool.feedbacks),
            improvement_available=len(pool.improvements),
            correct_available=len(pool.corrects),
            ground_truth_available=len(pool.truths),
        )
    random.Random(f"rebalance {seed}").shuffle(found.chosen)
    return found


def _asked(params: RebalanceParams, task: str, wrong_share: Mapping[str, float]) -> float | None:
    if params.p == "none":
        return None
    if params.p != "auto":
        return float(params.p)
    if task not in wrong_share:
        raise DataError(f"params.yaml: rebalance.p: auto: no first attempt of {task} could be judged; set a number")
    return wrong_share[task]


def _drop(row: Trajectory, reason: str, detail: str) -> Dropped:
    return Dropped(trajectory=row, stage="rebalance", reason=reason, detail=detail)


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
