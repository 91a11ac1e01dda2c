"""The loss of weighted supervised learning: sum(w * nll) / sum(w) over real target tokens (paper, section 3.2).

The sum of weights is taken over a whole optimiser step before the first micro-batch runs, so the loss is the same
at any micro-batch size, accumulation and padding (to rounding). The authors' code averages over padding, too, and
does not divide by the weights, so its 1.5 also changes the learning rate.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch


def weighted_nll(logits: "torch.Tensor", ids: "torch.Tensor", weights: "torch.Tensor") -> "torch.Tensor":
    """Sum of w * nll of each token given those before it.

    `logits`: [rows, length, vocabulary]; `ids`, `weights`: [rows, length], weight 0 on padding. The first token of
    a row has no prediction and does not count, as in `target_weight`.
    """
    chosen = weights[:, 1:] != 0
    return nll_of_targets(logits[:, :-1][chosen], ids[:, 1:][chosen], weights[:, 1:][chosen])


def nll_of_targets(logits: "torch.Tensor", targets: "torch.Tensor", weights: "torch.Tensor") -> "torch.Tensor":
    """Sum of w * nll. `logits`: [n, vocabulary], what predicts each target; `targets`, `weights`: [n]."""
    from torch.nn.functional import cross_entropy

    return (cross_entropy(logits.float(), targets, reduction="none") * weights).sum()


def target_weight(weights: list[float]) -> float:
    """The weight of one row's targets: all tokens but the first."""
    return sum(weights[1:])
