"""The prompts of an LLM as expert: Markdown files, one for each task and role, whose examples become turns of a chat.

A file is the system message, then examples. Each begins with `## Example` and has the sections of its role as `###`
headings, in this order: what the expert is told, and last its `Reply`.
"""

import re
from collections.abc import Mapping
from functools import lru_cache
from importlib.resources import files
from pathlib import Path
from typing import NamedTuple

from tripost import registry
from tripost.errors import UnknownNameError

SECTIONS = {
    "feedback": ("Question", "Reference answer", "Attempt", "Reply"),
    "improve": ("Question", "Attempt", "Feedback", "Kept steps", "Reply"),
}
ANY = "any"
"""The folder of ours for tasks that bring no prompts."""
_EXAMPLE = re.compile(r"^## Example[ \t]*$", re.MULTILINE)
_HEADING = re.compile(r"^### (.*\S)[ \t]*$", re.MULTILINE)


class PromptFile(NamedTuple):
    """A system message, and examples as section -> text."""

    system: str
    examples: tuple[Mapping[str, str], ...]


def read(text: str, role: str, where: str) -> PromptFile:
    """Split a prompt file; `where` is what to call it. Raises UnknownNameError where it is another shape."""
    system, *parts = _EXAMPLE.split(text)
    if not system.strip():
        raise UnknownNameError(
            f"{where}: nothing stands before the first example; begin with what the expert is to do"
        )
    wanted, examples = SECTIONS[role], []
    for number, part in enumerate(parts, start=1):
        _, *found = _HEADING.split(part)
        example = {name: said.strip() for name, said in zip(found[::2], found[1::2], strict=True)}
        if tuple(found[::2]) != wanted or not all(example.values()):
            named = ", ".join(f"### {name}" for name in wanted)
            raise UnknownNameError(
                f"{where}: example {number} needs the sections {named}, each with text, in this order"
            )
        examples.append(example)
    return PromptFile(system.strip(), tuple(examples))


@lru_cache(maxsize=256)
def load(prompts: str | None, task: str, role: str) -> PromptFile:
    """The prompts of this set or folder for a task and role; ours where it is None. Raises UnknownNameError."""
    if prompts is None:
        ours = files("tripost.experts") / "prompts"
        own = ours / task / f"{role}.md"
        path = own if own.is_file() else ours / ANY / f"{role}.md"
        return read(path.read_text(encoding="utf-8"), role, str(path))
    if prompts in registry.prompt_sets():
        return read(registry.prompt(prompts, task, role), role, f"prompt set {prompts!r}, {task}/{role}.md")
    path = registry.own_folder("params.yaml: llms: prompts", prompts) / task / f"{role}.md"
    if not path.resolve().is_relative_to(Path().resolve()):
        raise UnknownNameError(f"{path}: leads outside this repository, and what it says would be sent; copy it here")
    return read(registry.prompt_text(path, str(path)), role, str(path))
