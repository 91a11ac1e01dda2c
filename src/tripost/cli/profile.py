"""`tripost profile NAME`: params for a model of that size, written into params.yaml with its comments kept."""

import argparse
import os
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from tripost.errors import ParamsError
from tripost.params_file import check_params
from tripost.params_yaml import read_yaml

PROFILES, PARAMS = Path("examples/profiles"), Path("params.yaml")
VALUE = re.compile(r"[^\s#][^#\n]*?(?=\s*(?:#|$))")
"""A value and not the comment behind it."""


def main(argv: Sequence[str]) -> None:
    """Set the profile's keys in params.yaml, or say which profiles there are. Raises ParamsError."""
    parser = argparse.ArgumentParser(
        prog="tripost profile", description="Set params for a model of a size. Profiles: examples/profiles/."
    )
    parser.add_argument("name", nargs="?", help="such as 0.5b; without it the profiles are listed")
    name = parser.parse_args(argv).name
    there = {file.stem: file for file in sorted(PROFILES.glob("*.yaml"))}
    if not there:
        raise ParamsError(f"{PROFILES}: no profiles here; run it at the top of the repository")
    if name is None:
        for known, file in there.items():
            print(f"{known:<6} {file.read_text(encoding='utf-8').splitlines()[0].lstrip('# ')}")
        return
    if name not in there:
        raise ParamsError(f"no profile {name!r}; there are {', '.join(there)}")
    changed = apply(there[name], PARAMS)
    for key, old, new in changed:
        print(f"{key}: {_yaml(old)} -> {_yaml(new)}")
    print("then: tripost check; make run" if changed else f"{PARAMS} is that already")


def _yaml(value: Any) -> str:
    """As params.yaml writes it, on one line."""
    return str(value).lower() if isinstance(value, bool) else "null" if value is None else str(value)


def apply(profile: Path, params: Path) -> list[tuple[str, Any, Any]]:
    """Set each of the profile's keys: (key, what it was, what it is). Nothing is written where a key is wrong."""
    wanted = read_yaml(profile)
    said = dict(line.split(": ", 1) for line in profile.read_text(encoding="utf-8").splitlines() if ": " in line)
    read_yaml(params)  # bounded, and its errors in one line
    text = params.read_text(encoding="utf-8")
    raw, lines = YAML().load(text), text.splitlines(keepends=True)
    changed: list[tuple[str, Any, Any]] = []
    for key, value in wanted.items():
        *path, last = key.split(".")
        if path == ["warmup"] and not isinstance(raw.get("warmup"), dict):
            continue  # none: there is nothing to set
        section: Any = raw
        for part in path:
            section = section[part] if isinstance(section, dict) and part in section else None
        if not hasattr(section, "lc") or last not in section:
            raise ParamsError(f"{profile}: {key}: {params.name} has no such key; take the profile of this version")
        if section[last] != value:
            line, column = section.lc.value(last)
            before, after = lines[line][:column], lines[line][column:]
            lines[line] = before + said[key] + VALUE.sub("", after, count=1)
            changed.append((key, section[last], value))
            section[last] = value
    written = "".join(lines)
    plain = YAML(typ="safe", pure=True).load(written)
    check_params(plain)
    if plain != raw:
        raise ParamsError(f"{params.name}: laid out in another way than ours; set the keys of {profile} by hand")
    temporary = params.with_name(f".{params.name}.writing")
    temporary.write_text(written, encoding="utf-8")
    os.replace(temporary, params)
    return changed
