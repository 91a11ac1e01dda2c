"""`tripost mend`: sets aside what a killed DVC has left half written, so that the next `dvc repro` works.

DVC writes `dvc.lock` and `.dvc/tmp/rwlock` in place: killed at that moment, it leaves half a file, then refuses it.
A half `dvc.lock` gives way to the last commit's, or to none: DVC finds the results again in its run-cache.
"""

import argparse
import json
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from tripost.shell.io import write_text

LOCK, RWLOCK = Path("dvc.lock"), Path(".dvc/tmp/rwlock")


def main(argv: Sequence[str]) -> None:
    """Say what was mended; nothing where all is well."""
    parser = argparse.ArgumentParser(prog="tripost mend", description=__doc__)
    parser.parse_args(argv)
    for line in mend(Path()):
        print(f"mend: {line}", file=sys.stderr)


def mend(root: Path) -> Iterator[str]:
    """Mend the checkout `root`; one line for each thing done."""
    if broken(root / LOCK):
        aside = root / ".tripost" / "dvc.lock.broken"
        aside.parent.mkdir(exist_ok=True)
        (root / LOCK).replace(aside)
        committed = _committed(root)
        if committed:
            write_text(root / LOCK, committed)
        instead = "the last commit's is there instead" if committed else "DVC finds the results in its run-cache"
        yield f"{LOCK} was cut off when DVC was stopped; it is now {aside.relative_to(root)}, {instead}"
    if (root / RWLOCK).exists() and not _is_json(root / RWLOCK):
        (root / RWLOCK).unlink()
        yield f"{RWLOCK} was cut off when DVC was stopped; removed"


def broken(lock: Path) -> bool:
    """Whether a lock file is there that DVC would refuse."""
    return lock.exists() and not _is_lock(lock.read_bytes())


def _is_lock(content: bytes) -> bool:
    try:
        lock = YAML(typ="safe", pure=True).load(content.decode())
    except (YAMLError, ValueError, RecursionError):
        return False
    if not isinstance(lock, dict) or lock.get("schema") != "2.0":
        return False
    stages = lock.get("stages", {})
    return isinstance(stages, dict) and all(map(_is_stage, stages.values()))


def _is_stage(stage: Any) -> bool:
    if not isinstance(stage, dict) or not stage.get("cmd"):
        return False
    files = [stage.get(name, []) for name in ("deps", "outs")]
    return all(
        isinstance(list_, list) and all(isinstance(f, dict) and f.get("path") for f in list_) for list_ in files
    )


def _committed(root: Path) -> str:
    """The lock of the last commit; empty where there is none that DVC would take."""
    command = ["git", "-C", str(root), "show", f"HEAD:./{LOCK}"]
    done = subprocess.run(command, capture_output=True, check=False)
    return done.stdout.decode() if done.returncode == 0 and _is_lock(done.stdout) else ""


def _is_json(path: Path) -> bool:
    try:
        json.loads(path.read_bytes())
    except (ValueError, RecursionError):
        return False
    return True
