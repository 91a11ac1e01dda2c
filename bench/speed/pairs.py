"""Two sides in turn, A B A B, and the median of the ratios: what drifts on a machine drifts for both."""

import json
import platform
import statistics
import subprocess
import sys
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

import msgspec

RESULTS = Path("bench/results")
LIBRARIES = ("torch", "transformers", "accelerate", "great-expectations", "pandas", "msgspec", "dvc")


class Row(msgspec.Struct, frozen=True):
    """A line of the table: `value` is the median of `count` ratios (or figures), `goal` what it is to reach."""

    name: str
    against: str
    value: float
    min: float
    max: float
    goal: float
    better: str
    count: int
    unit: str = "x"
    note: str = ""

    @property
    def reached(self) -> bool:
        """Whether the goal is met."""
        return self.value >= self.goal if self.better == "higher" else self.value <= self.goal


class Side:
    """A process that runs once each time it is asked to (`bench/speed/side.py`)."""

    def __init__(self, command: Sequence[str], **environment: str) -> None:
        import os

        self.process = subprocess.Popen(
            list(command),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "TOKENIZERS_PARALLELISM": "false", "HF_HUB_OFFLINE": "1", **environment},
        )
        self.about = self._answer()["ready"]

    def run(self) -> dict[str, Any]:
        """What one run came to: `seconds`, and what it counted."""
        assert self.process.stdin is not None
        self.process.stdin.write("\n")
        self.process.stdin.flush()
        return self._answer()

    def end(self) -> None:
        """Let it go."""
        assert self.process.stdin is not None
        self.process.stdin.close()
        self.process.wait()

    def _answer(self) -> dict[str, Any]:
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        if not line:
            raise RuntimeError(f"{self.process.args!r} ended with {self.process.wait()}")
        found: dict[str, Any] = json.loads(line)
        return found


def interleaved(a: Side, b: Side, pairs: int) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """`pairs` runs of each, in turn, after one of each that does not count."""
    a.run()
    b.run()
    found: tuple[list[dict[str, Any]], list[dict[str, Any]]] = ([], [])
    for number in range(pairs):
        for side, into in zip((a, b), found, strict=True):
            into.append(side.run())
        sys.stderr.write(f"  pair {number + 1}: {shown(found[0][-1])} against {shown(found[1][-1])}\n")
    return found


def rate(run: dict[str, Any]) -> float:
    """Units a second."""
    return float(run["units"]) / float(run["seconds"])


def shown(run: dict[str, Any]) -> str:
    """`4,711/s`."""
    return f"{rate(run):,.0f}/s"


def ratio_row(
    name: str, against: str, mine: list[dict[str, Any]], theirs: list[dict[str, Any]], goal: float, note: str = ""
) -> Row:
    """The row of a comparison in units a second, higher is better."""
    ratios = [rate(a) / rate(b) for a, b in zip(mine, theirs, strict=True)]
    median = statistics.median(map(rate, mine)), statistics.median(map(rate, theirs))
    peak = f"{mine[-1]['peak_mb']:,.0f} against {theirs[-1]['peak_mb']:,.0f} MB"
    said = "; ".join(filter(None, (f"{median[0]:,.0f} against {median[1]:,.0f}/s", peak, note)))
    return row(name, against, ratios, goal, "higher", note=said)


def row(
    name: str, against: str, values: Sequence[float], goal: float, better: str, *, unit: str = "x", note: str = ""
) -> Row:
    """The median of the values, as a line of the table."""
    return Row(
        name=name, against=against, value=round(statistics.median(values), 3), min=round(min(values), 3),
        max=round(max(values), 3), goal=goal, better=better, count=len(values), unit=unit, note=note,
    )  # fmt: skip


def write(name: str, rows: Sequence[Row], libraries: Sequence[str] = LIBRARIES, **more: Any) -> None:
    """`bench/results/<name>.json`: what was measured, on what; `more` stands beside the rows."""
    RESULTS.mkdir(parents=True, exist_ok=True)
    content = {"machine": machine(), "versions": {lib: version(lib) for lib in libraries}, "rows": list(rows), **more}
    (RESULTS / f"{name}.json").write_bytes(msgspec.json.format(msgspec.json.encode(content), indent=2) + b"\n")


def machine() -> dict[str, Any]:
    """What it was measured on."""
    import os

    names = [line.partition(":")[2].strip() for line in _lines("/proc/cpuinfo") if line.startswith("model name")]
    flags = next((line for line in _lines("/proc/cpuinfo") if line.startswith("flags")), "")
    return {
        "cpu": names[0] if names else platform.processor(),
        "cores": len(os.sched_getaffinity(0)),
        "has": sorted(flag for flag in flags.split() if flag in ("avx2", "avx512f", "avx512_bf16", "amx_bf16")),
        "python": platform.python_version(),
    }


def _lines(path: str) -> list[str]:
    return Path(path).read_text().splitlines() if Path(path).exists() else []
