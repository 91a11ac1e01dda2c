"""Keys and values of what was decoded last, for prompts that go on from it.

Feedback is asked for right behind the attempt, and an update right behind the feedback: of such a prompt only the few
new tokens have to be read. What the last call left is offered to the next one and then forgotten, so nothing stays
from which nobody goes on; what does not fit into the bound is read anew.
"""

from bisect import bisect_left
from collections.abc import Sequence
from typing import Any

import msgspec

MOST_BYTES = 512_000_000
LEAST = 16
"""Tokens in common from which on it is worth it."""


class Kept(msgspec.Struct, frozen=True):
    """`ids`: tokens; `layers`: for each layer their keys and values [heads, tokens, size]."""

    ids: tuple[int, ...]
    layers: list[tuple[Any, Any]]

    @property
    def size(self) -> int:
        """Bytes."""
        return sum(x.numel() * x.element_size() for pair in self.layers for x in pair)


class Prefixes:
    """What was decoded in the last call, by its tokens, and what this one has added."""

    def __init__(self, most_bytes: int = MOST_BYTES, least: int = LEAST) -> None:
        self.most_bytes, self.least, self.bytes = most_bytes, least, 0
        self.offered: list[Kept] = []
        self.added: list[Kept] = []

    def next_call(self) -> None:
        """What was added since the last time is offered from now on, and nothing else."""
        self.offered, self.added = sorted(self.added, key=lambda kept: kept.ids), []
        self.bytes = sum(kept.size for kept in self.offered)

    def has_room(self, size: int) -> bool:
        """Whether so many bytes more are kept."""
        return self.bytes + size <= self.most_bytes

    def add(self, ids: Sequence[int], layers: list[tuple[Any, Any]]) -> None:
        """Keep it for the next call; the last tokens may have no keys and values yet."""
        kept = Kept(tuple(ids[: layers[0][0].shape[1]]), layers)
        self.added.append(kept)
        self.bytes += kept.size

    def take(self, prompt: Sequence[int]) -> tuple[Kept | None, int]:
        """What begins most like the prompt and how many tokens they share, the prompt's last one aside; it is given
        away. (None, 0) where nothing is much like it.

        Of sequences in their order, a neighbour of the prompt shares the most.
        """
        wanted = tuple(prompt)
        place = bisect_left(self.offered, wanted, key=lambda kept: kept.ids)
        near = [
            (_shared(self.offered[k].ids, wanted[:-1]), k) for k in (place - 1, place) if 0 <= k < len(self.offered)
        ]
        shared, k = max(near, default=(0, 0))
        if shared < self.least:
            return None, 0
        return self.offered.pop(k), shared

    def used(self, kept: Kept) -> None:
        """What was taken has been read and is given up."""
        self.bytes -= kept.size


def _shared(a: Sequence[int], b: Sequence[int]) -> int:
    return next((k for k, (x, y) in enumerate(zip(a, b, strict=False)) if x != y), min(len(a), len(b)))


def prefill(cache: Any, begun: Sequence[tuple[Kept | None, int]], width: int) -> None:
    """Put each row's shared tokens into the last of the cache's `width` columns; what is before them is masked."""
    first = next(kept for kept, _ in begun if kept is not None)
    for layer, pair in enumerate(first.layers):
        states = [x.new_zeros((len(begun), x.shape[0], width, x.shape[2])) for x in pair]
        for row, (kept, shared) in enumerate(begun):
            if kept is not None:
                for state, mine in zip(states, kept.layers[layer], strict=True):
                    state[row, :, width - shared :] = mine[:, :shared]
        cache.update(*states, layer)
