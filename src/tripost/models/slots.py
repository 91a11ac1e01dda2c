"""A KV cache of rows that come and go, for decoding: no row waits for the longest one of its batch.

A row's keys and values stand in the columns 0 .. length-1 of its slot, whatever the lengths of the others; the rows
that are being decoded fill the first slots. The model sees an ordinary cache, a mask and positions of each row.
"""

from collections.abc import Sequence
from typing import Any

import torch
from transformers.cache_utils import Cache, CacheLayerMixin, DynamicCache

from tripost.errors import ModelError
from tripost.models.load import context_length

SPARE = 64
"""Columns that are added at once, where rows outgrow the slots, and half as many as there are: all have to move."""
FULL, SLIDING = "full_attention", "sliding_attention"


class Slots(Cache):
    """`live` rows of at most `count`; `lengths[k]`: tokens of row k that are in the cache."""

    def __init__(self, config: Any, count: int, device: Any) -> None:
        self.count, self.live, self.width = count, 0, 0
        self.adds_mask = config._attn_implementation == "eager"  # to the scores; others take true and false
        self.upto = 0
        """Columns that the model looks at in the step under way."""
        self.kinds, self.window = layer_kinds(config)
        self.context = context_length(config)
        self.device = device
        self.rows = torch.arange(count, device=device)
        self.lengths = torch.zeros(count, dtype=torch.long, device=device)
        self.layers: list[Any]
        super().__init__(layers=[_Layer(self) for _ in self.kinds])

    def admit(self, cache: DynamicCache, sources: Sequence[int], columns: Sequence[tuple[int, int]]) -> None:
        """Rows `sources` of a cache as the next live rows; each one's tokens stand in its columns (first, end)."""
        lengths = [end - first for first, end in columns]
        self._widen(max(lengths))
        read: list[Any] = cache.layers
        for mine, theirs in zip(self.layers, read, strict=True):
            for k, (source, (first, end)) in enumerate(zip(sources, columns, strict=True), start=self.live):
                mine.place(k, theirs.keys[source, :, first:end], theirs.values[source, :, first:end])
        self.lengths[self.live : self.live + len(lengths)] = torch.tensor(lengths, device=self.device)
        self.live += len(lengths)

    def size_of(self, place: int) -> int:
        """Bytes of a live row's keys and values."""
        states = (x for layer in self.layers for x in (layer.keys, layer.values))
        return int(self.lengths[place]) * sum(int(x.element_size() * x.shape[1] * x.shape[3]) for x in states)

    def copy_of(self, place: int) -> list[tuple[Any, Any]]:
        """For each layer the keys and values [heads, length, size] of a live row."""
        length = int(self.lengths[place])
        return [(x.keys[place, :, :length].clone(), x.values[place, :, :length].clone()) for x in self.layers]

    def keep(self, places: Sequence[int]) -> list[int]:
        """Only the rows at these places stay. Returns the old place of each row, in the new order."""
        order = list(range(len(places)))
        kept = set(places)
        holes = [place for place in order if place not in kept]
        movers = [place for place in places if place >= len(places)]
        if holes:
            to, source = (torch.tensor(chosen, device=self.device) for chosen in (holes, movers))
            for layer in self.layers:
                layer.move(to, source)
            self.lengths[to] = self.lengths[source]
            for hole, mover in zip(holes, movers, strict=True):
                order[hole] = mover
        self.live = len(places)
        return order

    def begin_step(self) -> tuple[Any, Any]:
        """(attention mask, positions [live, 1]) for one more token of each live row."""
        positions = self.lengths[: self.live, None]
        self.upto = int(positions.max()) + 1
        self._widen(self.upto)
        columns = torch.arange(self.upto, device=self.device)
        full = (columns <= positions)[:, None, None]
        if SLIDING not in self.kinds:
            return self._mask(full), positions.clone()
        near = self._mask(full & (columns > positions - self.window)[:, None, None])
        return (near if FULL not in self.kinds else {FULL: self._mask(full), SLIDING: near}), positions.clone()

    def _mask(self, seen: Any) -> Any:
        """What each row may look at, as the model's attention takes it."""
        if not self.adds_mask:
            return seen
        dtype = self.layers[0].keys.dtype
        return torch.zeros(seen.shape, dtype=dtype, device=self.device).masked_fill_(~seen, torch.finfo(dtype).min)

    def end_step(self) -> None:
        """The tokens of the step are in the cache."""
        self.lengths[: self.live] += 1

    def _widen(self, columns: int) -> None:
        if columns > self.width:
            self.width = max(columns, min(self.context, max(columns + SPARE, self.width * 3 // 2)))


class _Layer(CacheLayerMixin):
    """Keys and values [count, heads, width, size of a head] of one layer."""

    def __init__(self, slots: Slots) -> None:
        super().__init__()  # type: ignore[no-untyped-call]  # transformers has no types here
        self.slots = slots
        self.keys: Any = None
        self.values: Any = None
        self.is_initialized = True

    def place(self, row: int, keys: Any, values: Any) -> None:
        """Put a row's keys and values [heads, length, size] into its first columns."""
        self._reserve(keys, values)
        self.keys[row, :, : keys.shape[1]] = keys
        self.values[row, :, : values.shape[1]] = values

    def move(self, to: Any, source: Any) -> None:
        """Rows `source` to the places `to`."""
        for tensor in (self.keys, self.values):
            tensor[to] = tensor[source]

    def update(self, key_states: Any, value_states: Any, *args: Any, **kwargs: Any) -> tuple[Any, Any]:
        """Take the step's keys and values [live, heads, 1, size]; all that a row may look at."""
        slots = self.slots
        self._reserve(key_states[0], value_states[0])
        rows, places = slots.rows[: slots.live], slots.lengths[: slots.live]
        self.keys[rows, :, places] = key_states[:, :, 0]
        self.values[rows, :, places] = value_states[:, :, 0]
        return self.keys[: slots.live, :, : slots.upto], self.values[: slots.live, :, : slots.upto]

    def _reserve(self, keys: Any, values: Any) -> None:
        """Room for the slots' width, of the kind of these keys and values [heads, any, size]."""
        missing = self.slots.width - (0 if self.keys is None else self.keys.shape[2])
        if missing > 0:
            self.keys, self.values = (
                _widened(old, new.new_zeros((self.slots.count, new.shape[0], missing, new.shape[2])))
                for old, new in ((self.keys, keys), (self.values, values))
            )

    def lazy_initialization(self, key_states: Any, value_states: Any) -> None:
        """Nothing: room is made where rows are placed."""

    def get_mask_sizes(self, query_length: int) -> tuple[int, int]:
        """Columns looked at, and where they begin."""
        return self.slots.upto, 0

    def get_seq_length(self) -> int:
        """Columns before the step's own: those of the longest row."""
        return self.slots.upto - 1

    def get_max_length(self) -> int:
        """No limit."""
        return -1


def _widened(old: Any, spare: Any) -> Any:
    return spare if old is None else torch.cat([old, spare], dim=2)


def layer_kinds(config: Any) -> tuple[tuple[str, ...], int]:
    """What each layer attends to (everything before, or a window), and how long the window is (0: none).

    Raises ModelError at a layer that does neither: it has another kind of cache.
    """
    config = config.get_text_config(decoder=True)
    window = getattr(config, "sliding_window", None)
    if not getattr(config, "use_sliding_window", True):
        window = None
    kinds = getattr(config, "layer_types", None) or [SLIDING if window else FULL] * config.num_hidden_layers
    other = sorted(set(kinds) - {FULL, SLIDING})
    if other:
        raise ModelError(f"{config.model_type}: layers of the kind {other[0]} cannot be decoded; take another model")
    return tuple(kinds), int(window or 0)
