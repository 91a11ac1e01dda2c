"""Examples that are no turn pairs: reference rationales, for the warm-up."""

from collections.abc import Iterable

from tripost.prompts import rationale_segments
from tripost.records import Example, Problem, Segment


def rationale_examples(problems: Iterable[Problem]) -> list[Example]:
    """(x, rationale) of every problem that has one; the question is not trained on."""
    return [
        Example(
            id=f"{problem.id}/rationale",
            kind="ground_truth",
            task=problem.task,
            problem_id=problem.id,
            segments=tuple(
                Segment(part=part, text=text, weight=0.0 if part == "question" else 1.0)
                for part, text in rationale_segments(problem)
            ),
        )
        for problem in problems
        if problem.rationale is not None
    ]
