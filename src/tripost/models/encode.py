"""Text -> tokens with weights, and the one way in which tokenizers and models are loaded.

An example is encoded as one text; each token takes the weight of the segment in which it ends (a token over a
border takes the later weight). EOS follows with the last segment's weight. Nothing is padded here.
"""

import os
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec

from tripost.errors import ModelError
from tripost.records import Example


class Encoded(msgspec.Struct, frozen=True):
    """`ids[k]` is a token, `weights[k]` the weight of predicting it. Both of the same length."""

    ids: list[int]
    weights: list[float]


def load_tokenizer(source: str) -> Any:
    """The fast tokenizer of a local folder or Hugging Face name. Never runs code that comes with it.

    Raises ModelError where it is missing, not fast, or has no EOS token.
    """
    from transformers import AutoTokenizer

    try:
        tokenizer = AutoTokenizer.from_pretrained(source, trust_remote_code=False)
    except Exception as error:
        raise ModelError(f"{source}: no tokenizer can be loaded: {_one_line(error)}") from None
    if not tokenizer.is_fast:
        raise ModelError(f"{source}: the tokenizer has no fast (Rust) version; offsets are needed for weights")
    if tokenizer.eos_token_id is None:
        raise ModelError(f"{source}: the tokenizer has no EOS token; set eos_token in its configuration")
    return tokenizer


def load_model(source: str) -> Any:
    """The causal language model in fp32 on the CPU, from safetensors only. Raises ModelError."""
    import torch
    from transformers import AutoModelForCausalLM

    folder = Path(source)
    if folder.is_dir() and not list(folder.glob("*.safetensors")):
        raise ModelError(f"{source}: no *.safetensors; pickled weights are not loaded, convert them first")
    try:
        return AutoModelForCausalLM.from_pretrained(
            source, trust_remote_code=False, use_safetensors=True, dtype=torch.float32
        )
    except Exception as error:
        raise ModelError(f"{source}: no model can be loaded: {_one_line(error)}") from None


def context_length(model_config: Any) -> int:
    """The model's context in tokens."""
    length = getattr(model_config.get_text_config(), "max_position_embeddings", None)
    if not isinstance(length, int):
        raise ModelError(f"{model_config.model_type}: its configuration says nothing about the length of its context")
    return length


def load_context_length(folder: Path) -> int:
    """The context of a saved model, without loading its weights. Raises ModelError."""
    from transformers import AutoConfig

    try:
        return context_length(AutoConfig.from_pretrained(folder, trust_remote_code=False))
    except (OSError, ValueError, KeyError) as error:
        raise ModelError(f"{folder}/config.json: no context length: {_one_line(error)}") from None


def encode(tokenizer: Any, examples: Sequence[Example]) -> list[Encoded]:
    """Tokens and weights of each example."""
    texts = ["".join(segment.text for segment in example.segments) for example in examples]
    batch = tokenizer(texts, add_special_tokens=False, return_offsets_mapping=True)
    encoded: list[Encoded] = []
    for example, ids, offsets in zip(examples, batch["input_ids"], batch["offset_mapping"], strict=True):
        weights: list[float] = []
        segment, end = 0, len(example.segments[0].text)
        for _, token_end in offsets:
            while token_end > end:
                segment += 1
                end += len(example.segments[segment].text)
            weights.append(example.segments[segment].weight)
        encoded.append(Encoded(ids=[*ids, tokenizer.eos_token_id], weights=[*weights, example.segments[-1].weight]))
    return encoded


def encode_prompts(tokenizer: Any, prompts: Sequence[str]) -> list[list[int]]:
    """Tokens of prompts; the beginning of the same text encoded as an example."""
    ids: list[list[int]] = tokenizer(list(prompts), add_special_tokens=False)["input_ids"] if prompts else []
    return ids


def count_tokens(tokenizer: Any, texts: Sequence[str]) -> list[int]:
    """Tokens of texts as training examples: with EOS."""
    return [len(ids) + 1 for ids in encode_prompts(tokenizer, texts)]


class TokenCounter:
    """Counts tokens with a model's tokenizer, without its weights."""

    def __init__(self, source: str) -> None:
        self.tokenizer = load_tokenizer(source)

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        """Tokens of each text as a training example, EOS included."""
        return count_tokens(self.tokenizer, texts)


def save_whole(folder: Path, *parts: Any) -> None:
    """Save models and tokenizers (`save_pretrained`) beside `folder`, then rename: all of it or nothing.

    Raises ModelError where the disk does not take it.
    """
    writing = folder.with_name(f".{folder.name}.writing")
    shutil.rmtree(writing, ignore_errors=True)
    writing.mkdir(parents=True)
    try:
        for part in parts:
            part.save_pretrained(writing)
        for path in writing.iterdir():
            with path.open("rb") as file:
                os.fsync(file.fileno())
    except Exception as error:  # safetensors and tokenizers have errors of their own for a full disk
        shutil.rmtree(writing, ignore_errors=True)
        raise ModelError(
            f"{folder}: cannot be saved: {_one_line(error)}; make room and run dvc repro again"
        ) from None
    shutil.rmtree(folder, ignore_errors=True)
    writing.rename(folder)


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())[:300]
