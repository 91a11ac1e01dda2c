"""Nothing is lost and nothing is asked twice: 30 % of calls faulty, an account without money, ten times kill -9.

What a killed process leaves is counted at the server: a reply that was sent and was not on the disk yet is asked
again, no other may be.
"""

import random
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any

import msgspec

from bench.llm.runs import LIBRARIES, OURS, Life, Report, lost, quiet
from bench.speed.pairs import Row, row, write
from tests.llm_server import Config, Server, running
from tests.llm_server.config import CALL_FAULTS

CONCURRENCY = 64
LATENCY_MS, JITTER_MS = 150.0, 100.0
FAULTY = 0.30
KINDS = sorted(CALL_FAULTS - {"quota"})
"""All but the end of the money, which rightly ends a run; it is tried apart."""
KILLS = 10
PAUSE_S = 0.5
"""At most, between the answer that calls for a kill and the kill, so that it falls anywhere in a round of answers."""
POOR_ROWS, POOR_SHARE = 1_000, 0.01
PASSING = {"500": 0.03, "reset": 0.03, "truncated_body": 0.03, "429": 0.03}
"""Faults of the killed runs: such that another try mends, so that results do not depend on how often was asked."""
SEED = 7
ECHO = "tests.llm_server.answers:echo"


def server_of(faults: dict[str, float]) -> Config:
    """A server with these faults."""
    return Config(latency_ms=LATENCY_MS, latency_jitter_ms=JITTER_MS, faults=faults, seed=SEED, answer=ECHO)


def lines(folder: Path) -> tuple[int, int]:
    """Whole lines of the log that can be read, and distinct keys among them."""
    path = folder / "replies.jsonl"
    keys = []
    for line in path.read_bytes().splitlines(keepends=True) if path.exists() else ():
        if line.endswith(b"\n"):
            keys.append(msgspec.json.decode(line)["key"])
    return len(keys), len(set(keys))


def faulty(count: int) -> tuple[list[Row], dict[str, Any]]:
    """All kinds of faults: how every row ended, by name."""
    options = {"endpoint": {"timeout_s": 4.0, "deadline_s": 120.0}, "names": True}
    with running(server_of({kind: FAULTY / len(KINDS) for kind in KINDS})) as server:
        with tempfile.TemporaryDirectory() as name:
            report = Life(OURS, server, count, CONCURRENCY, Path(name), options).end()
        stats = server.stats()
    names = Counter(report.results.values())
    struck = sum(stats.by_fault.values())
    nameless = count - sum(number for outcome, number in names.items() if outcome)
    sys.stderr.write(f"  faults {dict(names)}; {struck} faults in {stats.requests} calls, {report.seconds:.0f} s\n")
    note = ", ".join(f"{outcome} {number}" for outcome, number in names.most_common())
    against = f"{len(KINDS)} kinds of faults in {struck / stats.requests:.0%} of {stats.requests:,} calls"
    found = row("rows neither answered nor named", against, [nameless], 0, "lower", unit="", note=note)
    return [found], {"outcomes": dict(names), "by_fault": stats.by_fault}


def penniless() -> Row:
    """The account is empty now and then: each time the run ends with that name, and its answers are kept."""
    ends = 0
    with running(server_of({"quota": POOR_SHARE})) as server, tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        while True:
            try:
                report = Life(OURS, server, POOR_ROWS, CONCURRENCY, folder).end()
                break
            except SystemExit as end:
                if "no_quota" not in str(end) or ends > 50:
                    raise
                ends += 1
        stats = server.stats()
    note = f"{ends} runs ended with no_quota; {lost(report.results, POOR_ROWS)} of {POOR_ROWS:,} rows lost"
    if not ends:
        raise SystemExit("the account was never empty")
    twice = stats.answered - stats.distinct_answered
    against = "the account is empty: run again until it is not"
    return row("asked again", against, [twice], 0, "lower", unit="", note=note)


def undisturbed(count: int) -> tuple[Report, list[bytes]]:
    """The results, and the log's lines."""
    with running(server_of({})) as server, tempfile.TemporaryDirectory() as name:
        report = Life(OURS, server, count, CONCURRENCY, Path(name)).end()
        return report, sorted((Path(name) / "replies.jsonl").read_bytes().splitlines())


def strike(server: Server, folder: Path, count: int, at: int, pause: float) -> dict[str, int]:
    """Kill it `pause` seconds after the server has sent `at` answers in all; what that left."""
    life = Life(OURS, server, count, CONCURRENCY, folder)
    if not life.wait_until(lambda: server.stats().answered >= at, 0.003):
        raise SystemExit(f"it ended before {at} answers")
    time.sleep(pause)
    in_flight = server.stats().in_flight
    life.kill()
    quiet(server)
    stats = server.stats()
    whole, distinct = lines(folder)
    return {
        "sent": stats.answered, "sent_distinct": stats.distinct_answered, "on_disk": whole,
        "on_disk_distinct": distinct, "in_flight": in_flight,
    }  # fmt: skip


def killed(count: int, faults: dict[str, float], expected: Report, logged: list[bytes]) -> tuple[list[Row], Any]:
    """Ten lives end with SIGKILL, an eleventh finishes."""
    draw = random.Random(SEED)
    moments = sorted(draw.sample(range(count), KILLS))
    left = []
    with running(server_of(faults)) as server, tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for at in moments:
            left.append(strike(server, folder, count, at, draw.uniform(0, PAUSE_S)))
            sys.stderr.write(f"  killed at {at}: {left[-1]}\n")
        report = Life(OURS, server, count, CONCURRENCY, folder).end()
        stats = server.stats()
        whole, distinct = lines(folder)
        found = sorted((folder / "replies.jsonl").read_bytes().splitlines())
    again = stats.answered - stats.distinct_answered
    unwritten = stats.answered - whole
    different = sum(report.results.get(key) != text for key, text in expected.results.items())
    share = sum(faults.values())
    against = f"{KILLS} x kill -9, {count:,} rows" + (f", {share:.0%} of calls faulty" if share else "")
    flights = sum(each["in_flight"] for each in left)
    rows = [
        row("asked again though on the disk", against, [whole - distinct], 0, "lower", unit="",
            note=f"{whole:,} lines of {distinct:,} requests"),
        row("asked again: sent, not on the disk at the kill", against, [again], flights, "lower", unit="",
            note=f"{unwritten} sent and never written; {flights} were in flight at the kills"),
        row("results that differ", "the undisturbed run", [different + (found != logged)], 0, "lower", unit="",
            note=f"{different} rows; the logs' lines {'are the same' if found == logged else 'differ'}"),
    ]  # fmt: skip
    return rows, left


def main(pairs: int, count: int) -> list[Row]:
    """Faults, then an empty account, then kills without and with passing faults."""
    rows, more = faulty(count)
    rows.append(penniless())
    expected, logged = undisturbed(count)
    for faults in ({}, PASSING):
        found, left = killed(count, faults, expected, logged)
        rows += found
        more["kills_with_faults" if faults else "kills"] = left
    write("llm_kills", rows, LIBRARIES, **more)
    return rows
