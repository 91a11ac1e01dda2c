"""A local OpenAI-compatible server for tests and benches: real sockets, limits that are kept, faults on demand.

with running(Config(rpm=60, faults={"500": 0.1})) as server:
    client = OpenAI(base_url=server.base_url, api_key="sk-test")
    ...
    assert server.stats().answered_more_than_once == 0
"""

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from pathlib import Path

import msgspec

from tests.llm_server.config import Answer, Config, Stats

__all__ = ["Answer", "Config", "Server", "Stats", "running"]

ROOT = Path(__file__).resolve().parent.parent.parent
START_SECONDS = 30.0


class Server:
    """A running server, as its user sees it."""

    def __init__(self, process: "subprocess.Popen[bytes]", port: int) -> None:
        self.process, self.port = process, port
        self.base_url = f"http://127.0.0.1:{port}/v1"

    def stats(self) -> Stats:
        """What was counted so far."""
        return msgspec.json.decode(self._ask("GET", "/_stats"), type=Stats)

    def configure(self, config: Config) -> None:
        """Replace the config from here on; calls that wait for their answer keep it."""
        self._ask("POST", "/_config", msgspec.json.encode(config))

    def stop(self) -> None:
        """Kill it; calls in flight see their connections close."""
        self.process.kill()
        self.process.wait()

    def _ask(self, method: str, path: str, body: bytes | None = None) -> bytes:
        connection = HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            connection.request(method, path, body)
            reply = connection.getresponse()
            said = reply.read()
        finally:
            connection.close()
        if reply.status != 200:
            raise ValueError(f"{path}: {reply.status} {said.decode(errors='replace')}")
        return said


@contextmanager
def running(config: Config | None = None) -> Iterator[Server]:
    """A server as a process of its own, killed at the end.

    On Linux it also dies with the thread that started it, so a parent that is killed leaves nothing behind.
    """
    with tempfile.TemporaryDirectory(prefix="llm-server-") as name:
        folder = Path(name)
        (folder / "config.json").write_bytes(msgspec.json.encode(config or Config()))
        command = [sys.executable, "-m", "tests.llm_server", "--config", f"{folder / 'config.json'}"]
        command += ["--port-file", f"{folder / 'port'}", "--parent", str(os.getpid())]
        environment = {**os.environ, "PYTHONPATH": f"{ROOT / 'src'}{os.pathsep}{ROOT}"}
        with (folder / "stderr").open("wb") as stderr:
            process = subprocess.Popen(command, cwd=ROOT, env=environment, stdin=subprocess.DEVNULL, stderr=stderr)
        try:
            yield Server(process, port_of(process, folder))
        finally:
            process.kill()
            process.wait()


def port_of(process: "subprocess.Popen[bytes]", folder: Path) -> int:
    """Wait for the port file."""
    end = time.monotonic() + START_SECONDS
    while not (folder / "port").exists():
        if process.poll() is not None or time.monotonic() > end:
            raise RuntimeError(f"the server did not start: {(folder / 'stderr').read_text(errors='replace')}")
        time.sleep(0.005)
    return int((folder / "port").read_text(encoding="ascii"))
