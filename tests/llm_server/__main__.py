"""The server as a process of its own: python -m tests.llm_server --config FILE.json --port-file FILE."""

import argparse
import asyncio
import ctypes
import os
import resource
import signal
import sys
from pathlib import Path

import msgspec

from tests.llm_server.config import Config
from tests.llm_server.service import LLMService
from tests.llm_server.wire import Connection

PR_SET_PDEATHSIG = 1
BACKLOG = 4096


def main() -> None:
    """Serve until killed."""
    parser = argparse.ArgumentParser(prog="python -m tests.llm_server", description=__doc__)
    parser.add_argument("--config", type=Path, required=True, help="a Config as JSON")
    parser.add_argument("--port-file", type=Path, required=True, help="where the port is written once it is open")
    parser.add_argument("--port", type=int, default=0, help="0 picks a free one")
    parser.add_argument("--parent", type=int, help="die with this process, which must be the parent (Linux)")
    given = parser.parse_args()
    if given.parent is not None:
        die_with(given.parent)
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    config = msgspec.json.decode(given.config.read_bytes(), type=Config)
    asyncio.run(serve(config, given.port, given.port_file))


def die_with(parent: int) -> None:
    """Ask the kernel for SIGKILL when the parent dies; leave at once where it already has."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        sys.exit(1)


async def serve(config: Config, port: int, port_file: Path) -> None:
    """Listen on the loopback only, and say where by one rename."""
    service = LLMService(config)
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Connection(service), "127.0.0.1", port, backlog=BACKLOG)
    part = port_file.with_name(f"{port_file.name}.{os.getpid()}")
    part.write_text(str(server.sockets[0].getsockname()[1]), encoding="ascii")
    part.replace(port_file)
    await server.serve_forever()


if __name__ == "__main__":
    main()
