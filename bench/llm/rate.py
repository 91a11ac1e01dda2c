"""How fast ours asks beside the bare openai client, with as many at once; and its memory by the number of requests.

Interleaved A B A B after a run of each that does not count: others may use the machine, so a row is the median of the
pairs' ratios, and the CPU of client and server is stated apart.
"""

import statistics
import sys
import tempfile
from pathlib import Path
from typing import Any

from bench.llm.runs import LIBRARIES, OURS, Life
from bench.speed.pairs import Row, Side, rate, row, write
from tests.llm_server import Config, Server, running

CONCURRENCY = 64
LATENCY_MS = 200.0
SIZES = (1_000, 10_000, 30_000)
FAST_MS = 20.0
"""The latency when memory is taken."""


def measured(side: Side, server: Server, count: int) -> dict[str, Any]:
    """One run, the server's CPU included; all its requests must be answered."""
    before = server.stats().cpu_seconds
    found = side.run()
    if found["units"] != count:
        raise SystemExit(f"{found['units']} of {count} were answered")
    return {**found, "server_cpu": server.stats().cpu_seconds - before}


def said(found: dict[str, Any]) -> str:
    """A run in a few words."""
    count = found["units"]
    cpu = 1000 * found["cpu"] / count, 1000 * found["server_cpu"] / count
    return f"{rate(found):,.1f}/s, CPU {cpu[0]:.2f} ms a request, server {cpu[1]:.2f} ms"


def compared(pairs: int, count: int) -> tuple[list[Row], list[dict[str, Any]]]:
    """The rows of the comparison, and the runs."""
    runs: tuple[list[dict[str, Any]], list[dict[str, Any]]] = ([], [])
    with running(Config(latency_ms=LATENCY_MS)) as server:
        command = [str(CONCURRENCY)]
        sides = [
            Side([sys.executable, "-m", f"bench.llm.{name}", server.base_url, str(count), *command])
            for name in ("side_ours", "side_bare")
        ]
        for number in range(pairs + 1):
            for side, into in zip(sides, runs, strict=True):
                found = measured(side, server, count)
                if number:
                    into.append(found)
            if number:
                sys.stderr.write(f"  pair {number}: {said(runs[0][-1])} against {said(runs[1][-1])}\n")
        for side in sides:
            side.end()
    shares = [rate(a) / rate(b) for a, b in zip(*runs, strict=True)]
    cpu = [a["cpu"] / b["cpu"] for a, b in zip(*runs, strict=True)]
    against = f"the bare openai client, {CONCURRENCY} at once, {LATENCY_MS:g} ms, {count:,} requests"
    middle = [statistics.median(map(rate, each)) for each in runs]
    used = [statistics.median(1000 * found["cpu"] / count for found in each) for each in runs]
    servers = [statistics.median(1000 * found["server_cpu"] / count for found in each) for each in runs]
    rates = f"{middle[0]:,.1f} against {middle[1]:,.1f}/s, at most {1000 * CONCURRENCY / LATENCY_MS:g}"
    spent = f"{used[0]:.2f} against {used[1]:.2f} ms a request; the server's {servers[0]:.2f} and {servers[1]:.2f} ms"
    rows = [
        row("bulk requests/s", against, shares, 0.85, "higher", note=rates),
        row("bulk requests, client CPU", against, cpu, 1.2, "lower", note=spent),
    ]
    return rows, [{"ours": a, "bare": b} for a, b in zip(*runs, strict=True)]


def memory() -> tuple[Row, dict[str, float]]:
    """The most memory that runs of several sizes take, each a process of its own."""
    peaks: dict[str, float] = {}
    with running(Config(latency_ms=FAST_MS)) as server:
        for size in SIZES:
            with tempfile.TemporaryDirectory() as folder:
                report = Life(OURS, server, size, CONCURRENCY, Path(folder), {"names": True}).end()
            peaks[f"{size:,}"] = round(report.peak_mb, 1)
            sys.stderr.write(f"  {size:,} requests: {report.peak_mb:,.1f} MB, {size / report.seconds:,.0f}/s\n")
    first, *_, last = peaks.values()
    note = ", ".join(f"{size}: {peak:g} MB" for size, peak in peaks.items())
    against = f"{SIZES[-1]:,} requests over {SIZES[0]:,}"
    return row("bulk requests, peak memory", against, [last / first], 2.0, "lower", note=note), peaks


def main(pairs: int, count: int) -> list[Row]:
    """Three rows."""
    rows, runs = compared(pairs, count)
    last, peaks = memory()
    rows.append(last)
    write("llm_rate", rows, LIBRARIES, runs=runs, peak_mb=peaks)
    return rows
