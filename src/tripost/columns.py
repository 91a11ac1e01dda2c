"""Trajectories -> one flat row of scalars each, for the gate of stage `validate`.

The gate is the last defence, so nothing here leans on what it has to catch: no filter, no edit, no task. What
a row says is read from its text by `tripost.reading`; only the training texts come from `tripost.prompts`.

A column is a value that has to be another column's, a number that has to lie between two others, or a count
of something that must not be there. None is ever empty: what cannot be known says so in brackets.
"""

import random
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from hashlib import sha256
from itertools import pairwise

import msgspec

from tripost.layout import Layout
from tripost.prompts import pair_segments
from tripost.reading import attempt_is_stale, feedback_is_stale, leftovers, read, stands_in
from tripost.records import Problem, Trajectory

Scalar = str | int | bool
Row = dict[str, Scalar]
_INTEGER = re.compile(r"[+-]?[0-9]{1,1000}")


class Columns(msgspec.Struct, frozen=True, kw_only=True):
    """One row of the gate's table."""

    id: str
    task: str
    n_turns: int
    improves: bool
    salvaged: bool
    starts_wrong: bool
    may_start_wrong: bool
    ends_all_correct: bool
    must_end_all_correct: bool
    ends_found_wrong: bool
    early_all_correct: int
    unreadable: int
    stale_fields: int
    missing_steps: int
    missing_parts: int
    lost_steps: int
    kept_wrong_lines: int
    leftovers: int
    final_answer: str
    reference_answer: str
    problem_task: str
    split: str
    question_matches: bool
    held_out: bool
    tokens_min: int
    tokens_max: int
    counted: bool
    miscounted_turns: int


COLUMNS = Columns.__struct_fields__


class TaskCount(msgspec.Struct, frozen=True):
    """How many rows a task has, and how many of them improve; the share is 0 where there are no rows."""

    task: str
    rows: int
    improving: int
    share: float


def flatten(
    trajectories: Sequence[Trajectory],
    problems: Mapping[str, Problem],
    held_out: Iterable[str],
    count_tokens: Callable[[Sequence[str]], list[int]] | None,
    *,
    layout: Layout,
    sample: int,
    seed: int | str,
) -> Iterator[Row]:
    """One row a trajectory, in their order; `trajectories` may lie on a disk.

    `held_out`: the questions of validation and test; `sample`: how many rows have their tokens counted anew.
    """
    secret = {_normal(question) for question in held_out}
    counted = {} if count_tokens is None else _recount(trajectories, problems, count_tokens, layout, sample, seed)
    for n, row in enumerate(trajectories):
        yield msgspec.structs.asdict(_columns(row, problems.get(row.problem_id), secret, counted.get(n)))


def task_counts(rows: Iterable[tuple[object, object]], tasks: Sequence[str]) -> list[TaskCount]:
    """A count for each of `tasks`, whether it has rows or not. `rows`: task, and whether the row improves."""
    found, improving = Counter[object](), Counter[object]()
    for task, improves in rows:
        found[task] += 1
        improving[task] += improves is True
    return [
        TaskCount(task, found[task], improving[task], round(improving[task] / max(1, found[task]), 4))
        for task in tasks
    ]


def _recount(
    trajectories: Sequence[Trajectory],
    problems: Mapping[str, Problem],
    count_tokens: Callable[[Sequence[str]], list[int]],
    layout: Layout,
    sample: int,
    seed: int | str,
) -> dict[int, int]:
    """Row -> turns whose `n_tokens` is not the count of the longest training text that ends there."""
    drawn = random.Random(f"gate {seed}").sample(range(len(trajectories)), min(sample, len(trajectories)))
    chosen = [n for n in sorted(drawn) if trajectories[n].problem_id in problems]
    owners: list[tuple[int, int]] = []
    texts: list[str] = []
    for n in chosen:
        turns, question = trajectories[n].turns, problems[trajectories[n].problem_id].question
        pairs = [(i, i, False) for i in range(len(turns))] + [(i, i - 1, True) for i in range(1, len(turns))]
        for i, start, with_update in pairs:
            segments = pair_segments(question, turns, start, layout, with_update=with_update)
            texts.append("".join(text for _, text in segments))
            owners.append((n, i))
    longest: dict[tuple[int, int], int] = {}
    for owner, tokens in zip(owners, count_tokens(texts), strict=True):
        longest[owner] = max(tokens, longest.get(owner, 0))
    wrong = dict.fromkeys(chosen, 0)
    for (n, i), tokens in longest.items():
        wrong[n] += trajectories[n].turns[i].n_tokens != tokens
    return wrong


def _columns(row: Trajectory, problem: Problem | None, secret: set[str], miscounted: int | None) -> Columns:
    readings = [read(turn) for turn in row.turns]
    wrong = [(r.wrong_line, r.verdict.part, r.lines) for r in readings if r.verdict and r.lines and r.wrong_line]
    updates = [
        (a.wrong_line, a.lines, b.lines) for a, b in pairwise(readings) if a.wrong_line and a.lines and b.lines
    ]
    tokens = [turn.n_tokens for turn in row.turns] or [0]
    unknown = "(unknown problem)"
    final, reference = _canonical(readings[-1].answer if readings else "") or "(none)", unknown
    if problem:
        reference = _canonical(problem.answer) or "(empty)"
    if row.salvaged:  # its last attempt is wrong, be it in a step or in its answer
        final = reference = "(salvaged)"
    return Columns(
        id=row.id,
        task=row.task,
        n_turns=len(readings),
        improves=len(readings) > 1,
        salvaged=row.salvaged,
        starts_wrong=bool(readings) and readings[0].says_wrong,
        may_start_wrong=len(readings) > 1 or row.salvaged,
        ends_all_correct=bool(readings) and readings[-1].says_correct,
        must_end_all_correct=not row.salvaged,
        ends_found_wrong=bool(readings) and readings[-1].says_wrong,
        early_all_correct=sum(r.says_correct for r in readings[:-1]),
        unreadable=sum((r.lines is None) + (r.verdict is None) for r in readings),
        stale_fields=sum(attempt_is_stale(r) + feedback_is_stale(r) for r in readings),
        missing_steps=sum(r.lines is not None and r.verdict is not None and r.verdict.step == 0 for r in readings),
        missing_parts=sum(not stands_in(part, lines[step - 1][1]) for step, part, lines in wrong),
        lost_steps=sum(old[: step - 1] != new[: step - 1] for step, old, new in updates),
        kept_wrong_lines=sum(old[step - 1][1] == new[min(step, len(new)) - 1][1] for step, old, new in updates),
        leftovers=sum(leftovers(turn) for turn in row.turns),
        final_answer=final,
        reference_answer=reference,
        problem_task=problem.task if problem else unknown,
        split=problem.split if problem else unknown,
        question_matches=problem is not None and _sha256(problem.question) == row.question_sha256,
        held_out=problem is not None and _normal(problem.question) in secret,
        tokens_min=min(tokens),
        tokens_max=max(tokens),
        counted=miscounted is not None,
        miscounted_turns=miscounted or 0,
    )


def _canonical(answer: str) -> str:
    """Integers as integers, other text with its whitespace collapsed."""
    text = " ".join(answer.split())
    return str(int(text)) if _INTEGER.fullmatch(text) else text


def _normal(question: str) -> str:
    return " ".join(question.casefold().split())


def _sha256(text: str) -> str:
    return sha256(text.encode()).hexdigest()
