"""A low-rank adapter (LoRA, arXiv 2106.09685) by peft, saved alone beside the model that it stands on.

The folder holds what peft writes (`adapter_config.json`, `adapter_model.safetensors`), the tokenizer, and
`adapter_root.json`: which folder beside it the adapter was trained on, and a print of its weights. Of the
configuration only numbers and names of layers are read, so that a foreign one cannot name code.
"""

import os
from hashlib import sha256
from pathlib import Path
from typing import Any

import msgspec

from tripost.errors import ModelError
from tripost.files import open_regular, read_bounded
from tripost.models.folder import ADAPTER, COPY, check_safetensors
from tripost.params import LoraParams

ROOT = "adapter_root.json"
WEIGHTS = "adapter_model.safetensors"
ENDS = 1_000_000
"""Bytes at both ends of a file of weights that go into its print; training changes every weight."""


class Root(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`folder`: the model that the adapter stands on, by its name beside the adapter; `weights`: its print."""

    folder: str
    weights: str
    lora: LoraParams


class _Saved(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    folder: str
    weights: str
    rank: int
    alpha: int
    dropout: float
    targets: str | tuple[str, ...]


def is_adapter(folder: Path) -> bool:
    """Whether this folder holds an adapter and no whole model."""
    return (folder / ADAPTER).is_file()


def read_root(folder: Path) -> Root:
    """What the adapter stands on. Raises ModelError where that is not there, or is another model by now."""
    file = folder / ROOT
    try:
        saved = msgspec.json.decode(read_bounded(file, ENDS) or b"", type=_Saved)
        chosen = {name: getattr(saved, name) for name in ("rank", "alpha", "dropout", "targets")}
        lora = LoraParams.model_validate(chosen)
    except (OSError, ValueError) as error:
        said = error.strerror if isinstance(error, OSError) else "not as this program writes it"
        raise ModelError(f"{file}: {said}; adapters are taken as this program writes them; merge others") from None
    root = folder.parent / saved.folder
    named = (
        Path(saved.folder).name == saved.folder and saved.folder not in ("", ".", "..") and len(saved.folder) < 256
    )
    if not named or not root.is_dir():
        raise ModelError(f"{file}: an adapter of {saved.folder[:80]}, which is not beside it; get it: dvc checkout")
    if is_adapter(root):
        raise ModelError(f"{file}: an adapter of {saved.folder}, which is one itself; {COPY}")
    if print_of(root) != saved.weights:
        raise ModelError(f"{file}: {root} is another model than the adapter was trained on; {COPY}")
    check_safetensors(folder / WEIGHTS)
    return Root(folder=saved.folder, weights=saved.weights, lora=lora)


def print_of(folder: Path) -> str:
    """A digest of a model's configuration, and of the sizes and the ends of its files of weights."""
    digest = sha256()
    for file in (*sorted(folder.glob("*config.json")), *sorted(folder.glob("*.safetensors"))):
        with open_regular(file) as opened:
            size = os.fstat(opened.fileno()).st_size
            digest.update(f"{file.name} {size}\n".encode())
            digest.update(opened.read(ENDS))
            opened.seek(max(0, size - ENDS))
            digest.update(opened.read(ENDS))
    return digest.hexdigest()


def add_adapter(model: Any, lora: LoraParams) -> Any:
    """The model with a fresh adapter, which alone can be trained. Raises ModelError where no layer is meant."""
    from peft import LoraConfig, get_peft_model

    targets = lora.targets if isinstance(lora.targets, str) else list(lora.targets)
    config = LoraConfig(
        task_type="CAUSAL_LM", r=lora.rank, lora_alpha=lora.alpha, lora_dropout=lora.dropout, target_modules=targets
    )
    try:
        return get_peft_model(model, config)
    except ValueError as error:
        said = " ".join(str(error).split())[:200]
        raise ModelError(
            f"params.yaml: lora.targets: {said}; name linear layers of the model, or take all-linear"
        ) from None


def draw_adapter(adapted: Any) -> None:
    """Draw a fresh adapter's weights anew, from torch's generator as it stands."""
    for module in adapted.modules():
        if hasattr(module, "reset_lora_parameters"):
            module.reset_lora_parameters("default", True)


def load_adapter(model: Any, folder: Path, lora: LoraParams) -> Any:
    """The model with the folder's adapter. Raises ModelError for other weights than it asks for."""
    from peft import get_peft_model_state_dict, set_peft_model_state_dict
    from safetensors.torch import load_file

    adapted, weights = add_adapter(model, lora), load_file(folder / WEIGHTS)
    asked = {name: tensor.shape for name, tensor in get_peft_model_state_dict(adapted).items()}
    if asked != {name: tensor.shape for name, tensor in weights.items()}:
        raise ModelError(f"{folder / WEIGHTS}: not the weights that {ROOT} asks for; {COPY}")
    if not all(tensor.isfinite().all() for tensor in weights.values()):
        raise ModelError(f"{folder / WEIGHTS}: a weight is not finite; {COPY}")
    set_peft_model_state_dict(adapted, weights)
    return adapted


class SavedAdapter:
    """An adapter as parts of a folder that is being written."""

    def __init__(self, adapted: Any, root: Path, lora: LoraParams) -> None:
        self.adapted, self.root, self.lora = adapted, root, lora

    def save_pretrained(self, folder: Path) -> None:
        """peft's two files, and on what they stand."""
        from peft import get_peft_model_state_dict
        from safetensors.torch import save_file

        config = self.adapted.peft_config["default"]
        before, config.base_model_name_or_path = config.base_model_name_or_path, f"../{self.root.name}"
        config.inference_mode = True
        meant = config.target_modules
        config.target_modules = sorted(meant) if isinstance(meant, set) else meant  # a set is saved in any order
        config.save_pretrained(folder)
        config.target_modules = meant
        config.base_model_name_or_path, config.inference_mode = before, False
        weights = {k: v.detach().contiguous() for k, v in get_peft_model_state_dict(self.adapted).items()}
        save_file(dict(sorted(weights.items())), folder / WEIGHTS, metadata={"format": "pt"})
        saved = _Saved(
            folder=self.root.name,
            weights=print_of(self.root),
            rank=self.lora.rank,
            alpha=self.lora.alpha,
            dropout=self.lora.dropout,
            targets=self.lora.targets,
        )
        (folder / ROOT).write_bytes(msgspec.json.format(msgspec.json.encode(saved), indent=1) + b"\n")
