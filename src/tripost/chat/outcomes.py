"""Every way in which a call can end without an answer, by a word; and which of them is worth another try."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

import msgspec

from tripost.credentials import masked, without
from tripost.errors import one_line

LARGEST_BODY = 8_000_000
LONGEST_DETAIL = 4_000
"""Characters that are kept of what an endpoint says of an error; `shown` cuts them for people."""


NO_HEADERS: Mapping[str, str] = MappingProxyType({})


class CallError(Exception):
    """A call that brought no answer. `again`: worth another try; `fatal`: no call can succeed as things are.

    `after`: seconds the endpoint asked for. `choked`: it has too much to do.
    """

    def __init__(
        self,
        outcome: str,
        detail: str,
        *,
        again: bool = True,
        fatal: bool = False,
        after: float | None = None,
        choked: bool = False,
        headers: Mapping[str, str] = NO_HEADERS,
        usage: "Usage | None" = None,
    ) -> None:
        super().__init__(outcome, detail)
        self.outcome, self.detail = outcome, detail
        self.headers, self.usage = headers, usage
        self.again, self.fatal, self.after, self.choked = again and not fatal, fatal, after, choked


def shown(trouble: CallError, key: str) -> str:
    """What the endpoint said, as one line without the key; masked before it is cut, or half a key would stay."""
    return one_line(without(masked(trouble.detail, (key,)), key))[:300]


class Usage(NamedTuple):
    """Tokens, as the endpoint counts them."""

    prompt_tokens: int
    completion_tokens: int


class _Words(msgspec.Struct):
    content: str | None = None
    refusal: str | None = None


class _Choice(msgspec.Struct):
    message: _Words = msgspec.field(default_factory=_Words)
    finish_reason: str | None = None


class _Body(msgspec.Struct):
    choices: msgspec.Raw = msgspec.Raw(b"[]")
    usage: msgspec.Raw = msgspec.Raw(b"null")


class Answer(NamedTuple):
    """What an endpoint answered; of tokens that it did not count, None."""

    text: str
    finish: str
    refusal: str
    usage: Usage | None


_BODY = msgspec.json.Decoder(_Body)


def read_answer(body: bytes) -> Answer:
    """The answer in the body of a 200. Raises CallError where there is none in it, with the usage, if it has one."""
    if len(body) > LARGEST_BODY:
        raise CallError("too_large", f"an answer of {len(body)} bytes", again=False)
    usage = None
    try:
        found = _BODY.decode(body)
        usage = read_usage(bytes(found.usage))
        choices = msgspec.json.decode(found.choices, type=list[_Choice])
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise CallError("invalid_json", one_line(str(error))[:200], usage=usage) from None
    if not choices:
        raise CallError("empty_choice", "no choice in the answer", usage=usage)
    choice = choices[0]
    finish, refusal = choice.finish_reason or "stop", choice.message.refusal or ""
    text = choice.message.content
    if text is None and not refusal and finish not in ("length", "content_filter"):
        raise CallError("empty_choice", "a choice without words", usage=usage)
    return Answer(text or "", finish, refusal, usage)


def read_usage(body: bytes) -> Usage | None:
    """Tokens, if they are there and are numbers; whether they can be true is not asked here."""
    try:
        found = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    if not isinstance(found, dict):
        return None
    prompt, completion = found.get("prompt_tokens"), found.get("completion_tokens")
    return Usage(prompt, completion) if type(prompt) is int and type(completion) is int else None


def refused(status: int, said: str, code: str, headers: Mapping[str, str]) -> CallError:
    """What a status of 300 and above means; `said` and `code` are the endpoint's."""
    detail = f"{status}: {said}"[:LONGEST_DETAIL]
    after = retry_after(headers)
    if status < 400:
        return CallError("redirected", detail, fatal=True)
    if status in (401, 403):
        return CallError("wrong_key", detail, fatal=True)
    if status == 404:
        return CallError("unknown_model", detail, fatal=True)
    if code in ("insufficient_quota", "billing_hard_limit_reached"):
        return CallError("no_quota", detail, fatal=True)
    if status == 429:
        return CallError("rate_limited", detail, after=after, choked=True, headers=headers)
    if status in (408, 409, 425) or status >= 500:
        return CallError("server_error", detail, after=after, choked=status in (502, 503, 504, 529))
    if code in ("content_filter", "content_policy_violation"):
        return CallError("content_filter", detail, again=False)
    too_long = "context" in said and "length" in said  # as vLLM says it
    if code in ("context_length_exceeded", "string_above_max_length") or status == 413 or too_long:
        return CallError("too_long", detail, again=False)
    return CallError("bad_request", detail, again=False)


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds that the endpoint asks to wait; None where it says nothing that can be read."""
    for name, unit in (("retry-after-ms", 1000.0), ("retry-after", 1.0)):
        try:
            seconds = float(headers.get(name, "")) / unit
        except ValueError:
            continue
        if 0 <= seconds <= 86_400:
            return seconds
    return None


def seconds_of(text: str) -> float | None:
    """`6m0s`, `350ms` or `1.5` as seconds; None for anything else."""
    total, number = 0.0, ""
    units = {"h": 3600.0, "m": 60.0, "s": 1.0}
    rest = text.strip().lower().replace("ms", "t")[:40]
    for sign in rest:
        if sign in "0123456789.":
            number += sign
            continue
        unit = 0.001 if sign == "t" else units.get(sign)
        if unit is None or not number or number.count(".") > 1 or number == ".":
            return None
        total, number = total + float(number) * unit, ""
    if number:
        return None if total or number.count(".") > 1 or number == "." else float(number)
    return total if rest else None


def error_of(body: Any) -> tuple[str, str]:
    """Message and code of an error's body, whatever shape it has."""
    found = body.get("error", body) if isinstance(body, Mapping) else body
    if isinstance(found, Mapping):
        code = found.get("code") or found.get("type") or ""
        return str(found.get("message", found.get("detail", "")))[:LONGEST_DETAIL], str(code)[:200]
    return str(found)[:2_000] if found else "", ""
