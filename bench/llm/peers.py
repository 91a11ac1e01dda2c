"""Ours beside what others would use to ask in bulk: rate, memory, and what a kill -9 in the middle costs.

Each in an environment of its own, against the same server, in turn A B C D. Telemetry and viewers are off.
"""

import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import msgspec

from bench.llm.runs import LIBRARIES, OURS, Life, lost, quiet
from bench.speed.pairs import Row, row, write
from tests.llm_server import Config, running

CONCURRENCY = 64
LATENCY_MS = 200.0
ECHO = "tests.llm_server.answers:echo"
PEERS = {
    "cookbook": "the cookbook's loop (aiohttp, its own words): capacities raised out of the way, 64 connections",
    "curator": "bespokelabs-curator: openai backend, max_concurrent_requests 64, limits out of the way, cache on",
    "distilabel": "distilabel: OpenAILLM in TextGeneration, input_batch_size {batch}, use_cache",
}
BATCHES = (64, 250, 1000)
"""Of distilabel, which gathers a batch before the next begins: the best of these is taken, one run each."""
HUNG_S = 90.0
"""Several times what a whole undisturbed run takes."""
PROBES = {"curator": 1}
"""Calls of a start that are no row (it asks for the limits with an empty one): not counted as paid twice."""


class Run(msgspec.Struct):
    """A side's undisturbed run."""

    rate: float
    seconds: float
    whole_seconds: float
    cpu: float
    peak_mb: float
    most_at_once: int


class Killed(msgspec.Struct):
    """What a kill at half and a second start with the same command came to.

    `rows_lost`: those that the same command does not deliver; `sent_again`: replies that were sent and asked again;
    `calls_more`: these, and calls that were under way at the kill, which an endpoint may charge for as well.
    """

    sent_at_kill: int
    rows_lost: int
    sent_again: int
    calls_more: int
    seconds_more: float
    hung: bool
    """The second start did not end in `HUNG_S`: what it kept was deleted, and it was started a third time."""


def environment(name: str) -> str:
    """The Python of a peer's own environment, made where it is not there."""
    folder, wanted = Path(f".venv-llm-peers-{name}"), Path(f"bench/requirements-llm-{name}.txt")
    python = str(folder / "bin" / "python")
    made = folder / "made"
    if not made.exists() or made.read_text() != wanted.read_text():
        sys.stderr.write(f"  making {folder} from {wanted}\n")
        subprocess.run([sys.executable, "-m", "venv", "--clear", str(folder)], check=True)
        subprocess.run([python, "-m", "pip", "install", "-q", "-r", str(wanted)], check=True)
        made.write_text(wanted.read_text())
    return python


def undisturbed(name: str, side: tuple[str, str], count: int, options: dict[str, Any]) -> Run:
    """All rows, in a new folder, with a server that has answered nobody."""
    with running(server_of()) as server, tempfile.TemporaryDirectory() as folder:
        life = Life(side, server, count, CONCURRENCY, Path(folder), options)
        report = life.end(watch=True)
        stats = server.stats()
    if gone := lost(report.results, count):
        raise SystemExit(f"{name}: {gone} of {count} rows are wrong in an undisturbed run")
    rate = count / report.seconds
    found = Run(rate, report.seconds, life.seconds, report.cpu, life.peak_mb, stats.most_in_flight)
    sys.stderr.write(f"  {name} {options or ''}: {rate:.1f}/s, {life.peak_mb:.0f} MB, CPU {report.cpu:.1f} s\n")
    return found


def killed(name: str, side: tuple[str, str], count: int, options: dict[str, Any]) -> Killed:
    """SIGKILL to all of it when half is answered, then the same command again."""
    with running(server_of()) as server, tempfile.TemporaryDirectory() as folder:
        life = Life(side, server, count, CONCURRENCY, Path(folder), options)
        if not life.wait_until(lambda: server.stats().answered >= count // 2):
            raise SystemExit(f"{name} ended before half was answered")
        life.kill()
        quiet(server)
        sent = server.stats().answered
        starts, gone, hung = 2, count, False
        again = Life(side, server, count, CONCURRENCY, Path(folder), options)
        began = time.monotonic()
        if again.wait_until(lambda: time.monotonic() - began > HUNG_S, 0.5):
            again.kill()
            quiet(server)
            starts, hung = 3, True
            for kept in Path(folder).iterdir():
                shutil.rmtree(kept) if kept.is_dir() else kept.unlink()
            Life(side, server, count, CONCURRENCY, Path(folder), options).end()
        else:
            gone = lost(again.end().results, count)
        seconds = time.monotonic() - began
        stats = server.stats()
    probes = PROBES.get(name, 0)
    twice = stats.answered - stats.distinct_answered - (starts - 1) * probes
    more = stats.accepted - count - starts * probes
    sys.stderr.write(
        f"  {name}: killed at {sent}, hung: {hung}, {gone} rows lost, {twice} asked again though answered\n"
    )
    return Killed(sent, gone, twice, more, seconds, hung)


def server_of() -> Config:
    """The same for everybody."""
    return Config(latency_ms=LATENCY_MS, answer=ECHO)


def main(pairs: int, count: int) -> list[Row]:
    """Rate, memory, rows lost and replies paid twice, a row a peer each."""
    sides = {name: (environment(name), f"bench.llm.peer_{name}") for name in PEERS} | {"ours": OURS}
    options: dict[str, dict[str, Any]] = {name: {} for name in sides}
    tried = {batch: undisturbed("distilabel", sides["distilabel"], count, {"batch": batch}) for batch in BATCHES}
    batch = max(tried, key=lambda size: tried[size].rate)
    options["distilabel"] = {"batch": batch}
    runs: dict[str, list[Run]] = {name: [] for name in sides}
    for _ in range(pairs):
        for name, side in sides.items():
            runs[name].append(undisturbed(name, side, count, options[name]))
    kills = {name: killed(name, side, count, options[name]) for name, side in sides.items()}
    rows: list[Row] = []
    ours = runs["ours"]
    for name, said in PEERS.items():
        against, theirs = said.format(batch=batch), runs[name]
        rates = [a.rate / b.rate for a, b in zip(ours, theirs, strict=True)]
        peaks = [a.peak_mb / b.peak_mb for a, b in zip(ours, theirs, strict=True)]
        rows.append(row("bulk requests/s", against, rates, 1.0, "higher", note=both(ours, theirs, "rate", "/s")))
        rows.append(row("peak memory", against, peaks, 1.0, "lower", note=both(ours, theirs, "peak_mb", " MB")))
    for name, found in kills.items():
        at = f"{name}, killed at {found.sent_at_kill:,} of {count:,}"
        note = f"{found.calls_more} calls more than rows, {found.seconds_more:.0f} s from the second start on"
        note += f"; it hung for {HUNG_S:.0f} s, so its cache was deleted and all was asked anew" * found.hung
        rows.append(row("rows lost by kill -9", at, [found.rows_lost], 0, "lower", unit="", note=note))
        rows.append(row("replies paid twice", at, [found.sent_again], CONCURRENCY, "lower", unit=""))
    more = {"settings": options, "runs": runs, "kills": kills, "distilabel_batches": tried}
    write("llm_peers", rows, LIBRARIES, peers=[wanted(name) for name in PEERS], **more)
    return rows


def both(ours: list[Run], theirs: list[Run], what: str, unit: str) -> str:
    """Two medians."""
    middle = [statistics.median(getattr(run, what) for run in runs) for runs in (ours, theirs)]
    return f"{middle[0]:,.0f} against {middle[1]:,.0f}{unit}"


def wanted(name: str) -> list[str]:
    """The versions of a peer's requirements."""
    lines = Path(f"bench/requirements-llm-{name}.txt").read_text().splitlines()
    return [line for line in lines if not line.startswith("#")]
