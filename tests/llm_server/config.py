"""What the server is told to be, what an answer function gives, and what the server counted."""

from collections.abc import Callable
from typing import Any

import msgspec

ANSWERED_FAULTS = frozenset(
    {"empty_choices", "length", "content_filter", "refusal", "not_the_schema", "null_content"}
)  # fmt: skip
"""A well-formed 200 with something wrong in it; a row of a batch may have these, too."""
CALL_FAULTS = ANSWERED_FAULTS | {
    "429", "quota", "500", "503", "timeout", "slow", "reset", "truncated_body", "invalid_json", "html",
}  # fmt: skip
"""What may befall a call over HTTP."""
ROW_FAULTS = ANSWERED_FAULTS | {"batch_row_error"}
BATCH_FAULTS = frozenset({"batch_expired"})

Body = dict[str, Any]


class Answer(msgspec.Struct):
    """What a model says; the tokens go with it only where a text completion asks for `logprobs`."""

    content: str | None = ""
    finish_reason: str = "stop"
    refusal: str | None = None
    tokens: list[str] | None = None
    token_logprobs: list[float | None] | None = None


AnswerFunction = Callable[[Body], str | Answer]


class Config(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """A server's behaviour. Latency is between `latency_ms` and `latency_ms + latency_jitter_ms`."""

    latency_ms: float = 0.0
    latency_jitter_ms: float = 0.0
    rpm: int | None = None
    tpm: int | None = None
    key: str = "sk-test"
    models: list[str] = msgspec.field(default_factory=lambda: ["test-model"])
    """Empty: any."""
    faults: dict[str, float] = msgspec.field(default_factory=dict)
    seed: int = 0
    fault_first_tries: int | None = None
    """Only so many first tries of a body may be faulty; null: every try may."""
    answer: str = "tests.llm_server.answers:fixed"
    no_structured: bool = False
    no_batch: bool = False
    batch_seconds: float = 0.5

    def __post_init__(self) -> None:
        if unknown := self.faults.keys() - CALL_FAULTS - ROW_FAULTS - BATCH_FAULTS:
            raise ValueError(f"no such fault: {', '.join(sorted(unknown))}")
        for kinds in (CALL_FAULTS, ROW_FAULTS, BATCH_FAULTS):
            shares = [share for kind, share in self.faults.items() if kind in kinds]
            if sum(shares) > 1 + 1e-9 or min(shares, default=0) < 0:
                raise ValueError("the shares of the faults must be at least 0 and at most 1 together")
        if min(self.rpm or 1, self.tpm or 1) < 1 or 0 in (self.rpm, self.tpm):
            raise ValueError("rpm and tpm must be at least 1; null: no limit")
        if min(self.latency_ms, self.latency_jitter_ms, self.batch_seconds) < 0:
            raise ValueError("times must be at least 0")


class Stats(msgspec.Struct):
    """What came and what was done with it, since the server began; GET /_stats.

    `accepted` are calls that neither a limit nor a check turned away; `answered` those that got a good answer, sent
    whole. The rows of batches count in the two figures about bodies, as being asked twice costs twice there, too.
    """

    requests: int = 0
    accepted: int = 0
    answered: int = 0
    by_status: dict[int, int] = msgspec.field(default_factory=dict)
    by_fault: dict[str, int] = msgspec.field(default_factory=dict)
    distinct_answered: int = 0
    answered_more_than_once: int = 0
    most_in_60s_requests: int = 0
    most_in_60s_tokens: int = 0
    in_flight: int = 0
    most_in_flight: int = 0
    cpu_seconds: float = 0.0
    rss_mb: float = 0.0
    first_at: float | None = None
    last_at: float | None = None
    bad_keys: int = 0
    batches: int = 0
    batch_rows: int = 0

    @property
    def max_in_flight(self) -> int:
        """Another name of `most_in_flight`."""
        return self.most_in_flight
