"""Rolling 60-second windows of accepted requests and their tokens, as exact as the clock."""

import math
from array import array
from bisect import bisect_left, bisect_right

SPAN = 60.0
SHORTEST = 0.001
"""A wait never rounds to none."""
COMPACT_AT = 65_536


class Window:
    """Who was accepted in the last 60 s, in arrays: 16 bytes a request, and every question is a bisection."""

    def __init__(self) -> None:
        self._times = array("d")
        self._spent = array("q")  # all tokens up to and with this request
        self._head = 0
        self._before = 0  # all tokens before the head
        self._total = 0
        self.most_requests = 0
        self.most_tokens = 0

    @property
    def requests(self) -> int:
        """Requests in the window, as of the last question."""
        return len(self._times) - self._head

    @property
    def tokens(self) -> int:
        """Tokens in the window, as of the last question."""
        return self._total - self._before

    def wait(self, now: float, tokens: int, rpm: int | None, tpm: int | None) -> float:
        """Seconds until a request of so many tokens fits; 0: now, infinite: never."""
        self._forget(now)
        wait = 0.0
        if rpm is not None and self.requests >= rpm:
            wait = max(SHORTEST, self._times[len(self._times) - rpm] + SPAN - now)
        if tpm is not None and self.tokens + tokens > tpm:
            if tokens > tpm:
                return math.inf
            last = bisect_left(self._spent, self._total + tokens - tpm, self._head)
            wait = max(wait, SHORTEST, self._times[last] + SPAN - now)
        return wait

    def accept(self, now: float, tokens: int) -> None:
        """Let a request in."""
        self._forget(now)
        self._total += tokens
        self._times.append(now)
        self._spent.append(self._total)
        self.most_requests = max(self.most_requests, self.requests)
        self.most_tokens = max(self.most_tokens, self.tokens)

    def headers(self, now: float, rpm: int | None, tpm: int | None) -> bytes:
        """OpenAI's x-ratelimit headers of the limits that are set."""
        if rpm is None and tpm is None:
            return b""
        self._forget(now)
        reset = duration(self._times[-1] + SPAN - now) if self.requests else "0s"
        found = ""
        for name, limit, used in (("requests", rpm, self.requests), ("tokens", tpm, self.tokens)):
            if limit is not None:
                found += (
                    f"x-ratelimit-limit-{name}: {limit}\r\n"
                    f"x-ratelimit-remaining-{name}: {max(0, limit - used)}\r\n"
                    f"x-ratelimit-reset-{name}: {reset}\r\n"
                )
        return found.encode()

    def _forget(self, now: float) -> None:
        head = bisect_right(self._times, now - SPAN, self._head)
        if head == self._head:
            return
        self._before, self._head = self._spent[head - 1], head
        if head >= COMPACT_AT:
            del self._times[:head], self._spent[:head]
            self._head = 0


def duration(seconds: float) -> str:
    """As OpenAI writes it: 350ms, 1s, 8.64s, 6m0s."""
    thousandths = math.ceil(seconds * 1000)
    if 0 < thousandths < 1000:
        return f"{thousandths}ms"
    minutes, rest = divmod(thousandths, 60_000)
    return (f"{minutes}m" if minutes else "") + f"{rest / 1000:g}s"
