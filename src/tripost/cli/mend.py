"""`tripost mend`: sets aside what a killed DVC has left half written, so that the next `dvc repro` works.

DVC writes `dvc.lock` and `.dvc/tmp/rwlock` in place: killed at that moment, it leaves half a file, then refuses it.
A half `dvc.lock` gives way to the last commit's, or to none: DVC finds the results again in its run-cache.
"""

import argparse
import fcntl
import json
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from tripost.errors import DataError
from tripost.shell.io import write_text

LOCK, RWLOCK = Path("dvc.lock"), Path(".dvc/tmp/rwlock")


def main(argv: Sequence[str]) -> None:
    """Say what was mended; nothing where all is well."""
    parser = argparse.ArgumentParser(prog="tripost mend", description=__doc__)
    parser.parse_args(argv)
    for line in mend(Path()):
        print(f"mend: {line}", file=sys.stderr)


def mend(root: Path) -> Iterator[str]:
    """Mend the checkout `root`; one line for each thing done. Raises DataError for a merge conflict."""
    with _quiet_dvc(root) as quiet:
        if not quiet:
            return  # DVC is at work: what it has half written now, it will have written soon
        if broken(root / LOCK):
            yield _set_aside(root)
        if (root / RWLOCK).exists() and not _is_json(root / RWLOCK):
            (root / RWLOCK).unlink()
            yield f"{RWLOCK} was cut off when DVC was stopped; removed"


@contextmanager
def _quiet_dvc(root: Path) -> Iterator[bool]:
    """Whether no DVC writes there, and none begins to: DVC's own locks (flock) are held meanwhile."""
    with ExitStack() as held:
        for path in (root / ".dvc" / "tmp" / "lock", root / RWLOCK.with_suffix(".lock")):
            path.parent.mkdir(parents=True, exist_ok=True)
            file = held.enter_context(path.open("a"))
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                yield False
                return
        yield True


def _set_aside(root: Path) -> str:
    content = (root / LOCK).read_bytes()
    if b"<<<<<<<" in content:
        raise DataError(f"{LOCK}: a merge conflict stands in it; settle it in git, then run dvc repro")
    committed = _committed(root)
    aside = next(path for n in range(10**6) if not (path := root / ".tripost" / f"dvc.lock.broken{n or ''}").exists())
    aside.parent.mkdir(exist_ok=True)
    aside.write_bytes(content)
    if committed:
        write_text(root / LOCK, committed)
    else:
        (root / LOCK).unlink()
    instead = "the last commit's is there instead" if committed else "DVC finds the results in its run-cache"
    return f"{LOCK} was cut off when DVC was stopped; it is now {aside.relative_to(root)}, {instead}"


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
    if shutil.which("git") is None:
        return ""
    command = ["git", "-C", str(root), "show", f"HEAD:./{LOCK}"]
    done = subprocess.run(command, capture_output=True, check=False)
    return done.stdout.decode() if done.returncode == 0 and _is_lock(done.stdout) else ""


def _is_json(path: Path) -> bool:
    try:
        json.loads(path.read_bytes())
    except (ValueError, RecursionError):
        return False
    return True
