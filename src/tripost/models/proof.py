"""Whether an endpoint serves the checkpoint that it is said to serve.

It continues eight fixed texts greedily and says how likely it held each token; the checkpoint's own forward pass here
says the same of the same tokens. Most probes are far from any task, where models are unsure, so that a few steps of
training show. docs/serving.md has the measurements behind the bound.
"""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from tripost.chat.said import Said
from tripost.errors import EndpointError
from tripost.layout import Layout
from tripost.models.endpoint import EndpointDecoder
from tripost.models.logprobs import logprobs_of
from tripost.prompts import attempt_prompt

PROBES = (
    "What is 3 + 4?",
    "Once upon a time there was",
    "The",
    "1, 2, 3, 5, 8,",
    "Feedback: Step",
    "Zwei Dinge sind unendlich:",
    "(A) red (B) green (C)",
    "Today is",
)
"""The first is asked in the layout's own shape; in a chat, all are."""
TOKENS = 8
TOLERANCE = 0.06
"""Mean absolute difference of log probabilities, in nats. The embedded model and its iterations: at most 0.02 between
bf16 and fp32, at least 0.2 between an iteration and the next."""
LEAST = 8
"""Tokens that must be compared."""
NUMBERED = re.compile(r"token_id:(\d+)")


def prove(decoder: EndpointDecoder, folder: Path, precision: str, layout: Layout, *, needed: bool) -> str:
    """One line about what was found. Raises EndpointError where the endpoint serves something else, and (`needed`)
    where it cannot prove that it does not."""
    ids, said = decoder.probe(probes(layout), TOKENS)
    texts = [(prompt, read_tokens(found, decoder)) for prompt, found in zip(ids, said, strict=True)]
    given = [found.logprobs[: len(tokens)] for found, (_, tokens) in zip(said, texts, strict=True)]
    if not any(number is not None for numbers in given for number in numbers):
        if any(found.logprobs for found in said):
            raise EndpointError(f"params.yaml: serve: {decoder.served} has another tokenizer than {folder}; serve it")
        if needed:
            lacks = "the endpoint gives no logprobs, so it cannot prove that it serves"
            raise EndpointError(f"params.yaml: serve: {lacks} {folder}; let it give them, or set serve.command")
        return f"{decoder.served}: it gives no logprobs, so nothing but its start proves that it serves {folder}"
    ours = logprobs_of(str(folder), precision, [text for text in texts if text[1]])
    theirs = [numbers for numbers in given if numbers]
    differences = [
        abs(mine - its)
        for my_numbers, its_numbers in zip(ours, theirs, strict=True)
        for mine, its in zip(my_numbers, its_numbers, strict=True)
        if its is not None
    ]
    mean = sum(differences) / len(differences)
    found = f"logprobs of {len(differences)} tokens differ by {mean:.4f} on average (at most {TOLERANCE})"
    if len(differences) < LEAST or not mean <= TOLERANCE:
        few = f", too few to tell (at least {LEAST})" if len(differences) < LEAST else ""
        todo = f"serve {folder}, or set serve.command, which the stage starts on it"
        raise EndpointError(f"params.yaml: serve: {decoder.served} is not {folder}: {found}{few}; {todo}")
    return f"{decoder.served} is {folder}: {found}"


def probes(layout: Layout) -> list[str]:
    """The texts to be continued."""
    return [attempt_prompt(text, layout) if layout.chat or k == 0 else text for k, text in enumerate(PROBES)]


def read_tokens(said: Said, decoder: EndpointDecoder) -> list[int]:
    """The tokens of a continuation by number, up to the first that cannot be told."""
    size = len(decoder.tokenizer)
    found: list[int | None] = list(said.ids)
    if not found and all(NUMBERED.fullmatch(token) for token in said.tokens):
        found = [int(token.removeprefix("token_id:")) for token in said.tokens]
    elif not found:
        known = spelled(decoder)
        found = [known.get(token) for token in said.tokens]
    tokens: list[int] = []
    for number in found[: len(said.logprobs)]:
        if number is None or not 0 <= number < size:
            break
        tokens.append(number)
    return tokens


def spelled(decoder: EndpointDecoder) -> Mapping[str, int | None]:
    """Tokens by their spelling: as text, as the vocabulary has them, and with its sign for a space read as one; None
    for several that are spelled alike."""
    known: dict[str, int | None] = {}
    numbers = range(len(decoder.tokenizer))
    written: Sequence[str] = decoder.tokenizer.batch_decode([[number] for number in numbers])
    raw: Sequence[str] = decoder.tokenizer.convert_ids_to_tokens(list(numbers))
    for number, (text, name) in enumerate(zip(written, raw, strict=True)):
        for spelling in {text, name or text, (name or text).replace("▁", " ")}:
            known[spelling] = None if known.get(spelling, number) != number else number
    return known
