"""`tripost table`: what every iteration reached, in one table, and what that allows one to say.

tripost table [--eval eval]     reads eval/t0/metrics.json, eval/t1/metrics.json, ...
"""

import argparse
import re
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import msgspec
from rich.console import Console
from rich.padding import Padding
from rich.text import Text

from tripost.cli.conclude import conclusions
from tripost.cli.screen import clean, console
from tripost.errors import DataError
from tripost.rates import Paired, Rate
from tripost.shell.io import read_json

SUBSETS = {"seen": "seen", "unseen": "unseen", "total": "all"}
LEVELS = 4
CAUTION = "This is one run: another seed may move as much. Train with three seeds or more before you claim anything."
LEGEND = {
    "n": "problems, answered once each, greedily; [..]: 95 % interval (Wilson)",
    "direct": "% whose first attempt has the right answer",
    "final": "% whose last readable attempt has it, after own feedback and updates",
    "revised": "% whose first attempt the model updated",
    "fixed": "problems that were wrong first and right in the end",
    "broken": "problems that were right first and wrong in the end",
    "p direct": "exact McNemar test on the same problems: final against direct",
    "p before": "the same: final against final of the iteration before; by chance 1 p in 20 is < 0.05",
}


class Measures(msgspec.Struct, frozen=True):
    """What this table needs of `evaluate.metrics`."""

    n: int
    direct: Rate
    final: Rate
    revised: Rate
    fixed: Rate
    broken: Rate
    final_against_direct: Paired
    final_against_previous: Paired | None = None


Results = dict[str, dict[str, dict[str, Measures]]]
"""t -> task -> seen | unseen | total -> measures; t0 first."""


def main(argv: Sequence[str]) -> int | None:
    """Print the table."""
    parser = argparse.ArgumentParser(prog="tripost table", description="The results of all iterations in one table.")
    parser.add_argument("--eval", type=Path, default=Path("eval"), metavar="FOLDER", help="default: eval")
    folder: Path = parser.parse_args(argv).eval
    results = read_results(folder)
    out = console()
    level = next((k for k in range(LEVELS) if _width(results, k) <= out.width), LEVELS - 1)
    for line, style in _lines(results, _columns(level)):
        out.print(Text(line, style=style), soft_wrap=True)
    _legend(out, level)
    out.print(Text("\nWhat this shows", style="bold"))
    for task, sentences in conclusions(folder, results).items():
        out.print(Text(f"  {clean(task)}", style="cyan"))
        for sentence in sentences:
            out.print(Padding(Text(sentence), (0, 0, 0, 4), expand=False))
    out.print(Padding(Text(CAUTION), (0, 0, 0, 2), expand=False))
    out.print(Text("\nLook further", style="bold"))
    for does, command in _next(list(results)[-1]).items():
        out.print(Text(f"  {does}", style="dim"))
        out.print(Text(f"    {command}"), soft_wrap=True)
    return None


def read_results(folder: Path) -> Results:
    """The metrics of every iteration, t0 first. Raises DataError where there are none."""
    found = [path for path in folder.glob("t*/metrics.json") if re.fullmatch("t[0-9]+", path.parent.name)]
    if not found:
        raise DataError(f"{folder}: nothing has been evaluated yet; `make run` runs the whole pipeline")
    results: Results = {}
    for path in sorted(found, key=lambda path: int(path.parent.name[1:])):
        try:
            results[path.parent.name] = msgspec.convert(read_json(path), dict[str, dict[str, Measures]])
        except msgspec.ValidationError as error:
            raise DataError(f"{path}: not what the eval stage writes: {error}; run dvc repro") from None
    return results


def percent(rate: Rate, *, interval: bool) -> str:
    """`46.2 [41.0, 51.5]`, or `46.2`."""
    if rate.value is None or rate.low is None or rate.high is None:
        return "    -"
    value = f"{100 * rate.value:5.1f}"
    return f"{value} [{100 * rate.low:.1f}, {100 * rate.high:.1f}]" if interval else value


def p_value(test: Paired | None) -> str:
    """`0.031`, `<0.001`, or `-`."""
    return "-" if test is None else "<0.001" if test.p_value < 0.001 else f"{test.p_value:.3f}"


Column = tuple[str, Callable[[Measures], str]]


def _columns(level: int) -> list[Column]:
    """The columns behind t: the fewer, the higher the level."""
    found: list[Column] = [
        ("n", lambda m: str(m.n)),
        ("direct", lambda m: percent(m.direct, interval=level < 2)),
        ("final", lambda m: percent(m.final, interval=True)),
        ("revised", lambda m: percent(m.revised, interval=level < 1)),
        ("fixed", lambda m: str(m.fixed.k)),
        ("broken", lambda m: str(m.broken.k)),
        ("p direct", lambda m: p_value(m.final_against_direct if m.revised.k else None)),
        ("p before", lambda m: p_value(m.final_against_previous)),
    ]
    return found if level < 3 else found[:-2]


def _width(results: Results, level: int) -> int:
    return max(len(line) for line, _ in _lines(results, _columns(level)))


def _lines(results: Results, columns: Sequence[Column]) -> list[tuple[str, str]]:
    """Lines and their styles: the heads, then task by task its name and its rows."""
    rows: list[tuple[list[str], str]] = [(["", "", *(name for name, _ in columns)], "bold")]
    names: dict[int, str] = {}
    for task in sorted({task for tasks in results.values() for task in tasks}):
        names[len(rows)] = clean(task)
        for subset, t, measures in _rows(results, task):
            shown = [cell(measures) for _, cell in columns]
            rows.append(([subset, t, *shown], "bold" if t == list(results)[-1] else ""))
    wide = [max(map(len, cells)) for cells in zip(*(cells for cells, _ in rows), strict=True)]
    left = [k < 2 or any("[" in cells[k] for cells, _ in rows) for k in range(len(wide))]
    found: list[tuple[str, str]] = []
    for number, (cells, style) in enumerate(rows):
        if number in names:
            found += [("", ""), (names[number], "bold cyan")]
        padded = [c.ljust(w) if at_left else c.rjust(w) for c, w, at_left in zip(cells, wide, left, strict=True)]
        found.append(("  " + "  ".join(padded).rstrip(), style))
    return found


def _rows(results: Results, task: str) -> Iterator[tuple[str, str, Measures]]:
    """Seen, unseen and, where there are both, all; the subset's name in its first row alone."""
    subsets = [s for s in SUBSETS if any(s in tasks.get(task, {}) for tasks in results.values())]
    for subset in subsets if len(subsets) == 3 else subsets[:1]:
        name = SUBSETS[subset]
        for t, tasks in results.items():
            if subset in tasks.get(task, {}):
                yield name, t, tasks[task][subset]
                name = ""


def _legend(out: Console, level: int) -> None:
    shown = [name for name, _ in _columns(level)]
    out.print()
    for name, meaning in LEGEND.items():
        if name in shown:
            out.print(Text(f"  {name:<8}  {meaning}", style="dim"))
    if level > 0:
        out.print(Text("  A wider window shows more intervals and tests.", style="dim"))


def _next(t: str) -> dict[str, str]:
    """What to do and how, as typed in the repository's root."""
    show = f".venv/bin/tripost show {t} -n 10" + (" --eval" if t == "t0" else "")
    return {
        "what the model wrote, and what became of it": show,
        "loss curves and runs, at http://127.0.0.1:5000": (
            "MLFLOW_DISABLE_TELEMETRY=true .venv/bin/mlflow ui --backend-store-uri sqlite:///mlflow.db"
        ),
        "another share of improvements; to compare: .venv/bin/dvc exp show": (
            'PATH="$PWD/.venv/bin:$PATH" dvc exp run -S rebalance.p=0.6'
        ),
    }
