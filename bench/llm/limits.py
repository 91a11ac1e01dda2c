"""How much of a minute's limits is used, and whether any is passed: limits on requests and tokens that bind together.

Lengths of questions and answers vary, 100 tokens a call in the mean, as the server counts; ours is told the limits.
"""

import sys
import tempfile
from collections import Counter
from pathlib import Path

from bench.llm.runs import LIBRARIES, OURS, Life
from bench.speed.pairs import Row, row, write
from tests.llm_server import Config, running
from tripost.chat.reply_log import ReplyLog

RPM, TPM = 3_000, 300_000
SPREAD = 100
CONCURRENCY = 64
LATENCY_MS, JITTER_MS = 200.0, 400.0


def main(pairs: int, count: int) -> list[Row]:
    """Four rows, of one run."""
    config = Config(
        latency_ms=LATENCY_MS, latency_jitter_ms=JITTER_MS, rpm=RPM, tpm=TPM, answer="bench.llm.answers:varied"
    )
    told = {"requests_per_minute": RPM, "tokens_per_minute": TPM}
    with running(config) as server, tempfile.TemporaryDirectory() as folder:
        life = Life(
            OURS, server, count, CONCURRENCY, Path(folder), {"endpoint": told, "spread": SPREAD, "names": True}
        )
        report = life.end()
        stats = server.stats()
        tokens = spent(Path(folder))
    assert stats.first_at is not None
    assert stats.last_at is not None
    seconds = stats.last_at - stats.first_at
    part = (count - 1) / count * 60 / seconds  # the last call opens a moment that is not over
    shares = {"requests": stats.accepted * part / RPM, "tokens": tokens * part / TPM}
    over = stats.by_status.get(429, 0)
    names = Counter(report.results.values())
    sys.stderr.write(f"  {dict(names)}, {seconds:.0f} s, {tokens / count:.1f} tokens a call\n")
    what = f"{RPM:,} requests and {TPM:,} tokens a minute"
    used = ", ".join(f"{share:.3f} of the {kind}" for kind, share in shares.items())
    most = stats.most_in_60s_requests, stats.most_in_60s_tokens
    rows = [
        row("share of the limit that binds", what, [max(shares.values())], 0.95, "higher",
            note=f"{seconds:.0f} s: {used}"),
        row("most requests in 60 s", what, [most[0] / RPM], 1.0, "lower", note=f"{most[0]:,}"),
        row("most tokens in 60 s", what, [most[1] / TPM], 1.0, "lower", note=f"{most[1]:,}"),
        row("turned away with 429", what, [over / stats.requests], 0.001, "lower", unit="",
            note=f"{over} of {stats.requests:,}"),
    ]  # fmt: skip
    write("llm_limits", rows, LIBRARIES, outcomes=dict(names), server=stats)
    return rows


def spent(folder: Path) -> int:
    """Tokens of all replies in the log, as the server counted them."""
    replies = ReplyLog(folder / "replies.jsonl").replies()
    return sum(reply.prompt_tokens + reply.completion_tokens for reply in replies)
