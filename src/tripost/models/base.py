"""The base model as a folder: from scratch, or copied from a local folder or a Hugging Face name."""

from collections.abc import Iterable
from pathlib import Path

from tripost.errors import ModelError
from tripost.models.chat import SavedTurns, find_turns
from tripost.models.folder import check_folder, copy_folder, names_a_folder
from tripost.models.load import context_length, fetch, load_model, load_tokenizer, save_whole
from tripost.models.scratch import build_model, build_tokenizer
from tripost.params import ScratchParams


def scratch_base(texts: Iterable[str], params: ScratchParams, seed: int, out: Path) -> None:
    """A small model with random weights and a tokenizer that knows the recurring pieces of `texts`."""
    tokenizer = build_tokenizer(texts, params.context)
    model = build_model(params, len(tokenizer), tokenizer.eos_token_id, seed)
    save_whole(out, model, tokenizer)


def embedded_base(folder: Path, out: Path) -> None:
    """A copy of the base that comes with the checkout. Raises ModelError where it is missing or broken."""
    if not folder.is_dir():
        said = f"embedded: {folder} is not there; get it back with git checkout, or train it anew: make embedded"
        raise ModelError(f"params.yaml: model.base: {said}")
    try:
        copy_folder(folder, out)  # ours: it need not be loaded to know that it can be
    except ModelError as error:
        raise ModelError(f"params.yaml: model.base: {error}") from None


def copy_base(source: str, out: Path, *, chat: bool = False) -> None:
    """A causal language model that can be loaded without remote code and without pickle. Raises ModelError.

    `chat`: it is asked in the messages of its chat template.
    """
    try:
        folder = source if names_a_folder(source) else fetch(source)
        check_folder(Path(folder))  # before seconds are spent on imports
        tokenizer, model = load_tokenizer(folder), load_model(folder, "as it is")
        context_length(model.config)
        tokens, rows = tokenizer.vocab_size, model.get_input_embeddings().num_embeddings
        if max(tokens, tokenizer.eos_token_id + 1) > rows:  # special tokens that no text has may lie beyond
            raise ModelError(f"{source}: {tokens} tokens, but the model knows {rows}; take the model's own tokenizer")
    except ModelError as error:
        raise ModelError(f"params.yaml: model.base: {error}") from None
    try:
        turns = find_turns(tokenizer) if chat else None
    except ModelError as error:
        raise ModelError(f"params.yaml: model.format: chat_template: {source}: {error}") from None
    save_whole(out, model, tokenizer, SavedTurns(turns))
