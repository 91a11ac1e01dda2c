"""What an endpoint says to a text completion, read from its body."""

from typing import NamedTuple

import msgspec

from tripost.chat.outcomes import LARGEST_BODY, CallError
from tripost.credentials import without
from tripost.errors import EndpointError, one_line

ENDS = ("stop", "length")


class Said(NamedTuple):
    """A completion as the endpoint gives it. `tokens` and `logprobs` where they were asked for and are given;
    `ids`: the tokens by number, likewise."""

    text: str
    finish: str
    n_tokens: int
    tokens: tuple[str, ...] = ()
    logprobs: tuple[float | None, ...] = ()
    ids: tuple[int, ...] = ()


class _Logprobs(msgspec.Struct):
    tokens: list[str | None] = []
    token_logprobs: list[float | None] = []


class _Choice(msgspec.Struct):
    text: str | None = None
    finish_reason: str | None = None
    logprobs: _Logprobs | None = None
    token_ids: list[int] | None = None


class _Usage(msgspec.Struct):
    completion_tokens: int | None = None


class _Body(msgspec.Struct):
    choices: list[_Choice] = []
    usage: _Usage | None = None


class _Model(msgspec.Struct):
    id: str


class _Models(msgspec.Struct):
    data: list[_Model] = []


def read_said(body: bytes, key: str) -> Said:
    """The completion in the body of a 200. Raises CallError where there is none that is whole."""
    if len(body) > LARGEST_BODY:
        raise CallError("too_large", f"an answer of {len(body)} bytes", again=False)
    try:
        found = msgspec.json.decode(body, type=_Body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise CallError("invalid_json", one_line(str(error))[:200]) from None
    choice = found.choices[0] if found.choices else _Choice()
    if choice.text is None:
        raise CallError("empty_choice", "no text in the answer")
    if choice.finish_reason not in ENDS:
        raise CallError("broken_off", f"a completion that ended with {str(choice.finish_reason)[:60]!r}")
    given = choice.logprobs or _Logprobs()
    return Said(
        text=without(choice.text, key),
        finish=choice.finish_reason,
        n_tokens=(found.usage and found.usage.completion_tokens) or 0,
        tokens=tuple(token or "" for token in given.tokens),
        logprobs=tuple(given.token_logprobs),
        ids=tuple(choice.token_ids or ()),
    )


def read_models(body: bytes) -> list[str]:
    """The names in what /v1/models lists. Raises EndpointError."""
    try:
        return [model.id for model in msgspec.json.decode(body, type=_Models).data]
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        said = f"/models lists no models ({one_line(str(error))[:200]})"
        raise EndpointError(f"params.yaml: serve: {said}; set served_as") from None
