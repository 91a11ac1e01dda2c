"""Coverage-guided fuzzing of all targets at once: `make fuzz ARGS="-max_total_time=1200"`.

    python -m tests.fuzz [--keep-going] [options of libFuzzer]

What breaks a target, or takes it longer than SLOW seconds, is kept in `tests/fuzz/findings/<target>/`, where
`tests/test_fuzz.py` finds it. The fuzzer stops there, or with --keep-going once a place in the code.
"""

import sys
import time
import traceback
from collections import Counter
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryDirectory

import atheris

with atheris.instrument_imports(include=["tripost"], enable_loader_override=False):
    from tests.fuzz.targets import CORPUS, FINDINGS, NAMES, TARGETS, dispatch, files

SLOW = 2.0
"""Seconds of one input, under instrumentation; without it that is a quarter of it or less."""
MINUTE = 60.0
OPTIONS = ["-max_len=4096", "-timeout=30", "-rss_limit_mb=2048", "-print_final_stats=1"]


class Session:
    """What was run, and what was found where."""

    def __init__(self, keep_going: bool) -> None:
        self.keep_going = keep_going
        self.runs: Counter[str] = Counter()
        self.slowest: dict[str, float] = {}
        self.places: set[str] = set()
        self.reported = time.monotonic()

    def one(self, data: bytes) -> None:
        """Run one input; keep what breaks."""
        name, rest = dispatch(data)
        self.runs[name] += 1
        started = time.process_time()
        try:
            TARGETS[name](rest)
        except Exception as error:  # whatever a target raises is what is looked for
            frame = traceback.extract_tb(error.__traceback__)[-1]
            self.keep(name, rest, f"{type(error).__name__} at {Path(frame.filename).name}:{frame.lineno}")
            if not self.keep_going:
                raise
        took = time.process_time() - started
        self.slowest[name] = max(took, self.slowest.get(name, 0))
        if took > SLOW:
            self.keep(name, rest, f"slow {name}")
        if time.monotonic() - self.reported > MINUTE:  # libFuzzer ends the process without a last word for us
            self.report()

    def keep(self, name: str, rest: bytes, place: str) -> None:
        """Write a finding down, once a place."""
        if place in self.places:
            return
        self.places.add(place)
        path = FINDINGS / name / sha256(rest).hexdigest()[:12]
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(rest)
        sys.stderr.write(f"FOUND {name}: {place} -> {path}\n")

    def report(self) -> None:
        """Executions and the slowest input of each target so far."""
        self.reported = time.monotonic()
        for name, runs in self.runs.most_common():
            sys.stderr.write(f"{name:12} {runs:10,} runs, slowest {1000 * self.slowest.get(name, 0):6.0f} ms\n")
        sys.stderr.write(f"{sum(self.runs.values()):,} runs, {len(self.places)} findings\n")


def main() -> None:
    """Put seeds and findings into one folder, each with the byte of its target, and fuzz from there."""
    arguments = [argument for argument in sys.argv[1:] if argument != "--keep-going"]
    session = Session("--keep-going" in sys.argv)
    with TemporaryDirectory() as folder:
        for path in [*files(CORPUS), *files(FINDINGS)]:
            target = path.parent.name
            (Path(folder) / f"{target}-{path.name}").write_bytes(bytes([NAMES.index(target)]) + path.read_bytes())
        options = [option for option in OPTIONS if not any(a.startswith(option.split("=")[0]) for a in arguments)]
        atheris.Setup([sys.argv[0], *options, *arguments, folder], session.one)
        atheris.Fuzz()


if __name__ == "__main__":
    main()
