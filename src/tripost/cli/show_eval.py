"""`tripost show t2 --eval`: what the model made of the validation problems, all by itself, and who was right."""

import argparse
import random
from collections.abc import Sequence

from rich.console import Console
from rich.table import Table
from rich.text import Text

from tripost.cli.pages import KINDS, ending, heading, show_trajectory
from tripost.cli.rows import at_hand, iteration
from tripost.cli.screen import clean
from tripost.errors import DataError, UnknownNameError
from tripost.evaluate import CANNOT_JUDGE, direct, final, malformed
from tripost.records import Prediction
from tripost.registry import did_you_mean
from tripost.shell.io import read_records

PREDICTIONS = "predictions.jsonl"


def show_predictions(out: Console, given: argparse.Namespace) -> None:
    """Predictions of one iteration; those that were broken first, then those that were fixed."""
    path = iteration(given.eval_folder, given.t, [PREDICTIONS]) / PREDICTIONS
    rows = list(read_records(path, Prediction))
    for row in rows:
        if not 0 < len(row.trajectory.turns) == len(row.right) == len(row.verdicts):
            raise DataError(f"{path}: {row.problem_id}: not one verdict an attempt; run dvc repro")
    tasks = sorted({row.task for row in rows})
    if given.task is not None and given.task not in tasks:
        raise UnknownNameError(f"no prediction is of task {given.task!r}; {did_you_mean(given.task, tasks)}")
    rows = [row for row in rows if given.task in {None, row.task}]
    _counts(out, given.t, rows)
    chosen = [row for row in rows if given.kind is None or given.kind in _kinds(row)]
    if given.id is not None:
        chosen = [row for row in chosen if given.id in {row.problem_id, row.trajectory.id}]
        if not chosen:
            raise DataError(f"no row or problem of these has the id {given.id!r}")
    chosen = sorted(random.Random(given.seed).sample(chosen, len(chosen)), key=_rank)
    problems = at_hand(given.data / "problems" / "validation.jsonl")
    for number, row in enumerate(chosen[: given.n], start=1):
        problem = problems.get(row.problem_id)
        facts = [*_kinds(row), row.difficulty, "seen" if row.seen else "unseen"]
        heading(out, f"{number}  {row.trajectory.id}", Text(clean(", ".join(facts)), style="dim"))
        show_trajectory(out, row.trajectory, problem, _judged(row))
    what = f"predictions: {given.kind}, {KINDS[given.kind]}" if given.kind else "predictions"
    ending(out, min(given.n, len(chosen)), len(chosen), what, given.seed)


def _kinds(row: Prediction) -> list[str]:
    """Of broken, fixed and malformed what is true of a prediction."""
    first, last = direct(row), final(row)
    flags = {"broken": first and not last, "fixed": last and not first, "malformed": malformed(row)}
    return [kind for kind, holds in flags.items() if holds]


def _rank(row: Prediction) -> int:
    kinds = _kinds(row)
    return 0 if "broken" in kinds else 1 if "fixed" in kinds else 2 if row.trajectory.improves else 3


def _judged(row: Prediction) -> Sequence[str]:
    """What the task says of each attempt's answer, and FBK of its steps."""
    said: list[str] = []
    for turn, right, verdict in zip(row.trajectory.turns, row.right, row.verdicts, strict=True):
        labels = [f"step ({step.label[:40]})" for step in turn.attempt.steps] + ["the final response"]
        if verdict == CANNOT_JUDGE:
            steps = "the expert cannot judge the steps"
        elif 1 <= verdict <= len(labels):
            steps = f"first mistake, says the expert: {labels[verdict - 1]}"
        else:
            steps = "no mistake, says the expert"
        said.append(clean(f"answer {'right' if right else 'wrong'}; {steps}"))
    return said


def _counts(out: Console, t: str, rows: Sequence[Prediction]) -> None:
    heads = ("problems", "direct", "final", "revised", *KINDS)
    table = Table.grid(padding=(0, 2))
    table.add_column()
    for _ in heads:
        table.add_column(justify="right")
    table.add_row(t, *heads, style="bold")
    for task in sorted({row.task for row in rows}):
        mine = [row for row in rows if row.task == task]
        flags = [[direct(row), final(row), row.trajectory.improves] for row in mine]
        numbers = [len(mine), *(sum(column) for column in zip(*flags, strict=True))]
        numbers += [sum(kind in _kinds(row) for row in mine) for kind in KINDS]
        table.add_row(Text(clean(task)), *map(str, numbers))
    out.print(table)
