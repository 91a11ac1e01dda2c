"""Training: ours against the paper's padding and against TRL's packing at its best.

The embedded model, an iteration's examples made without a model (`examples.py`); tokens a second but for padding.
"""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import msgspec

from bench.speed.examples import examples
from bench.speed.pairs import Row, Side, interleaved, rate, ratio_row, write
from tripost.models.encode import encode
from tripost.models.load import load_tokenizer
from tripost.params_file import load_params

MODEL = "models/embedded"
COUNT = 24
"""Problems a task."""
SETTINGS: list[dict[str, Any]] = [
    {"packing": packing, "per_device_train_batch_size": batch, "max_length": length, "threads": threads, "bf16": bf16}
    for packing, batch, length in (
        (True, 1, 600),
        (True, 1, 1024),
        (True, 4, 600),
        (False, 4, 1024),
        (False, 16, 1024),
    )
    for threads, bf16 in ((1, False), (2, False), (2, True))
]
"""Among these the best of TRL is searched for, one run each."""


def workload(folder: Path) -> str:
    """Examples, and the same as tokens with weights, in a file."""
    made = examples(COUNT)
    rows = encode(load_tokenizer(MODEL), made)
    training = load_params(Path("params.yaml")).train.model_dump()
    path = folder / "examples.json"
    longest = max(len(row.ids) for row in rows)
    content = {"model": MODEL, "examples": made, "rows": rows, "length": longest, "training": training}
    path.write_bytes(msgspec.json.encode(content))
    return str(path)


def environment(name: str) -> str:
    """The Python of a peer's own environment, made from bench/requirements-<name>.txt where it is not there."""
    folder = Path(f".venv-{name}")
    python = str(folder / "bin" / "python")
    if not (folder / "made").exists():
        sys.stderr.write(f"  making {folder} from bench/requirements-{name}.txt\n")
        subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
        subprocess.run([python, "-m", "pip", "install", "-q", "-r", f"bench/requirements-{name}.txt"], check=True)
        (folder / "made").touch()
    return python


def trl(python: str, work: str, setting: dict[str, Any]) -> Side:
    """The peer."""
    command = [python, "bench/speed/train_trl.py", work, json.dumps(setting)]
    return Side(command, OMP_NUM_THREADS=str(setting["threads"]))


def best(python: str, work: str) -> dict[str, Any]:
    """The fastest of `SETTINGS`."""
    found: list[tuple[float, dict[str, Any]]] = []
    for setting in SETTINGS:
        side = trl(python, work, setting)
        found.append((rate(side.run()), setting))
        side.end()
        sys.stderr.write(f"  TRL {setting}: {found[-1][0]:,.0f}/s\n")
    return max(found, key=lambda one: one[0])[1]


def main(pairs: int) -> list[Row]:
    """Two rows."""
    rows: list[Row] = []
    threads = len(os.sched_getaffinity(0))
    with tempfile.TemporaryDirectory() as folder:
        work = workload(Path(folder))
        python = environment("trl")
        setting = best(python, work)
        said = ", ".join(f"{key} {value}" for key, value in setting.items())
        padded = [sys.executable, "-m", "bench.speed.train_padded", work, str(threads)]
        for what, goal in (
            ("padding to one length, micro-batch 1", 5.0),
            (f"TRL SFTTrainer at its best: {said}", 1.0),
        ):
            ours = Side([sys.executable, "-m", "bench.speed.train_ours", work])
            theirs = trl(python, work, setting) if what.startswith("TRL") else Side(padded)
            leak = {True: "its packing leaks across examples", False: "its packing does not leak"}
            mine, others = interleaved(ours, theirs, pairs)
            note = leak.get(theirs.about.get("leaks"), "")
            rows.append(ratio_row("train useful tokens/s", what, mine, others, goal, note))
            ours.end()
            theirs.end()
    write("train", rows)
    return rows
