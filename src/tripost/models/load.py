"""The one way in which tokenizers and models are loaded and saved: never code or pickles that come with them."""

import os
import shutil
from pathlib import Path
from typing import Any

from tripost.errors import ModelError
from tripost.models.adapter import is_adapter, load_adapter, read_root
from tripost.models.folder import COPY, check_folder, check_tokenizer, names_a_folder, read_object, why
from tripost.params import LoraParams

DATA = ("*.json", "*.safetensors", "tokenizer*", "*.model", "*.txt", "*.jinja")
"""Files of a repository on the hub that are fetched: no pickles, no code."""


def fetch(name: str) -> str:
    """The folder of a model of the Hugging Face hub: what is data of it, and nothing else. Raises ModelError."""
    from huggingface_hub import snapshot_download

    try:
        return str(snapshot_download(name, allow_patterns=list(DATA)))
    except Exception as error:  # the hub's client raises whatever it meets: no network, no such name, no right
        raise ModelError(f"{name}: no model can be loaded: {why(name, error)}") from None


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
        raise ModelError(f"{source}: no tokenizer can be loaded: {why(source, error)}") from None
    if not tokenizer.is_fast:
        raise ModelError(
            f"{source}: the tokenizer is not a fast one (tokenizer.json), which weights need; convert it"
        )
    if tokenizer.eos_token_id is None:
        raise ModelError(f"{source}: the tokenizer has no EOS token; set eos_token in tokenizer_config.json")
    return tokenizer


def load_model(source: str, precision: str = "fp32") -> Any:
    """The causal language model on the CPU, from safetensors only, whole; an adapter merged into what it stands on.

    `precision`: fp32, bf16, or anything else for what the file has. Raises ModelError.
    """
    if is_adapter(Path(source)):
        model, _, _ = load_adapted(Path(source), precision)
        return model.merge_and_unload()
    if names_a_folder(source):
        check_folder(Path(source))
    import torch
    from transformers import AutoModelForCausalLM

    try:
        loaded: Any = AutoModelForCausalLM.from_pretrained(
            source,
            trust_remote_code=False,
            use_safetensors=True,
            dtype={"bf16": torch.bfloat16, "fp32": torch.float32}.get(precision, "auto"),
            output_loading_info=True,
            ignore_mismatched_sizes=True,  # they are named below, by us
        )
    except Exception as error:  # foreign weights: OSError, ValueError, KeyError, SafetensorError, RuntimeError ...
        raise ModelError(f"{source}: no model can be loaded: {why(source, error)}") from None
    model, report = loaded
    unmade = sorted({*map(str, report["missing_keys"]), *(str(key[0]) for key in report["mismatched_keys"])})
    if unmade:  # transformers would fill them with random numbers
        said = f"{len(unmade)} weights that config.json asks for are missing or of another shape ({unmade[0]}, ...)"
        raise ModelError(f"{source}: {said}; {COPY}")
    return model


def load_adapted(folder: Path, precision: str = "fp32") -> tuple[Any, Path, LoraParams]:
    """An adapter on its model (peft's), the folder of that model, and the adapter's size. Raises ModelError."""
    root = read_root(folder)
    under = folder.parent / root.folder
    return load_adapter(load_model(str(under), precision), folder, root.lora), under, root.lora


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
        raise ModelError(f"{folder}: no model can be loaded: {why(str(folder), error)}") from None
    return context_length(config)


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
