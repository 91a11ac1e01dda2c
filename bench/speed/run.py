"""`make run` on a fresh clone: all of it against its decoding, editing, training and evaluating alone.

The environment is there already (installing is the package index's time). What counts as work is what the stages'
own progress lines say ("in 14 s"); the rest is starting processes, imports, DVC, the gate, tracking.
"""

import os
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from bench.speed.pairs import Row, row, write

WORK = re.compile(r"^(?:warmup|rollout|edit|train|eval)\b[^:\n]*: .* in (?:(\d+) min )?(\d+) s", re.MULTILINE)


COMMANDS = ("tripost.cli mend", "tripost.cli check", "dvc repro", "tripost.cli table")
"""Those of the Makefile's `run`, behind the installation."""


def main(pairs: int) -> list[Row]:
    """One row, of one run: it takes minutes."""
    root, said = Path.cwd(), ""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "clone"
        subprocess.run(["git", "clone", "-q", str(root), str(folder)], check=True)
        path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
        environment = {**os.environ, "PATH": path, "PYTHONPATH": str(folder / "src"), "PYTHONHASHSEED": "0"}
        started = time.perf_counter()
        for command in COMMANDS:
            done = subprocess.run(
                [sys.executable, "-m", *command.split()],
                cwd=folder,
                env=environment,
                capture_output=True,
                text=True,
                check=False,
            )
            said += (done.stdout + done.stderr).replace("\r", "\n")
            if done.returncode:
                raise RuntimeError(f"{command}: status {done.returncode}: {said[-2000:]}")
        seconds = time.perf_counter() - started
    work = sum(60 * int(minutes or 0) + int(rest) for minutes, rest in WORK.findall(said))
    sys.stderr.write(f"  make run: {seconds:.0f} s, work {work} s\n")
    note = f"{seconds:.0f} s, {work} s of them work"
    rows = [row("make run", "its decode + edit + train + eval work", [seconds / work], 1.15, "lower", note=note)]
    write("run", rows)
    return rows
