"""How far long work has come: a bar for people, a plain line now and then for logs."""

import sys
import time
from types import TracebackType

LOG_SECONDS = 15.0


class Progress:
    """`with Progress("rollout t1", total, "rows") as bar: bar.advance(rows, tokens)`; writes to stderr."""

    def __init__(self, what: str, total: int, unit: str) -> None:
        self.what, self.total, self.unit = what, total, unit
        self.done = self.skipped = self.tokens = 0
        self.note = ""
        self.started = self.shown = time.monotonic()
        self.for_people = sys.stderr.isatty()

    def __enter__(self) -> "Progress":
        return self

    def expect(self, more: int) -> None:
        """`more` units are to be done."""
        self.total += more

    def skip(self, done: int) -> None:
        """`done` units were there already; the rate and the time left are those of the others."""
        self.done += done
        self.skipped += done

    def advance(self, done: int, tokens: int = 0, note: str = "") -> None:
        """`done` more units and `tokens` more tokens."""
        self.done += done
        self.tokens += tokens
        self.note = note or self.note
        now = time.monotonic()
        if now - self.shown >= (0.2 if self.for_people else LOG_SECONDS):
            self.shown = now
            self._show(now)

    def _show(self, now: float) -> None:
        seconds = max(now - self.started, 1e-9)
        own = self.done - self.skipped
        left = f", {seconds / own * (self.total - self.done):.0f} s left" if own else ""
        rate = f", {self.tokens / seconds:,.0f} tokens/s" if self.tokens else ""
        line = f"{self.what}: {self.done}/{self.total} {self.unit}{rate}{left}{self.note and ', ' + self.note}"
        if self.for_people:
            filled = 20 * self.done // max(1, self.total)
            line = f"\r\x1b[2K[{'#' * filled}{'.' * (20 - filled)}] {line}"
        sys.stderr.write(line + ("" if self.for_people else "\n"))
        sys.stderr.flush()

    def __exit__(self, kind: type[BaseException] | None, *_: BaseException | TracebackType | None) -> None:
        if kind is None:
            seconds = time.monotonic() - self.started
            rate = f", {self.tokens / max(seconds, 1e-9):,.0f} tokens/s" if self.tokens else ""
            start = "\r\x1b[2K" if self.for_people else ""
            note = self.note and f", {self.note}"
            before = f" ({self.skipped} were there)" if self.skipped else ""
            done = f"{self.done - self.skipped} {self.unit}{before}"
            sys.stderr.write(f"{start}{self.what}: {done} in {seconds:.0f} s{rate}{note}\n")
        elif self.for_people:
            sys.stderr.write("\n")
