"""Requests and tokens a minute, spread evenly, and as many calls at once as the endpoint bears.

What is sent is written down with its time; a new call is sent when the last sixty seconds have room for it. Tokens of
the answer are not known before it is there: a mean of the last ones is reserved, and set right when it comes.
"""

import asyncio
import math
from collections import deque
from collections.abc import Callable
from random import uniform  # of waits alone

WINDOW = 60.75
"""Seconds in which a minute's limit must hold here; longer than a minute, since a call arrives after it was sent."""
SHARE = 0.985
"""Of a limit that is used: tokens are estimated, and the endpoint's clock is another."""
BURST = 1.0
"""Seconds' worth that may be sent at once."""
FIRST_WAIT, LONGEST_WAIT = 0.5, 20.0
"""Seconds before another try: drawn up to the first, then up to twice as much each time, to the longest."""
LONGEST_SLEEP = 0.1
"""Room may come earlier than it was reckoned, when answers turn out shorter."""


RECENT, CHOKING = 30, 0.12
"""Of about so many last calls this share met an overloaded endpoint: then there are too many at once."""


def backoff(tries: int, after: float | None) -> float:
    """Seconds to wait after so many tries (full jitter), or what the endpoint asked for and a little."""
    if after is not None:
        return after + uniform(0, FIRST_WAIT)
    return uniform(0, min(LONGEST_WAIT, FIRST_WAIT * 2 ** min(tries, 8)))


class Entry:
    """What a call took of a limit; `amount` is set right by `Limit.settle`."""

    __slots__ = ("amount", "time")

    def __init__(self, time: float, amount: float) -> None:
        self.time, self.amount = time, amount


class Limit:
    """So much a minute: a strict rolling window, and an even spread within it."""

    def __init__(self, per_minute: float) -> None:
        self.used = 0.0
        self.entries: deque[Entry] = deque()
        self.free_from = -math.inf
        self.allow(per_minute)

    def allow(self, per_minute: float) -> None:
        """The limit is this from now on."""
        self.room = max(1.0, per_minute * SHARE)
        self.rate = self.room / WINDOW

    def wait(self, now: float, amount: float) -> float:
        """Seconds until `amount` may be taken; 0 for now. More than the whole limit goes alone in its window."""
        while self.entries and self.entries[0].time <= now - WINDOW:
            self.used -= self.entries.popleft().amount
        spread = self.free_from - now
        if not self.entries or self.used + amount <= self.room:
            return max(0.0, spread)
        return max(spread, self.entries[0].time + WINDOW - now, 0.001)

    def take(self, now: float, amount: float) -> Entry:
        """Take it."""
        self.free_from = max(self.free_from, now - BURST) + amount / self.rate
        entry = Entry(now, amount)
        self.entries.append(entry)
        self.used += amount
        return entry

    def settle(self, entry: Entry, amount: float) -> None:
        """It was this much in truth."""
        more = amount - entry.amount
        entry.amount = amount
        self.free_from += more / self.rate
        if self.entries and entry.time >= self.entries[0].time:
            self.used += more


class Estimate:
    """Tokens that a call is going to take, from what calls of its kind have taken."""

    def __init__(self) -> None:
        self.per_character = 0.4
        self.mean, self.spread, self.seen = 0.0, 0.0, 0

    def prompt(self, characters: int) -> float:
        """Of the prompt."""
        return characters * self.per_character

    def completion(self, most: int) -> float:
        """Of the answer: the most before one was seen, then the mean and half a deviation more."""
        return most if self.seen < 5 else min(most, self.mean + 0.5 * self.spread)

    def learn(self, characters: int, prompt: int, completion: int) -> None:
        """A call took so many."""
        if characters and prompt:
            part = 0.2 if self.seen else 1.0
            self.per_character += part * (prompt / characters - self.per_character)
        part = max(0.02, 1 / (self.seen + 1))
        self.mean += part * (completion - self.mean)
        self.spread += part * (abs(completion - self.mean) - self.spread)
        self.seen += 1


class Pacer:
    """Both limits of an endpoint, and pauses that it asked for. `clock` is the event loop's."""

    def __init__(self, requests: int | None, tokens: int | None, clock: Callable[[], float]) -> None:
        self.requests = Limit(requests) if requests else None
        self.tokens = Limit(tokens) if tokens else None
        self.clock = clock
        self.paused_until = -math.inf
        self.turn = asyncio.Lock()

    async def admit(self, tokens: float) -> Entry | None:
        """Wait for room, in the order of asking; the entry is to be settled with the true number of tokens."""
        async with self.turn:
            while (wait := self._wait(tokens)) > 0:
                await asyncio.sleep(min(wait, LONGEST_SLEEP))
            now = self.clock()
            if self.requests:
                self.requests.take(now, 1)
            return self.tokens.take(now, tokens) if self.tokens else None

    def settle(self, entry: Entry | None, tokens: float) -> None:
        """The call took so many tokens."""
        if entry and self.tokens:
            self.tokens.settle(entry, tokens)

    def pause(self, seconds: float) -> None:
        """Nothing is sent for so long."""
        self.paused_until = max(self.paused_until, self.clock() + seconds)

    def learn_limits(self, requests: float | None, tokens: float | None) -> None:
        """The endpoint says what it allows: where it is less than what we were told, it counts."""
        for name, allowed in (("requests", requests), ("tokens", tokens)):
            limit: Limit | None = getattr(self, name)
            if allowed and limit is None:
                setattr(self, name, Limit(allowed))
            elif allowed and limit and allowed * SHARE < limit.room:
                limit.allow(allowed)

    def _wait(self, tokens: float) -> float:
        now = self.clock()
        waits = [self.paused_until - now]
        if self.requests:
            waits.append(self.requests.wait(now, 1))
        if self.tokens:
            waits.append(self.tokens.wait(now, tokens))
        return max(waits)


class Gate:
    """How many calls at once, never above `most`: one more for each answer until the endpoint chokes, then half, and
    one more for each round of answers (additive increase, multiplicative decrease). A call now and then that meets an
    overloaded server is an accident; choking is more than `CHOKING` of the last ones."""

    def __init__(self, most: int, clock: Callable[[], float]) -> None:
        self.most, self.clock = most, clock
        self.limit = float(min(most, max(16, most // 2)))
        self.choking = 0.0
        self.choked = False
        self.quiet_until = -math.inf
        self.inside = 0
        self.queue: deque[asyncio.Future[None]] = deque()

    async def enter(self) -> None:
        """Wait for a place."""
        if self.inside < int(self.limit) and not self.queue:
            self.inside += 1
            return
        place = asyncio.get_running_loop().create_future()
        self.queue.append(place)
        try:
            await place
        except asyncio.CancelledError:
            if place.done() and not place.cancelled():
                self.leave()
            raise

    def leave(self) -> None:
        """Give the place back."""
        self.inside -= 1
        self._let_in()

    def went_well(self) -> None:
        """An answer came."""
        self.choking *= 1 - 1 / RECENT
        self.limit = min(self.most, self.limit + (1 / self.limit if self.choked else 1))
        self._let_in()

    def was_too_much(self) -> None:
        """A call met an endpoint that has too much to do. Halved once a second at most: those under way choke too."""
        self.choking += (1 - self.choking) / RECENT
        now = self.clock()
        if self.choking > CHOKING and now >= self.quiet_until:
            self.choked, self.quiet_until, self.choking = True, now + 1.0, CHOKING / 2
            self.limit = max(1.0, self.limit / 2)

    def _let_in(self) -> None:
        while self.queue and self.inside < int(self.limit):
            place = self.queue.popleft()
            if not place.done():
                self.inside += 1
                place.set_result(None)
