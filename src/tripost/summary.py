"""Counts of a stage for its metrics file: rows in = rows out + dropped, everywhere."""

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

from tripost.records import Dropped, Problem, Trajectory


def of_problems(problems: Iterable[Problem]) -> dict[str, Any]:
    """Problems by task, split and difficulty."""
    counts: dict[str, Any] = {}
    for problem in problems:
        split = counts.setdefault(problem.task, {}).setdefault(problem.split, {})
        split[problem.difficulty] = split.get(problem.difficulty, 0) + 1
    return counts


def of_rollout(rows: Sequence[Trajectory]) -> dict[str, Any]:
    """Trajectories by task and number of turns."""
    return {
        "rows_out": len(rows),
        "by_task": dict(Counter(row.task for row in rows)),
        "turns": {str(n): count for n, count in sorted(Counter(len(row.turns) for row in rows).items())},
        "first_attempt_malformed": sum(row.turns[0].attempt.malformed for row in rows),
    }


def of_stage(rows_in: int, kept: Iterable[Trajectory], dropped: Iterable[Dropped]) -> dict[str, Any]:
    """What a stage that drops rows did. Raises AssertionError where rows went missing."""
    reasons = Counter(row.reason for row in dropped)
    improving = salvaged = 0
    tasks, authors = Counter[str](), Counter[str]()
    for row in kept:
        improving += row.improves
        salvaged += row.salvaged
        tasks[row.task] += 1
        for turn in row.turns:
            authors[f"attempts by {turn.attempt.author}"] += 1
            authors[f"feedback by {turn.feedback.author if turn.feedback else 'nobody'}"] += 1
    assert rows_in == tasks.total() + reasons.total(), "rows in = kept + dropped"
    return {
        "rows_in": rows_in,
        "rows_out": tasks.total(),
        "improving": improving,
        "salvaged": salvaged,
        "by_task": dict(tasks),
        "authors": dict(authors),
        "dropped": dict(reasons),
    }
