"""Calls of LLMs as MLflow traces: what was asked, what came back, tokens and money."""

import os
from collections.abc import Mapping, Sequence
from typing import Any

from tripost.chat.request import Reply
from tripost.credentials import masked

ENVIRONMENT = ("MLFLOW_TRACKING_URI", "MLFLOW_ENABLE_ASYNC_TRACE_LOGGING")
LONGEST = 8_000
"""Characters of a text that a trace shows."""


def log_calls(uri: str, experiment_id: str, tags: Mapping[str, str], t: str, replies: Sequence[Reply]) -> None:
    """One trace a reply, in the experiment at `uri`."""
    if not replies:
        return
    import mlflow
    from mlflow import MlflowClient

    before = {name: os.environ.get(name) for name in ENVIRONMENT}
    os.environ["MLFLOW_ENABLE_ASYNC_TRACE_LOGGING"] = "false"  # an error of the store is to come up here
    mlflow.set_tracking_uri(uri)  # traces go nowhere else; it sets the environment, too
    try:
        client = MlflowClient(tracking_uri=uri)
        for reply in replies:
            _log(client, experiment_id, {**tags, "tripost.iteration": t}, reply)
    finally:
        mlflow.set_tracking_uri(None)  # type: ignore[arg-type]  # unsets it
        for name, value in before.items():
            os.environ.pop(name, None)
            if value is not None:
                os.environ[name] = value


def _log(client: object, experiment_id: str, tags: Mapping[str, str], reply: Reply) -> None:
    from mlflow import MlflowClient
    from mlflow.entities import SpanType

    assert isinstance(client, MlflowClient)
    own = {"tripost.task": reply.task, "tripost.role": reply.purpose, "tripost.outcome": reply.outcome}
    messages = [{"role": message.role, "content": masked(message.content)[:LONGEST]} for message in reply.asked]
    tokens = {"input_tokens": reply.prompt_tokens, "output_tokens": reply.completion_tokens}
    attributes: dict[str, Any] = {
        "mlflow.chat.tokenUsage": {**tokens, "total_tokens": sum(tokens.values())},
        "cost": reply.cost,
        "key": reply.key,
        "sample": reply.sample,
    }
    span = client.start_trace(
        f"{reply.purpose} {reply.task}",
        span_type=SpanType.CHAT_MODEL,
        inputs={"model": reply.model, "system message": reply.system, "messages": messages},
        attributes=attributes,
        tags={**tags, **own},
        experiment_id=experiment_id,
    )
    said = {"text": masked(reply.text)[:LONGEST], "finish": reply.finish, "refusal": masked(reply.refusal)[:LONGEST]}
    client.end_trace(span.trace_id, outputs=said)
