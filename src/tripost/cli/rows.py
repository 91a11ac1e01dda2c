"""The rows of one iteration as `tripost show` wants them: where each stands, which to show, and what if none fits."""

import random
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from tripost import edit, filter, rebalance
from tripost.errors import DataError, UnknownNameError
from tripost.records import Dropped, Problem, Trajectory
from tripost.registry import did_you_mean
from tripost.shell.io import load_problems, read_records

WRITTEN = {"rollout": "rollout.jsonl", "edited": "edited.jsonl", "kept": "kept.jsonl"}
DROPPED = {stage: f"{stage}.dropped.jsonl" for stage in ("edit", "validate", "rebalance")}
MEANINGS = {**filter.REASONS, **rebalance.REASONS, **edit.REASONS}


class Row(NamedTuple):
    """A trajectory and the stage at which it stands; `reason` is empty where it was not dropped."""

    stage: str
    trajectory: Trajectory
    reason: str = ""
    detail: str = ""


class Wanted(NamedTuple):
    """Which rows: of a stage, dropped for a reason, of a row's or problem's id; None where it does not matter."""

    stage: str | None
    reason: str | None
    id: str | None


def iteration(folder: Path, t: str, files: Iterable[str], t0: str = "") -> Path:
    """The folder of iteration t, which holds one of `files`. Raises DataError where none does, else
    UnknownNameError; `t0` says why t0 may have none."""
    names = [*files]
    found = {path.parent.name for name in names for path in folder.glob(f"t*/{name}")}
    known = sorted((t for t in found if re.fullmatch("t[0-9]+", t)), key=lambda name: int(name[1:]))
    if t in known:
        return folder / t
    if not known:
        raise DataError(f"{folder}: there is nothing to show yet; `make run` runs the whole pipeline")
    hint = t0 if t == "t0" and t0 else did_you_mean(t, known)
    raise UnknownNameError(f"{folder} has no iteration {t!r}; {hint}")


def at_hand(path: Path) -> dict[str, Problem]:
    """The problems by id; none where the file is missing, since rows can be read without them."""
    return load_problems(path) if path.is_file() else {}


def read_rows(folder: Path) -> Iterator[Row]:
    """All rows of all files that are there, stage by stage."""
    for stage, name in WRITTEN.items():
        if (folder / name).is_file():
            yield from (Row(stage, row) for row in read_records(folder / name, Trajectory))
    for stage, name in DROPPED.items():
        if (folder / name).is_file():
            for row in read_records(folder / name, Dropped):
                yield Row(stage, row.trajectory, row.reason, row.detail)


def of_task(rows: list[Row], task: str | None) -> list[Row]:
    """The rows of this task. Raises UnknownNameError where there are none."""
    mine = [row for row in rows if task in {None, row.trajectory.task}]
    if rows and not mine:
        raise UnknownNameError(f"no row is of task {task!r}; {did_you_mean(str(task), _tasks(rows))}")
    return mine


def choose(rows: list[Row], wanted: Wanted) -> tuple[list[Row], str]:
    """The rows that are wanted, in the order of the files, and what they are. Raises where there are none."""
    pool = [row for row in rows if wanted.stage in {None, row.stage}]
    if wanted.id is not None:
        mine = [row for row in pool if wanted.id in {row.trajectory.id, row.trajectory.problem_id}]
        if wanted.reason is not None:
            mine = [row for row in mine if row.reason == wanted.reason]
        if not mine:
            raise DataError(f"no row or problem of this iteration has the id {wanted.id!r}")
        return list({row.trajectory: row for row in mine}.values()), "rows with this id (the same words once)"
    if wanted.reason is not None:
        return _dropped_for(wanted.reason, [row for row in pool if row.reason]), f"rows dropped as {wanted.reason}"
    stage = wanted.stage or "kept"
    mine = [row for row in pool if row.stage == stage]
    what = f"rows dropped at {stage}" if stage in DROPPED else f"{stage} rows"
    if not mine:
        raise DataError(f"there are no {what}; here are: {counts(row.stage for row in rows)}")
    return mine, what


def _dropped_for(reason: str, dropped: list[Row]) -> list[Row]:
    known = sorted({*MEANINGS, *(row.reason for row in dropped)})
    if reason not in known:
        raise UnknownNameError(f"reason {reason!r} is unknown; {did_you_mean(reason, known)}")
    mine = [row for row in dropped if row.reason == reason]
    if not mine:
        others = counts(row.reason for row in dropped) or "none at all"
        raise DataError(f"no row was dropped as {reason} ({MEANINGS[reason]}); dropped here: {others}")
    return mine


def shuffled(rows: list[Row], seed: int, *, improving_first: bool) -> list[Row]:
    """In an order by chance, the same for the same seed."""
    found = random.Random(seed).sample(rows, len(rows))
    return sorted(found, key=lambda row: not row.trajectory.improves) if improving_first else found


def counts(names: Iterable[str]) -> str:
    """`a 3, b 1`, in the order of the names' first appearance."""
    return ", ".join(f"{name} {n}" for name, n in Counter(names).items())


def _tasks(rows: list[Row]) -> list[str]:
    return sorted({row.trajectory.task for row in rows})
