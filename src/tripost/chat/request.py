"""What is asked, what came back, and by which key an answer is known again."""

from hashlib import blake2b
from typing import Any, Literal

import msgspec

from tripost.records import Record

Role = Literal["feedback", "improve"]


class Message(Record, frozen=True):
    """One message of a chat."""

    role: Literal["system", "user", "assistant"]
    content: str


class Request(Record, frozen=True, kw_only=True):
    """One call. `llm` (whose endpoint), `task` and `purpose` say what it is for and are no part of its key.

    `schema`: the JSON schema of the answer as text, "" for none. `sample`: which of several draws this is.
    """

    llm: str
    task: str
    purpose: Role
    model: str
    messages: tuple[Message, ...]
    temperature: float | None
    max_tokens: int
    schema: str
    sample: int

    @property
    def key(self) -> str:
        """The hash of everything that the answer depends on."""
        whole = (self.model, self.messages, self.temperature, self.max_tokens, self.schema, self.sample)
        return blake2b(msgspec.json.encode(whole), digest_size=16).hexdigest()

    @property
    def characters(self) -> int:
        """Of all messages: what the estimate of its tokens is made from."""
        return sum(len(message.content) + 8 for message in self.messages) + len(self.schema)

    @property
    def most_prompt_tokens(self) -> int:
        """No tokenizer makes more of it than a token a byte; and what a chat template adds."""
        return sum(len(m.content.encode(errors="replace")) + 32 for m in self.messages) + len(self.schema) + 256


class Reply(Record, frozen=True, kw_only=True):
    """A line of the reply log: what was asked (the system message by its sha256), and the answer as it came.

    `finish`: the endpoint's word for why it ended (`stop`, `length`, `content_filter`). `cost`: what was paid for it.
    `refusal`: the model's words where it refused.
    """

    schema_version: Literal[1] = 1
    key: str
    llm: str
    model: str
    task: str
    purpose: Role
    sample: int
    system: str
    asked: tuple[Message, ...]
    text: str
    finish: str
    refusal: str
    prompt_tokens: int
    completion_tokens: int
    cost: float

    @property
    def outcome(self) -> str:
        """`answered`, or why the words cannot be used: `length`, `content_filter`, `refusal`, `empty`."""
        if self.finish in ("length", "content_filter"):
            return self.finish
        if self.refusal:
            return "refusal"
        return "answered" if self.text.strip() else "empty"


class Failure(msgspec.Struct, frozen=True):
    """No answer came: `outcome` is a word for why, `tries` how often it was asked. Asked anew on the next run."""

    outcome: str
    detail: str
    tries: int

    def __str__(self) -> str:
        return f"{self.outcome} after {self.tries} {'try' if self.tries == 1 else 'tries'}: {self.detail}"


def body_of(request: Request, api: str, with_schema: bool) -> dict[str, Any]:
    """What is sent. `api`: `compatible` servers take `max_tokens`, the others `max_completion_tokens`."""
    body: dict[str, Any] = {
        "model": request.model,
        "messages": [{"role": message.role, "content": message.content} for message in request.messages],
        "max_tokens" if api == "compatible" else "max_completion_tokens": request.max_tokens,
    }
    if request.temperature is not None:
        body["temperature"] = request.temperature
    if request.schema and with_schema:
        schema = {"name": request.purpose, "strict": True, "schema": msgspec.json.decode(request.schema)}
        body["response_format"] = {"type": "json_schema", "json_schema": schema}
    return body


def reply_of(request: Request, text: str, finish: str, refusal: str, tokens: tuple[int, int], cost: float) -> Reply:
    """The line of the log for a request; `tokens`: of the prompt and of the completion."""
    has_system = bool(request.messages) and request.messages[0].role == "system"
    system = request.messages[0].content if has_system else ""
    return Reply(
        key=request.key,
        llm=request.llm,
        model=request.model,
        task=request.task,
        purpose=request.purpose,
        sample=request.sample,
        system=blake2b(system.encode(), digest_size=16).hexdigest() if has_system else "",
        asked=request.messages[-1:],
        text=text,
        finish=finish,
        refusal=refusal,
        prompt_tokens=tokens[0],
        completion_tokens=tokens[1],
        cost=cost,
    )
