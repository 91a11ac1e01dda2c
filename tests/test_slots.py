"""Decoding with rows that come and go, for models of several families: token by token what `generate` writes alone."""

from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import (
    AutoModelForCausalLM,
    Gemma3TextConfig,
    GPTNeoXConfig,
    LlamaConfig,
    MambaConfig,
    MistralConfig,
    PreTrainedConfig,
    Qwen2Config,
)

from tripost.errors import ModelError
from tripost.interfaces import Completion, Sampling
from tripost.models.decoder import TorchDecoder
from tripost.models.encode import load_tokenizer
from tripost.models.scratch import build_tokenizer
from tripost.models.slots import SPARE, layer_kinds

Auto: Any = AutoModelForCausalLM  # transformers has no types here
SMALL: dict[str, Any] = {
    "vocab_size": 300, "hidden_size": 16, "intermediate_size": 24, "num_hidden_layers": 4, "num_attention_heads": 4,
    "max_position_embeddings": 256, "bos_token_id": None, "eos_token_id": 0, "pad_token_id": 0,
}  # fmt: skip
FAMILIES: dict[str, PreTrainedConfig] = {
    "llama, grouped queries": LlamaConfig(**SMALL, num_key_value_heads=2),
    "mistral, a window": MistralConfig(**SMALL, num_key_value_heads=2, sliding_window=5),
    "qwen2, a window in some layers": Qwen2Config(
        **SMALL, num_key_value_heads=2, use_sliding_window=True, sliding_window=5, max_window_layers=2
    ),
    "gemma3, a window in most layers": Gemma3TextConfig(
        **SMALL,
        num_key_value_heads=1,
        head_dim=8,
        sliding_window=5,
        layer_types=["sliding_attention", "full_attention"] * 2,
    ),
    "gpt-neox": GPTNeoXConfig(**SMALL),
}
PROMPTS = ["ab", "a much longer prompt than the others", "cd", "ab", "e", "one more", "ab", "x y z", "(1)", "ab"]


def saved(config: PreTrainedConfig, folder: Path) -> None:
    torch.manual_seed(1)
    tokenizer = build_tokenizer(PROMPTS, 256)
    model = Auto.from_config(config)
    for parameter in model.parameters():  # far from uniform, so that a wrong mask or position shows
        parameter.data.mul_(4 if parameter.ndim == 2 else 1)
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)


@pytest.mark.parametrize("family", FAMILIES)
def test_every_family_writes_what_generate_writes_alone(family: str, tmp_path: Path) -> None:
    saved(FAMILIES[family], tmp_path)
    tokenizer = load_tokenizer(str(tmp_path))  # some families have a class of their own, which cuts otherwise
    limits = Sampling(temperature=0.0, max_new_tokens=SPARE + 10, stops=())
    found = TorchDecoder(str(tmp_path), 3).complete(PROMPTS, limits, range(len(PROMPTS)))
    alone = Auto.from_pretrained(tmp_path).eval()
    for prompt, completion in zip(PROMPTS, found, strict=True):
        ids = torch.tensor([tokenizer(prompt)["input_ids"]])
        written = alone.generate(ids, max_new_tokens=SPARE + 10, do_sample=False)[0, ids.shape[1] :].tolist()
        finished = written[-1] == 0
        text = tokenizer.decode(written[:-1] if finished else written)
        assert completion == Completion(text=text, n_tokens=len(written) - finished, finished=finished)
    assert len({completion.text for completion in found}) > 3


@pytest.mark.parametrize("family", FAMILIES)
def test_samples_do_not_depend_on_the_slots(family: str, tmp_path: Path) -> None:
    saved(FAMILIES[family], tmp_path)
    sampling = Sampling(temperature=1.0, max_new_tokens=40, stops=("a",))
    found = [TorchDecoder(str(tmp_path), slots).complete(PROMPTS, sampling, range(10)) for slots in (1, 2, 3, 32)]
    assert found[0] == found[1] == found[2] == found[3]
    assert len({(one.text, one.n_tokens) for one in found[0]}) > 5
    assert len({one.text for one, prompt in zip(found[0], PROMPTS, strict=True) if prompt == "ab"}) > 2


def test_layers_that_keep_no_keys_are_refused() -> None:
    with pytest.raises(ModelError, match=r"mamba: layers of the kind .* cannot be decoded; take another model"):
        layer_kinds(MambaConfig(num_hidden_layers=2))


def test_every_row_is_kept_once_and_counted_once(tmp_path: Path) -> None:
    saved(FAMILIES["llama, grouped queries"], tmp_path)
    kept: dict[int, Completion] = {}
    counts = [0, 0]

    def count(rows: int, tokens: int) -> None:
        counts[0], counts[1] = counts[0] + rows, counts[1] + tokens

    def keep(row: int, completion: Completion) -> None:
        assert row not in kept
        kept[row] = completion

    sampling = Sampling(temperature=1.0, max_new_tokens=20, stops=("a", "b"))
    found = TorchDecoder(str(tmp_path), 3).complete([*PROMPTS, "long " * 200], sampling, range(11), count, keep)
    assert [kept[row] for row in range(10)] == found[:10]
    assert found[10] == Completion(text="", n_tokens=0, finished=False)
    assert 10 not in kept
    assert counts[0] == 11
    assert counts[1] >= sum(one.n_tokens for one in found)
