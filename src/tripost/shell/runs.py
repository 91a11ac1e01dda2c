"""How long stages took here, and what they asked: measured, for `tripost plan`. Nothing of it is a result."""

from pathlib import Path
from typing import Annotated

import msgspec

from tripost.files import read_bounded
from tripost.shell.home import OWN, home

LARGEST = 4_000_000
"""Bytes; a file that grows larger begins anew."""


class Run(msgspec.Struct, frozen=True, kw_only=True):
    """One run of a stage that ended well. `used`: replies; `known` of them stood in the log; `paid`: money."""

    stage: str
    seconds: Annotated[float, msgspec.Meta(ge=0, le=10**9)]
    used: Annotated[int, msgspec.Meta(ge=0, le=10**12)] = 0
    known: Annotated[int, msgspec.Meta(ge=0, le=10**12)] = 0
    asked: int = 0
    failed: int = 0
    paid: float = 0.0


def note(run: Run) -> None:
    """Write it down, if that can be done: no stage fails for it."""
    path = _path()
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        mode = "ab" if not path.exists() or path.stat().st_size < LARGEST else "wb"
        with path.open(mode) as file:
            file.write(msgspec.json.encode(run) + b"\n")
    except OSError:  # a read-only or full disk is said by whoever has something to lose
        return


def runs() -> list[Run]:
    """What was written down, in its order; lines that cannot be read are left out."""
    try:
        content = read_bounded(_path(), 2 * LARGEST) or b""
    except OSError:
        return []
    found: list[Run] = []
    for line in content.split(b"\n"):
        try:
            found.append(msgspec.json.decode(line, type=Run))
        except (msgspec.DecodeError, UnicodeDecodeError):
            continue
    return found


def _path() -> Path:
    return home(Path().absolute()) / OWN / "runs.jsonl"
