"""Name -> object, imported when asked for: ours first, then entry points of other packages.

The registry holds strings, so that enabling one task does not import (or depend on) the others.
"""

import difflib
import importlib
import importlib.util
import re
import sys
from collections.abc import Iterable, Mapping
from hashlib import sha256
from importlib.machinery import SourceFileLoader
from importlib.metadata import EntryPoint, entry_points
from importlib.resources import files
from pathlib import Path
from typing import Any, cast

from tripost.errors import UnknownNameError
from tripost.files import open_regular
from tripost.interfaces import Expert, Scripted, Task
from tripost.params_source import SourceParams

TASKS = {
    "date_understanding": "tripost.tasks.date_understanding:DateUnderstanding",
    "logical_deduction": "tripost.tasks.logical_deduction:LogicalDeduction",
    "multistep_arithmetic": "tripost.tasks.multistep_arithmetic:MultistepArithmetic",
    "word_sorting": "tripost.tasks.word_sorting:WordSorting",
}
EXPERTS = {
    "script": "tripost.experts.script:of_task",
    "grader": "tripost.experts.grader:Grader",
}
TASK_GROUP, EXPERT_GROUP, PROMPT_GROUP = "tripost.tasks", "tripost.experts", "tripost.prompts"
ROLES = ("feedback", "improve")
MAX_PROMPT = 65_536
_OF_A_TASK = ("name", "problems", "is_correct", "seen")
_OF_AN_EXPERT = ("feedback", "improve")
_PLAIN = re.compile(r"\w[\w-]{0,99}")


def did_you_mean(name: str, known: list[str]) -> str:
    """A hint that ends an error message: the closest known name, or all of them."""
    close = difflib.get_close_matches(name, known, n=1)
    return f"did you mean {close[0]!r}?" if close else f"known: {', '.join(sorted(known)) or 'none'}"


def task(name: str, module: str | None = None) -> Task:
    """The task of this name, or the one of the file and class that `module` names. Raises UnknownNameError."""
    key = f"params.yaml: problems.{name}"
    if module is not None:
        return _task(name, f"{key}.module", module, lambda: _from_file(f"{key}.module", module))
    if name in TASKS:
        return cast(Task, _load(TASKS[name])())
    point = plugin(TASK_GROUP, name, f"{key}: unknown task", list(TASKS))
    return _task(name, key, point.value, point.load)


def task_names() -> list[str]:
    """Ours, and those of installed plug-ins; nothing is imported."""
    return [*TASKS, *_named(TASK_GROUP)]


def tasks(names: Iterable[str]) -> dict[str, Task]:
    """The registered tasks of these names."""
    return {name: task(name) for name in names}


def tasks_of(problems: Mapping[str, SourceParams]) -> dict[str, Task]:
    """The tasks that the params name, those of the user's own files among them."""
    return {name: task(name, source.module) for name, source in sorted(problems.items())}


def expert(task: Task, name: str, role: str) -> Expert:
    """The expert of this name, for this task; `role` is the key that named it. Raises UnknownNameError."""
    key = f"params.yaml: problems.{task.name}.expert.{role}"
    if name == "script" and not isinstance(task, Scripted):
        raise UnknownNameError(f"{key}: script, but the task brings none; write grader, or the name of a plug-in")
    if name in EXPERTS:
        what, make = f"the task's {name}", lambda: _load(EXPERTS[name])(task)
    else:
        point = plugin(EXPERT_GROUP, name, f"{key}: unknown expert {name[:80]!r}", list(EXPERTS))
        what, make = f"the expert's plug-in {point.value}", lambda: point.load()(task)
    found = _made(key, what, make)
    _require(key, what, found, _OF_AN_EXPERT)
    return cast(Expert, found)


def expert_names() -> list[str]:
    """Ours, and those of installed plug-ins; nothing is imported."""
    return [*EXPERTS, *_named(EXPERT_GROUP)]


def script(name: str) -> Expert:
    """The scripted expert of the registered task of this name. Raises UnknownNameError where it brings none."""
    return expert(task(name), "script", "feedback")


def scripts(names: Iterable[str]) -> dict[str, Expert]:
    """The scripted experts of the registered tasks of these names."""
    return {name: script(name) for name in names}


def prompt(prompts: str, task: str, role: str) -> str:
    """The text of `<task>/<role>.md` in the prompt set of this name. Raises UnknownNameError.

    Where a prompt set names no file, this says which one it wants.
    """
    said = f"prompt set {prompts[:80]!r}"
    if role not in ROLES:
        raise UnknownNameError(f"{said}: no role {role!r}; {did_you_mean(role, list(ROLES))}")
    if not _PLAIN.fullmatch(task):
        raise UnknownNameError(f"{said}: {task[:80]!r} is no task's name; write letters, digits, _ and -")
    package = plugin(PROMPT_GROUP, prompts, f"unknown {said}", []).value
    path = f"{task}/{role}.md"
    try:
        with (files(package) / task / f"{role}.md").open("rb") as file:
            content = file.read(MAX_PROMPT + 1)
    except (ImportError, OSError):
        raise UnknownNameError(f"{said}: {package} has no {path}; write it, or name another set") from None
    return _prompt_text(content, f"{said}: {path} in {package}")


def prompt_text(path: Path, where: str) -> str:
    """The text of a prompt file of the user's own; `where` is what to call it. Raises UnknownNameError."""
    try:
        with open_regular(path) as file:
            return _prompt_text(file.read(MAX_PROMPT + 1), where)
    except OSError as error:
        raise UnknownNameError(f"{where}: {error.strerror}; write it, see docs/llm-experts.md") from None


def _prompt_text(content: bytes, where: str) -> str:
    if len(content) > MAX_PROMPT:
        raise UnknownNameError(f"{where} has more than {MAX_PROMPT} bytes; shorten it")
    try:
        return content.decode()
    except UnicodeDecodeError:
        raise UnknownNameError(f"{where} is not UTF-8; save it as UTF-8") from None


def prompt_sets() -> list[str]:
    """Those of installed plug-ins."""
    return _named(PROMPT_GROUP)


def plugin(group: str, name: str, unknown: str, ours: list[str]) -> EntryPoint:
    """The entry point of this name. Raises UnknownNameError, which begins with `unknown` where there is none."""
    points = list(entry_points(group=group, name=name))
    if not points:
        raise UnknownNameError(f"{unknown}; {did_you_mean(name, [*ours, *_named(group)])}")
    if len({point.value for point in points}) > 1:
        packages = " and ".join(sorted(point.dist.name if point.dist else point.value for point in points))
        raise UnknownNameError(f"{packages} both bring {name!r} ({group}); uninstall one of them")
    return points[0]


def own_folder(key: str, folder: str) -> Path:
    """The folder of prompts of this name, which must lie in this repository. Raises UnknownNameError."""
    path = Path(folder)
    try:
        inside, there = path.resolve().is_relative_to(Path().resolve()), path.is_dir()
    except (OSError, RuntimeError, ValueError):  # too long a name, a link to itself, a NUL
        inside = there = False
    if not there:
        hint = did_you_mean(folder, prompt_sets())
        raise UnknownNameError(f"{key}: {folder[:80]!r} is no folder here, and no prompt set; {hint}")
    if not inside:
        raise UnknownNameError(
            f"{key}: {folder[:80]} lies outside this repository, where DVC cannot keep it; copy it here"
        )
    return path


def own_file(key: str, module: str) -> Path:
    """The file of `path/to/file.py:Class`, which must lie in this repository. Raises UnknownNameError."""
    path = Path(module.rpartition(":")[0])
    try:
        inside, there = path.resolve().is_relative_to(Path().resolve()), path.is_file()
    except (OSError, RuntimeError, ValueError):  # too long a name, a link to itself, a NUL
        raise UnknownNameError(f"{key}: {path} cannot be followed; write path/to/file.py:Class") from None
    if not inside:
        raise UnknownNameError(f"{key}: {path} lies outside this repository, where DVC cannot keep it; copy it here")
    if not there:
        raise UnknownNameError(f"{key}: {path}: no such file; write path/to/file.py:Class as seen from params.yaml")
    return path


class _AsItStands(SourceFileLoader):
    """Runs what stands in the file, the bytes that DVC has seen; no compiled copy is read or written."""

    def get_code(self, fullname: str) -> Any:
        return self.source_to_code(self.get_data(self.path), self.path)


def _from_file(key: str, module: str) -> Any:
    path, attribute = own_file(key, module), module.rpartition(":")[2]
    place = str(path.resolve())
    # Two tasks may have files of one name, in different folders.
    name = f"tripost_own_{path.stem}_{sha256(place.encode()).hexdigest()[:16]}"
    loader = _AsItStands(name, place)
    spec = importlib.util.spec_from_loader(name, loader)
    assert spec is not None
    loaded = importlib.util.module_from_spec(spec)
    sys.modules[name] = loaded  # records and dataclasses look their module up by name
    try:
        loader.exec_module(loaded)
    except BaseException:  # whatever it was, it goes on; half a module must not stay
        sys.modules.pop(name, None)
        raise
    if not hasattr(loaded, attribute):
        raise UnknownNameError(f"{key}: {path} has no {attribute[:80]}; name a class that it has")
    return getattr(loaded, attribute)


def _task(name: str, key: str, value: str, load: Any) -> Task:
    """Somebody else's task, as far as one can tell before it is used."""
    what = f"the task's code {value}"
    found = _made(key, what, lambda: load()())
    _require(key, what, found, _OF_A_TASK)
    if found.name != name:
        raise UnknownNameError(f"{key}: {what} calls itself {str(found.name)[:80]!r}; let name be {name!r}")
    return cast(Task, found)


def _made(key: str, what: str, make: Any) -> Any:
    try:
        return make()
    except UnknownNameError:
        raise
    # Somebody else's code: its import may raise anything, and sys.exit() would end us without a word.
    except (Exception, SystemExit) as error:
        why = f"{type(error).__name__}: {error}"
        raise UnknownNameError(f"{key}: {what} cannot be loaded: {why}; mend it or install it anew") from None


def _require(key: str, what: str, found: object, wanted: Iterable[str]) -> None:
    missing = [name for name in wanted if not hasattr(found, name)]
    if missing:
        raise UnknownNameError(f"{key}: {what} has no {' and no '.join(missing)}; see docs/extending.md")


def _load(place: str) -> Any:
    module, _, attribute = place.partition(":")
    return getattr(importlib.import_module(module), attribute)


def _named(group: str) -> list[str]:
    return sorted({point.name for point in entry_points(group=group)})
