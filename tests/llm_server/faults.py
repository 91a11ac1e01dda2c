"""Which fault befalls which try, and what each one looks like."""

from collections.abc import Set as AbstractSet
from hashlib import sha256

from tests.llm_server.config import Answer, Config
from tests.llm_server.wire import Reply, error

SLOW_SECONDS = 2.0
NOT_THE_SCHEMA = ('{"unexpected": true}', "Sure! Here is what you asked for.")


def key_of(raw: bytes) -> int:
    """A body's name: 64 bits of its SHA-256."""
    return int.from_bytes(sha256(raw).digest()[:8])


def draw(seed: int, key: int, nth: int, what: str) -> float:
    """A number in [0, 1) that only these decide."""
    return int.from_bytes(sha256(f"{seed}/{key}/{nth}/{what}".encode()).digest()[:6]) / 2**48


def pick(config: Config, key: int, nth: int, kinds: AbstractSet[str]) -> str:
    """The fault of the nth try of this body, empty for none: a retry may fare better, the same way each time."""
    shares = config.faults
    if not shares or (config.fault_first_tries is not None and nth >= config.fault_first_tries):
        return ""
    at = draw(config.seed, key, nth, "fault")
    for kind in sorted(shares.keys() & kinds):
        if at < shares[kind]:
            return kind
        at -= shares[kind]
    return ""


def latency(config: Config, key: int, nth: int) -> float:
    """Seconds until the answer."""
    jitter = config.latency_jitter_ms
    return (config.latency_ms + (jitter * draw(config.seed, key, nth, "latency") if jitter else 0.0)) / 1000


def spoil(answer: Answer, fault: str, key: int) -> Answer:
    """The answer with what this fault does to its words; not_the_schema is other JSON, or none, by the body."""
    if fault == "length":
        content = answer.content or ""
        return Answer(content[: len(content) // 2], "length")
    if fault == "content_filter":
        return Answer("", "content_filter")
    if fault == "refusal":
        return Answer(None, refusal="I'm sorry, but I can't help with that.")
    if fault == "not_the_schema":
        return Answer(NOT_THE_SCHEMA[key & 1])
    if fault == "null_content":
        return Answer(None)
    return answer


def turned_away(fault: str) -> Reply | None:
    """The reply of a fault that is a refusal at the door: such a call is not accepted."""
    if fault == "429":
        said = "Rate limit reached. Please try again in 50ms."
        return error(429, said, "rate_limit_exceeded", kind="requests", headers=b"retry-after: 0.05\r\n")
    if fault == "quota":
        said = "You exceeded your current quota, please check your plan and billing details."
        return error(429, said, "insufficient_quota", kind="insufficient_quota")
    return None


def broken(fault: str) -> Reply | None:
    """The reply of a fault that leaves nothing of the answer."""
    if fault == "500":
        return error(
            500, "The server had an error while processing your request. Sorry about that!", kind="server_error"
        )
    if fault == "503":
        return error(503, "The engine is currently overloaded, please try again later.", kind="service_unavailable")
    if fault in ("timeout", "reset"):
        return Reply(0, b"", socket=fault)
    if fault == "invalid_json":
        return Reply(200, b'{"id": "chatcmpl-0", "choices": [{"message": {"content": "The ans')
    if fault == "html":
        page = b"<!doctype html><html><body><h1>Down for maintenance</h1></body></html>"
        return Reply(200, page, content_type="text/html")
    return None
