"""The base model as a folder: from scratch, or copied from a local folder or a Hugging Face name."""

from collections.abc import Iterable
from pathlib import Path

from tripost.models.encode import load_model, load_tokenizer, save_whole
from tripost.models.scratch import build_model, build_tokenizer
from tripost.params import BaseModelParams


def scratch_base(texts: Iterable[str], params: BaseModelParams, seed: int, out: Path) -> None:
    """A small model with random weights and a tokenizer that knows the recurring pieces of `texts`."""
    tokenizer = build_tokenizer(texts, params.context)
    model = build_model(params, len(tokenizer), tokenizer.eos_token_id, seed)
    save_whole(out, model, tokenizer)


def copy_base(source: str, out: Path) -> None:
    """A causal language model that can be loaded without remote code and without pickle. Raises ModelError."""
    save_whole(out, load_model(source), load_tokenizer(source))
