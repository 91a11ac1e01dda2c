"""Muon: momentum whose matrices are made orthogonal before they are taken as the step.

Source: Keller Jordan et al., "Muon: An optimizer for hidden layers in neural networks" (2024), with the step size of
Moonlight (arXiv 2502.16982), so that one learning rate serves Muon and AdamW. torch.optim.Muon does the same, in
bfloat16 and one matrix after the other: on a processor without bfloat16 units that took longer than the gradient.
Here matrices of one shape are one batch in float32.
"""

from collections.abc import Sequence
from typing import Any

COEFFICIENTS = (3.4445, -4.7750, 2.0315)
ITERATIONS = 5


def orthogonal(batch: Any) -> Any:
    """Each matrix of the batch [n, rows, columns] with all its singular values brought near 1 (Newton-Schulz)."""
    a, b, c = COEFFICIENTS
    tall = batch.shape[1] > batch.shape[2]
    x = batch.transpose(1, 2) if tall else batch
    x = x / (x.norm(dim=(1, 2), keepdim=True) + 1e-7)
    for _ in range(ITERATIONS):
        gram = x @ x.transpose(1, 2)
        x = a * x + (b * gram + c * gram @ gram) @ x
    return x.transpose(1, 2) if tall else x


class Muon:
    """For matrices alone; `rate` is set before each step. Decay is decoupled, as in AdamW.

    With several processes, all holding the same gradients, each makes its share of the matrices orthogonal.
    """

    def __init__(
        self, matrices: Sequence[Any], weight_decay: float, rank: int = 0, processes: int = 1, momentum: float = 0.95
    ) -> None:
        import torch

        self.matrices, self.weight_decay, self.momentum, self.rate = list(matrices), weight_decay, momentum, 0.0
        self.processes = processes
        self.moments = [torch.zeros_like(matrix) for matrix in self.matrices]
        shapes: dict[tuple[int, ...], list[int]] = {}
        for k, matrix in enumerate(self.matrices):
            shapes.setdefault(tuple(matrix.shape), []).append(k)
        self.mine = [group[rank::processes] for group in shapes.values()]

    def named_moments(self) -> list[tuple[str, Any]]:
        """The moments by their place in the list of matrices."""
        return [(str(k), moment) for k, moment in enumerate(self.moments)]

    def step(self) -> None:
        """One step with the gradients that stand in the matrices."""
        import torch

        with torch.no_grad():
            updates = [torch.zeros_like(matrix) for matrix in self.matrices]
            for moment, matrix in zip(self.moments, self.matrices, strict=True):
                moment.lerp_(matrix.grad, 1 - self.momentum)
            for group in filter(None, self.mine):
                nesterov = [self.matrices[k].grad.lerp(self.moments[k], self.momentum) for k in group]
                for k, update in zip(group, orthogonal(torch.stack(nesterov)), strict=True):
                    updates[k] = update
            if self.processes > 1:
                flat = torch.cat([update.flatten() for update in updates])
                torch.distributed.all_reduce(flat)
                updates = [
                    part.view_as(matrix)
                    for part, matrix in zip(
                        torch.split(flat, [m.numel() for m in self.matrices]), self.matrices, strict=True
                    )
                ]
            for matrix, update in zip(self.matrices, updates, strict=True):
                size = self.rate * 0.2 * max(matrix.shape) ** 0.5
                matrix.mul_(1 - self.rate * self.weight_decay).add_(update, alpha=-size)
