"""Text -> tokens with weights.

An example is encoded as one text; each token takes the weight of the segment in which it ends (a token over a
border takes the later weight). EOS follows with the last segment's weight. Nothing is padded here.

Plain text has no special tokens: what looks like one is read as the letters it is written with, and what the
tokenizer puts before any text (BOS) is put there. In a chat the template's own text holds them, BOS and the end of
the last turn too.
"""

from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from itertools import accumulate
from pathlib import Path
from typing import Any

import msgspec

from tripost.errors import ModelError
from tripost.models.chat import load_turns
from tripost.models.folder import check_tokenizer, why
from tripost.records import Example


class Encoded(msgspec.Struct, frozen=True):
    """`ids[k]` is a token, `weights[k]` the weight of predicting it. Both of the same length."""

    ids: list[int]
    weights: list[float]


def encode(tokenizer: Any, examples: Sequence[Example], *, chat: bool = False) -> list[Encoded]:
    """Tokens and weights of each example."""
    texts = ["".join(segment.text for segment in example.segments) for example in examples]
    batch = _tokens(tokenizer, texts, chat=chat, return_offsets_mapping=True)
    before = [] if chat else leading(tokenizer)
    ends = special_tokens(tokenizer)
    encoded: list[Encoded] = []
    for example, text, ids, found in zip(examples, texts, batch["input_ids"], batch["offset_mapping"], strict=True):
        offsets = _without_blanks(text, ids, found, ends)
        places = pieces_of_tokens(offsets, [len(segment.text) for segment in example.segments])
        weights = [example.segments[k].weight for k in places]
        last = [] if ids and ids[-1] in ends else [tokenizer.eos_token_id]
        encoded.append(
            Encoded(
                ids=[*before, *ids, *last],
                weights=[*(0.0 for _ in before), *weights, *(example.segments[-1].weight for _ in last)],
            )
        )
    return encoded


def pieces_of_tokens(offsets: Iterable[tuple[int, int]], lengths: Sequence[int]) -> list[int]:
    """In which piece of a text each token ends; `lengths`: characters of the pieces."""
    ends = list(accumulate(lengths))
    return [bisect_left(ends, end) for _, end in offsets]


def encode_prompts(tokenizer: Any, prompts: Sequence[str], *, chat: bool = False) -> list[list[int]]:
    """Tokens of prompts; the beginning of the same text encoded as an example."""
    if not prompts:
        return []
    before = [] if chat else leading(tokenizer)
    return [[*before, *ids] for ids in _tokens(tokenizer, prompts, chat=chat)["input_ids"]]


def count_tokens(tokenizer: Any, texts: Sequence[str], *, chat: bool = False) -> list[int]:
    """Tokens of texts as training examples: with EOS."""
    ends = special_tokens(tokenizer)
    return [len(ids) + (not ids or ids[-1] not in ends) for ids in encode_prompts(tokenizer, texts, chat=chat)]


def leading(tokenizer: Any) -> list[int]:
    """What the tokenizer puts before every text: BOS, or nothing."""
    plain, dressed = tokenizer("a", add_special_tokens=False)["input_ids"], tokenizer("a")["input_ids"]
    return _before(plain, dressed)


def _before(plain: list[int], dressed: list[int]) -> list[int]:
    """The tokens that stand in `dressed` before those of `plain`."""
    return dressed[: next((k for k in range(len(dressed)) if dressed[k : k + len(plain)] == plain), 0)]


def special_tokens(tokenizer: Any) -> dict[int, str]:
    """The tokens that stand for no text, and how they are written in a template."""
    return {number: str(token) for number, token in tokenizer.added_tokens_decoder.items() if token.special}


def _without_blanks(
    text: str, ids: Sequence[int], offsets: Sequence[tuple[int, int]], special: Mapping[int, str]
) -> list[tuple[int, int]]:
    """The places of tokens; some special ones (Phi-3's) take the blanks behind them, into theirs."""
    found = [(first, end) for first, end in offsets]
    for k, (token, (first, end)) in enumerate(zip(ids, offsets, strict=True)):
        if token in special and end - first > len(special[token]):
            first = text.index(special[token], first, end)
            found[k] = (first, first + len(special[token]))
    return found


def _tokens(tokenizer: Any, texts: Sequence[str], *, chat: bool, **others: Any) -> Any:
    return tokenizer(list(texts), add_special_tokens=False, split_special_tokens=not chat, **others)


class TokenCounter:
    """Counts tokens with the tokenizer of a folder that we have saved, without torch and transformers.

    Loading may cut text otherwise than the file of a foreign folder says (some model types bring their own rules);
    what `save_pretrained` writes are the rules that were in force. Raises ModelError.
    """

    def __init__(self, folder: str) -> None:
        from tokenizers import Tokenizer

        check_tokenizer(Path(folder))
        self.chat = load_turns(folder) is not None
        try:
            self.tokenizer = Tokenizer.from_file(str(Path(folder) / "tokenizer.json"))
        except Exception as error:  # tokenizers raises nothing more special
            raise ModelError(f"{folder}: no tokenizer can be loaded: {why(folder, error)}") from None
        self.tokenizer.no_truncation()
        self.tokenizer.no_padding()
        plain, dressed = (self.tokenizer.encode("a", add_special_tokens=dress).ids for dress in (False, True))
        self.before = 0 if self.chat else len(_before(plain, dressed))
        self.tokenizer.encode_special_tokens = not self.chat
        self.ends = {k for k, token in self.tokenizer.get_added_tokens_decoder().items() if token.special}

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        """Tokens of each text as a training example, EOS included."""
        found = (encoding.ids for encoding in self.tokenizer.encode_batch_fast(list(texts), add_special_tokens=False))
        return [self.before + len(ids) + (not ids or ids[-1] not in self.ends) for ids in found]
