"""A full disk and a read-only one: real small file systems, mounted in a namespace of the test's own."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from ruamel.yaml import YAML

from tests.toy import ROOT, raw_params

UNSHARE = ["unshare", "--user", "--map-root-user", "--mount"]
DRIVER = """
import json, os, pathlib, subprocess, sys
given, size, commands = sys.argv[1], sys.argv[2], json.loads(sys.argv[3])
os.makedirs("disk", exist_ok=True)
subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", "disk"], check=True)
subprocess.run(["cp", "-r", f"{given}/.", "disk"], check=True)
os.chdir("disk")
found = []
for command in commands:
    if command[0] == "fill":
        free = os.statvfs(".").f_bavail * os.statvfs(".").f_frsize
        pathlib.Path("filling").write_bytes(bytes(max(0, free - 1024 * int(command[1]))))
    elif command[0] == "empty":
        pathlib.Path("filling").unlink()
    elif command[0] == "read-only":
        subprocess.run(["mount", "-o", "remount,ro", "."], check=True)
    else:
        done = subprocess.run([sys.executable, *command], capture_output=True, text=True)
        files = {str(p): p.stat().st_size for p in sorted(pathlib.Path().rglob("*")) if p.is_file()}
        files = {name: size for name, size in files.items() if "filling" not in name and "/locks/" not in name}
        rows = pathlib.Path("data/t1/rollout.jsonl")
        found.append([done.returncode, done.stderr, files, rows.read_text() if rows.exists() else ""])
print(json.dumps(found))
"""


def can_mount() -> bool:
    if shutil.which("unshare") is None:
        return False
    trial = [*UNSHARE, "mount", "-t", "tmpfs", "tmpfs", "/mnt"]
    return subprocess.run(trial, capture_output=True, check=False).returncode == 0


# A mount needs a namespace, which some kernels refuse to users; CI must have one, so there nothing is skipped.
pytestmark = pytest.mark.skipif(
    "CI" not in os.environ and not can_mount(), reason="needs user namespaces (unshare --user --mount)"
)


def stage(name: str, **arguments: str) -> list[str]:
    flags = [word for flag, value in arguments.items() for word in (f"--{flag.replace('_', '-')}", value)]
    return [str(ROOT / "stages" / f"{name}.py"), *flags]


PROBLEMS = stage("problems", out="data/problems", counts="data/problems.json")
WARMUP = stage(
    "warmup", model="models/base", problems="data/problems", out="models/t0", loss="models/t0.loss.csv",
    counts="models/t0.json", pool="data/t0/pool.jsonl", pool_meta="data/t0/pool.meta.json",
    partial=".tripost/partial/warmup",
)  # fmt: skip
ROLLOUT = stage(
    "rollout", problems="data/problems", model="models/t0", out="data/t1/rollout.jsonl",
    counts="data/t1/rollout.json", t="t1", prev="t0", partial=".tripost/partial/rollout@t1",
)  # fmt: skip


@pytest.fixture
def given(toy: SimpleNamespace, tmp_path: Path) -> Path:
    """What stands on the disk before: params, problems, models."""
    folder = tmp_path / "given"
    shutil.copytree(toy.root, folder)
    raw = raw_params()
    raw["rollout"].update(samples=8, batch_size=4)
    raw["warmup"].update(epochs=1)
    with (folder / "params.yaml").open("w", encoding="utf-8") as file:
        YAML(typ="safe", pure=True).dump(raw, file)
    return folder


def on_disk(given: Path, size: str, *commands: list[str]) -> list[Any]:
    """Run commands one after the other on a disk of this size; exit code, stderr, files and rows after each stage."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "src"), "OMP_NUM_THREADS": "1"}
    done = subprocess.run(
        [*UNSHARE, sys.executable, "-c", DRIVER, str(given), size, json.dumps(commands)],
        cwd=given.parent, env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    found: list[Any] = json.loads(done.stdout)
    return found


def before(given: Path) -> dict[str, int]:
    return {str(p.relative_to(given)): p.stat().st_size for p in sorted(given.rglob("*")) if p.is_file()}


def test_records_on_a_full_disk(given: Path) -> None:
    ((code, said, files, _),) = on_disk(given, "20m", ["fill", "0"], PROBLEMS)
    assert code == 1
    assert said == (
        "error: data/problems/train.jsonl: No space left on device; make room and run dvc repro again: "
        "finished work is kept\n"
    )
    assert files == before(given), "what stood there is as it was, and nothing half written lies about"


def test_a_model_on_a_full_disk(given: Path) -> None:
    ((code, said, files, _),) = on_disk(given, "20m", ["fill", "64"], WARMUP)
    assert code == 1
    last = said.splitlines()[-1]
    assert last.startswith("error: models/t0: cannot be saved: ")
    assert last.endswith("; make room and run dvc repro again")
    assert "Traceback" not in said
    assert files == before(given)


def test_a_rollout_that_fills_the_disk_goes_on_when_there_is_room(given: Path) -> None:
    full, again = on_disk(given, "20m", ["fill", "12"], ROLLOUT, ["empty"], ROLLOUT)
    assert full[0] == 1
    assert (
        full[1]
        .splitlines()[-1]
        .endswith(
            "completions.jsonl: No space left on device; make room and run dvc repro again: finished work is kept"
        )
    )
    assert "data/t1/rollout.jsonl" not in full[2]
    assert "completions are there from an interrupted run" in again[1]
    (undisturbed,) = on_disk(given.rename(given.parent / "anew"), "20m", ROLLOUT)
    assert again[0] == undisturbed[0] == 0, again[1]
    assert again[3] == undisturbed[3] != ""


def test_a_read_only_disk(given: Path) -> None:
    ((code, said, files, _),) = on_disk(given, "20m", ["read-only"], PROBLEMS)
    assert (code, said) == (
        1,
        "error: .tripost: Read-only file system; the file system is mounted read-only; work in another folder\n",
    )
    assert files == before(given)
