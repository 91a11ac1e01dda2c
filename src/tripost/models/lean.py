"""One more token of each row, for Llama-shaped models, in a third of the operations that the model's modules take.

With a small model most of a step's time goes into calling operations, not into computing. Here the projections of a
layer are one matrix each, positions come from a table, and no module stands between. The weights are those of the
loaded model. It is used for some types alone, where the logits turn out to be the model's own (`lean_step`); others
decode with their modules, and so does a large one.
"""

from collections.abc import Sequence
from typing import Any

import torch
from torch.nn.functional import linear, rms_norm, scaled_dot_product_attention, silu

from tripost.models.slots import FULL, Slots

TOLERANCE = 1e-4
"""Of the largest logit; rounding in fp32 stays below 1e-6."""
LARGEST = 200_000_000
"""Parameters up to which it is worth a second copy of the weights."""
SHAPES = ("llama", "mistral", "qwen2")
"""Model types that have it; that it is so is tried out all the same."""
STATIC = ("default", "linear", "llama3")
"""Kinds of rotary positions that do not depend on how long the text is."""


class _Layer:
    """A layer's weights, those that are applied to the same input as one matrix."""

    def __init__(self, layer: Any) -> None:
        attention, mlp = layer.self_attn, layer.mlp
        self.before, self.eps = layer.input_layernorm.weight, layer.input_layernorm.variance_epsilon
        self.qkv, self.qkv_bias = _joined(attention.q_proj, attention.k_proj, attention.v_proj)
        self.out, self.out_bias = _joined(attention.o_proj)
        self.between = layer.post_attention_layernorm.weight
        self.gate_up, self.gate_up_bias = _joined(mlp.gate_proj, mlp.up_proj)
        self.down, self.down_bias = _joined(mlp.down_proj)


class LeanStep:
    """The step of a Llama-shaped model. Raises AttributeError where a model has other parts."""

    def __init__(self, model: Any) -> None:
        config, body = model.config, model.model
        self.heads, self.groups = config.num_attention_heads, config.num_key_value_heads
        self.size = getattr(config, "head_dim", None) or config.hidden_size // self.heads
        self.embedding, self.head = body.embed_tokens.weight, model.lm_head.weight
        self.layers = [_Layer(layer) for layer in body.layers]
        self.last, self.eps = body.norm.weight, body.norm.variance_epsilon
        positions = torch.arange(config.max_position_embeddings, device=self.embedding.device)
        cos, sin = body.rotary_emb(self.embedding, positions[None])
        half = self.size // 2
        self.cos = cos[0, :, None]
        self.sin = torch.cat([-sin[0, :, :half], sin[0, :, half:]], -1)[:, None]  # beside what is turned by a half
        self.half = half

    def __call__(self, tokens: Sequence[int], slots: Slots) -> Any:
        """Logits [rows, vocabulary] behind one more token of each live row; its keys and values go into the slots."""
        x = self.embedding[torch.tensor(tokens, device=self.embedding.device)]
        mask, positions = slots.begin_step()
        near = torch.zeros(mask.shape, dtype=x.dtype, device=x.device).masked_fill_(~mask, float("-inf"))
        cos, sin = self.cos[positions[:, 0]], self.sin[positions[:, 0]]
        rows, turned = len(tokens), (self.heads + self.groups) * self.size
        for layer, cache in zip(self.layers, slots.layers, strict=True):
            h = rms_norm(x, x.shape[1:], layer.before, layer.eps)
            qkv = linear(h, layer.qkv, layer.qkv_bias)
            qk = qkv[:, :turned].view(rows, -1, self.size)
            qk = torch.addcmul(qk * cos, qk.roll(self.half, -1), sin)
            v = qkv[:, turned:].view(rows, -1, 1, self.size)
            keys, values = cache.update(qk[:, self.heads :, None], v)
            seen = scaled_dot_product_attention(
                qk[:, : self.heads, None], keys, values, near, enable_gqa=self.groups != self.heads
            )
            x = x + linear(seen.reshape(rows, -1), layer.out, layer.out_bias)
            h = rms_norm(x, x.shape[1:], layer.between, layer.eps)
            gate, up = linear(h, layer.gate_up, layer.gate_up_bias).chunk(2, -1)
            x = x + linear(silu(gate) * up, layer.down, layer.down_bias)
        slots.end_step()
        return linear(rms_norm(x, x.shape[1:], self.last, self.eps), self.head)


def lean_step(model: Any) -> LeanStep | None:
    """The model's lean step, where it has one: Llama's shape, all layers with full attention, and the same logits."""
    if model.config.model_type not in SHAPES or model.num_parameters() > LARGEST:
        return None
    try:
        step = LeanStep(model)
        slots = Slots(model.config, 2, step.embedding.device)
        if set(slots.kinds) != {FULL} or model.config.rope_parameters["rope_type"] not in STATIC:
            return None
        return step if _same(model, step, slots) else None
    except (AttributeError, KeyError, TypeError, RuntimeError, IndexError, ValueError):  # another shape
        return None


def _same(model: Any, step: LeanStep, slots: Slots) -> bool:
    """Whether the logits behind two short texts, read by the model and continued by the step, are the model's own."""
    from transformers import DynamicCache

    vocabulary, device = step.embedding.shape[0], step.embedding.device
    texts = [[k * 7 % vocabulary for k in range(start, start + length)] for start, length in ((3, 9), (40, 6))]
    wanted = []
    with torch.inference_mode():
        for text in texts:
            ids = torch.tensor([text], device=device)
            wanted.append(model(input_ids=ids, use_cache=False).logits[0, -2:])
            cache = DynamicCache()
            model(input_ids=ids[:, :-2], past_key_values=cache, use_cache=True)
            slots.admit(cache, [0], [(0, len(text) - 2)])
        found = [step([text[k] for text in texts], slots) for k in (-2, -1)]
    own = torch.stack(wanted, 1)
    return bool((torch.stack(found) - own).abs().max() <= TOLERANCE * own.abs().max())


def _joined(*projections: Any) -> tuple[Any, Any]:
    """One weight matrix and one bias (or None) for projections of the same input."""
    biases = [projection.bias for projection in projections]
    weight = torch.cat([projection.weight for projection in projections])
    return weight, None if biases[0] is None else torch.cat(biases)
