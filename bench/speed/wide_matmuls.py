"""The matmuls of `wide` and nothing else: python -m bench.speed.wide_matmuls train|decode WORKLOAD"""

import json
import sys
from pathlib import Path
from typing import Any

import msgspec
import torch

from bench.speed.side import serve
from tripost.models.encode import Encoded, encode_prompts
from tripost.models.gradient import Gradient, open_accelerator
from tripost.models.learner import plan_steps
from tripost.models.load import load_model, load_tokenizer
from tripost.params import TrainParams

MODEL = 25_000_000
"""Numbers through which the right-hand sides go: a model's weights do not stay in a cache from step to step."""
Shape = tuple[int, int, int, int]
"""Products of [batch, rows, inner] and [batch, inner, columns]."""


def of_layers(config: dict[str, Any], tokens: int) -> list[Shape]:
    """The linear layers of so many tokens."""
    width, inner = config["hidden_size"], config["intermediate_size"]
    layer: list[Shape] = (
        [(1, tokens, width, width)] * 4 + [(1, tokens, width, inner)] * 2 + [(1, tokens, inner, width)]
    )
    return layer * int(config["num_hidden_layers"])


def of_attention(config: dict[str, Any], queries: int, keys: int, rows: int) -> list[Shape]:
    """Scores and sums of values, of rows with so many queries and keys."""
    heads, size = config["num_attention_heads"], config["hidden_size"] // config["num_attention_heads"]
    each: list[Shape] = [(rows * heads, queries, size, keys), (rows * heads, queries, keys, size)]
    return each * int(config["num_hidden_layers"])


def of_training(work: dict[str, Any], config: dict[str, Any]) -> list[Shape]:
    """One epoch: the forward products, and for each two of the same size backward."""
    params = TrainParams.model_validate(work["training"])
    rows = msgspec.convert(work["rows"], list[Encoded])
    gradient = Gradient(load_model(work["model"]), open_accelerator(params), params)
    found: list[Shape] = []
    for batch in plan_steps(rows, params, 1):
        for micro in gradient.micro_batches([rows[i] for i in batch]):
            forward = of_layers(config, sum(len(row.ids) for row in micro))
            for row in micro:
                forward += of_attention(config, len(row.ids), len(row.ids), 1)
            targets = sum(weight != 0 for row in micro for weight in row.weights[1:])
            forward.append((1, targets, config["hidden_size"], config["vocab_size"]))
            for b, m, k, n in forward:
                found += [(b, m, k, n), (b, m, n, k), (b, k, m, n)]
    return found


def of_decoding(work: dict[str, Any], config: dict[str, Any]) -> list[Shape]:
    """The prompts read once, then a token of each at a time."""
    lengths = [len(ids) for ids in encode_prompts(load_tokenizer(work["model"]), work["prompts"])]
    head = [(1, len(lengths), config["hidden_size"], config["vocab_size"])]
    unlike = sorted(dict(zip(work["prompts"], lengths, strict=True)).values())
    found = of_layers(config, sum(unlike)) + head
    for length in unlike:
        found += of_attention(config, length, length, 1)
    for step in range(1, work["steps"]):
        found += of_layers(config, len(lengths)) + head
        found += of_attention(config, 1, sum(lengths) // len(lengths) + step, len(lengths))
    return found


def main(what: str, workload: str) -> None:
    """Multiply."""
    work = msgspec.json.decode(Path(workload).read_bytes())
    config = json.loads((Path(work["model"]) / "config.json").read_text(encoding="utf-8"))
    shapes = of_training(work, config) if what == "train" else of_decoding(work, config)
    units = sum(len(row["ids"]) for row in work["rows"]) if what == "train" else len(work["prompts"]) * work["steps"]
    left = torch.randn(max(b * m * k for b, m, k, _ in shapes))
    right = torch.randn(max(MODEL, *(b * k * n for b, _, k, n in shapes)))

    def run() -> dict[str, Any]:
        place = 0
        for b, m, k, n in shapes:
            place = 0 if place + b * k * n > len(right) else place
            x, y = left[: b * m * k], right[place : place + b * k * n]
            place += b * k * n
            torch.mm(x.view(m, k), y.view(k, n)) if b == 1 else torch.bmm(x.view(b, m, k), y.view(b, k, n))
        return {"units": units}

    serve(run)


if __name__ == "__main__":
    main(*sys.argv[1:])
