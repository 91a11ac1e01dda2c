"""Text -> tokens with weights, and the one way in which tokenizers and models are loaded.

An example is encoded as one text; each token takes the weight of the segment in which it ends (a token over a
border takes the later weight). EOS follows with the last segment's weight. Nothing is padded here.
"""

import os
import shutil
from bisect import bisect_left
from collections.abc import Iterable, Sequence
from itertools import accumulate
from pathlib import Path
from typing import Any

import msgspec

from tripost.errors import ModelError
from tripost.models.folder import COPY, check_folder, check_tokenizer, names_a_folder, read_object
from tripost.records import Example


class Encoded(msgspec.Struct, frozen=True):
    """`ids[k]` is a token, `weights[k]` the weight of predicting it. Both of the same length."""

    ids: list[int]
    weights: list[float]


def load_tokenizer(source: str) -> Any:
    """The fast tokenizer of a local folder or Hugging Face name. Never runs code that comes with it.

    Raises ModelError where it is missing, not fast, or has no EOS token.
    """
    if names_a_folder(source):
        check_tokenizer(Path(source))
    from transformers import AutoTokenizer

    try:
        tokenizer = AutoTokenizer.from_pretrained(source, trust_remote_code=False)
    except Exception as error:  # a foreign folder makes transformers raise whatever it meets
        raise ModelError(f"{source}: no tokenizer can be loaded: {_why(source, error)}") from None
    if not tokenizer.is_fast:
        raise ModelError(
            f"{source}: the tokenizer is not a fast one (tokenizer.json), which weights need; convert it"
        )
    if tokenizer.eos_token_id is None:
        raise ModelError(f"{source}: the tokenizer has no EOS token; set eos_token in tokenizer_config.json")
    return tokenizer


def load_model(source: str) -> Any:
    """The causal language model in fp32 on the CPU, from safetensors only, whole. Raises ModelError."""
    if names_a_folder(source):
        check_folder(Path(source))
    import torch
    from transformers import AutoModelForCausalLM

    try:
        loaded: Any = AutoModelForCausalLM.from_pretrained(
            source,
            trust_remote_code=False,
            use_safetensors=True,
            dtype=torch.float32,
            output_loading_info=True,
            ignore_mismatched_sizes=True,  # they are named below, by us
        )
    except Exception as error:  # foreign weights: OSError, ValueError, KeyError, SafetensorError, RuntimeError ...
        raise ModelError(f"{source}: no model can be loaded: {_why(source, error)}") from None
    model, report = loaded
    unmade = sorted({*map(str, report["missing_keys"]), *(str(key[0]) for key in report["mismatched_keys"])})
    if unmade:  # transformers would fill them with random numbers
        said = f"{len(unmade)} weights that config.json asks for are missing or of another shape ({unmade[0]}, ...)"
        raise ModelError(f"{source}: {said}; {COPY}")
    return model


def context_length(model_config: Any) -> int:
    """The model's context in tokens."""
    length = getattr(model_config.get_text_config(), "max_position_embeddings", None)
    if not isinstance(length, int) or length < 1:
        said = "its configuration does not say how long its context is; set max_position_embeddings"
        raise ModelError(f"{model_config.model_type}: {said}")
    return length


def load_context_length(folder: Path) -> int:
    """The context of a saved model, without loading its weights. Raises ModelError."""
    check_tokenizer(folder)
    said = read_object(folder / "config.json")
    length = said.get("max_position_embeddings")
    if type(length) is int and length > 0 and "text_config" not in said:
        return length  # as nearly all say it: without the seconds that transformers takes to load
    from transformers import AutoConfig

    try:
        config = AutoConfig.from_pretrained(folder, trust_remote_code=False)
    except Exception as error:  # a foreign config.json: transformers raises whatever it meets in it
        raise ModelError(f"{folder}: no model can be loaded: {_why(str(folder), error)}") from None
    return context_length(config)


def encode(tokenizer: Any, examples: Sequence[Example]) -> list[Encoded]:
    """Tokens and weights of each example."""
    texts = ["".join(segment.text for segment in example.segments) for example in examples]
    batch = tokenizer(texts, add_special_tokens=False, return_offsets_mapping=True)
    encoded: list[Encoded] = []
    for example, ids, offsets in zip(examples, batch["input_ids"], batch["offset_mapping"], strict=True):
        places = pieces_of_tokens(offsets, [len(segment.text) for segment in example.segments])
        weights = [example.segments[k].weight for k in places]
        encoded.append(Encoded(ids=[*ids, tokenizer.eos_token_id], weights=[*weights, example.segments[-1].weight]))
    return encoded


def pieces_of_tokens(offsets: Iterable[tuple[int, int]], lengths: Sequence[int]) -> list[int]:
    """In which piece of a text each token ends; `lengths`: characters of the pieces."""
    ends = list(accumulate(lengths))
    return [bisect_left(ends, end) for _, end in offsets]


def encode_prompts(tokenizer: Any, prompts: Sequence[str]) -> list[list[int]]:
    """Tokens of prompts; the beginning of the same text encoded as an example."""
    ids: list[list[int]] = tokenizer(list(prompts), add_special_tokens=False)["input_ids"] if prompts else []
    return ids


def count_tokens(tokenizer: Any, texts: Sequence[str]) -> list[int]:
    """Tokens of texts as training examples: with EOS."""
    return [len(ids) + 1 for ids in encode_prompts(tokenizer, texts)]


class TokenCounter:
    """Counts tokens with the tokenizer of a folder that we have saved, without torch and transformers.

    Loading may cut text otherwise than the file of a foreign folder says (some model types bring their own rules);
    what `save_pretrained` writes are the rules that were in force. Raises ModelError.
    """

    def __init__(self, folder: str) -> None:
        from tokenizers import Tokenizer

        check_tokenizer(Path(folder))
        try:
            self.tokenizer = Tokenizer.from_file(str(Path(folder) / "tokenizer.json"))
        except Exception as error:  # tokenizers raises nothing more special
            raise ModelError(f"{folder}: no tokenizer can be loaded: {_why(folder, error)}") from None
        self.tokenizer.no_truncation()
        self.tokenizer.no_padding()

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        """Tokens of each text as a training example, EOS included."""
        found = self.tokenizer.encode_batch_fast(list(texts), add_special_tokens=False)
        return [len(encoding.ids) + 1 for encoding in found]


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
        for path in filter(Path.is_file, writing.rglob("*")):
            with path.open("rb") as file:
                os.fsync(file.fileno())
    except Exception as error:  # safetensors and tokenizers have errors of their own for a full disk
        shutil.rmtree(writing, ignore_errors=True)
        raise ModelError(f"{folder}: cannot be saved: {error}; make room and run dvc repro again") from None
    if folder.is_symlink() or folder.is_file():
        folder.unlink()
    shutil.rmtree(folder, ignore_errors=True)
    writing.rename(folder)


def _why(source: str, error: Exception) -> str:
    """What is wrong, of libraries' errors that go on for many lines, and what to do."""
    text = " ".join(str(error).split())
    first = text.split(". ")[0].rstrip(".:")[:300] or type(error).__name__
    if "custom code" in text:
        return "it needs code that comes with it, which is never run; take a model that transformers knows"
    if "Unrecognized configuration class" in text:
        return "it is no causal language model; take one that is"
    if Path(source).is_dir():
        return f"{first}; {COPY}"
    if "couldn't connect" in text:
        first = "not a folder here, and the Hugging Face hub does not answer"
    return f"{first}; name a local folder, or a model on the hub that can be reached"
