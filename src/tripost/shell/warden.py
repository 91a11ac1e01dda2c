"""Runs a command in a process group of its own, and ends all of it: when this process is told to end, or when the
process that started it is gone, however that ended.

python -P -m tripost.shell.warden <parent's id> <name of a variable that holds a key, or -> <command ...>

What the command writes comes out here, without the key.
"""

import os
import signal
import subprocess
import sys
import threading
from contextlib import suppress
from functools import partial
from typing import NoReturn

from tripost.shell.stage import PR_SET_PDEATHSIG, PRCTL, end_with

PATIENCE = 10.0
"""Seconds between TERM and KILL."""
LONGEST = 65_536


def main(parent: int, secret: str, words: list[str]) -> int:
    """The command's exit status; 127 where it cannot be started."""
    signal.signal(signal.SIGTERM, _end)
    signal.signal(signal.SIGINT, _end)
    end_with(parent)
    key = os.environ.get(secret, "").strip().encode()
    with_us = partial(PRCTL, PR_SET_PDEATHSIG, signal.SIGKILL) if PRCTL else None
    try:
        process = subprocess.Popen(
            words,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            preexec_fn=with_us,
        )
    except OSError as error:
        sys.stderr.write(f"{words[0]}: {error.strerror or error}\n")
        return 127
    reader = threading.Thread(target=_pass_on, args=(process, key), daemon=True)
    reader.start()
    try:
        return process.wait()
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        end_group(process)
        reader.join(timeout=2)


def end_group(process: "subprocess.Popen[bytes]") -> None:
    """TERM for all of the group, and KILL for what is left of it."""
    _send(process, signal.SIGTERM)
    with suppress(subprocess.TimeoutExpired):
        process.wait(PATIENCE)
    _send(process, signal.SIGKILL)
    process.wait()


def _send(process: "subprocess.Popen[bytes]", number: int) -> None:
    with suppress(ProcessLookupError, PermissionError):  # nobody is left
        os.killpg(process.pid, number)


def _pass_on(process: "subprocess.Popen[bytes]", key: bytes) -> None:
    assert process.stdout
    while line := process.stdout.readline(LONGEST):
        sys.stdout.buffer.write(line.replace(key, b"***") if len(key) > 3 else line)
        sys.stdout.buffer.flush()


def _end(*_: object) -> NoReturn:
    sys.exit(143)


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]), sys.argv[2], sys.argv[3:]))
