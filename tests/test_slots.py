"""Decoding with rows that come and go, for models of several families: token by token what `generate` writes alone."""

from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from transformers import (
    AutoModelForCausalLM,
    Gemma3TextConfig,
    GPTNeoXConfig,
    GraniteConfig,
    LlamaConfig,
    MambaConfig,
    MistralConfig,
    PreTrainedConfig,
    Qwen2Config,
    Qwen3Config,
)

from tripost.errors import ModelError
from tripost.interfaces import Completion, Sampling
from tripost.models.decoder import TorchDecoder
from tripost.models.lean import lean_step
from tripost.models.load import load_tokenizer
from tripost.models.prefixes import Prefixes
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
    "qwen2, biases": Qwen2Config(**SMALL, num_key_value_heads=2),
    "llama, biases, heads of their own size, tied, stretched": LlamaConfig(
        **SMALL,
        num_key_value_heads=4,
        head_dim=6,
        attention_bias=True,
        mlp_bias=True,
        tie_word_embeddings=True,
        rope_parameters={"rope_type": "linear", "factor": 4.0, "rope_theta": 10000.0},
    ),
}
LEAN = {"llama, grouped queries", "qwen2, biases", "llama, biases, heads of their own size, tied, stretched"}
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


@pytest.mark.parametrize("family", FAMILIES)
def test_models_of_llamas_shape_are_stepped_through_without_their_modules(family: str, tmp_path: Path) -> None:
    saved(FAMILIES[family], tmp_path)
    assert (lean_step(Auto.from_pretrained(tmp_path).eval()) is not None) == (family in LEAN)


@pytest.mark.parametrize(
    ("config", "what"),
    [
        (Qwen3Config(**SMALL, num_key_value_heads=2, head_dim=8), "norms of queries and keys"),
        (GraniteConfig(**SMALL, num_key_value_heads=2, residual_multiplier=0.5), "residuals that are scaled"),
        (LlamaConfig(**SMALL, hidden_act="gelu"), "another activation"),
        (LlamaConfig(**{**SMALL, "max_position_embeddings": 4}), "a context that is too short to try it out"),
        (LlamaConfig(**SMALL, rope_parameters={"rope_type": "dynamic", "factor": 2.0}), "positions by length"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_only_looks_like_llama_keeps_its_modules(config: PreTrainedConfig, what: str, tmp_path: Path) -> None:
    saved(config, tmp_path)
    assert lean_step(Auto.from_pretrained(tmp_path).eval()) is None, what


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


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("temperature", [0.0, 1.0])
def test_a_prompt_that_goes_on_is_read_from_where_it_goes_on(family: str, temperature: float, tmp_path: Path) -> None:
    saved(FAMILIES[family], tmp_path)
    limits = Sampling(temperature=temperature, max_new_tokens=25, stops=("q",))
    decoder = TorchDecoder(str(tmp_path), 3)
    tokens = read_by(decoder)
    prompts, seeds = [f"{prompt} of some length {k}" for k, prompt in enumerate(PROMPTS)], list(range(10))
    for turn in range(3):
        found = decoder.complete(prompts, limits, seeds)
        fresh = TorchDecoder(str(tmp_path), 3)
        anew = read_by(fresh)
        assert found == fresh.complete(prompts, limits, seeds)
        assert sum(tokens) == sum(anew) if turn == 0 else sum(tokens) < 0.8 * sum(anew)
        tokens.clear()
        prompts = [prompt + said.text + " and on:" for prompt, said in zip(prompts, found, strict=True)]
        prompts.append(f"something new in turn {turn}, which nobody has begun")
        seeds = [seed + 100 for seed in seeds] + [turn]


def read_by(decoder: TorchDecoder) -> list[int]:
    """Tokens that the decoder reads from prompts, from now on."""
    found: list[int] = []

    def count(_: object, __: object, given: dict[str, Any]) -> None:
        if given["use_cache"] and given["input_ids"].shape[1] > 1:
            found.append(given["input_ids"].numel())

    decoder.model.register_forward_pre_hook(count, with_kwargs=True)
    return found


def test_what_does_not_fit_is_read_anew(tmp_path: Path) -> None:
    saved(FAMILIES["llama, grouped queries"], tmp_path)
    limits = Sampling(temperature=1.0, max_new_tokens=25, stops=())
    decoder, plain = TorchDecoder(str(tmp_path), 3), TorchDecoder(str(tmp_path), 3)
    size = 4 * 2 * 2 * 4 * 4  # bytes a token: layers, keys and values, heads, size of a head, fp32
    decoder.prefixes = Prefixes(200 * size)
    prompts = [f"{prompt} of some length" for prompt in PROMPTS]
    for _ in range(3):
        found = decoder.complete(prompts, limits, range(10))
        assert found == plain.complete(prompts, limits, range(10))
        assert 0 < decoder.prefixes.bytes <= 200 * size
        prompts = [prompt + said.text for prompt, said in zip(prompts, found, strict=True)]
        plain = TorchDecoder(str(tmp_path), 3)


def beginning(a: list[int], b: list[int]) -> int:
    return max(k for k in range(len(a) + 1) if a[:k] == b[:k])


@given(
    st.lists(st.lists(st.integers(0, 1), min_size=1, max_size=6), max_size=12),
    st.lists(st.integers(0, 1), min_size=2, max_size=6),
    st.integers(1, 3),
)
def test_the_longest_common_beginning_is_found(known: list[list[int]], prompt: list[int], least: int) -> None:
    prefixes = Prefixes(least=least)
    for ids in known:
        prefixes.add(ids, [(torch.zeros(1, len(ids), 1), torch.zeros(1, len(ids), 1))])
    prefixes.next_call()
    best = max((beginning(ids, prompt[:-1]) for ids in known), default=0)
    kept, shared = prefixes.take(prompt)
    assert shared == (best if best >= least else 0)
    if kept:
        prefixes.used(kept)
        assert list(kept.ids[:shared]) == prompt[:shared]
        assert all(one is not kept for one in prefixes.offered)
    assert prefixes.bytes == sum(one.size for one in prefixes.offered)
