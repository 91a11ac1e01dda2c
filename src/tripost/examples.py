"""Turn pairs and reference rationales as examples: segments of text with weights."""

from collections.abc import Iterable, Sequence

from tripost.layout import PAPER_LAYOUT, Layout
from tripost.params import WeightParams
from tripost.prompts import pair_segments, rationale_segments
from tripost.records import Example, ExampleKind, Part, Problem, Segment, Trajectory, Turn
from tripost.text import parse_attempt, write_feedback


def rationale_examples(problems: Iterable[Problem], layout: Layout = PAPER_LAYOUT) -> list[Example]:
    """(x, rationale) of every problem that has one; the question is not trained on."""
    return [
        Example(
            id=f"{problem.id}/rationale",
            kind="ground_truth",
            task=problem.task,
            problem_id=problem.id,
            segments=tuple(
                Segment(part=part, text=text, weight=0.0 if part == "question" else 1.0)
                for part, text in rationale_segments(problem, layout)
            ),
        )
        for problem in problems
        if problem.rationale is not None
    ]


def pair_example(row: Trajectory, i: int, problem: Problem, weights: WeightParams, layout: Layout) -> Example:
    """The row's turn pair i: an improvement, or its last pair."""
    last = i == len(row.turns) - 1
    end: ExampleKind = "feedback" if row.salvaged else "correct"
    return _example(
        f"{row.id}/{i}",
        end if last else "improvement",
        problem,
        pair_segments(problem.question, row.turns, i, layout, with_update=not last),
        weights,
        improves=row.improves or row.salvaged,
    )


def truth_example(problem: Problem, weights: WeightParams, layout: Layout) -> Example:
    """The reference rationale and that all of it is correct. The problem must have a rationale."""
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
