"""`tripost show t2 --probes`: attempts of known verdict, what the expert said of them, and where it was mistaken."""

import argparse
import random
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.table import Table
from rich.text import Text

from tripost.cli.pages import ending, heading, show_trajectory
from tripost.cli.rows import at_hand, iteration
from tripost.cli.screen import clean, shorten
from tripost.cli.table import percent
from tripost.cli.transcript import MAX_LABEL
from tripost.errors import DataError, UnknownNameError
from tripost.recall import figures
from tripost.records import Probe, Trajectory, Turn
from tripost.registry import did_you_mean
from tripost.shell.io import read_records

PROBES = "probes.jsonl"
HEADS = ("planted", "% found", "% at the step", "clean", "% false alarms", "% not judged")


def show_probes(out: Console, given: argparse.Namespace) -> None:
    """Probes of one iteration, those first where the expert was mistaken."""
    probes = read_probes(iteration(given.data, given.t, [PROBES]))
    tasks = sorted({probe.task for probe in probes})
    if not probes:
        raise DataError(f"{given.data / given.t / PROBES}: no probes; see edit.probes in params.yaml")
    if given.task is not None and given.task not in tasks:
        raise UnknownNameError(f"no probe is of task {given.task!r}; {did_you_mean(given.task, tasks)}")
    probes = [probe for probe in probes if given.task in {None, probe.task}]
    print_figures(out, probes)
    chosen = [probe for probe in probes if given.id in {None, probe.id, probe.problem_id}]
    if not chosen:
        raise DataError(f"no probe of these has the id {given.id!r}")
    chosen = sorted(random.Random(given.seed).sample(chosen, len(chosen)), key=_was_right)
    problems = at_hand(given.data / "problems" / "train.jsonl")
    for number, probe in enumerate(chosen[: given.n], start=1):
        heading(out, f"{number}  {probe.id}", Text(clean(_facts(probe)), style="dim"))
        show_trajectory(out, _as_trajectory(probe), problems.get(probe.problem_id), [clean(_said(probe))])
    ending(out, min(given.n, len(chosen)), len(chosen), "probes", given.seed)


def read_probes(folder: Path) -> list[Probe]:
    """The probes of an iteration; none where there is no such file."""
    return list(read_records(folder / PROBES, Probe)) if (folder / PROBES).is_file() else []


def print_figures(out: Console, probes: Sequence[Probe]) -> None:
    """How good the expert was, task by task; nothing where it was not measured."""
    if not probes:
        return
    table = Table.grid(padding=(0, 2))
    table.add_row("expert on probes", *HEADS, style="bold")
    for task, found in figures(probes, {probe.task for probe in probes}).items():
        rates = [percent(rate, interval=True).strip() for rate in (found.found, found.located)]
        wrong = [percent(rate, interval=True).strip() for rate in (found.false_alarms, found.cannot_judge)]
        table.add_row(Text(clean(task)), str(found.planted), *rates, str(found.clean), *wrong)
    out.print()
    out.print(table)


def _was_right(probe: Probe) -> bool:
    return probe.feedback is not None and probe.located


def _facts(probe: Probe) -> str:
    base = "the model's own right attempt" if probe.source == "attempt" else "the reference rationale"
    if probe.planted_step is None:
        return f"nothing is wrong: {base}"
    steps = probe.attempt.steps
    inside = probe.planted_step <= len(steps)
    where = f"step ({steps[probe.planted_step - 1].label[:MAX_LABEL]})" if inside else "the final response"
    return f"{shorten(probe.kind, MAX_LABEL)} planted in {where} of {base}"


def _said(probe: Probe) -> str:
    if probe.feedback is None:
        return f"the expert cannot judge it: {shorten(probe.cannot_judge or '', MAX_LABEL * 5)}"
    if probe.planted_step is None:
        return "a false alarm" if probe.called_wrong else "rightly called correct"
    return "missed" if not probe.called_wrong else "found" if probe.located else "found, but at another step"


def _as_trajectory(probe: Probe) -> Trajectory:
    return Trajectory(
        id=probe.id,
        task=probe.task,
        problem_id=probe.problem_id,
        question_sha256=probe.question_sha256,
        seed=0,
        turns=(Turn(attempt=probe.attempt, feedback=probe.feedback, n_tokens=0),),
    )
