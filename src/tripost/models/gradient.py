"""The loss of a step's examples and its gradient, micro-batch by micro-batch.

`total` is the weight of the whole step's targets, so the gradient is the same however the step is cut into
micro-batches, packed or padded (to rounding).
"""

from collections.abc import Sequence
from typing import Any

from tripost.models.encode import Encoded
from tripost.models.large_vocabulary import nll_in_pieces, pieces_pay
from tripost.models.packed import pack, pack_attention, packed_logits
from tripost.models.weighted_loss import nll_of_targets, weighted_nll
from tripost.params import TrainParams


def open_accelerator(params: TrainParams) -> Any:
    """The device, and autocast to `params.precision` (weights that are trained stay fp32)."""
    from accelerate import Accelerator

    return Accelerator(mixed_precision="bf16" if params.precision == "bf16" else "no")


class Gradient:
    """Adds up gradients in the parameters of `model`; `accelerator` says where and with what precision."""

    def __init__(self, model: Any, accelerator: Any, params: TrainParams) -> None:
        self.model, self.accelerator, self.most_tokens = model, accelerator, params.micro_batch_tokens
        if params.gradient_checkpointing:
            model.activation_checkpointing_enable({"use_reentrant": False})
        self.packed = pack_attention(model, params.precision)
        self.in_pieces = self.packed and pieces_pay(model, params.micro_batch_tokens, accelerator.autocast)

    def add(self, rows: Sequence[Encoded], total: float) -> float:
        """The rows' part of the step's loss; its gradient is added to what is there."""
        found = 0.0
        for micro in self.micro_batches(rows):
            with self.accelerator.autocast():
                loss = self._loss(micro) / total
            self.accelerator.backward(loss)
            found += float(loss.detach())
        return found

    def micro_batches(self, rows: Sequence[Encoded]) -> list[list[Encoded]]:
        """The rows, at most so many tokens in a micro-batch, padding included (or one row); like lengths together."""
        batches: list[list[Encoded]] = []
        for row in sorted(rows, key=lambda row: len(row.ids)):
            if not batches or self._tokens([*batches[-1], row]) > self.most_tokens:
                batches.append([])
            batches[-1].append(row)
        return batches

    def _tokens(self, rows: Sequence[Encoded]) -> int:
        """What a micro-batch of these takes; the last row is the longest."""
        return sum(len(row.ids) for row in rows) if self.packed else len(rows) * len(rows[-1].ids)

    def _loss(self, rows: Sequence[Encoded]) -> Any:
        if self.packed:
            batch = pack(rows, self.accelerator.device)
            if self.in_pieces:
                return nll_in_pieces(self.model, batch)
            return nll_of_targets(packed_logits(self.model, batch, batch.places), batch.targets, batch.weights)
        ids, weights, mask = pad(rows, 0, self.accelerator.device)
        return weighted_nll(self.model(input_ids=ids, attention_mask=mask, use_cache=False).logits, ids, weights)


def pad(rows: Sequence[Encoded], pad_id: int, device: Any) -> tuple[Any, Any, Any]:
    """ids, weights, mask as tensors [rows, longest], padded on the right with weight 0."""
    import torch

    longest = max(len(row.ids) for row in rows)
    ids = torch.full((len(rows), longest), pad_id, dtype=torch.long)
    weights = torch.zeros((len(rows), longest))
    mask = torch.zeros((len(rows), longest), dtype=torch.long)
    for k, row in enumerate(rows):
        n = len(row.ids)
        ids[k, :n] = torch.tensor(row.ids)
        weights[k, :n] = torch.tensor(row.weights)
        mask[k, :n] = 1
    return ids.to(device), weights.to(device), mask.to(device)
