"""A stage's process: its command line is its signature, errors are one line, and it ends with its parent."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.toy import ROOT

STAGE = """
import sys, time
from pathlib import Path
from tripost.errors import DataError
from tripost.params import Params
from tripost.shell.stage import run

def main(params: Params, given: Path, t: str, extra: Path | None = None) -> None:
    if t == "wait":
        given.write_text(str(__import__("os").getpid()))
        time.sleep(60)
    if t == "bug":
        raise ValueError("wrong\x1b[2J\\nfirst")
    if t == "denied":
        raise PermissionError(13, "Permission denied", str(given))
    if t == "memory":
        raise MemoryError
    if t == "torch":
        import torch
        torch.empty(2**50)
    if t == "fail":
        raise DataError(f"{given}:3: not a row; make it anew")
    print(params.seed, type(given).__name__, given, t, extra)

run(main)
"""


def start(folder: Path, *arguments: str) -> "subprocess.Popen[str]":
    (folder / "stage.py").write_text(STAGE, encoding="utf-8")
    if not (folder / "params.yaml").exists():
        (folder / "params.yaml").write_text((ROOT / "params.yaml").read_text(encoding="utf-8"), encoding="utf-8")
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "src")}
    command = [sys.executable, "stage.py", *arguments]
    return subprocess.Popen(
        command, cwd=folder, env=environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )


def finished(folder: Path, *arguments: str) -> tuple[int, str, str]:
    with start(folder, *arguments) as process:
        out, err = process.communicate(timeout=60)
        return process.returncode, out, err


def test_flags_are_the_signature(tmp_path: Path) -> None:
    code, out, err = finished(tmp_path, "--given", "a/b", "--t", "t1")
    assert (code, err) == (0, "")
    assert out == "1 PosixPath a/b t1 None\n"
    assert finished(tmp_path, "--given", "a/b")[0] == 2


def test_an_error_of_the_user_is_one_line_and_exit_code_1(tmp_path: Path) -> None:
    assert finished(tmp_path, "--given", "rows.jsonl", "--t", "fail") == (
        1,
        "",
        "error: rows.jsonl:3: not a row; make it anew\n",
    )
    (tmp_path / "params.yaml").write_text("seed: x\n", encoding="utf-8")
    code, _, err = finished(tmp_path, "--given", "a", "--t", "t1")
    assert code == 1
    assert err.startswith("error: params.yaml: ")
    assert "Traceback" not in err


@pytest.mark.parametrize(
    ("t", "says"),
    [
        (
            "denied",
            "error: x: Permission denied; give yourself the right to it (chmod, chown), or work in another folder",
        ),
        ("memory", "error: stage@memory: out of memory; a smaller batch_size or micro_batch_tokens needs less"),
        ("torch", "error: stage@torch: out of memory; a smaller batch_size or micro_batch_tokens needs less"),
    ],
)
def test_an_error_of_the_machine_is_one_line_that_says_what_to_do(tmp_path: Path, t: str, says: str) -> None:
    assert finished(tmp_path, "--given", "x", "--t", t) == (1, "", f"{says}\n")


def test_a_bug_is_one_line_and_its_traceback_a_file(tmp_path: Path) -> None:
    code, out, err = finished(tmp_path, "--given", "x", "--t", "bug")
    assert (code, out) == (1, "")
    assert err.startswith("error: stage@bug: a bug of this program (ValueError: wrong\\x1b[2J\\nfirst)")
    assert err.endswith("); please report it with .tripost/crash/stage@bug.txt\n")
    assert len(err.splitlines()) == 1
    assert "\x1b" not in err
    assert "Traceback" in (tmp_path / ".tripost" / "crash" / "stage@bug.txt").read_text(encoding="utf-8")


def test_a_second_process_of_a_stage_waits_and_says_so(tmp_path: Path) -> None:
    with start(tmp_path, "--given", "pid", "--t", "wait") as first:
        appeared(tmp_path / "pid")
        with (
            start(tmp_path, "--given", "x", "--t", "wait") as second,
            start(tmp_path, "--given", "x", "--t", "t1") as other,
        ):
            assert other.communicate(timeout=60)[0].endswith(" t1 None\n"), "another stage need not wait"
            assert second.stderr is not None
            assert second.stderr.readline() == (
                "stage@wait: waiting for another process that runs it in this folder\n"
            )
            assert not (tmp_path / "x").exists()
            first.send_signal(signal.SIGKILL)
            assert int(appeared(tmp_path / "x")) == second.pid, "the lock of a killed process does not stay"
            second.send_signal(signal.SIGTERM)
            second.communicate(timeout=60)
            assert second.returncode == 143


def test_watching_the_parent_ends_the_process_where_the_system_cannot(tmp_path: Path) -> None:
    """As on systems without PR_SET_PDEATHSIG."""
    code = "from tripost.shell.stage import watch; import os; watch(os.getppid(), 0.01)"
    parent = f"import subprocess, sys; p = subprocess.Popen([sys.executable, '-c', {code!r}]); print(p.pid, flush=True); p.wait()"
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "src")}
    command = [sys.executable, "-c", parent]
    with subprocess.Popen(command, env=environment, text=True, stdout=subprocess.PIPE) as dvc:
        assert dvc.stdout is not None
        pid = int(dvc.stdout.readline())
        time.sleep(1.0)
        assert Path(f"/proc/{pid}").exists()
        dvc.send_signal(signal.SIGKILL)
    assert gone(pid)


@pytest.mark.skipif(sys.platform != "linux", reason="PR_SET_PDEATHSIG is Linux's")
def test_a_stage_ends_with_the_process_that_started_it(tmp_path: Path) -> None:
    """DVC killed with -9 must not leave a stage that writes on."""
    (tmp_path / "stage.py").write_text(STAGE, encoding="utf-8")
    (tmp_path / "params.yaml").write_text((ROOT / "params.yaml").read_text(encoding="utf-8"), encoding="utf-8")
    parent = (
        "import subprocess, sys; "
        "subprocess.Popen([sys.executable, 'stage.py', '--given', 'pid', '--t', 'wait']).wait()"
    )
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "src")}
    with subprocess.Popen([sys.executable, "-c", parent], cwd=tmp_path, env=environment) as dvc:
        pid = int(appeared(tmp_path / "pid"))
        dvc.send_signal(signal.SIGKILL)
    assert gone(pid), "the stage outlived its parent"


def gone(pid: int) -> bool:
    for _ in range(200):
        if not Path(f"/proc/{pid}").exists():
            return True
        time.sleep(0.05)
    os.kill(pid, signal.SIGKILL)
    return False


def appeared(path: Path) -> str:
    for _ in range(400):
        if path.exists() and path.read_text():
            return path.read_text()
        time.sleep(0.05)
    raise AssertionError(f"{path} did not appear")
