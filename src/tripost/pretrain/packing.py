"""Documents -> batches of rows of tokens, with hardly any padding.

A row holds whole documents, one after the other; attention may look back at the ones before, which say nothing
about the next one. Rows have one of two lengths, so that a compiled model sees two shapes; a batch of either kind
holds the same number of tokens.
"""

import random
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from typing import Any, TypeAlias

import msgspec
import numpy as np
import numpy.typing as npt

from tripost.models.encode import pieces_of_tokens
from tripost.pretrain.corpus import pages
from tripost.pretrain.page import SAID, Page

SHORT, LONG = 256, 1024
_TO_SHORT = 0.85
"""Of the documents that fit into a short row; the others fill up long rows."""
_OPEN = 40
"""Rows that are filled at the same time."""


class Document(msgspec.Struct):
    """Tokens, and what each weighs in the loss: nothing where it is only given."""

    ids: list[int]
    learned: list[float]


class Batch(msgspec.Struct, frozen=True):
    """`ids` and `learned`: [rows, length + 1]; the last token is only predicted, the first one only read."""

    ids: npt.NDArray[np.int64]
    learned: npt.NDArray[np.float32]


Rows: TypeAlias = dict[int, list[Document]]


def tokenised(tokenizer: Any, made: Sequence[Page]) -> list[Document]:
    """Each page's tokens, EOS last; a token weighs what the piece weighs in which it ends."""
    texts = ["".join(text for text, _ in page) for page in made]
    encoded = tokenizer(texts, add_special_tokens=False, return_offsets_mapping=True)
    found: list[Document] = []
    for page, ids, offsets in zip(made, encoded["input_ids"], encoded["offset_mapping"], strict=True):
        learned = [page[k][1] for k in pieces_of_tokens(offsets, [len(text) for text, _ in page])]
        found.append(Document(ids=[*ids, tokenizer.eos_token_id], learned=[*learned, SAID]))
    return found


def stream(tokenizer: Any, seed: str, shares: Mapping[str, float]) -> Iterator[Document]:
    """Endless documents; each kind holds its share of the tokens. Those longer than a row are left out."""
    sources = {kind: pages(kind, seed) for kind in shares}
    taken = dict.fromkeys(shares, 0)
    waiting: dict[str, list[Document]] = {kind: [] for kind in shares}
    while True:
        kind = min(shares, key=lambda kind: taken[kind] / shares[kind])
        if not waiting[kind]:
            waiting[kind] = tokenised(tokenizer, list(islice(sources[kind], 50)))
        document = waiting[kind].pop()
        if len(document.ids) <= LONG:
            taken[kind] += len(document.ids)
            yield document


def batches(documents: Iterator[Document], count: int, tokens: int, seed: str) -> list[Batch]:
    """So many batches of `tokens` tokens each, in random order. Raises ValueError where no rows make up so many."""
    if tokens % LONG:
        raise ValueError(f"{tokens} tokens a batch: a multiple of {LONG} is needed")
    rng = random.Random(f"pack {seed}")
    full: Rows = {SHORT: [], LONG: []}
    filling: Rows = {SHORT: [], LONG: []}
    while sum(len(rows) // (tokens // size) for size, rows in full.items()) < count:
        document = next(documents)
        size = SHORT if len(document.ids) <= SHORT and rng.random() < _TO_SHORT else LONG
        _place(document, filling[size], full[size], size)
    made: list[Batch] = []
    for size, rows in full.items():
        each = tokens // size
        rng.shuffle(rows)
        made += [_batch(rows[k : k + each], size) for k in range(0, len(rows) - each + 1, each)]
    rng.shuffle(made)
    return made[:count]


def _place(document: Document, filling: list[Document], full: list[Document], size: int) -> None:
    """Into the fullest row that has room, or a new one; the fullest of too many rows is done."""
    fitting = [row for row in filling if len(row.ids) + len(document.ids) <= size + 1]
    if fitting:
        row = max(fitting, key=lambda row: len(row.ids))
        row.ids.extend(document.ids)
        row.learned.extend(document.learned)
        return
    filling.append(Document(ids=list(document.ids), learned=list(document.learned)))
    if len(filling) > _OPEN:
        filling.sort(key=lambda row: len(row.ids))
        full.append(filling.pop())


def _batch(rows: list[Document], size: int) -> Batch:
    ids = np.zeros((len(rows), size + 1), np.int64)
    learned = np.zeros((len(rows), size + 1), np.float32)
    for k, row in enumerate(rows):
        ids[k, : len(row.ids)] = row.ids
        learned[k, : len(row.ids)] = row.learned
    return Batch(ids=ids, learned=learned)
