"""Name -> object, imported when asked for: ours first, then entry points of other packages.

The registry holds strings, so that enabling one task does not import (or depend on) the others.
"""

import difflib
import importlib
from collections.abc import Iterable
from importlib.metadata import entry_points
from typing import cast

from tripost.errors import UnknownNameError
from tripost.interfaces import Expert, Scripted, Task

TASKS = {
    "date_understanding": "tripost.tasks.date_understanding:DateUnderstanding",
    "logical_deduction": "tripost.tasks.logical_deduction:LogicalDeduction",
    "multistep_arithmetic": "tripost.tasks.multistep_arithmetic:MultistepArithmetic",
    "word_sorting": "tripost.tasks.word_sorting:WordSorting",
}
TASK_GROUP = "tripost.tasks"


def did_you_mean(name: str, known: list[str]) -> str:
    """A hint that ends an error message: the closest known name, or all of them."""
    close = difflib.get_close_matches(name, known, n=1)
    return f"did you mean {close[0]!r}?" if close else f"known: {', '.join(sorted(known))}"


def task(name: str) -> Task:
    """The task of this name. Raises UnknownNameError."""
    if name in TASKS:
        module, _, attribute = TASKS[name].partition(":")
        return cast(Task, getattr(importlib.import_module(module), attribute)())
    plugins = {point.name: point for point in entry_points(group=TASK_GROUP)}
    if name not in plugins:
        raise UnknownNameError(
            f"params.yaml: problems.{name}: unknown task; {did_you_mean(name, [*TASKS, *plugins])}"
        )
    try:
        return cast(Task, plugins[name].load()())
    except Exception as error:  # somebody else's code: its import may raise anything
        why = f"{type(error).__name__}: {error}"
        said = f"params.yaml: problems.{name}: the task's plug-in {plugins[name].value} cannot be loaded: {why}"
        raise UnknownNameError(f"{said}; mend it or install it anew") from None


def task_names() -> list[str]:
    """Ours, and those of installed plug-ins; nothing is imported."""
    return [*TASKS, *(point.name for point in entry_points(group=TASK_GROUP))]


def tasks(names: Iterable[str]) -> dict[str, Task]:
    """The tasks of these names."""
    return {name: task(name) for name in names}


def scripts(names: Iterable[str]) -> dict[str, Expert]:
    """The scripted experts of the tasks of these names."""
    return {name: script(name) for name in names}


def script(name: str) -> Expert:
    """The scripted expert of the task of this name. Raises UnknownNameError where it brings none."""
    found = task(name)
    if isinstance(found, Scripted):
        return found.script()
    raise UnknownNameError(
        f"params.yaml: problems.{name}: the task brings no scripted expert; give it one (docs/extending.md)"
    )
