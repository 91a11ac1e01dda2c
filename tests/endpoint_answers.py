"""Answer functions of the local server that complete texts: a real checkpoint's, and one that needs none.

The server is a process of its own: which checkpoint, and in what precision, stands in its environment.
"""

import functools
import os
import zlib
from typing import Any

from tests.llm_server.config import Answer, Body

FOLDER, PRECISION = "TRIPOST_TEST_MODEL", "TRIPOST_TEST_PRECISION"


def seeded(body: Body) -> Answer:
    """A text that only prompt, seed and temperature decide, with a stop in it and words behind that; sometimes longer
    than allowed."""
    number = zlib.crc32(f"{body['prompt']} {body.get('seed')} {body['temperature']}".encode())
    if body.get("logprobs") is not None:
        return Answer("x")
    if number % 5 == 0:
        return Answer(f"long {number}", "length")
    return Answer(f"text {number} é\u2028\nFeedback: behind the stop")


def checkpoint(body: Body) -> Answer:
    """What the checkpoint says, drawn as the local decoder draws it."""
    from tripost.interfaces import Sampling

    decoder = _decoder()
    if body.get("logprobs") is not None:
        return _greedily(decoder, body["prompt"], body["max_tokens"])
    sampling = Sampling(body["temperature"], body["max_tokens"], tuple(body["stop"]))
    said = decoder.complete([body["prompt"]], sampling, [body["seed"]])[0]
    return Answer(said.text, "stop" if said.finished else "length")


def _greedily(decoder: Any, prompt: str, most: int) -> Answer:
    """With log probabilities, as vLLM gives them: the end's token counts."""
    import torch

    ids = decoder.tokenizer(prompt)["input_ids"]
    written: list[int] = []
    found: list[float | None] = []
    while len(written) < most and not (written and written[-1] in decoder.ends):
        logits = decoder._logits_alone([*ids, *written])[0].float().detach()
        numbers = torch.log_softmax(logits, -1)
        written.append(int(numbers.argmax()))
        found.append(float(numbers.max()))
    ended = written[-1] in decoder.ends
    text = decoder.tokenizer.decode(written[:-1] if ended else written)
    spelled = [decoder.tokenizer.decode([token]) for token in written]
    return Answer(text, "stop" if ended else "length", tokens=spelled, token_logprobs=found)


@functools.cache
def _decoder() -> Any:
    import torch

    from tripost.models.decoder import TorchDecoder

    torch.set_num_threads(1)
    return TorchDecoder(os.environ[FOLDER], 8, os.environ.get(PRECISION, "fp32"))
