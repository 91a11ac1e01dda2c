"""`tripost doctor`: what works on this machine and in this checkout, what does not, and what to do about it.

One line each: ok, warn (it works, but you may want to know), FAIL (mend this first; exit code 1).
"""

import argparse
import configparser
import json
import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Literal, NamedTuple
from urllib.parse import urlsplit

from rich.text import Text

from tripost.cli.mend import LOCK, broken
from tripost.cli.screen import clean, console
from tripost.credentials import masked_address
from tripost.errors import ParamsError
from tripost.params import Params
from tripost.params_file import load_params
from tripost.shell.stage import PARAMS

Verdict = Literal["ok", "warn", "FAIL"]
STYLES = {"ok": "green", "warn": "yellow", "FAIL": "bold red"}
GB = 1 << 30
INSTALL_GB, RUN_GB = 6, 1
CONNECT_SECONDS = 3.0
TORCH_SECONDS = 120
ASK_TORCH = """
import json, torch
cuda = [torch.cuda.get_device_name(k) for k in range(torch.cuda.device_count())] if torch.cuda.is_available() else []
print(json.dumps([torch.__version__, torch.get_num_threads(), cuda]))
"""


class Finding(NamedTuple):
    """One line."""

    verdict: Verdict
    what: str
    said: str


def main(argv: Sequence[str]) -> int | None:
    """Print one line a finding as they come; 1 where something has to be mended."""
    parser = argparse.ArgumentParser(prog="tripost doctor", description=__doc__)
    parser.parse_args(argv)
    out = console()
    failed = 0
    for finding in findings(Path.cwd()):
        failed += finding.verdict == "FAIL"
        lines = [line for text in clean(finding.said).split("\n") for line in Text(text).wrap(out, out.width - 18)]
        for k, line in enumerate(lines or [Text()]):
            verdict, what = (finding.verdict, finding.what) if k == 0 else ("", "")
            out.print(Text.assemble((f"{verdict:<6}", STYLES[finding.verdict]), f"{what:<12}", line), soft_wrap=True)
    return 1 if failed else None


def findings(root: Path) -> Iterator[Finding]:
    """Everything about the checkout `root`."""
    yield python(sys.version_info[:2])
    yield torch()
    yield disk(shutil.disk_usage(root).free)
    yield git(root)
    yield lock(root)
    yield remote(root)
    found, params = read_params(root)
    yield found
    yield tracking(root, params, os.environ.get("MLFLOW_TRACKING_URI"))


def python(version: tuple[int, int]) -> Finding:
    """3.11 to 3.14."""
    number = ".".join(map(str, version))
    if (3, 11) <= version <= (3, 14):
        return Finding("ok", "python", f"{number} ({sys.executable})")
    return Finding("FAIL", "python", f"{number}: needs 3.11 to 3.14; name one: make setup PYTHON=/path/to/python3.12")


def torch() -> Finding:
    """Asked in a process of its own: a broken installation must not bring this one down."""
    try:
        asked = subprocess.run(
            [sys.executable, "-c", ASK_TORCH], capture_output=True, text=True, timeout=TORCH_SECONDS, check=True
        )
        version, threads, cuda = json.loads(asked.stdout.splitlines()[-1])
    except subprocess.CalledProcessError as error:
        last = (error.stderr.strip().splitlines() or ["it says nothing"])[-1]
        return Finding("FAIL", "torch", f"cannot be imported: {last}; make clean, then make setup")
    except (OSError, subprocess.TimeoutExpired, ValueError, IndexError) as error:
        return Finding("FAIL", "torch", f"does not answer: {error}; make clean, then make setup")
    devices = f"CUDA: {', '.join(cuda)}" if cuda else "no CUDA"
    return Finding("ok", "torch", f"{version}, {threads} CPU threads, {devices}")


def disk(free: int) -> Finding:
    """An installation takes 6 GB, a run of what is installed 1."""
    said = f"{free / GB:.1f} GB free"
    needs = f"a run needs {RUN_GB} GB, an installation {INSTALL_GB}"
    if free >= INSTALL_GB * GB:
        return Finding("ok", "disk", said)
    if free >= RUN_GB * GB:
        return Finding("warn", "disk", f"{said}: {needs}")
    return Finding("FAIL", "disk", f"{said}: {needs}; free some space, or move the checkout")


def git(root: Path) -> Finding:
    """DVC needs a repository; results are found again where it is clean."""
    if shutil.which("git") is None:
        return Finding("FAIL", "git", "is not installed: install it, DVC needs it")
    asked = subprocess.run(
        ["git", "-C", str(root), "status", "--porcelain"], capture_output=True, text=True, check=False
    )
    if asked.returncode != 0:
        first = (asked.stderr.strip().splitlines() or ["git fails"])[0]
        return Finding("FAIL", "git", f"{first}; run this in the checkout, got by git clone (or git init here)")
    changed = len(asked.stdout.splitlines())
    if changed:
        said = f"{changed} changes not committed (git status): commit before a run that others should repeat"
        return Finding("warn", "git", said)
    return Finding("ok", "git", "clean")


def lock(root: Path) -> Finding:
    """dvc.lock is written in place: DVC that is killed at that moment leaves half of it."""
    if broken(root / LOCK):
        return Finding("FAIL", "dvc lock", f"{LOCK} was cut off when DVC was stopped: run tripost mend")
    return Finding("ok", "dvc lock", "readable" if (root / LOCK).exists() else "none yet: made by the first run")


def remote(root: Path) -> Finding:
    """Where `dvc push` goes, read off .dvc/config and .dvc/config.local."""
    config = configparser.ConfigParser(interpolation=None, strict=False)
    try:
        read = config.read([root / ".dvc" / "config", root / ".dvc" / "config.local"], encoding="utf-8")
    except (configparser.Error, UnicodeDecodeError) as error:
        return Finding("FAIL", "dvc remote", f"{str(error).splitlines()[0]}: mend the file")
    if not read:
        return Finding("FAIL", "dvc remote", "no .dvc/config here: run this in the repository's root")
    name = config.get("core", "remote", fallback="")
    if not name:
        said = "none: data and models stay on this machine. To share them: .venv/bin/dvc remote add -d NAME URL"
        return Finding("warn", "dvc remote", said)
    url = config.get(f"'remote \"{name}\"'", "url", fallback="")
    if not url:
        return Finding("FAIL", "dvc remote", f"{name} has no URL: .venv/bin/dvc remote add -d {name} URL")
    return Finding("ok", "dvc remote", f"{name}: {masked_address(url)}")


def read_params(root: Path) -> tuple[Finding, Params | None]:
    """params.yaml, every error on a line of its own."""
    if not (root / PARAMS).is_file():
        return Finding("FAIL", "params", f"no {PARAMS} here: run this in the repository's root"), None
    try:
        params = load_params(root / PARAMS)
    except ParamsError as error:
        return Finding("FAIL", "params", f"{error}"), None
    named = f"{', '.join(params.problems)}; iterations up to {params.final}"
    return Finding("ok", "params", f"{PARAMS} is valid: {named}"), params


def tracking(root: Path, params: Params | None, variable: str | None) -> Finding:
    """Where runs are published: params.yaml, else MLFLOW_TRACKING_URI, else a file in the repository."""
    uri = (params.track.tracking_uri if params else None) or variable or "sqlite:///mlflow.db"
    try:
        parts = urlsplit(uri)
        port = parts.port or {"http": 80, "https": 443}.get(parts.scheme)
    except ValueError:
        return Finding(
            "FAIL", "tracking", f"{masked_address(uri)} is no URI: mend track.tracking_uri or MLFLOW_TRACKING_URI"
        )
    if parts.scheme == "sqlite":
        path = root / uri.partition(":///")[2]
        return Finding(
            "ok", "tracking", f"{masked_address(uri)}, {'is there' if path.is_file() else 'made by the first run'}"
        )
    if not parts.hostname or port is None:
        return Finding("warn", "tracking", f"{masked_address(uri)}: not a server this check knows how to reach")
    try:
        socket.create_connection((parts.hostname, port), CONNECT_SECONDS).close()
    except OSError as error:
        remedy = "start it, or mend track.tracking_uri or MLFLOW_TRACKING_URI"
        said = f"{masked_address(uri)} does not answer ({error}): {remedy}"
        return Finding("FAIL", "tracking", said)
    return Finding("ok", "tracking", f"{masked_address(uri)} answers")
