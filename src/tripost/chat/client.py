"""One endpoint: a request is tried until it is answered or its time is over.

Lives in the thread of its event loop (`asker.py`). Retries are ours, not the library's, so that each is paced,
counted and named.
"""

import asyncio
from collections.abc import Mapping
from typing import Any

from tripost.chat.library import Library, api_key
from tripost.chat.money import Purse, cost
from tripost.chat.outcomes import Answer, CallError, read_answer, seconds_of
from tripost.chat.pacing import Estimate, Gate, Pacer, backoff
from tripost.chat.reply_log import ReplyLog
from tripost.chat.request import Failure, Reply, Request, body_of, reply_of
from tripost.credentials import masked, without
from tripost.errors import EndpointError
from tripost.params_llm import EndpointParams

MOST_TRIES = 8
"""Of a call that fails in ways that waiting need not mend; one that is only too early has its deadline."""
EMPTY_WAIT = 1.0
"""Seconds at most that nothing is sent where the endpoint says that nothing is left: it fills up all the time."""
MONEY_WAIT = 0.05
MOST_IN_A_ROW = 20
"""Requests that end without an answer, one after the other: then nobody is there."""


class Endpoint:
    """Asks, paced and counted. `purse` and `log` are those of all endpoints."""

    def __init__(self, name: str, params: EndpointParams, purse: Purse, log: ReplyLog) -> None:
        self.name, self.params, self.purse, self.log = name, params, purse, log
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
        self.estimates: dict[tuple[str, str], Estimate] = {}
        self.takes_schema: bool | None = None
        self.answered = self.unanswered_in_a_row = 0
        self.sent: set[asyncio.Task[Any] | None] = set()

    async def ask(self, request: Request) -> Reply | Failure:
        """The reply, in the log by then; or why there is none. Raises EndpointError where no call can succeed."""
        tries, deadline = 0, None
        while True:
            tries += 1
            try:
                reply = await self._once(request, deadline)
            except CallError as trouble:
                if deadline is None:
                    deadline = self.clock() + self.params.deadline_s
                wait = self._after(request, trouble, tries)
                if wait is None or self.clock() + wait > deadline:
                    return self._give_up(trouble, tries)
                await asyncio.sleep(wait)
            else:
                self.answered += 1
                self.unanswered_in_a_row = 0
                return reply

    def _after(self, request: Request, trouble: CallError, tries: int) -> float | None:
        """Seconds until the next try (full jitter), None for no more."""
        hidden = masked(trouble.detail, (self.key,))
        if trouble.fatal:
            raise EndpointError(self.stop_line(request, trouble.outcome, hidden))
        if trouble.outcome == "bad_request" and not self.answered:
            raise EndpointError(self.stop_line(request, "bad_request", hidden))
        if not trouble.again or (tries >= MOST_TRIES and not trouble.choked):
            return None
        if trouble.after is not None and trouble.choked:
            self.pacer.pause(trouble.after)
        return backoff(tries, trouble.after)

    def _give_up(self, trouble: CallError, tries: int) -> Failure:
        self.unanswered_in_a_row += 1
        failure = Failure(trouble.outcome, masked(trouble.detail, (self.key,)), tries)
        if self.unanswered_in_a_row >= MOST_IN_A_ROW and trouble.again:
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

    async def _once(self, request: Request, deadline: float | None) -> Reply:
        """One call. Raises CallError, EndpointError where there is no money for it."""
        await self.gate.enter()
        try:
            estimate = self._estimate(request)
            tokens = estimate.prompt(request.characters) + estimate.completion(request.max_tokens)
            taken = await self.pacer.admit(tokens)
            dearest = await self._reserved(request)
            used, paid = 0, 0.0
            task = asyncio.current_task()
            self.sent.add(task)
            try:
                answer, spoken = await self._post(request, deadline)
                reply = self.keep(request, answer)
                used, paid = reply.prompt_tokens + reply.completion_tokens, reply.cost
                self._read_limits(spoken)
                self.gate.went_well()
                return reply
            except CallError as trouble:
                if trouble.choked:
                    self.gate.was_too_much()
                used = round(tokens) if trouble.outcome not in ("rate_limited", "reset") else 0
                raise
            finally:
                self.sent.discard(task)
                self.purse.settle(dearest, paid)
                self.pacer.settle(taken, used)
        finally:
            self.gate.leave()

    async def _reserved(self, request: Request) -> float:
        """Money for the call; calls under way may turn out cheaper. Raises EndpointError where there is none."""
        dearest = self.dearest(request)
        while not self.purse.reserve(dearest):
            if not self.sent:
                raise EndpointError(out_of_money(self.purse))
            await asyncio.sleep(MONEY_WAIT)
        return dearest

    def dearest(self, request: Request, share: float = 1.0) -> float:
        """What a call may cost at most; `share` of the price."""
        prompt = self._estimate(request).prompt(request.characters)
        return cost(self.params.price, 1.5 * prompt + 50, request.max_tokens, share)

    def keep(self, request: Request, answer: Answer, share: float = 1.0) -> Reply:
        """The reply, in the log; `share` of the price was paid for it."""
        estimate, usage = self._estimate(request), answer.usage
        counted = (usage.prompt_tokens, usage.completion_tokens) if usage else (0, 0)
        if not any(counted):
            counted = (round(estimate.prompt(request.characters)), max(1, round(len(answer.text) / 3)))
        paid = cost(self.params.price, *counted, share)
        estimate.learn(request.characters, *counted)
        text, refusal = (without(text, self.key) for text in (answer.text, answer.refusal))
        reply = reply_of(request, text, answer.finish, refusal, counted, paid)
        self.log.append(reply)
        return reply

    def _estimate(self, request: Request) -> Estimate:
        return self.estimates.setdefault((request.task, request.purpose), Estimate())

    async def _post(self, request: Request, deadline: float | None) -> tuple[Answer, Mapping[str, str]]:
        """Answer and headers. A 400 to a request with a schema is tried without: not every endpoint takes one."""
        with_schema = bool(request.schema) and self.takes_schema is not False
        try:
            answer = await self._call(request, deadline, with_schema)
        except CallError as trouble:
            if trouble.outcome != "bad_request" or not with_schema or self.takes_schema:
                raise
            answer = await self._call(request, deadline, with_schema=False)
            self.takes_schema = False
            return answer
        if with_schema:
            self.takes_schema = True
        return answer

    async def _call(
        self, request: Request, deadline: float | None, with_schema: bool
    ) -> tuple[Answer, Mapping[str, str]]:
        left = self.params.timeout_s
        if deadline is not None:
            left = max(0.1, min(left, deadline - self.clock()))
        try:
            heard = await self.library.send("/chat/completions", body_of(request, self.params.api, with_schema), left)
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


def out_of_money(purse: Purse) -> str:
    """The line that ends a stage whose next call could pass `max_cost`."""
    held = f"{purse.spent:.4f} of {purse.most} are spent" + (
        f", {purse.reserved:.4f} reserved" * (purse.reserved > 0)
    )
    return f"params.yaml: calls.max_cost: {held}; raise it and run dvc repro: answers are kept (tripost replies)"


def _number(text: str) -> float | None:
    try:
        found = float(text)
    except ValueError:
        return None
    return found if 0 < found < 1e12 else None
