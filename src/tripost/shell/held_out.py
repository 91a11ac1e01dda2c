"""Validation and test as the training problems are held against them: nothing of theirs is trained on."""

from collections.abc import Mapping
from pathlib import Path

from tripost.errors import DataError
from tripost.questions import normalise
from tripost.records import Problem
from tripost.shell.io import load_problems
from tripost.shell.lines import AGAIN


def load_held_out(folder: Path, train: Mapping[str, Problem]) -> list[str]:
    """The questions of validation and test. Raises DataError where one of them is a training question, too."""
    splits = {name: load_problems(folder / f"{name}.jsonl", may_be_empty=True) for name in ("validation", "test")}
    known = {(x.task, normalise(x.question)): name for name, rows in splits.items() for x in rows.values()}
    for number, problem in enumerate(train.values(), start=1):
        split = known.get((problem.task, normalise(problem.question)))
        if split:
            where = f"{folder / 'train.jsonl'}:{number}"
            raise DataError(f"{where}: the question of {problem.id!r} stands in {split}.jsonl, too; {AGAIN}")
    return [problem.question for rows in splits.values() for problem in rows.values()]
