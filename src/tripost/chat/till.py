"""What the calls of one endpoint cost: reserved before, believed within reason, written down after."""

import asyncio

from tripost.chat.money import Purse, cost
from tripost.chat.outcomes import Answer, CallError, Usage
from tripost.chat.pacing import Estimate
from tripost.chat.reply_log import ReplyLog
from tripost.chat.request import Reply, Request, reply_of
from tripost.credentials import without
from tripost.errors import EndpointError
from tripost.params_llm import PriceParams

MONEY_WAIT = 0.05
FINISHES = ("stop", "length", "content_filter", "tool_calls", "function_call")


class Till:
    """`purse` and `log` are those of all endpoints; `key` is in nothing that is written down."""

    def __init__(self, price: PriceParams, purse: Purse, log: ReplyLog, key: str) -> None:
        self.price, self.purse, self.log, self.key = price, purse, log, key
        self.estimates: dict[tuple[str, str], Estimate] = {}

    def tokens(self, request: Request) -> float:
        """That the call is likely to take."""
        estimate = self._estimate(request)
        return estimate.prompt(request.characters) + estimate.completion(request.max_tokens)

    async def reserve(self, request: Request) -> float:
        """Money for the call; calls under way may turn out cheaper. Raises EndpointError where there is none."""
        dearest = self.dearest(request)
        while not self.purse.reserve(dearest):
            if not self.purse.reserved:
                raise EndpointError(out_of_money(self.purse, dearest))
            await asyncio.sleep(MONEY_WAIT)
        return dearest

    def dearest(self, request: Request, share: float = 1.0) -> float:
        """What a call may cost at most; `share` of the price."""
        return cost(self.price, request.most_prompt_tokens, request.max_tokens, share)

    def keep(self, request: Request, answer: Answer, share: float = 1.0) -> Reply:
        """The reply, in the log; `share` of the price was paid for it."""
        estimate = self._estimate(request)
        counted = self._believed(request, answer.usage) if answer.usage else (0, 0)
        if not any(counted):
            counted = (round(estimate.prompt(request.characters)), max(1, round(len(answer.text) / 3)))
        paid = cost(self.price, *counted, share)
        estimate.learn(request.characters, *counted)
        text, refusal = (without(text, self.key) for text in (answer.text, answer.refusal))
        finish = answer.finish if answer.finish in FINISHES else "other"
        reply = reply_of(request, text, finish, refusal, counted, paid)
        self.log.append(reply)
        return reply

    def _believed(self, request: Request, usage: Usage) -> tuple[int, int]:
        """What can be true: no less than nothing, no more than a token a byte, and what we allowed it to write."""
        return (
            min(max(usage.prompt_tokens, 0), request.most_prompt_tokens),
            min(max(usage.completion_tokens, 0), request.max_tokens),
        )

    def _estimate(self, request: Request) -> Estimate:
        return self.estimates.setdefault((request.task, request.purpose), Estimate())

    def paid_for_nothing(self, request: Request, trouble: CallError) -> float:
        """What a call without a reply has cost: as its usage says; where it was cut off, nobody knows."""
        if trouble.usage is not None:
            return self.charge(request, trouble)
        if trouble.outcome in ("timeout", "truncated_body"):
            estimate = self._estimate(request)
            prompt = estimate.prompt(request.characters)
            self.purse.presume(cost(self.price, prompt, estimate.completion(request.max_tokens)))
        return 0.0

    def charge(self, request: Request, trouble: CallError, share: float = 1.0) -> float:
        """What a call with a usage and no answer has cost; the log has it."""
        assert trouble.usage is not None
        paid = cost(self.price, *self._believed(request, trouble.usage), share)
        self.log.charge(request, trouble.outcome, paid)
        return paid


def out_of_money(purse: Purse, next_call: float = 0.0) -> str:
    """The line that ends a stage whose next call could pass `max_cost`."""
    needs = f"; a call may cost {next_call:.4f}" if next_call else ""
    held = f"{purse.spent:.4f} of {purse.most} are spent" + (
        f", {purse.reserved:.4f} reserved" * (purse.reserved > 0)
    )
    return f"params.yaml: calls.max_cost: {held}{needs}; raise it, run dvc repro: answers are kept (tripost replies)"
