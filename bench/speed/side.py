"""One side of a comparison: a process that is ready, and runs once each time it is asked to. Standard library alone,
since a peer's side runs in the peer's own environment.

    python side_of_somebody.py OPTIONS      prints JSON, {"ready": ...}, then an object for each line it reads
"""

import json
import os
import resource
import sys
import time
from collections.abc import Callable
from typing import Any


def serve(run: Callable[[], dict[str, Any]], **about: Any) -> None:
    """Say that it is ready, then run once a line; `run` returns what it counted, such as tokens."""
    out = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what libraries print is no answer
    _say(out, {"ready": about})
    for _ in sys.stdin:
        started, cpu = time.perf_counter(), _cpu()
        counted = run()
        seconds = time.perf_counter() - started
        _say(out, {"seconds": seconds, "cpu": _cpu() - cpu, "peak_mb": peak_mb(), **counted})


def peak_mb() -> float:
    """The most memory that this process, or the largest of those it waited for, has held."""
    own, others = (resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return max(own, others) / 1024


def _cpu() -> float:
    used = os.times()
    return used.user + used.system + used.children_user + used.children_system


def _say(out: Any, content: dict[str, Any]) -> None:
    out.write(json.dumps(content) + "\n")
    out.flush()
