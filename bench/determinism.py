"""What the same inputs give again: two runs, other batches, other numbers of threads.

    python -m bench.determinism [--tokens 700000] [--problems 100]

A pipeline of one iteration with the shipped params, a smaller warm-up and window, twice, each in a fresh checkout;
then its rollout, evaluation and training once more with other batch sizes and threads.
"""

import argparse
import csv
import shutil
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

from ruamel.yaml import YAML

from bench.kills import digests
from tests.checkout import Checkout
from tests.toy import ROOT
from tripost.records import Prediction, Record, Trajectory
from tripost.shell.io import read_records

DECODING = [(64, 1), (64, 2), (8, 1), (1, 1)]
"""Batch size and threads."""


def sized(tokens: int, problems: int) -> dict[str, Any]:
    """The shipped params with one iteration, a warm-up of so many target tokens and a window of so many problems."""
    raw: dict[str, Any] = YAML(typ="safe", pure=True).load((ROOT / "params.yaml").read_text(encoding="utf-8"))
    raw.update(iterations={"t1": {"prev": "t0"}}, final="t1")
    raw["warmup"]["tokens"] = tokens
    raw["rollout"].update(window=problems, samples=2)
    raw["validate"].update(min_rows=0, improves_share=[0.0, 1.0])
    for source in raw["problems"].values():
        source["train"] = 3000
    return raw


def main() -> None:
    """Print what is equal and what is not."""
    parser = argparse.ArgumentParser(prog="python -m bench.determinism", description=__doc__)
    parser.add_argument("--tokens", type=int, default=700_000)
    parser.add_argument("--problems", type=int, default=100)
    arguments = parser.parse_args()
    folder = Path(mkdtemp(prefix="determinism-"))
    one, two = (Checkout(folder / name, **sized(arguments.tokens, arguments.problems)) for name in ("one", "two"))
    for checkout in (one, two):
        checkout.repro()
    first, second = digests(one.folder), digests(two.folder)
    different = sorted(path for path in first.keys() | second.keys() if first.get(path) != second.get(path))
    print(f"two runs: {len(first) - len(different)} of {len(first)} files are equal", *different, sep="\n  ")
    decoded = {key: decode(one, *key) for key in DECODING}
    for stage in ("rollout", "eval"):
        rows = decoded[DECODING[0]][stage]
        for (batch, threads), found in decoded.items():
            changed = sum(before != after for before, after in zip(rows, found[stage], strict=True))
            print(f"{stage}, batch {batch}, {threads} threads: {changed} of {len(rows)} rows differ from the first")
    losses = {threads: train(one, threads) for threads in (1, 2)}
    apart = max(abs(a - b) for a, b in zip(losses[1], losses[2], strict=True))
    print(f"training with 1 and 2 threads: losses at most {apart:.1e} apart over {len(losses[1])} steps")
    shutil.rmtree(folder)


def decode(checkout: Checkout, batch: int, threads: int) -> dict[str, list[Record]]:
    """Rollout and evaluation of M_1 with this batch size and number of threads."""
    out = f"other/{batch}-{threads}"
    checkout.raw["rollout"]["batch_size"] = checkout.raw["eval"]["batch_size"] = batch
    checkout.write()
    given = ("--problems", "data/problems", "--model", "models/t1", "--counts", f"{out}.json")
    names = ("--t", "t2", "--prev", "t1")
    checkout.stage("rollout", *given, "--out", f"{out}.rollout.jsonl", *names, threads=threads)
    checkout.stage("eval", *given, "--out", f"{out}.eval.jsonl", "--t", "t1", threads=threads)
    path = checkout.folder / out
    return {
        "rollout": list(read_records(path.with_suffix(".rollout.jsonl"), Trajectory)),
        "eval": list(read_records(path.with_suffix(".eval.jsonl"), Prediction)),
    }


def train(checkout: Checkout, threads: int) -> list[float]:
    """The losses of training M_1 with this number of threads."""
    data, out = "data/t1", f"other/train-{threads}"
    flags = {
        "model": "models/t0", "examples": f"{data}/examples.jsonl", "meta": f"{data}/examples.meta.json",
        "report": f"{data}/report.json", "out": out, "loss": f"{out}.csv", "counts": f"{out}.json", "t": "t1",
    }  # fmt: skip
    checkout.stage(
        "train", *(word for flag, value in flags.items() for word in (f"--{flag}", value)), threads=threads
    )
    with (checkout.folder / f"{out}.csv").open(encoding="utf-8", newline="") as file:
        return [float(row["loss"]) for row in csv.DictReader(file)]


if __name__ == "__main__":
    main()
