"""The loss of a model with a large vocabulary without all of its logits at once.

2,600 targets and 150,000 tokens are 1.6 GB of logits, and as much for their gradient. Here they are made piece by
piece from the last hidden states, and again in the backward pass. Not every architecture's logits are its last states
times the output matrix (some are scaled or capped), so that is tried out before; other models keep the plain way.
"""

from collections.abc import Callable
from contextlib import nullcontext
from typing import TYPE_CHECKING, Any

from tripost.models.packed import Packed
from tripost.models.weighted_loss import nll_of_targets

if TYPE_CHECKING:
    import torch

PIECE = 16_000_000
"""Logits that are made at once: 64 MB in fp32."""
TOLERANCE = 1e-3
"""Of the largest logit; both sides compute the same in the same precision, and caps and scales differ by more."""


def pieces_pay(model: Any, tokens: int, autocast: Callable[[], Any] = nullcontext) -> bool:
    """Whether so many tokens have more logits than are made at once, and pieces give the same ones."""
    vocabulary = model.get_output_embeddings().weight.shape[0] if model.get_output_embeddings() is not None else 0
    return tokens * vocabulary > PIECE and _has_plain_head(model, autocast)


def nll_in_pieces(model: Any, batch: Packed) -> "torch.Tensor":
    """Sum of w * nll of the batch's targets, as from its logits."""
    states = model.get_decoder()(
        input_ids=batch.ids, position_ids=batch.positions, use_cache=False, packed_lengths=batch.lengths
    ).last_hidden_state[0][batch.places]
    head = model.get_output_embeddings()
    return nll_of_states(head, states, batch.targets, batch.weights, max(1, PIECE // head.weight.shape[0]))


def nll_of_states(
    head: Callable[["torch.Tensor"], "torch.Tensor"],
    states: "torch.Tensor",
    targets: "torch.Tensor",
    weights: "torch.Tensor",
    rows: int,
) -> "torch.Tensor":
    """Sum of w * nll. `states`: [n, width]; `head` makes logits of them, of so many `rows` at a time."""
    from torch.utils.checkpoint import checkpoint

    def piece(chosen: "torch.Tensor", wanted: "torch.Tensor", weight: "torch.Tensor") -> "torch.Tensor":
        return nll_of_targets(head(chosen), wanted, weight)

    total = states.new_zeros((), dtype=weights.dtype)
    for k in range(0, len(targets), rows):
        part = (states[k : k + rows], targets[k : k + rows], weights[k : k + rows])
        total = total + checkpoint(piece, *part, use_reentrant=False)
    return total


def _has_plain_head(model: Any, autocast: Callable[[], Any]) -> bool:
    """Whether the logits are the decoder's last states times the output matrix, and nothing else."""
    import torch

    ids = torch.arange(3, 12, device=model.device)[None] % model.get_input_embeddings().num_embeddings
    training = model.training
    try:
        model.eval()
        with torch.no_grad(), autocast():
            lengths = {"packed_lengths": (ids.shape[1],)}
            positions = torch.arange(ids.shape[1], device=model.device)[None]
            wanted = model(input_ids=ids, position_ids=positions, use_cache=False, **lengths).logits
            states = model.get_decoder()(input_ids=ids, position_ids=positions, use_cache=False, **lengths)
            found = model.get_output_embeddings()(states.last_hidden_state)
        return bool((found - wanted).abs().max() <= TOLERANCE * wanted.abs().max())
    except (AttributeError, TypeError, ValueError, RuntimeError):  # an architecture of its own
        return False
    finally:
        model.train(training)
