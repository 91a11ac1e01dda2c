"""On a GPU: training at the shapes of 0.6B, 1.3B and 7B with random weights, and decoding beside transformers' own.

    python -m bench.speed gpu          (on the GPU machine; with TINY=1 the same code on anything, in a minute)

MFU: 6 N + 6 layers x width x length operations a token (N without the input embedding, the output matrix only for
tokens that are trained on; causal attention), over the
dense bf16 operations a second that the card is sold with. A decoding step reads the weights and every row's keys and
values once: the share of the memory bandwidth is those bytes over the time.
"""

import gc
import os
import random
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import msgspec

from bench.speed.pairs import Row, row, write
from tripost.interfaces import Sampling
from tripost.models.decoder import TorchDecoder
from tripost.models.encode import Encoded
from tripost.models.gradient import Gradient, open_accelerator
from tripost.models.load import load_tokenizer, save_whole
from tripost.params_file import load_params

TINY = bool(os.environ.get("TINY"))


class Shape(msgspec.Struct, frozen=True):
    """A Llama-shaped model."""

    name: str
    width: int
    layers: int
    heads: int
    groups: int
    inner: int
    vocabulary: int


SHAPES = (
    [Shape("tiny", 64, 2, 4, 2, 128, 2100)]
    if TINY
    else [
        Shape("0.6B", 1024, 28, 16, 8, 3072, 151_936),
        Shape("1.3B", 2048, 24, 16, 16, 5504, 50_304),
        Shape("7B", 4096, 32, 32, 32, 11_008, 32_000),
    ]
)
CARDS = {"H200": (989e12, 4.8e12), "H100": (989e12, 3.35e12), "A100": (312e12, 2.0e12)}
"""Dense bf16 operations and bytes a second."""
TOKENS, STEPS = (512, 2) if TINY else (16_384, 8)
SEQUENCES, SHORT, LONG = (8, 10, 40) if TINY else (256, 100, 1024)


def build(shape: Shape) -> Any:
    """The model with random weights, on the device."""
    import torch
    from transformers import AutoModelForCausalLM, LlamaConfig

    config = LlamaConfig(
        vocab_size=shape.vocabulary,
        hidden_size=shape.width,
        intermediate_size=shape.inner,
        num_hidden_layers=shape.layers,
        num_attention_heads=shape.heads,
        num_key_value_heads=shape.groups,
        max_position_embeddings=4096,
        tie_word_embeddings=False,
    )
    models: Any = AutoModelForCausalLM
    with torch.device(device()):
        return models.from_config(config, dtype=torch.float32)


def device() -> str:
    """Where it runs."""
    import torch

    return "cuda" if torch.cuda.is_available() else "cpu"


def card() -> tuple[str, float, float]:
    """Its name, operations and bytes a second; a made-up one where there is none."""
    import torch

    name = torch.cuda.get_device_name() if torch.cuda.is_available() else "no GPU"
    known = next((figures for key, figures in CARDS.items() if key in name), (1e12, 1e11))
    return name, *known


def wait() -> None:
    """Until the device is done."""
    import torch

    if torch.cuda.is_available():
        torch.cuda.synchronize()


def training(shape: Shape, length: int, pairs: int) -> Row:
    """MFU of optimiser steps over packed examples of up to so many tokens."""
    import torch

    rng = random.Random(length)
    lengths: list[int] = []
    while sum(lengths) < TOKENS:
        lengths.append(rng.randint(length // 2, length))
    rows = [
        Encoded([rng.randrange(3, 2000) for _ in range(n)], [0.0] * (n // 3) + [1.0] * (n - n // 3)) for n in lengths
    ]
    chosen = {"precision": "bf16", "micro_batch_tokens": TOKENS, "gradient_checkpointing": shape.name == "7B"}
    params = load_params(Path("params.yaml")).train.model_copy(update=chosen)
    accelerator, model = open_accelerator(params), build(shape)
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-5, fused=True)
    model, optimizer = accelerator.prepare(model, optimizer)
    gradient = Gradient(model.train(), accelerator, params)
    packed = gradient.packed
    body = sum(p.numel() for p in model.parameters()) - shape.vocabulary * shape.width
    head = shape.vocabulary * shape.width  # only of tokens that are trained on
    said = sum(sum(weight > 0 for weight in row.weights[1:]) for row in rows)
    seen = sum(n * (6 * (body - head) + 6 * shape.layers * shape.width * n) for n in lengths) + 6 * head * said
    shares = []
    for number in range(pairs + 2):
        wait()
        started = time.perf_counter()
        for _ in range(STEPS):
            gradient.add(rows, sum(lengths))
            torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
            optimizer.zero_grad()
        wait()
        seconds = (time.perf_counter() - started) / STEPS
        if number > 1:
            shares.append(seen / seconds / card()[1])
    peak = torch.cuda.max_memory_allocated() / 1e9 if torch.cuda.is_available() else 0.0
    accelerator.free_memory()
    del model, optimizer, gradient
    gc.collect()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()
        torch.cuda.reset_peak_memory_stats()
    note = f"{sum(lengths) / seconds:,.0f} tokens/s, {peak:.0f} GB, packed: {packed}"
    name = f"training MFU, {shape.name}, examples of {length // 2} to {length} tokens"
    return row(name, card()[0], shares, 0.45, "higher", unit="", note=note)


def decoding(shape: Shape, pairs: int) -> list[Row]:
    """Our decoder, `generate` and `generate_batch`, in turn."""
    import torch

    rng = random.Random(1)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "model"
        tokenizer = load_tokenizer("models/embedded")
        save_whole(folder, build(shape).to(torch.bfloat16), tokenizer)
        decoder = TorchDecoder(str(folder), SEQUENCES, "bf16")
    decoder.ends = frozenset()
    prompts = [" 7" * rng.randint(SHORT // 2, LONG // 2) for _ in range(SEQUENCES)]
    ids = [tokenizer(prompt, add_special_tokens=False)["input_ids"] for prompt in prompts]
    tokens = SEQUENCES * LONG
    kept = shape.layers * shape.groups * (shape.width // shape.heads) * 2 * 2
    weights = sum(p.numel() for p in decoder.model.parameters()) * 2
    read = LONG * weights + sum(kept * (len(row) * LONG + LONG * LONG // 2) for row in ids)

    def ours() -> None:
        decoder.complete(prompts, Sampling(temperature=1.0, max_new_tokens=LONG), range(SEQUENCES))

    def generate() -> None:
        longest = max(map(len, ids))
        inputs = torch.tensor([[0] * (longest - len(row)) + row for row in ids], device=device())
        mask = torch.tensor([[0] * (longest - len(row)) + [1] * len(row) for row in ids], device=device())
        decoder.model.generate(
            input_ids=inputs, attention_mask=mask, do_sample=True, max_new_tokens=LONG, min_new_tokens=LONG
        )

    def continuous() -> None:
        from transformers import GenerationConfig

        configuration: Any = GenerationConfig
        config = configuration(max_new_tokens=LONG, eos_token_id=-1, pad_token_id=0, do_sample=True)
        decoder.model.generate_batch(inputs=ids, generation_config=config, progress_bar=False)

    times: dict[str, list[float]] = {"ours": [], "generate": [], "generate_batch": []}
    sides = {"ours": ours, "generate": generate} | ({"generate_batch": continuous} if not TINY else {})
    for number in range(pairs + 1):
        for name, side in sides.items():
            wait()
            started = time.perf_counter()
            side()
            wait()
            if number:
                times[name].append(time.perf_counter() - started)
            sys.stderr.write(f"  {name}: {tokens / (time.perf_counter() - started):,.0f} tokens/s\n")
    what = f"rollout tokens/s, {shape.name}, {SEQUENCES} rows, bf16"
    rows = [
        row(what, name, [b / a for a, b in zip(times["ours"], others, strict=True)], 1.0, "higher")
        for name, others in times.items()
        if name != "ours" and others
    ]
    shares = [read / seconds / card()[2] for seconds in times["ours"]]
    return [*rows, row(f"share of the memory bandwidth, {shape.name}", card()[0], shares, 0.5, "higher", unit="")]


def main(pairs: int) -> list[Row]:
    """A row for each shape and length, and those of decoding at the smallest."""
    rows = [training(shape, length, pairs) for shape in SHAPES for length in ((64,) if TINY else (512, 2048))]
    rows += decoding(SHAPES[0], pairs)
    write("gpu-tiny" if TINY else "gpu", rows)
    return rows
