"""Bad model folders: what is wrong with them. Most are found before torch is imported."""

import pickle
from pathlib import Path

from tests.bad_world import Case, Spoil, both, fields, gone, params, swap, text

SLOW = {
    "a config of an unknown model_type",
    "a model with more layers than weights",
    "a name that no model has",
    "a context too short for any example",
}
"""Left to `-m slow`: each imports torch for it, and the same code is tested without a process."""
M = "models/t0"
OURS = params(**{"model.base": M})


class Planted:
    """Unpickled, it leaves a file behind."""

    def __reduce__(self) -> tuple[object, ...]:
        return Path.touch, (Path("PLANTED"),)


PICKLE = pickle.dumps(Planted())
CODE = text(f"{M}/evil.py", "from pathlib import Path\nPath('PLANTED').touch()\n")
REMOTE = {"AutoConfig": "evil.Config", "AutoModelForCausalLM": "evil.Model"}


def _cut(root: Path) -> None:
    file = root / M / "model.safetensors"
    file.write_bytes(file.read_bytes()[:-100])


def _renamed(root: Path) -> None:
    (root / M / "model.safetensors").unlink()
    (root / M / "pytorch_model.bin").write_bytes(PICKLE)


def _no_tokenizer(root: Path) -> None:
    for name in ("tokenizer.json", "tokenizer_config.json"):
        (root / M / name).unlink()


def _base(what: str, spoil: Spoil, stage: str = "check") -> Case:
    return Case(what, stage, both(OURS, spoil))


CASES = [
    _base("weights cut off", _cut),
    _base("a pickle named model.safetensors", text(f"{M}/model.safetensors", PICKLE)),
    _base("the same, under a real stage", text(f"{M}/model.safetensors", PICKLE), stage="base_model"),
    _base("pickled weights only", _renamed),
    _base("no weights", gone(f"{M}/model.safetensors")),
    _base("weights that are text", text(f"{M}/model.safetensors", "weights, honestly\n" * 99)),
    _base(
        "a part of the weights missing",
        text(f"{M}/model.safetensors.index.json", '{"weight_map": {"a": "b.safetensors"}}'),
    ),
    _base("no config.json", gone(f"{M}/config.json")),
    _base("config.json cut off", swap(f"{M}/config.json", "}", "")),
    _base("config.json is a list", text(f"{M}/config.json", "[1]")),
    _base("an encoder (BERT)", fields(f"{M}/config.json", architectures=["BertForMaskedLM"], model_type="bert")),
    _base("no tokenizer", _no_tokenizer),
    _base("a tokenizer cut off", text(f"{M}/tokenizer.json", '{"version": "1.0", "trunc')),
    _base("a tokenizer without EOS", fields(f"{M}/tokenizer_config.json", eos_token=None)),
    _base("a config of an unknown model_type", fields(f"{M}/config.json", model_type="nosuch"), stage="base_model"),
    _base(
        "a model with code of its own",
        both(fields(f"{M}/config.json", model_type="evil", auto_map=REMOTE), CODE),
        stage="base_model",
    ),
    _base(
        "a model with more layers than weights", fields(f"{M}/config.json", num_hidden_layers=3), stage="base_model"
    ),
    _base("a checkout without the embedded base", params(**{"model.base": "embedded"}), stage="base_model"),
    _base(
        "an adapter for a model",
        text(f"{M}/adapter_config.json", "{}"),
    ),
    _base(
        "chat_template, before anything runs",
        params(**{"model.base": M, "model.format": "chat_template"}),
    ),
    _base(
        "chat_template, of a model that has none",
        params(**{"model.base": M, "model.format": "chat_template"}),
        stage="base_model",
    ),
    _base("a name that no model has", params(**{"model.base": "no/such-model"}), stage="base_model"),
    Case("no model of the iteration before", "rollout", lambda root: (root / M).rename(root / "models/away")),
    Case("a tokenizer without EOS", "edit", fields("models/base/tokenizer_config.json", eos_token=None)),
    Case(
        "a context too short for any example", "warmup", fields("models/base/config.json", max_position_embeddings=16)
    ),
]
