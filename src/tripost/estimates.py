"""How many calls, tokens and how much money the LLM experts of a stage are going to take, before they are asked.

Measured where there is something to measure on: calls a row and tokens a call of earlier runs, the attempts that lie
there already. Else assumed, and said so.
"""

from typing import NamedTuple

import msgspec

from tripost.chat.money import cost
from tripost.params_llm import EndpointParams, LlmParams

WRONG_SHARE = 0.5
"""Of attempts, before any was seen."""
CALLS_FOR_WRONG = {"feedback": 1.3, "improve": 1.15}
"""Calls for a wrong attempt: an update may be wrong as well, a reply may have to be asked for again."""
LEFT_OVER = 0.5
"""Of the questions that come to an LLM behind another expert: what that one cannot answer."""
COMPLETION = {"feedback": 70, "improve": 200}
"""Tokens of a reply, before any was seen."""
CHARACTERS_A_TOKEN = 3.6
SECONDS_A_CALL = 2.0


class Seen(NamedTuple):
    """What earlier calls of a task and role took, on average."""

    calls: int
    prompt_tokens: float
    completion_tokens: float


class Forecast(msgspec.Struct, frozen=True):
    """Of one stage, task and role. `known`: calls whose reply stands in the log already; they cost nothing."""

    stage: str
    task: str
    purpose: str
    llm: str
    calls: float
    known: float
    prompt_tokens: float
    completion_tokens: float
    cost: float
    seconds: float
    measured: bool


def forecast(
    stage: str,
    task: str,
    purpose: str,
    name: str,
    llm: LlmParams,
    endpoint: EndpointParams,
    *,
    calls: float,
    known: float,
    seen: Seen | None,
    prompt_characters: int,
    batch: bool,
    measured: bool,
) -> Forecast:
    """Tokens, money and time for the `calls`, of which `known` stand in the log. `seen`: calls of its kind."""
    most = getattr(llm.max_tokens, purpose)
    prompt = seen.prompt_tokens if seen else prompt_characters / CHARACTERS_A_TOKEN
    completion = min(most, seen.completion_tokens if seen else COMPLETION[purpose])
    new = max(0.0, calls - known)
    return Forecast(
        stage=stage,
        task=task,
        purpose=purpose,
        llm=name,
        calls=calls,
        known=min(calls, known),
        prompt_tokens=new * prompt,
        completion_tokens=new * completion,
        cost=cost(endpoint.price, new * prompt, new * completion, 0.5 if batch else 1.0),
        seconds=seconds_for(new, prompt + completion, endpoint),
        measured=measured and seen is not None,
    )


def seconds_for(calls: float, tokens: float, endpoint: EndpointParams, a_call: float = SECONDS_A_CALL) -> float:
    """At the endpoint's limits, or as fast as its concurrency allows."""
    rates = [endpoint.concurrency / a_call]
    if endpoint.requests_per_minute:
        rates.append(endpoint.requests_per_minute / 60)
    if endpoint.tokens_per_minute:
        rates.append(endpoint.tokens_per_minute / 60 / max(1.0, tokens))
    return calls / min(rates)
