"""The asker of a stage: its endpoints and log, and what is said, or refused, when the stage is done."""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tripost.chat.asker import Asker
from tripost.chat.asking import spent
from tripost.chat.reply_log import ReplyLog
from tripost.chat.request import Reply
from tripost.errors import EndpointError
from tripost.params import Params
from tripost.shell.home import replies_file
from tripost.shell.io import read_json
from tripost.shell.runs import Run, note

SAMPLE = 100
"""Keys of calls that an iteration's counts name."""


@contextmanager
def asker_of(params: Params, what: str) -> Iterator[Asker | None]:
    """None where no task names an LLM. At the end: what it came to; raises EndpointError for too many failed rows.

    `what`: the stage and iteration.
    """
    named = {name for s in params.problems.values() for name in (*s.expert.feedback, *s.expert.improve)}
    if not named & params.llms.keys():
        yield None
        return
    started = time.monotonic()
    with Asker(params.calls, ReplyLog(replies_file(Path()))) as asker:
        yield asker
        _conclude(asker, what, time.monotonic() - started)


def calls_used(asker: Asker | None) -> dict[str, Any]:
    """For a stage's metrics: replies and tokens by task, purpose and LLM, whoever paid for them when."""
    return {"calls": spent(asker.used), "calls_sample": asker.sample(SAMPLE)} if asker else {}


def sampled_replies(params: Params, data: Path) -> dict[str, list[Reply]]:
    """Some calls of each iteration's edit, for MLflow to show; none where the log has them no longer."""
    path = replies_file(Path())
    if not params.calls.traces or not path.exists():
        return {}
    log, found = ReplyLog(path), {}
    for t in params.iterations:
        counts = data / t / "edit.json"
        keys = read_json(counts).get("calls_sample", []) if counts.exists() else []
        replies = [log.get(str(key)) for key in keys[: params.calls.traces]]
        found[t] = [reply for reply in replies if reply is not None]
    log.close()
    return found


def with_calls(metrics: dict[str, dict[str, dict[str, Any]]], asker: Asker | None) -> dict[str, Any]:
    """An evaluation's metrics, with what FBK was asked beside each task's totals."""
    if asker:
        for task, calls in spent(asker.used).items():
            metrics[task]["total"]["calls"] = calls
    return metrics


def _conclude(asker: Asker, what: str, seconds: float) -> None:
    calls = sum(used.calls for used in asker.used.values())
    known = calls - min(calls, asker.sent_now - len(asker.failures))
    print(
        f"{what}: {calls} replies used, {known} of them from the log; {asker.purse.paid:.4f} paid now",
        file=sys.stderr,
    )
    stage, failed = "@".join(what.split()), len(asker.failures)
    paid, asked = asker.purse.paid, asker.sent_now
    note(
        Run(stage=f"{stage} asking", seconds=seconds, used=calls, known=known, asked=asked, failed=failed, paid=paid)
    )
    if not asker.rows_failed:
        return
    first = next(iter(asker.failures.values()))
    share = asker.rows_failed / asker.rows_asked
    said = f"{what}: {asker.rows_failed} of {asker.rows_asked} rows got no answer (such as: {first})"
    if share > asker.calls.max_failed_share:
        most = f"more than calls.max_failed_share: {asker.calls.max_failed_share}"
        raise EndpointError(f"{said}; {most}; run dvc repro again: what was answered is kept")
    print(f"{said}; dvc repro -f -s {stage}, then dvc repro, asks them again", file=sys.stderr)
