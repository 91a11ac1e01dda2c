"""One endpoint: a request is tried until it is answered or its time is over.

Lives in the thread of its event loop (`asker.py`). Retries are ours, not the library's, so that each is paced,
counted and named.
"""

import asyncio
import sys
from collections.abc import Mapping
from typing import Any

from tripost.chat.claims import Claims
from tripost.chat.library import Library, api_key
from tripost.chat.money import Purse
from tripost.chat.outcomes import Answer, CallError, read_answer, seconds_of, shown
from tripost.chat.pacing import Gate, Pacer, backoff
from tripost.chat.reply_log import ReplyLog
from tripost.chat.request import Failure, Reply, Request, body_of
from tripost.chat.till import Till
from tripost.errors import EndpointError
from tripost.params_llm import EndpointParams

MOST_TRIES = 8
"""Of a call that fails in ways that waiting need not mend; one that is only too early has its deadline."""
EMPTY_WAIT = 1.0
"""Seconds at most that nothing is sent where the endpoint says that nothing is left: it fills up all the time."""
MOST_IN_A_ROW = 20
"""Requests that end without an answer, one after the other: then nobody is there."""
NOT_TAKEN = ("rate_limited", "reset", "too_late")
"""Outcomes of calls that the endpoint does not count against the limit on tokens."""
UNREACHABLE = ("no_connection", "timeout", "reset")
REFUSED_FIRST = 3
"""Requests that the endpoint calls bad before it has answered any: then it does not understand us."""
WORTH_SAYING = 10.0
"""Seconds of a pause."""
SOMEBODY_ELSE = 0.3
"""Seconds until we look again whether another process has the answer."""


class Endpoint:
    """Asks, paced and counted. `purse` and `log` are those of all endpoints."""

    def __init__(self, name: str, params: EndpointParams, purse: Purse, log: ReplyLog, claims: Claims) -> None:
        self.name, self.params, self.purse, self.log, self.claims = name, params, purse, log, claims
        self.key = api_key(f"params.yaml: calls.endpoints.{name}.key", params.key)
        self.library = Library(
            params.base_url,
            self.key,
            timeout_s=params.timeout_s,
            at_once=params.concurrency,
            azure_version=params.api_version,
        )
        clock = asyncio.get_running_loop().time
        self.clock = clock
        self.gate = Gate(params.concurrency, clock)
        self.pacer = Pacer(params.requests_per_minute, params.tokens_per_minute, clock)
        self.till = Till(params.price, purse, log, self.key)
        self.takes_schema: bool | None = None
        self.answered = self.unanswered_in_a_row = self.refused = 0
        self.stopping = False
        self.sent: set[asyncio.Task[Any] | None] = set()

    async def ask(self, request: Request) -> Reply | Failure:
        """The reply, in the log by then; or why there is none. Raises EndpointError where no call can succeed."""
        while not self.claims.claim(request.key):  # another process asks it: its reply will do
            await asyncio.sleep(SOMEBODY_ELSE)
        try:
            return self.log.get(request.key) or await self._until_answered(request)
        finally:
            self.claims.release(request.key)

    async def _until_answered(self, request: Request) -> Reply | Failure:
        tries, deadline, plain, last = 0, None, False, None
        while True:
            tries += 1
            try:
                reply = await self._once(request, deadline, plain)
            except CallError as trouble:
                last = last if last and trouble.outcome == "too_late" else trouble
                if deadline is None:
                    deadline = self.clock() + self.params.deadline_s
                if trouble.outcome == "bad_request" and self._with_schema(request, plain) and not self.takes_schema:
                    plain = True  # not every endpoint takes a schema
                    continue
                wait = self._after(request, trouble, tries)
                if wait is None or self.stopping or self.clock() + wait > deadline:
                    return self._give_up(last, tries)
                await asyncio.sleep(wait)
            else:
                if request.schema and self.takes_schema is None:
                    self.takes_schema = not plain
                self.answered += 1
                self.unanswered_in_a_row = 0
                return reply

    def _with_schema(self, request: Request, plain: bool) -> bool:
        return bool(request.schema) and not plain and self.takes_schema is not False

    @property
    def proven(self) -> bool:
        """Whether it has ever answered."""
        return bool(self.answered) or self.name in self.log.llms

    def _after(self, request: Request, trouble: CallError, tries: int) -> float | None:
        """Seconds until the next try (full jitter), None for no more. Raises EndpointError where it is no use."""
        self.refused += trouble.outcome == "bad_request"
        misunderstood = trouble.outcome == "bad_request" and not self.proven and self.refused >= REFUSED_FIRST
        if trouble.fatal or misunderstood:
            raise EndpointError(self.stop_line(request, trouble.outcome, shown(trouble, self.key)))
        if trouble.after is not None and trouble.choked:
            if trouble.after > self.params.deadline_s:
                said = f"{shown(trouble, self.key)}; it asks to wait {trouble.after:,.0f} s"
                raise EndpointError(f"{self._where()}: {said}; run dvc repro then: answers are kept")
            if trouble.after > WORTH_SAYING:
                sys.stderr.write(f"{self.name}: {trouble.outcome}: waiting {trouble.after:.0f} s, as it asks\n")
            self.pacer.pause(trouble.after)
        if not trouble.again or (tries >= MOST_TRIES and not trouble.choked):
            return None
        return backoff(tries, trouble.after)

    def _give_up(self, trouble: CallError, tries: int) -> Failure:
        self.unanswered_in_a_row += 1
        failure = Failure(trouble.outcome, shown(trouble, self.key), tries)
        nobody = trouble.outcome in UNREACHABLE or not self.proven
        if self.unanswered_in_a_row >= MOST_IN_A_ROW and trouble.again and nobody and not self.stopping:
            said = f"{self.unanswered_in_a_row} requests in a row got no answer, the last: {failure}"
            raise EndpointError(f"{self._where()}: {said}; see to the endpoint, then run dvc repro: answers are kept")
        return failure

    def _where(self) -> str:
        return f"params.yaml: calls.endpoints.{self.name}"

    def stop_line(self, request: Request, outcome: str, said: str) -> str:
        """What the user is told where no call can succeed."""
        todo = {
            "wrong_key": f"the endpoint does not take the key in {self.params.key}; set the right one",
            "unknown_model": f"nothing is there; mend base_url, or llms.{self.name}.model ({request.model})",
            "redirected": "it sends us elsewhere, and the key does not go there; write that address as base_url",
            "no_quota": "the account has no money left; see to it, then run dvc repro: answers are kept",
        }
        return (
            f"{self._where()}: {outcome}: {said}; {todo.get(outcome, f'mend llms.{self.name}, or take another api')}"
        )

    async def _once(self, request: Request, deadline: float | None, plain: bool) -> Reply:
        """One call. Raises CallError, EndpointError where there is no money for it."""
        await self.gate.enter()
        try:
            dearest, paid = await self.till.reserve(request), 0.0
            try:
                tokens = self.till.tokens(request)
                taken = await self.pacer.admit(tokens)
                task = asyncio.current_task()
                self.sent.add(task)
                try:
                    answer, spoken = await self._call(request, self._left(deadline), plain)
                    reply = self.till.keep(request, answer)
                    paid = reply.cost
                    self.pacer.settle(taken, reply.prompt_tokens + reply.completion_tokens)
                except CallError as trouble:
                    paid = self.till.paid_for_nothing(request, trouble)
                    self.pacer.settle(taken, 0 if trouble.outcome in NOT_TAKEN else tokens)
                    if trouble.choked:
                        self.gate.was_too_much()
                    raise
                finally:
                    self.sent.discard(task)
                self._read_limits(spoken)
                self.gate.went_well()
                return reply
            finally:
                self.purse.settle(dearest, paid)
        finally:
            self.gate.leave()

    def _left(self, deadline: float | None) -> float:
        """Seconds that a call has now. Raises CallError where they are too few: it would be paid for nothing."""
        if deadline is None:
            return self.params.timeout_s
        left = min(self.params.timeout_s, deadline - self.clock())
        if left < min(1.0, self.params.timeout_s / 4) or self.stopping:
            raise CallError("too_late", "no time is left for another try", again=False)
        return left

    async def _call(self, request: Request, left: float, plain: bool) -> tuple[Answer, Mapping[str, str]]:
        """Answer and headers. Raises CallError."""
        body = body_of(request, self.params.api, self._with_schema(request, plain))
        try:
            heard = await self.library.send("/chat/completions", body, left)
        except CallError as trouble:
            self._read_limits(trouble.headers)
            raise
        return read_answer(heard.content), heard.headers

    def _read_limits(self, headers: Mapping[str, str]) -> None:
        """What the endpoint says of its limits; where nothing is left, we wait until there is again."""
        allowed: list[float | None] = []
        for kind in ("requests", "tokens"):
            allowed.append(_number(headers.get(f"x-ratelimit-limit-{kind}", "")))
            reset = seconds_of(headers.get(f"x-ratelimit-reset-{kind}", ""))
            if headers.get(f"x-ratelimit-remaining-{kind}") == "0" and reset:
                self.pacer.pause(min(reset, EMPTY_WAIT))
        self.pacer.learn_limits(*allowed)

    async def close(self) -> None:
        """Let go of the connections."""
        await self.library.close()


def _number(text: str) -> float | None:
    try:
        found = float(text)
    except ValueError:
        return None
    return found if 1 <= found < 1e12 else None
