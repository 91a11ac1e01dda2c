"""The embedded base's tokenizer: phrases and words of the tasks whole, made-up words in syllables, digits one by one.

Fewer tokens a text is what a small budget of compute buys most with. So what always comes in the same words is one
token (`" Let's calculate "`), while all that has to be copied, compared or calculated stays in small pieces: a digit,
a sign, a syllable. A text is cut from left to right, the longest known piece first, so that a prompt's tokens are the
beginning of the tokens of the text that it opens.
"""

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

EOS = "<|end|>"
_LABEL = r"[\n ]?\((?:[1-9]|[12][0-9]|[A-G])\)"
_PLAIN = r"[\n ]?(?:[A-Za-z']+|\([A-Za-z][a-z ]{2,20}\))"
_PIECE = re.compile(rf"{_LABEL}| [-+*=] | <| \?\??|{_PLAIN}|[0-9]|\s|[^\sA-Za-z0-9]")
_WORD = re.compile(_PLAIN)
_PROTECTED = re.compile(rf"{_LABEL}|[0-9]|-| [-+*] |\(|[a-z]| \?\??")
_FIRST_PRIVATE = 0xE000
KNOWN_SHARE, PHRASE_SHARE = 0.01, 0.03
"""Of the documents of its family: what share makes a word a token, and what share lets it be part of a phrase."""


def build_tokenizer(
    families: dict[str, list[str]], markers: Sequence[str], words: Iterable[str], phrases: int, syllables: int,
    context: int,
) -> Any:  # fmt: skip
    """A fast tokenizer.

    `families`: texts by family, cut where a prompt may end; `markers`: the layout's own; `words`: made-up ones, of
    which at most `syllables` pieces are learned (0: they are spelled in letters).
    """
    from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast

    known, common = _words(families)
    found = _phrases(families, known, common, phrases)
    labels = [f"{gap}({k})" for gap in ("", "\n", " ") for k in (*range(1, 30), *"ABCDEFG")]
    whole = sorted({*known, *found, *labels, *markers, *(f" {sign} " for sign in "-+*="), " <", " ?", " ??"})
    merges = _syllables(words, syllables) if syllables else []
    split = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(f"{_longest(whole)}|[A-Za-z]+|[0-9]|\\s|[^\\sA-Za-z0-9]"), "isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    as_bytes = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    pieces = [as_bytes.pre_tokenize_str(text)[0][0] for text in whole]
    vocabulary = {
        piece: k for k, piece in enumerate(dict.fromkeys([EOS, *alphabet, *(a + b for a, b in merges), *pieces]))
    }
    tokenizer = Tokenizer(models.BPE(vocab=vocabulary, merges=merges, ignore_merges=True))
    tokenizer.pre_tokenizer = split
    tokenizer.decoder = decoders.ByteLevel()
    return PreTrainedTokenizerFast(  # type: ignore[no-untyped-call]  # transformers has no types here
        tokenizer_object=tokenizer,
        eos_token=EOS,
        pad_token=EOS,
        model_max_length=context,
        clean_up_tokenization_spaces=False,
    )


def _words(families: dict[str, list[str]]) -> tuple[set[str], set[str]]:
    """Words that are tokens, and those of them that phrases are made of."""
    known: set[str] = set()
    common: set[str] = set()
    for texts in families.values():
        counts: Counter[str] = Counter()
        for text in texts:
            counts.update({piece for piece in _PIECE.findall(text) if _WORD.fullmatch(piece)})
        known |= {word for word, count in counts.items() if count >= KNOWN_SHARE * len(texts)}
        common |= {word for word, count in counts.items() if count >= PHRASE_SHARE * len(texts)}
    return known, common


def _phrases(families: dict[str, list[str]], known: set[str], common: set[str], count: int) -> set[str]:
    """Runs of pieces that recur, by byte-pair encoding with a piece as a character."""
    from tokenizers import Tokenizer, models, pre_tokenizers, trainers

    letters: dict[str, str] = {}
    runs: list[str] = []
    for texts in families.values():
        for text in texts:
            run = ""
            for piece in _PIECE.findall(text):
                joins = not _PROTECTED.fullmatch(piece) and (piece in common or not _WORD.fullmatch(piece))
                if not joins or piece[0] == "\n":
                    runs.append(run)
                    run = ""
                if joins:
                    run += letters.setdefault(piece, chr(_FIRST_PRIVATE + len(letters)))
            runs.append(run)
    pieces = {letter: piece for piece, letter in letters.items()}
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    tokenizer.train_from_iterator(
        (run for run in runs if len(run) > 1),
        trainers.BpeTrainer(vocab_size=len(letters) + count, min_frequency=20, show_progress=False),
    )
    found = {"".join(pieces[letter] for letter in item) for item in tokenizer.get_vocab() if len(item) > 1}
    return {text for text in found if re.search(r'[A-Za-z"]', text) and not text.endswith(" ")}


def _syllables(words: Iterable[str], count: int) -> list[tuple[str, str]]:
    """The merges of a byte-pair encoding of words."""
    import json

    from tokenizers import Tokenizer, models, trainers

    tokenizer = Tokenizer(models.BPE())
    tokenizer.train_from_iterator(words, trainers.BpeTrainer(vocab_size=26 + count, show_progress=False))
    merges = json.loads(tokenizer.to_str())["model"]["merges"]
    return [(a, b) for a, b in merges]


def _longest(texts: Sequence[str]) -> str:
    """A regular expression that matches the longest of the texts, words only whole; linear, since it is a trie."""
    trie: dict[str, Any] = {}
    for text in texts:
        node = trie
        for letter in text:
            node = node.setdefault(letter, {})
        node[""] = text
    starts = "|".join(
        f"{'(?<![A-Za-z])' if letter.isalpha() else ''}{_escaped(letter)}{_branches(below)}"
        for letter, below in sorted(trie.items())
    )
    return f"(?:{starts})"


def _branches(node: dict[str, Any]) -> str:
    ends = "(?![A-Za-z])" if node.get("", " ")[-1].isalpha() else ""
    branches = [f"{_escaped(letter)}{_branches(below)}" for letter, below in sorted(node.items()) if letter]
    if "" in node:
        branches.append(ends)
    return branches[0] if len(branches) == 1 else f"(?:{'|'.join(branches)})"


def _escaped(letter: str) -> str:
    return {"\n": r"\n", " ": " ", "'": "'", '"': '"'}.get(letter, re.escape(letter))
