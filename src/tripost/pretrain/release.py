"""The trained base as it is shipped: bfloat16, with its recipe and the digests of the formats that it has read."""

from pathlib import Path
from typing import Any

import msgspec

from tripost.errors import DataError
from tripost.models.load import load_model, load_tokenizer, save_whole
from tripost.pretrain.recipe import Recipe

FORMATS, RECIPE = "formats.json", "recipe.json"


class _Beside:
    """A JSON file that is saved beside the weights."""

    def __init__(self, name: str, content: Any) -> None:
        self.name, self.content = name, content

    def save_pretrained(self, folder: Path) -> None:
        """As models and tokenizers do it."""
        (folder / self.name).write_bytes(_text(self.content))


def _text(content: Any) -> bytes:
    return msgspec.json.format(msgspec.json.encode(content, order="deterministic"), indent=1) + b"\n"


def begin(work: Path, formats: dict[str, str]) -> dict[str, str]:
    """The digests of what is read in the folder `work`, written there before anything is read.

    Raises DataError where training began there with other formats.
    """
    path = work / FORMATS
    if not path.exists():
        work.mkdir(parents=True, exist_ok=True)
        path.write_bytes(_text(formats))
    begun = msgspec.json.decode(path.read_bytes(), type=dict[str, str])
    changed = sorted(name for name in begun.keys() | formats.keys() if begun.get(name) != formats.get(name))
    if changed:
        names = ", ".join(changed)
        raise DataError(f"{work}: training began there with other texts of {names}; remove the folder to start anew")
    return formats


def release(model_folder: Path, recipe: Recipe, formats: dict[str, str], out: Path) -> None:
    """Write the model of `model_folder` to `out`, all of it or nothing."""
    import torch

    source = str(model_folder)
    model = load_model(source).to(torch.bfloat16)
    save_whole(out, model, load_tokenizer(source), _Beside(FORMATS, formats), _Beside(RECIPE, recipe))
