"""Random kills of the real pipeline under the real DVC: what is left, and what the next `dvc repro` makes of it.

    python -m bench.kills [--kills 100] [--seed 1] [--markdown]

Toy sizes. Each kill: one stage is made to run again, a signal (Ctrl-C to all, TERM or -9) hits the stage or dvc at a
random moment of it, then `dvc repro` runs undisturbed (after `tripost mend`
where DVC refuses its own half-written lock). Everything must be as if nothing had happened: the same bytes
in data, models, eval and dvc.lock, no process, no half file and no partial work left.
"""

import argparse
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from tempfile import mkdtemp

import msgspec
import psutil
from ruamel.yaml import YAML

from tests.checkout import Checkout
from tests.toy import raw_params
from tripost.cli.mend import mend

ONE = ("rollout", "edit", "validate", "rebalance", "train", "eval")
STAGES = {
    **{name: name for name in ("base_model", "problems", "warmup")},
    "eval_t0": "eval",
    **{f"{name}@t1": name for name in ONE},
    "track": "track",
}
"""The stages and their programs."""
BLOWS = [
    (signal.SIGINT, "all"), (signal.SIGTERM, "stage"), (signal.SIGKILL, "stage"), (signal.SIGTERM, "dvc"),
    (signal.SIGKILL, "dvc"),
]  # fmt: skip
"""Which signal to whom; all: the process group, as Ctrl-C in a terminal."""
PATIENCE = 15.0
"""Seconds until everything that a kill should end must have ended."""


class Kill(msgspec.Struct):
    """One kill and what came of it."""

    stage: str
    signal: str
    target: str
    after_s: float
    left: str
    orphans: int
    result: str

    @property
    def good(self) -> bool:
        """Whether nothing shows of it afterwards."""
        return self.result.startswith("same") and not self.orphans


def toy(folder: Path) -> Checkout:
    """One iteration, with stages long enough to be hit while they work."""
    raw = raw_params()
    raw["rollout"].update(samples=40, batch_size=8)
    raw["warmup"].update(epochs=140)
    raw["train"].update(epochs=6)
    raw["problems"]["word_sorting"].update(validation=30)
    changes = {"iterations": {"t1": {"prev": "t0"}}, "final": "t1"}
    return Checkout(folder / "checkout", **{**raw, **changes})


def kills(checkout: Checkout, count: int, seed: int) -> Iterator[Kill]:
    """Kill `count` times, every stage in turn."""
    seconds = _undisturbed(checkout)
    expected = digests(checkout.folder)
    rng = random.Random(seed)
    for number in range(count):
        name = list(STAGES)[number % len(STAGES)]
        blow = BLOWS[(number // len(STAGES) + number) % len(BLOWS)]
        yield _kill(checkout, name, *blow, rng.uniform(0.0, seconds[name]), expected)


def _undisturbed(checkout: Checkout) -> dict[str, float]:
    """Run everything once; how long each stage took."""
    began: dict[str, float] = {}
    with checkout.start("repro") as process:
        for line in process.stdout or ():
            if line.startswith("Running stage '"):
                began[line.split("'")[1]] = time.monotonic()
        process.wait()
        if process.returncode:
            raise SystemExit("the undisturbed run failed")
    ends = [*list(began.values())[1:], time.monotonic()]
    return {name: end - start for (name, start), end in zip(began.items(), ends, strict=True)}


def _kill(
    checkout: Checkout, name: str, sent: signal.Signals, target: str, after: float, expected: dict[str, str]
) -> Kill:
    forget(checkout.folder, name)
    with checkout.start("repro") as dvc:
        stage = _wait_for(checkout, dvc, STAGES[name])
        time.sleep(after)
        if target == "all":
            os.killpg(dvc.pid, sent)
        elif target == "dvc" or stage is None:
            dvc.send_signal(sent)
        else:
            _send(stage, sent)
        dvc.communicate()
    orphans = _still_running(checkout.folder)
    left = _left(checkout.folder)
    code, said = checkout.dvc("repro")
    how = "same"
    if code and (done := list(mend(checkout.folder))):
        how = f"same, after tripost mend ({done[0].split()[0]})"
        code, said = checkout.dvc("repro")
    result = how if code == 0 else f"dvc repro failed: {said.strip().splitlines()[-1][:200]}"
    if code == 0:
        found = digests(checkout.folder)
        different = sorted(path for path in expected.keys() | found.keys() if expected.get(path) != found.get(path))
        result = how if not different else f"differ: {', '.join(different)[:300]}"
    return Kill(name, sent.name, target, round(after, 2), left, orphans, result)


def forget(folder: Path, stage: str) -> None:
    """Make DVC run a stage again: without its lock entry and without the run-cache."""
    shutil.rmtree(folder / ".dvc" / "cache" / "runs", ignore_errors=True)
    round_trip = YAML()
    lock = round_trip.load((folder / "dvc.lock").read_text(encoding="utf-8"))
    lock["stages"].pop(stage)
    with (folder / "dvc.lock").open("w", encoding="utf-8") as file:
        round_trip.dump(lock, file)


def _wait_for(checkout: Checkout, dvc: "subprocess.Popen[str]", program: str) -> psutil.Process | None:
    while dvc.poll() is None:
        for process in _of(checkout.folder):
            try:
                if any(part.endswith(f"stages/{program}.py") for part in process.cmdline()):
                    return process
            except psutil.Error:
                continue
        time.sleep(0.01)
    return None


def _send(process: psutil.Process, sent: signal.Signals) -> None:
    try:
        process.send_signal(sent)
    except psutil.NoSuchProcess:
        return  # it had finished by then; dvc goes on


def _of(folder: Path) -> list[psutil.Process]:
    """The processes that work in a folder."""
    found = []
    for process in psutil.process_iter():
        try:
            if process.cwd() == str(folder) and process.status() != psutil.STATUS_ZOMBIE:
                found.append(process)
        except psutil.Error:
            continue
    return found


def _still_running(folder: Path) -> int:
    deadline = time.monotonic() + PATIENCE
    while (alive := _of(folder)) and time.monotonic() < deadline:
        time.sleep(0.05)
    return len(alive)


def _left(folder: Path) -> str:
    """What the kill has left of partial work."""
    found = []
    for path in sorted((folder / ".tripost" / "partial").rglob("*")):
        if path.name == "completions.jsonl":
            found.append(f"{len(path.read_bytes().splitlines())} completions")
        elif path.name == "checkpoint.safetensors":
            found.append("checkpoint")
    return ", ".join(found) or "nothing"


def digests(folder: Path) -> dict[str, str]:
    """The content of everything that the pipeline has written, and whatever lies about."""
    lock = YAML(typ="safe", pure=True).load((folder / "dvc.lock").read_text(encoding="utf-8"))
    found = {"dvc.lock": json.dumps(lock, sort_keys=True)}  # the order of its entries is that of the runs
    for top in ("data", "models", "eval", "runs", ".tripost/partial", ".tripost/crash"):
        paths = [path for path in sorted((folder / top).rglob("*")) if path.is_file()]
        found |= {str(path.relative_to(folder)): sha256(path.read_bytes()).hexdigest() for path in paths}
    return found


def main() -> None:
    """Print a line a kill, then the sum."""
    parser = argparse.ArgumentParser(prog="python -m bench.kills", description=__doc__)
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    folder = Path(mkdtemp(prefix="kills-"))
    checkout = toy(folder)
    head = ("#", "stage", "signal", "to", "after s", "left", "orphans", "after the next run")
    print(f"| {' | '.join(head)} |\n|{'---|' * len(head)}")
    good = resumed = 0
    for number, kill in enumerate(kills(checkout, arguments.kills, arguments.seed), start=1):
        good += kill.good
        resumed += kill.left != "nothing"
        cells = (number, kill.stage, kill.signal, kill.target, kill.after_s, kill.left, kill.orphans, kill.result)
        print("| " + " | ".join(map(str, cells)) + " |", flush=True)
    print(f"\n{good} of {arguments.kills} leave no trace; {resumed} left partial work to go on from")
    shutil.rmtree(folder)
    sys.exit(0 if good == arguments.kills else 1)


if __name__ == "__main__":
    main()
