"""What a base can do, measured on pages that it was not trained on.

A learned piece counts as right where every one of its tokens is the most likely one given the true text before it:
for a page of exercises, that is greedy decoding exercise by exercise. On pages with a key (a verdict, an option's
letter), only pieces that hold one count.
"""

from collections.abc import Sequence
from itertools import islice
from typing import Any

import msgspec

from tripost.pretrain.corpus import SHARES, pages
from tripost.pretrain.packing import Document, tokenised
from tripost.pretrain.page import CORRECT, INCORRECT, KEY, SAID

BATCH = 16


class Skill(msgspec.Struct):
    """`right` of `pieces` learned pieces whole right; `nats` over `tokens` learned tokens. Of lines that are checked
    at once: `found` of `wrong` wrong ones called wrong, `passed` of `fine` right ones called right."""

    kind: str
    pieces: int = 0
    right: int = 0
    nats: float = 0.0
    tokens: int = 0
    wrong: int = 0
    found: int = 0
    fine: int = 0
    passed: int = 0


class Scored(msgspec.Struct, frozen=True):
    """A document; `likeliest[k]` is the most likely token at place k, `nats[k]` what the true one costs."""

    document: Document
    likeliest: list[int]
    nats: list[float]


def measure(
    model: Any, tokenizer: Any, kinds: Sequence[str] = tuple(SHARES), count: int = 100, seed: str = "held out"
) -> list[Skill]:
    """One Skill a kind, on `count` pages each."""
    found: list[Skill] = []
    for kind in kinds:
        skill = Skill(kind)
        for scored in _scored(model, tokenised(tokenizer, list(islice(pages(kind, seed), count)))):
            _count(skill, scored, tokenizer)
        found.append(skill)
    return found


def _scored(model: Any, documents: Sequence[Document]) -> list[Scored]:
    import torch

    found: list[Scored] = []
    order = sorted(documents, key=lambda document: len(document.ids))
    for start in range(0, len(order), BATCH):
        batch = order[start : start + BATCH]
        ids = torch.zeros((len(batch), len(batch[-1].ids)), dtype=torch.long)
        for k, document in enumerate(batch):
            ids[k, : len(document.ids)] = torch.tensor(document.ids)
        with torch.inference_mode():
            logits = model(input_ids=ids, use_cache=False).logits[:, :-1].float()
        nats = torch.nn.functional.cross_entropy(logits.transpose(1, 2), ids[:, 1:], reduction="none")
        for document, best, costs in zip(batch, logits.argmax(-1).tolist(), nats.tolist(), strict=True):
            found.append(Scored(document=document, likeliest=[-1, *best], nats=[0.0, *costs]))
    return found


def _count(skill: Skill, scored: Scored, tokenizer: Any) -> None:
    ids, weights = scored.document.ids, scored.document.learned[:-1]  # without EOS
    least = KEY if KEY in weights else SAID
    for first, last in runs([weight > 0 for weight in weights]):
        if max(weights[first:last]) < least:
            continue
        skill.pieces += 1
        skill.right += ids[first:last] == scored.likeliest[first:last]
        skill.nats += sum(scored.nats[first:last])
        skill.tokens += last - first
        said = tokenizer.decode(ids[first:last])
        if said.startswith((CORRECT, INCORRECT)):  # where it falls, the text before is the same for both
            told = tokenizer.decode([scored.likeliest[_verdict(ids[first:last], tokenizer) + first]])
            right = "correct" in told and ("incorrect" in told) == said.startswith(INCORRECT)
            if said.startswith(INCORRECT):
                skill.wrong += 1
                skill.found += right
            else:
                skill.fine += 1
                skill.passed += right


def _verdict(ids: Sequence[int], tokenizer: Any) -> int:
    """The place of the first token that says whether it is correct."""
    return next(k for k in range(len(ids)) if "correct" in tokenizer.decode([ids[k]]))


def runs(learned: Sequence[bool]) -> list[tuple[int, int]]:
    """Where the runs of learned tokens begin and end; one at the very beginning has no prediction and is left out."""
    edges = [k for k in range(1, len(learned)) if learned[k] != learned[k - 1]]
    edges = ([0] if learned and learned[0] else []) + edges + ([len(learned)] if learned and learned[-1] else [])
    return [(first, last) for first, last in zip(edges[::2], edges[1::2], strict=True) if first > 0]
