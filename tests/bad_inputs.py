"""Every bad input and the stage that meets it; the exact lines it gets stand in docs/errors.md.

python -m tests.bad_inputs            runs each as a real process and prints the table
python -m tests.bad_inputs --write    writes it into docs/errors.md
"""

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import NamedTuple

from tests import bad_models, bad_params, bad_rows
from tests.bad_world import Case, command, make_world
from tests.toy import ROOT

CASES: list[Case] = [*bad_params.CASES, *bad_rows.CASES, *bad_models.CASES]
PAGE = ROOT / "docs" / "errors.md"
SLOW = bad_models.SLOW
HEAD = "| bad input | stage | what it says |\n|---|---|---|\n"
BIG = 10_000_000
"""Files of zeros above it are compared by size."""


class Met(NamedTuple):
    """What a stage made of a bad input: its exit code, its lines on stderr, and the files that it changed."""

    code: int
    lines: list[str]
    changed: list[str]


def meet(case: Case, world: Path, folder: Path) -> Met:
    """Run the stage of a case in a copy of the world, as DVC does."""
    shutil.copytree(world, folder)
    case.spoil(folder)
    before = _files(folder)
    environment = {
        **os.environ,
        "PYTHONPATH": str(ROOT / "src"),
        "HF_HUB_OFFLINE": "1",
        "GIT_CEILING_DIRECTORIES": str(folder.parent),
    }
    words = [sys.executable, *command(case.stage)]
    done = subprocess.run(words, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    after = _files(folder)
    changed = sorted(name for name in before.keys() | after.keys() if before.get(name) != after.get(name))
    return Met(done.returncode, done.stderr.splitlines(), changed)


def _files(folder: Path) -> dict[str, bytes | int]:
    """Contents; of a file too long to be compared, its size. Who is at work (a lock) and what is half done is apart."""
    return {
        str(path.relative_to(folder)): path.read_bytes() if path.stat().st_size < 1 << 20 else path.stat().st_size
        for path in folder.rglob("*")
        if path.is_file()
        and path.relative_to(folder).parts[:2] not in {(".tripost", "locks"), (".tripost", "partial")}
    }


def row(case: Case, lines: list[str]) -> str:
    """The row of the table."""
    said = "<br>".join(f"`` {line.removeprefix('error: ')} ``" for line in lines).replace("|", "\\|")
    return f"| {case.what} | {case.stage} | {said} |"


def table() -> str:
    """The whole table, measured."""
    with tempfile.TemporaryDirectory() as name:
        root = Path(name)
        make_world(root / "world")
        rows = [row(case, meet(case, root / "world", root / f"{k}").lines) for k, case in enumerate(CASES)]
    return HEAD + "\n".join(rows) + "\n"


if __name__ == "__main__":
    if "--write" in sys.argv:
        before, _, _ = PAGE.read_text(encoding="utf-8").partition(HEAD)
        PAGE.write_text(before + table(), encoding="utf-8")
    else:
        sys.stdout.write(table())
