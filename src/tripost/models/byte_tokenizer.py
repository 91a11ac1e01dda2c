"""A fast tokenizer from a vocabulary of our own: bytes underneath, so that any text can be said."""

from collections.abc import Iterable
from typing import Any

EOS = "<|end|>"


def alphabet() -> list[str]:
    """The letters that stand for the 256 bytes, in order."""
    from tokenizers import pre_tokenizers

    return sorted(pre_tokenizers.ByteLevel.alphabet())


def in_alphabet(text: str) -> str:
    """The text's bytes, a letter each."""
    from tokenizers import pre_tokenizers

    return "".join(piece for piece, _ in pre_tokenizers.ByteLevel(False, use_regex=False).pre_tokenize_str(text))


def splitter(pattern: str) -> Any:
    """Cuts a text at the matches of a regular expression, each a piece, and writes each piece in the alphabet."""
    from tokenizers import Regex, pre_tokenizers

    return pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(pattern), behavior="isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )


def byte_tokenizer(split: Any, pieces: Iterable[str], context: int) -> Any:
    """EOS, the alphabet and `pieces` (written in it) as tokens, in this order."""
    from tokenizers import Tokenizer, decoders, models
    from transformers import PreTrainedTokenizerFast

    vocabulary = {token: k for k, token in enumerate(dict.fromkeys([EOS, *alphabet(), *pieces]))}
    tokenizer = Tokenizer(models.BPE(vocab=vocabulary, merges=[], ignore_merges=True))
    tokenizer.pre_tokenizer = split
    tokenizer.decoder = decoders.ByteLevel()
    return PreTrainedTokenizerFast(  # type: ignore[no-untyped-call]  # transformers has no types here
        tokenizer_object=tokenizer,
        eos_token=EOS,
        pad_token=EOS,
        model_max_length=context,
        clean_up_tokenization_spaces=False,
    )
