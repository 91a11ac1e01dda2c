"""`params.yaml` as a plain mapping: bounded in every way, so that a bad file is refused at once and in one line."""

import warnings
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.events import (
    AliasEvent,
    CollectionEndEvent,
    CollectionStartEvent,
    DocumentStartEvent,
    ScalarEvent,
)

from tripost.errors import ParamsError
from tripost.files import open_regular

MOST_BYTES, MOST_VALUES, DEEPEST, LONGEST = 200_000, 10_000, 12, 1_000


def read_yaml(path: Path) -> Any:
    """The content of a file of YAML 1.2, as DVC reads it. Raises ParamsError."""
    name = path.name
    try:
        with open_regular(path) as file:
            content = file.read(MOST_BYTES + 1)
    except FileNotFoundError:
        raise ParamsError(f"{name}: not here; run from the top of the repository") from None
    except OSError as error:
        raise ParamsError(f"{name}: cannot be read: {error.strerror}; mend that, then try again") from None
    if len(content) > MOST_BYTES:
        raise ParamsError(f"{name}: more than {MOST_BYTES} bytes, no params file is that long; restore it from git")
    try:
        text = content.decode()
    except UnicodeDecodeError as error:
        raise ParamsError(f"{name}: not UTF-8 ({error.reason} at byte {error.start}); save it as UTF-8") from None
    if not text.strip():
        raise ParamsError(f"{name}: empty; restore it from git")
    try:
        _bounded(text, name)
        with warnings.catch_warnings(action="ignore"):
            return YAML(typ="safe", pure=True).load(text)
    except MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise ParamsError(f"{name}:{line}: {_said(error)}") from None
    except (YAMLError, ValueError, RecursionError, LookupError, TypeError, AttributeError) as error:
        said = (str(error).splitlines() or [type(error).__name__])[0]
        raise ParamsError(f"{name}: not YAML: {said}; mend it or restore it from git") from None


def _said(error: MarkedYAMLError) -> str:
    problem = str(error.problem)
    if problem.startswith("found duplicate key"):
        return (
            f"the key {problem.split(' with value')[0].removeprefix('found duplicate key ')} stands twice; keep one"
        )
    if "'\\t'" in problem:
        return "a tab; indent with spaces"
    if "could not determine a constructor" in problem:
        return f"the tag {problem.rsplit(' ', 1)[-1]} is not read; write a plain value"
    return f"not YAML: {problem}; mend this line or the one above"


def _bounded(text: str, name: str) -> None:
    """Raises ParamsError where the text is nested deeply, or grows beyond measure by what it repeats (`*alias`)."""
    sizes: dict[str, int] = {}
    open_: list[tuple[str | None, int]] = []
    values = 0
    for event in YAML(typ="safe", pure=True).parse(text):
        where = f"{name}:{event.start_mark.line + 1}"
        if isinstance(event, DocumentStartEvent) and event.version not in {None, (1, 2)}:
            raise ParamsError(f"{where}: not YAML 1.2; take the line %YAML out")
        if isinstance(event, CollectionEndEvent):
            anchor, before = open_.pop()
            if anchor:
                sizes[anchor] = values - before
        elif isinstance(event, CollectionStartEvent):
            open_.append((event.anchor, values))
            values += 1
            if event.anchor:
                sizes.pop(event.anchor, None)
        elif isinstance(event, AliasEvent):
            if any(anchor == event.anchor for anchor, _ in open_):
                raise ParamsError(f"{where}: *{event.anchor} stands within itself; write the values out")
            values += sizes.get(event.anchor, 1)
        elif isinstance(event, ScalarEvent):
            values += 1
            if len(event.value) > LONGEST:
                raise ParamsError(f"{where}: a value of {len(event.value)} characters; no knob is that long, mend it")
        if len(open_) > DEEPEST:
            raise ParamsError(f"{where}: nested more than {DEEPEST} deep; no knob is, mend it")
        if values > MOST_VALUES:
            raise ParamsError(f"{where}: more than {MOST_VALUES} values, repeated ones (*) counted; write fewer")
