"""Which token comes next, and where rounding alone may have decided it.

A row's logits differ in their last digits with the batch it is decoded in, its padding and the number of threads.
That matters only where a draw falls next to the border between two tokens, or two tokens are equally likely. Those
places are named, so that the decoder can settle them by logits that depend on the row alone.
"""

from collections.abc import Sequence
from typing import Any

MARGIN, GREEDY_MARGIN = 1e-4, 1e-3
"""In cumulative probability; in logits at temperature 0. Measured in fp32 (embedded model): rounding gets to 1.3e-6
and 1e-5, and a token in 400 is within the margin."""


def pick(logits: Any, temperature: float, draws: Sequence[float]) -> tuple[list[int], list[int]]:
    """(one token a row, the rows that are too close to call).

    `logits`: [rows, vocabulary]. The likeliest token at temperature 0, else inverse cumulative probability at
    `draws`, one number in [0, 1) a row.
    """
    import torch

    if temperature == 0:
        best = logits.double().topk(2, -1).values
        close = best[:, 0] - best[:, 1] < GREEDY_MARGIN
        return _plain(logits.argmax(-1)), _plain(close.nonzero()[:, 0])
    cumulative = torch.softmax(logits.double() / temperature, -1).cumsum(-1)
    last = logits.shape[-1] - 1
    points = torch.tensor(draws, dtype=torch.float64, device=logits.device)[:, None] * cumulative[:, -1:]
    chosen = torch.searchsorted(cumulative, points, right=True).clamp(max=last)
    above = torch.where(chosen < last, cumulative.gather(1, chosen) - points, 1.0)
    below = torch.where(chosen > 0, points - cumulative.gather(1, (chosen - 1).clamp(min=0)), 1.0)
    close = torch.minimum(above, below)[:, 0] < MARGIN / min(1.0, temperature)  # which multiplies the rounding
    return _plain(chosen[:, 0]), _plain(close.nonzero()[:, 0])


def _plain(numbers: Any) -> list[int]:
    return [int(number) for number in numbers.tolist()]
