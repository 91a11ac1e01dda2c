"""Sides that run once, as processes: started, watched, killed, and what they said."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import psutil

from bench.llm.told import question
from tests.llm_server import Server

LIBRARIES = ("openai", "httpx2", "msgspec", "filelock")
OURS = (sys.executable, "bench.llm.peer_ours")
PATIENCE = 900.0


class Report(msgspec.Struct):
    """What a side that ran once says; rows by their number."""

    seconds: float
    cpu: float
    peak_mb: float
    results: dict[str, str]


class Life:
    """One process of a side, and all that it starts: a group of its own."""

    def __init__(
        self,
        side: tuple[str, str],
        server: Server,
        count: int,
        concurrency: int,
        folder: Path,
        options: dict[str, Any] | None = None,
    ) -> None:
        python, module = side
        self.folder = folder
        (folder / "report.json").unlink(missing_ok=True)
        command = [python, "-m", module, server.base_url, str(count), str(concurrency), str(folder)]
        command += [json.dumps(options)] if options else []
        with (folder / "said").open("ab") as said:
            self.process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=said, stderr=said, start_new_session=True
            )
        self.peak_mb = self.seconds = 0.0
        self.began = time.monotonic()

    def wait_until(self, ready: Callable[[], bool], every: float = 0.02) -> bool:
        """Whether it came true while the process lived."""
        end = time.monotonic() + PATIENCE
        while self.process.poll() is None and time.monotonic() < end:
            if ready():
                return True
            time.sleep(every)
        return False

    def end(self, *, watch: bool = False) -> Report:
        """Wait for its end, and read its report; `watch`: take its memory, that of all its processes together."""
        if watch:
            self.wait_until(lambda: self._look() < 0, 0.3)
        code = self.process.wait(PATIENCE)
        self.seconds = time.monotonic() - self.began
        report = self.folder / "report.json"
        if code or not report.exists():
            said = (self.folder / "said").read_text(errors="replace")[-2000:]
            raise SystemExit(f"{self.process.args!r} ended with {code}: {said}")
        return msgspec.json.decode(report.read_bytes(), type=Report)

    def kill(self) -> None:
        """SIGKILL to all of it."""
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()

    def _look(self) -> float:
        try:
            one = psutil.Process(self.process.pid)
            family = [one, *one.children(recursive=True)]
            self.peak_mb = max(self.peak_mb, sum(member.memory_full_info().pss for member in family) / 2**20)
        except psutil.Error:
            return 0.0
        return self.peak_mb


def quiet(server: Server) -> None:
    """Wait until the server has noticed that nobody waits any more."""
    end = time.monotonic() + 10
    while server.stats().in_flight and time.monotonic() < end:
        time.sleep(0.02)


def lost(results: dict[str, str], count: int) -> int:
    """Rows that are missing, or hold other words than the server's echo."""
    return sum(results.get(str(number)) != question(number) for number in range(count))
