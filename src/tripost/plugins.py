"""Whose code the tasks and experts are that `params.yaml` names: for DVC, which sees files and no plug-ins.

What is ours is a dep of each stage by its own path, so its name is enough here. A plug-in is named with its package,
version and a hash of its files, a task of the user's own with a hash of its file: another code, another content.
"""

import importlib.util
from collections.abc import Iterator, Mapping
from hashlib import sha256
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any

from tripost import registry
from tripost.errors import UnknownNameError
from tripost.files import open_regular
from tripost.params_llm import LlmParams
from tripost.params_source import SourceParams

MOST_FILES, MOST_BYTES = 5_000, 256_000_000
"""Of a plug-in's package. A larger one is no plug-in: it would be read anew at every `dvc repro`."""


def named(problems: Mapping[str, SourceParams], llms: Mapping[str, LlmParams]) -> dict[str, Any]:
    """For each task: whose code it is, who judges, who mends; nothing is imported. Raises UnknownNameError."""
    return {
        name: {
            "task": _task(name, source.module),
            "feedback": [_expert(name, "feedback", expert, llms) for expert in source.expert.feedback],
            "improve": [_expert(name, "improve", expert, llms) for expert in source.expert.improve],
        }
        for name, source in sorted(problems.items())
    }


def _task(name: str, module: str | None) -> Any:
    key = f"params.yaml: problems.{name}"
    if module is not None:
        path = registry.own_file(f"{key}.module", module)
        return {"module": module, "sha256": _hash(f"{key}.module", [(path.name, path)])}
    if name in registry.TASKS:
        return name
    return _plugin(key, registry.plugin(registry.TASK_GROUP, name, f"{key}: unknown task", list(registry.TASKS)))


def _expert(task: str, role: str, name: str, llms: Mapping[str, LlmParams]) -> Any:
    key = f"params.yaml: problems.{task}.expert.{role}"
    if name in llms:
        return {"llm": name, "prompts": _prompts(f"params.yaml: llms.{name}.prompts", llms[name].prompts)}
    if name in registry.EXPERTS:
        return name
    unknown = f"{key}: unknown expert {name[:80]!r}"
    return _plugin(key, registry.plugin(registry.EXPERT_GROUP, name, unknown, list(registry.EXPERTS)))


def _prompts(key: str, prompts: str | None) -> Any:
    """Ours are a dep of their own; a set is its package, a folder its files."""
    if prompts is None:
        return None
    if prompts in registry.prompt_sets():
        return _plugin(key, registry.plugin(registry.PROMPT_GROUP, prompts, f"{key}: unknown", []))
    inside = registry.own_folder(key, prompts)
    found = ((path.relative_to(inside).as_posix(), path) for path in inside.rglob("*.md") if path.is_file())
    return {"folder": prompts, "sha256": _hash(key, found)}


def _plugin(key: str, point: EntryPoint) -> dict[str, str]:
    return {
        "name": point.name,
        "distribution": point.dist.name if point.dist else "",
        "version": point.dist.version if point.dist else "",
        "value": point.value,
        "sha256": _hash(key, _package(key, point.module.partition(".")[0])),
    }


def _package(key: str, name: str) -> Iterator[tuple[str, Path]]:
    """The files of a top-level package or module by their path in it, without what Python compiles."""
    spec = importlib.util.find_spec(name)
    if spec is None or not (spec.submodule_search_locations or spec.origin):
        raise UnknownNameError(f"{key}: the plug-in's package {name} is not there; install it anew")
    if not spec.submodule_search_locations:
        yield name, Path(str(spec.origin))
        return
    for folder in map(Path, spec.submodule_search_locations):
        for path in folder.rglob("*"):
            inside = path.relative_to(folder)
            if "__pycache__" not in inside.parts and path.is_file():
                yield inside.as_posix(), path


def _hash(key: str, found: Iterator[tuple[str, Path]] | list[tuple[str, Path]]) -> str:
    """Of the files' places and contents, in the order of their places."""
    digest, files, room = sha256(), [], MOST_BYTES
    for entry in found:
        files.append(entry)
        if len(files) > MOST_FILES:
            raise UnknownNameError(f"{key}: its package has more than {MOST_FILES} files; give the plug-in its own")
    for place, path in sorted(files):
        try:
            with open_regular(path) as file:
                content = file.read(room + 1)
        except OSError as error:
            raise UnknownNameError(f"{key}: {path} cannot be read: {error.strerror}; install it anew") from None
        room -= len(content)
        if room < 0:
            raise UnknownNameError(f"{key}: its package has more than {MOST_BYTES} bytes; give the plug-in its own")
        digest.update(f"{place}\0{sha256(content).hexdigest()}\n".encode())
    return digest.hexdigest()
