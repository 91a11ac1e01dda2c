"""Chat and text completions: checked, counted against the limits, answered or spoilt."""

import math
import time
import traceback

import msgspec

from tests.llm_server import faults
from tests.llm_server.config import CALL_FAULTS, ROW_FAULTS, Answer, Body, Config
from tests.llm_server.limits import duration
from tests.llm_server.state import State
from tests.llm_server.wire import Reply, error

_DECODER = msgspec.json.Decoder()
_ENCODER = msgspec.json.Encoder()


class Call(msgspec.Struct):
    """A request that may be answered, and how large it is."""

    body: Body
    chat: bool
    model: str
    prompts: list[str]
    """Of a text completion: one choice each."""
    prompt_tokens: int


def reply(state: State, raw: bytes, chat: bool, deployment: str | None = None) -> Reply:
    """The reply to a call over HTTP."""
    config = state.config
    call = understood(config, raw, chat, deployment)
    if isinstance(call, Reply):
        return call
    key = faults.key_of(raw)
    nth = state.asked.get(key, 0)
    fault = faults.pick(config, key, nth, CALL_FAULTS)
    found = faults.turned_away(fault)
    if found is not None:
        state.try_begins(key, nth, fault)
        return found
    now = time.monotonic()
    over = over_limit(state, call, call.prompt_tokens, now)
    if over is not None:
        return over
    found, tokens = faults.broken(fault), call.prompt_tokens
    if found is None:
        body, tokens = completion(state, call, key, fault)
        over = over_limit(state, call, tokens, now)
        if over is not None:
            return over
        found = Reply(200, body, socket=fault if fault == "truncated_body" else "")
        found.answers = key if fault in ("", "slow") else None
    state.try_begins(key, nth, fault)
    state.accept(now, tokens)
    found.headers += state.window.headers(now, config.rpm, config.tpm)
    found.delay = faults.latency(config, key, nth) + (faults.SLOW_SECONDS if fault == "slow" else 0.0)
    found.call = True
    return found


def row(state: State, raw: bytes, chat: bool) -> tuple[int, bytes]:
    """The status and body of a batch's row; limits do not hold there, and of the faults only some make sense."""
    call = understood(state.config, raw, chat, None)
    if isinstance(call, Reply):
        return call.status, call.body
    key = faults.key_of(raw)
    nth = state.asked.get(key, 0)
    fault = faults.pick(state.config, key, nth, ROW_FAULTS)
    state.try_begins(key, nth, fault)
    if fault == "batch_row_error":
        return 500, error(500, "The server had an error while processing this row.", kind="server_error").body
    try:
        body, _ = completion(state, call, key, fault)
    except Exception:
        return 500, error(500, f"this server failed, not its model: {traceback.format_exc()}", "server_failed").body
    if not fault:
        state.was_answered(key)
    return 200, body


def understood(config: Config, raw: bytes, chat: bool, deployment: str | None) -> Call | Reply:
    """The call, or the error of one that no try would answer."""
    try:
        body = _DECODER.decode(raw)
        model = deployment or body["model"]
        prompts = [] if chat else texts(body["prompt"])
        characters = sum(len(said) for said in (contents(body) if chat else prompts))
    except (ValueError, KeyError, TypeError, AttributeError) as wrong:
        return error(400, f"We could not understand the JSON body of your request: {type(wrong).__name__}: {wrong}")
    if config.models and model not in config.models:
        said = f"The model `{model}` does not exist or you do not have access to it."
        return error(404, said, "model_not_found", param="model")
    if config.no_structured and "response_format" in body:
        said = "Invalid parameter: 'response_format' is not supported with this model."
        return error(400, said, param="response_format")
    for name, only in (("n", 1), ("stream", False)):
        if body.get(name, only) not in (only, None):
            return error(400, f"Invalid value for '{name}': only {only} is supported.", param=name)
    return Call(body, chat, model, prompts, math.ceil(characters / 4))


def contents(body: Body) -> list[str]:
    """The texts of the messages."""
    found = []
    for said in body["messages"]:
        content = said.get("content") or ""
        found += [content] if isinstance(content, str) else [part.get("text", "") for part in content]
    return found


def texts(prompt: object) -> list[str]:
    """The prompts of a text completion."""
    if isinstance(prompt, str):
        return [prompt]
    if isinstance(prompt, list) and all(isinstance(text, str) for text in prompt):
        return prompt
    raise TypeError("prompt must be a string or a list of strings")


def over_limit(state: State, call: Call, tokens: int, now: float) -> Reply | None:
    """A 429 where a call of so many tokens does not fit into the last minute."""
    config, window = state.config, state.window
    wait = window.wait(now, tokens, config.rpm, config.tpm)
    if wait <= 0:
        return None
    headers = window.headers(now, config.rpm, config.tpm)
    if math.isinf(wait):
        said = f"Request too large for {call.model} on tokens per min (TPM): Limit {config.tpm}, Requested {tokens}."
        return error(429, said, "rate_limit_exceeded", kind="tokens", headers=headers)
    kind = "requests" if config.rpm is not None and window.requests >= config.rpm else "tokens"
    said = f"Rate limit reached for {call.model} on {kind} per min. Please try again in {duration(wait)}."
    headers += f"retry-after: {math.ceil(wait * 1000) / 1000}\r\n".encode()
    return error(429, said, "rate_limit_exceeded", kind=kind, headers=headers)


def completion(state: State, call: Call, key: int, fault: str) -> tuple[bytes, int]:
    """A completion's JSON, and all tokens of the call."""
    asked = [call.body] if call.chat else [{**call.body, "prompt": prompt} for prompt in call.prompts]
    choices: list[Body] = []
    completion_tokens = 0
    for body in asked:
        said = state.answer(body)
        answer = faults.spoil(Answer(said) if isinstance(said, str) else said, fault, key)
        completion_tokens += math.ceil(len(answer.content or "") / 4)
        choices.append(choice(len(choices), answer, call))
    tokens = call.prompt_tokens + completion_tokens
    usage = {"prompt_tokens": call.prompt_tokens, "completion_tokens": completion_tokens, "total_tokens": tokens}
    found = {
        "id": f"{'chatcmpl' if call.chat else 'cmpl'}-{state.stats.accepted + 1}",
        "object": "chat.completion" if call.chat else "text_completion",
        "created": int(time.time()),
        "model": call.model,
        "choices": [] if fault == "empty_choices" else choices,
        "usage": usage,
    }
    return _ENCODER.encode(found), tokens


def choice(index: int, answer: Answer, call: Call) -> Body:
    """One choice, in the shape of its endpoint."""
    found: Body = {"index": index, "finish_reason": answer.finish_reason, "logprobs": None}
    if call.chat:
        return {**found, "message": {"role": "assistant", "content": answer.content, "refusal": answer.refusal}}
    if call.body.get("logprobs") is not None and answer.token_logprobs is not None:
        found["logprobs"] = {"tokens": answer.tokens, "token_logprobs": answer.token_logprobs}
    return {**found, "text": answer.content or ""}
