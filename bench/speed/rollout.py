"""Rollout: our decoder against `generate` as the paper's code calls it, and at its best.

The embedded model, the default tasks' problems, greedy, so that both sides write the same tokens (counted).
"""

import os
import sys
import tempfile
from itertools import islice
from pathlib import Path

import msgspec

from bench.speed.pairs import Row, Side, interleaved, rate, ratio_row, write
from tripost import registry
from tripost.params_file import load_params
from tripost.prompts import attempt_prompt

COUNT = 128
BATCH = 64
SETTINGS = [
    (batch, precision, 2, order)
    for batch in (8, 16, 32, 64, 128)
    for precision, order in (("float32", "given"), ("float32", "sorted"), ("bfloat16", "given"))
]
"""Among these the best of `generate` is searched for, one run each."""


def workload(folder: Path) -> str:
    """The prompts of the default tasks' problems, in a file."""
    params = load_params(Path("params.yaml"))
    prompts: list[str] = []
    for name, source in params.problems.items():
        made = registry.task(name).problems([*source.seen, *source.unseen], 7)
        prompts += [attempt_prompt(problem.question) for problem in islice(made, COUNT // len(params.problems))]
    path = folder / "prompts.json"
    content = {
        "model": "models/embedded",
        "prompts": prompts,
        "max_new_tokens": params.rollout.max_new_tokens.attempt,
    }
    path.write_bytes(msgspec.json.encode(content))
    return str(path)


def generate(work: str, batch: int, precision: str, threads: int, order: str) -> Side:
    """The peer."""
    command = [sys.executable, "-m", "bench.speed.decode_generate", work, str(batch), precision, str(threads), order]
    return Side(command, OMP_NUM_THREADS=str(threads))


def best(work: str) -> tuple[int, str, int, str]:
    """The fastest of `SETTINGS`."""
    found = {}
    for setting in SETTINGS:
        side = generate(work, *setting)
        found[setting] = rate(side.run())
        side.end()
        sys.stderr.write(f"  generate {setting}: {found[setting]:,.0f}/s\n")
    return max(found, key=lambda setting: found[setting])


def main(pairs: int) -> list[Row]:
    """Two rows."""
    rows: list[Row] = []
    with tempfile.TemporaryDirectory() as folder:
        work = workload(Path(folder))
        peers = [("generate, batch 4, fp32", (4, "float32", len(os.sched_getaffinity(0)), "given"), 8.0)]
        setting = best(work)
        peers.append((f"generate at its best: batch {setting[0]}, {setting[1]}, {setting[3]}", setting, 1.5))
        for what, chosen, goal in peers:
            ours = Side([sys.executable, "-m", "bench.speed.decode_ours", work, str(BATCH)])
            theirs = generate(work, *chosen)
            mine, others = interleaved(ours, theirs, pairs)
            same = sum(a == b for a, b in zip(mine[-1]["texts"], others[-1]["texts"], strict=True))
            note = f"{same} of {COUNT} texts the same, {chosen[2]} threads"
            rows.append(ratio_row("rollout tokens/s", what, mine, others, goal, note))
            ours.end()
            theirs.end()
    write("rollout", rows)
    return rows
