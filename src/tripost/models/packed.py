"""Examples one after the other in a single row, without padding: each attends to itself alone.

The attention works through the examples one by one, so nothing leaks from one into the next and no mask is made. Not
every architecture hands its attention over to such a function; `pack_attention` tries it out on two short texts and
leaves a model as it was where the logits are others. What then remains is padding.
"""

from collections.abc import Sequence
from itertools import accumulate
from typing import Any

import msgspec

from tripost.models.encode import Encoded

NAME = "tripost_packed"
TOLERANCE = {"fp32": 1e-3, "bf16": 0.1}
"""Of the largest logit. Rounding in fp32 stays below 1e-5, in bf16 it is some 1e-2; a leak is near 1."""


class Packed(msgspec.Struct, frozen=True):
    """Tensors of a micro-batch of `lengths` tokens each.

    `ids`, `positions`: [1, tokens]; `places` [n]: where a target with weight is predicted; `targets`, `weights`: [n].
    """

    ids: Any
    positions: Any
    lengths: tuple[int, ...]
    places: Any
    targets: Any
    weights: Any


def pack(rows: Sequence[Encoded], device: Any) -> Packed:
    """The rows one after the other. A row's first token is not predicted, nor any token without weight."""
    import torch

    lengths = tuple(len(row.ids) for row in rows)
    places: list[int] = []
    targets: list[int] = []
    weights: list[float] = []
    start = 0
    for row, length in zip(rows, lengths, strict=True):
        for k in range(1, length):
            if row.weights[k] != 0:
                places.append(start + k - 1)
                targets.append(row.ids[k])
                weights.append(row.weights[k])
        start += length
    return Packed(
        ids=torch.tensor([[token for row in rows for token in row.ids]], device=device),
        positions=torch.tensor([[k for length in lengths for k in range(length)]], device=device),
        lengths=lengths,
        places=torch.tensor(places, dtype=torch.long, device=device),
        targets=torch.tensor(targets, dtype=torch.long, device=device),
        weights=torch.tensor(weights, dtype=torch.float32, device=device),
    )


def pack_attention(model: Any, precision: str = "fp32") -> bool:
    """Let the model attend within packed examples, where it can. Returns whether it does."""
    import torch
    from transformers import AttentionInterface

    AttentionInterface.register(NAME, _attention)
    before = model.config._attn_implementation
    if before == NAME:
        return True
    vocabulary = model.get_input_embeddings().num_embeddings
    rows = [Encoded([k % vocabulary for k in ids], [1.0] * len(ids)) for ids in (range(3, 12), range(20, 27))]
    training = model.training
    try:
        model.eval()
        with torch.no_grad():
            device = next(model.parameters()).device
            alone = [
                model(input_ids=torch.tensor([row.ids], device=device), use_cache=False).logits[0] for row in rows
            ]
            model.set_attn_implementation(NAME)
            both = pack(rows, device)
            together = packed_logits(model, both, torch.arange(both.ids.shape[1], device=device))
        wanted = torch.cat(alone)
        same = bool((together - wanted).abs().max() <= TOLERANCE[precision] * wanted.abs().max())
    except (ValueError, TypeError, KeyError, RuntimeError, AttributeError, IndexError):  # an architecture of its own
        same = False
    if not same:
        model.set_attn_implementation(before)
    model.train(training)
    return same


def packed_logits(model: Any, batch: Packed, places: Any) -> Any:
    """[n, vocabulary]: what the model predicts after each of `places`."""
    output = model(
        input_ids=batch.ids,
        position_ids=batch.positions,
        use_cache=False,
        logits_to_keep=places,
        packed_lengths=batch.lengths,
    )
    return output.logits[0]


def _attention(
    module: Any,
    query: Any,
    key: Any,
    value: Any,
    attention_mask: Any,
    dropout: float = 0.0,
    scaling: float | None = None,
    sliding_window: int | None = None,
    **others: Any,
) -> tuple[Any, None]:
    """Causal attention [1, heads, tokens, size] within each of `packed_lengths`, as `transformers` calls it.

    Raises ValueError for a model that asks for more than that (soft caps, sinks, a bias by position).
    """
    import torch
    from torch.nn.functional import scaled_dot_product_attention

    lengths = others["packed_lengths"]
    if any(others.get(name) is not None for name in ("softcap", "s_aux", "position_bias")):
        raise ValueError("no plain attention")
    if value.is_cuda and value.dtype in (torch.bfloat16, torch.float16) and dropout == 0:
        # Positions are turned in fp32 where the weights are; the kernel takes one type.
        return _varlen(query.to(value.dtype), key.to(value.dtype), value, lengths, scaling, sliding_window), None
    found = []
    for q, k, v in zip(*(x.split(lengths, 2) for x in (query, key, value)), strict=True):
        near = None
        if sliding_window is not None and q.shape[2] > sliding_window:
            whole = torch.ones(q.shape[2], q.shape[2], dtype=torch.bool, device=q.device)
            near = whole.tril().triu(1 - sliding_window)
        found.append(
            scaled_dot_product_attention(
                q, k, v, near, dropout, is_causal=near is None, scale=scaling, enable_gqa=k.shape[1] != q.shape[1]
            )
        )
    return torch.cat(found, 2).transpose(1, 2).contiguous(), None


def _varlen(
    query: Any, key: Any, value: Any, lengths: Sequence[int], scaling: float | None, window: int | None
) -> Any:
    """The same by one flash-attention kernel: torch has it for CUDA in half precision. [1, tokens, heads, size]."""
    import torch
    from torch.nn.attention.varlen import varlen_attn

    borders = torch.tensor([0, *accumulate(lengths)], dtype=torch.int32, device=query.device)
    q, k, v = (x[0].transpose(0, 1).contiguous() for x in (query, key, value))
    before = -1 if window is None else window - 1
    seen: Any = varlen_attn(
        q,
        k,
        v,
        borders,
        borders,
        max(lengths),
        max(lengths),
        scale=scaling,
        window_size=(before, 0),
        enable_gqa=k.shape[1] != q.shape[1],
    )
    return seen[None]
