"""What the parts of the server share: the config in force, the windows and the counts."""

import time
from importlib import import_module
from pathlib import Path
from typing import cast

from tests.llm_server.config import AnswerFunction, Config, Stats
from tests.llm_server.limits import Window
from tests.llm_server.wire import Reply


class State:
    """One server's memory: two small integers for each distinct body, and sums."""

    def __init__(self, config: Config) -> None:
        self.stats = Stats()
        self.window = Window()
        self.asked: dict[int, int] = {}
        self.answered: dict[int, int] = {}
        self.configure(config)

    def configure(self, config: Config) -> None:
        """Put this config in force; what was counted stays."""
        module, _, name = config.answer.partition(":")
        self.answer = cast(AnswerFunction, getattr(import_module(module), name))
        self.config = config

    def try_begins(self, key: int, nth: int, fault: str) -> None:
        """The nth try of a body gets an answer or a fault, and is no longer to be drawn."""
        self.asked[key] = nth + 1
        if fault:
            self.stats.by_fault[fault] = self.stats.by_fault.get(fault, 0) + 1

    def accept(self, now: float, tokens: int) -> None:
        """A call is let in."""
        stats = self.stats
        self.window.accept(now, tokens)
        stats.accepted += 1
        stats.in_flight += 1
        stats.most_in_flight = max(stats.most_in_flight, stats.in_flight)
        stats.first_at = now if stats.first_at is None else stats.first_at
        stats.last_at = now

    def ended(self, reply: Reply, sent: bool) -> None:
        """A reply was sent, or will never be."""
        stats = self.stats
        if reply.call:
            stats.in_flight -= 1
        if sent and reply.counted:
            stats.by_status[reply.status] = stats.by_status.get(reply.status, 0) + 1
        if sent and reply.answers is not None:
            stats.answered += 1
            self.was_answered(reply.answers)

    def was_answered(self, key: int) -> None:
        """A body got a good answer."""
        self.answered[key] = times = self.answered.get(key, 0) + 1
        self.stats.distinct_answered += times == 1
        self.stats.answered_more_than_once += times == 2

    def snapshot(self) -> Stats:
        """The counts as they are now."""
        stats = self.stats
        stats.most_in_60s_requests, stats.most_in_60s_tokens = self.window.most_requests, self.window.most_tokens
        stats.cpu_seconds, stats.rss_mb = time.process_time(), rss_mb()
        return stats


def rss_mb() -> float:
    """Resident memory of this process; 0 where /proc is missing."""
    try:
        lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    except OSError:
        return 0.0
    return next((int(line.split()[1]) / 1024 for line in lines if line.startswith("VmRSS")), 0.0)
