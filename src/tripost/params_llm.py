"""The part of the params about LLMs behind an API: what they are asked as, and how; `params.py` has the whole."""

from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, model_validator

from tripost.params_source import Section


def _printable(text: str) -> str:
    if not text.isprintable():
        raise ValueError("holds what cannot be printed; write it anew")
    return text


Temperature = Annotated[float, Field(ge=0, le=2)] | None
MaxTokens = Annotated[int, Field(ge=1, le=1_000_000)]
Limit = Annotated[int, Field(ge=1, le=10**12)] | None
Seconds = Annotated[float, Field(gt=0, le=86_400)]
Money = Annotated[float, Field(ge=0, le=10**9)]
Word = Annotated[str, Field(min_length=1, max_length=400), AfterValidator(_printable)]
LlmName = Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9_-]{0,59}$")]
OURS = ("script", "grader")
"""Experts that are no LLM: none may be called so."""


def is_address(text: str) -> bool:
    """Whether it is an http(s) address with a host, and a port that there is."""
    try:
        parts = urlsplit(text)
        fine = parts.scheme in ("http", "https") and bool(parts.hostname) and (parts.port is None or parts.port > 0)
    except ValueError:
        return False
    return fine and text.isprintable() and " " not in text


class Temperatures(Section):
    """Of each role; null leaves it to the endpoint (some models take none)."""

    feedback: Temperature
    improve: Temperature


class MaxTokensOf(Section):
    """Of each role's reply."""

    feedback: MaxTokens
    improve: MaxTokens


class LlmParams(Section):
    """An LLM as an expert: all that shapes what it answers.

    `prompts`: a registered prompt set or a folder of this repository, null for ours. `structured`: FBK answers in a
    JSON schema where the endpoint takes one. `tries`: replies asked for at one place until one can be used.
    """

    model: Word
    prompts: Word | None
    temperature: Temperatures
    max_tokens: MaxTokensOf
    structured: bool
    tries: Annotated[int, Field(ge=1, le=10)]


class PriceParams(Section):
    """Money for a million tokens, in the currency that `max_cost` is in."""

    input: Money
    output: Money


class EndpointParams(Section):
    """Where an LLM is and how it may be called. Changes no result, so it repeats nothing.

    `key`: the environment variable that holds the API key, null for none. `api`: `openai` and `azure` take
    `max_completion_tokens`, `compatible` servers (vLLM, SGLang, transformers serve) `max_tokens`.
    """

    base_url: Word
    api: Literal["openai", "azure", "compatible"]
    api_version: Word | None
    key: Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]{0,99}$")] | None
    concurrency: Annotated[int, Field(ge=1, le=10_000)]
    requests_per_minute: Limit
    tokens_per_minute: Limit
    timeout_s: Seconds
    deadline_s: Seconds
    price: PriceParams

    @model_validator(mode="after")
    def _is_an_address(self) -> "EndpointParams":
        if not is_address(self.base_url):
            raise ValueError(f"base_url: {self.base_url[:80]!r} is no address; write https://host/v1")
        if (self.api == "azure") != (self.api_version is not None):
            raise ValueError("api_version: azure needs one, and nobody else takes it; set it, or null")
        if self.deadline_s < self.timeout_s:
            raise ValueError("deadline_s: shorter than timeout_s, which it includes; make it longer")
        return self


class CallsParams(Section):
    """How LLMs are called. `max_cost`: what the reply log's replies may cost in all; null for no limit.

    `max_failed_share`: of a stage's rows that were to be answered and were not. `batch`: through the Batch API, at
    half the price. `traces`: calls of an iteration that MLflow shows.
    """

    max_cost: Money | None
    max_failed_share: Annotated[float, Field(ge=0, le=1)]
    batch: bool
    traces: Annotated[int, Field(ge=0, le=100)]
    endpoints: dict[LlmName, EndpointParams]


def llm_flaws(llms: dict[str, LlmParams], calls: CallsParams) -> list[str]:
    """What does not fit together between the two sections."""
    found = [f"llms.{name}: {name} is an expert of ours; call the LLM otherwise" for name in llms if name in OURS]
    for name in llms.keys() - calls.endpoints.keys():
        found.append(f"calls.endpoints: nobody says where {name} is; add {name}")
    return sorted(found)
