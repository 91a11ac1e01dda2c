"""What `dvc repro` would do, asked of DVC: which stages have changed, why, and what follows them."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from tripost.errors import DataError, one_line

Y = Path("dvc.yaml")
FROZEN = "frozen"
MOST_NAMED = 3
_KEY = re.compile(r"\$\{(key|item\.prev)\}")


class Stage(msgspec.Struct, frozen=True):
    """A stage with the paths that it reads and writes, iterations filled in."""

    name: str
    deps: tuple[str, ...]
    outs: tuple[str, ...]


class Due(msgspec.Struct, frozen=True):
    """A stage that is going to run. `surely`: it has changed itself; else if what it follows comes out otherwise."""

    name: str
    why: str
    surely: bool


def stages(iterations: Mapping[str, str]) -> list[Stage]:
    """Those of dvc.yaml that are not frozen, in its order; `iterations`: t -> prev. Raises DataError."""
    try:
        raw = YAML(typ="safe", pure=True).load(Y.read_text(encoding="utf-8"))["stages"]
    except (OSError, UnicodeDecodeError, YAMLError, TypeError, KeyError):
        raise DataError(f"{Y}: cannot be read; restore it from git") from None
    found: list[Stage] = []
    for name, stage in raw.items():
        if stage.get(FROZEN):
            continue
        if "foreach" not in stage:
            found.append(_stage(name, stage, {}))
            continue
        for t, prev in iterations.items():
            found.append(_stage(f"{name}@{t}", stage["do"], {"key": t, "item.prev": prev}))
    return found


def _stage(name: str, stage: Mapping[str, Any], values: Mapping[str, str]) -> Stage:
    def paths(*kinds: str) -> tuple[str, ...]:
        listed = [entry for kind in kinds for entry in stage.get(kind) or []]
        named = [next(iter(entry)) if isinstance(entry, dict) else str(entry) for entry in listed]
        return tuple(_KEY.sub(lambda match: values.get(match[1], match[0]), path) for path in named)

    return Stage(name, paths("deps"), paths("outs", "metrics", "plots"))


def due(known: Sequence[Stage], status: Mapping[str, Any]) -> list[Due]:
    """The stages that run, in their order: those that DVC calls changed, and what follows them.

    `always_changed` alone counts for nothing: such a stage looks, and what it writes is mostly the same.
    """
    found: dict[str, Due] = {}
    writes: dict[str, str] = {}
    waiting = list(known)
    while waiting:
        ready = [stage for stage in waiting if not _follows(stage, [other for other in waiting if other != stage])]
        for stage in ready or waiting[:1]:
            waiting.remove(stage)
            why = _why(status.get(stage.name) or [])
            after = [writes[path] for path in writes if _reads(stage, path)]
            if why:
                found[stage.name] = Due(stage.name, why, surely=True)
            elif after:
                found[stage.name] = Due(stage.name, f"after {', '.join(dict.fromkeys(after))}", surely=False)
            if why or after:
                writes |= dict.fromkeys(stage.outs, stage.name)
    return list(found.values())


def _follows(stage: Stage, others: Sequence[Stage]) -> bool:
    return any(_reads(stage, path) for other in others for path in other.outs)


def _reads(stage: Stage, path: str) -> bool:
    return any(dep == path or path.startswith(f"{dep}/") or dep.startswith(f"{path}/") for dep in stage.deps)


def _why(said: Sequence[Any]) -> str:
    """What DVC says has changed, in a few words."""
    kinds = [entry for entry in said if isinstance(entry, dict)]
    if any("deleted" in entry.get("changed outs", {}).values() for entry in kinds):
        return "no results yet"
    found = ["another command"] if "changed command" in said else []
    changes = [change for entry in kinds for listed in entry.values() for change in listed.items()]
    found += [key for _, how in changes if isinstance(how, dict) for key in how]
    found += [_short(path) for path, how in changes if not isinstance(how, dict)]
    more = f" and {len(found) - MOST_NAMED} more" if len(found) > MOST_NAMED else ""
    return one_line(f"changed: {', '.join(found[:MOST_NAMED])}{more}") if found else ""


def _short(path: str) -> str:
    """Code by the file's name."""
    return Path(path).name if path.startswith(("src/", "stages/")) else path


def status() -> dict[str, Any]:
    """DVC's word on every stage. Raises DataError where it cannot tell."""
    beside = Path(sys.executable).with_name("dvc")
    command = [str(beside) if beside.exists() else "dvc", "status", "--json"]
    environment = {**os.environ, "DVC_NO_ANALYTICS": "1"}
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    start = done.stdout.find("{")
    try:
        found = json.loads(done.stdout[start:]) if done.returncode == 0 and start >= 0 else None
    except ValueError:
        found = None
    if not isinstance(found, dict):
        said = (done.stderr.strip().splitlines() or ["nothing"])[-1]
        raise DataError(f"dvc status: {one_line(said)}; mend that (tripost mend, tripost doctor), then try again")
    return found
