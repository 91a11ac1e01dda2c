"""Data stages: scripted edits a second on one core; validate and rebalance of up to 1,000,000 rows as real stages.

The rows: 2,500 problems a task, eight attempts at each with planted mistakes of their own, edited by the scripts; for
a million rows the problems are there several times, each time with another word in the question.
"""

import math
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import msgspec

from bench.speed.examples import attempt_at, first_attempts
from bench.speed.pairs import Row, row, write
from tripost import registry
from tripost.edit import edit_all
from tripost.experts import chosen
from tripost.models.encode import TokenCounter
from tripost.params import Params
from tripost.params_file import load_params
from tripost.prompts import attempt_prompt
from tripost.records import Problem, Trajectory, Turn
from tripost.rollout import trajectory
from tripost.shell.guards import pool_meta_of
from tripost.shell.io import write_json, write_records
from tripost.shell.rows import Spool

MODEL = "models/embedded"
PROBLEMS, SAMPLES = 2_500, 8
SIZES = (10_000, 100_000, 1_000_000)


def edited(params: Params, problems: dict[str, Problem], rows: list[Trajectory]) -> list[Trajectory]:
    """What the scripts make of the rows, those that they cannot edit left out."""
    tasks = registry.tasks_of(params.problems)
    experts, counter = chosen.experts(tasks, params.problems), TokenCounter(MODEL)
    found = edit_all(rows, problems, tasks, experts, params.edit, counter.count_tokens, params.layout())
    return [one for one in found if isinstance(one, Trajectory)]


def edits(pairs: int) -> Row:
    """Trajectories a second, token counts included."""
    params = load_params(Path("params.yaml"))
    problems, rows = first_attempts(params, 250, 0.5)
    rates = []
    for _ in range(pairs + 1):
        started = time.process_time()
        edited(params, problems, rows)
        rates.append(len(rows) / (time.process_time() - started))
    return row("scripted edit", "trajectories/s on one core", rates[1:], 3_000, "higher", unit="/s")


def base(params: Params) -> tuple[dict[str, Problem], list[Trajectory]]:
    """Problems, and eight edited trajectories of each."""
    problems, _ = first_attempts(params, PROBLEMS, 0.0)
    rows: list[Trajectory] = []
    for problem in problems.values():
        rng = random.Random(problem.id)
        for k in range(SAMPLES):
            turn = attempt_at(problem, registry.task(problem.task), 0.9, rng)
            rows.append(trajectory(problem, f"{problem.id}/t1/{k}", 0, (turn,)))
    return problems, edited(params, problems, rows)


def copies(
    problems: dict[str, Problem], rows: list[Trajectory], size: int
) -> Iterator[tuple[Problem, list[Trajectory]]]:
    """Each problem with its rows, again and again with another id and question, until there are `size` rows."""
    counter = TokenCounter(MODEL)
    mine: dict[str, list[Trajectory]] = {}
    for one in rows:
        mine.setdefault(one.problem_id, []).append(one)
    made = 0
    by_task: dict[str, list[Problem]] = {}
    for problem in problems.values():
        by_task.setdefault(problem.task, []).append(problem)
    mixed = [problem for some in zip(*by_task.values(), strict=True) for problem in some]
    for copy in range(size):
        for problem in mixed:
            asked = f"{problem.question} [{copy}]"
            again = msgspec.structs.replace(problem, id=f"{problem.id}-{copy}", question=asked, split="train")
            before, after = counter.count_tokens([attempt_prompt(problem.question), attempt_prompt(asked)])
            found = [
                trajectory(again, f"{again.id}/t1/{k}", 0, tuple(_longer(turn, after - before) for turn in one.turns))
                for k, one in enumerate(mine.get(problem.id, [])[: size - made])
            ]
            made += len(found)
            yield again, found
            if made >= size:
                return


def _longer(turn: Turn, tokens: int) -> Turn:
    return msgspec.structs.replace(turn, n_tokens=turn.n_tokens + tokens)


def laid_out(folder: Path, problems: dict[str, Problem], rows: list[Trajectory], size: int) -> None:
    """What `validate` finds: the problems and `size` edited rows."""
    data = folder / "data"
    with (
        Spool(data / "problems" / "train.jsonl", Problem) as train,
        Spool(data / "t1" / "edited.jsonl", Trajectory) as out,
    ):
        for problem, found in copies(problems, rows, size):
            train.append(problem)
            for one in found:
                out.append(one)
        train.keep()
        out.keep()
    for name in ("validation", "test"):
        write_records(data / "problems" / f"{name}.jsonl", [])
    write_records(data / "t1" / "probes.jsonl", [])
    write_json(data / "t1" / "edit.json", {"wrong_first_attempts": {}})
    write_records(data / "t0" / "pool.jsonl", [])
    write_json(data / "t0" / "pool.meta.json", pool_meta_of(data / "t0" / "pool.jsonl"))


def gated_and_balanced(folder: Path) -> tuple[float, float]:
    """(seconds, MB at most) of both stages, as DVC calls them."""
    d = folder / "data" / "t1"
    problems = folder / "data" / "problems"
    before = folder / "data" / "t0"
    found = [
        timed(
            "validate", problems=problems, edited=d / "edited.jsonl", probes=d / "probes.jsonl", model=Path(MODEL),
            out=d / "kept.jsonl", dropped=d / "validate.dropped.jsonl", report=d / "report.json",
            page=d / "report.html", counts=d / "validate.json", quarantine=folder / "quarantine",
        ),
        timed(
            "rebalance", problems=problems, model=Path(MODEL),
            kept=d / "kept.jsonl", report=d / "report.json", edited=d / "edit.json",
            previous_pool=before / "pool.jsonl", previous_pool_meta=before / "pool.meta.json",
            out=d / "examples.jsonl", meta=d / "examples.meta.json", dropped=d / "rebalance.dropped.jsonl",
            pool=d / "pool.jsonl", pool_meta=d / "pool.meta.json", counts=d / "rebalance.json",
        ),
    ]  # fmt: skip
    return sum(seconds for seconds, _ in found), max(peak for _, peak in found)


def timed(stage: str, **paths: Path) -> tuple[float, float]:
    """(seconds, MB at most) of a stage."""
    arguments = [f"--{key.replace('_', '-')}={path}" for key, path in paths.items()]
    started = time.perf_counter()
    command = [sys.executable, f"stages/{stage}.py", *arguments, "--t=t1"]
    process = subprocess.Popen(command, env={**os.environ, "PYTHONPATH": "src"})
    _, status, usage = os.wait4(process.pid, 0)
    if status:
        raise RuntimeError(f"{stage}: status {status}")
    return time.perf_counter() - started, usage.ru_maxrss / 1024


def main(pairs: int) -> list[Row]:
    """Four rows. Of the million one run counts, of the smaller sizes `pairs`."""
    rows = [edits(pairs)]
    params = load_params(Path("params.yaml"))
    problems, made = base(params)
    medians: dict[int, float] = {}
    for size in SIZES:
        runs = []
        for _ in range(pairs if size < 1_000_000 else 1):
            Path(".tripost").mkdir(exist_ok=True)
            with tempfile.TemporaryDirectory(dir=".tripost") as name:
                folder = Path(name)
                laid_out(folder, problems, made, size)
                runs.append(gated_and_balanced(folder))
                sys.stderr.write(f"  {size:,} rows: {runs[-1][0]:.1f} s, {runs[-1][1]:,.0f} MB\n")
        medians[size] = statistics.median(seconds for seconds, _ in runs)
        peak = max(peak for _, peak in runs)
    million, hundred = (medians[size] for size in SIZES[:0:-1])
    rows.append(row("validate + rebalance", "1,000,000 rows", [million], 300, "lower", unit=" s"))
    rows.append(row("validate + rebalance, memory", "1,000,000 rows", [peak], 3_000, "lower", unit=" MB"))
    note = ", ".join(f"{size:,}: {seconds:.1f} s" for size, seconds in medians.items())
    slope = math.log10(million / hundred)
    rows.append(
        row("validate + rebalance, slope", "100,000 to 1,000,000 rows", [slope], 1.1, "lower", unit="", note=note)
    )
    write("data", rows)
    return rows
