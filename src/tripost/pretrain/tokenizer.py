"""The embedded base's tokenizer: phrases and words of the tasks whole, made-up words in letters, digits one by one.

Fewer tokens a text is what a small budget of compute buys most with. So what always comes in the same words is one
token (`" Let's calculate "`), while all that has to be copied or calculated stays in small pieces: a digit of a
number, a sign, a letter. Of a date the month, the day and both halves of the year are whole, so that two dates are
compared in four places.

A text is cut from left to right, the longest known piece first. What a date is may hang on the character behind it;
no prompt ends within one, so a prompt's tokens are the beginning of the tokens of the text that it opens.
"""

import calendar
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

from tripost.models.byte_tokenizer import byte_tokenizer, in_alphabet, splitter

_LABEL = r"[\n ]?\((?:[1-9]|[12][0-9]|[A-G])\)"
_PLAIN = r"[\n ]?(?:[A-Za-z']+|\([A-Za-z][a-z ]{2,20}\))"
_BEFORE_A_YEAR = [
    *("/", ", ", "of ", "in ", "year ", "since "),
    *(f"{name} " for k in range(1, 13) for name in (calendar.month_name[k], calendar.month_abbr[k])),
]
_CENTURY = "(?:1[89]|2[01])"
_UNIT = "(?:hour|day|week|month|year)s?"
_YEAR = f"{_CENTURY}[0-9]{{2}}(?![0-9])"


def _after(texts: Iterable[str]) -> str:
    return f"(?:{'|'.join(f'(?<={text})' for text in texts)})"


_DATE = "|".join(
    (
        r" ?[0-3][0-9]/(?=[0-9])",
        rf" [1-6]?[0-9](?=(?:st|nd|rd|th)(?![a-z])|, {_YEAR}| {_UNIT}(?![a-z]))",
        f"{_after(_BEFORE_A_YEAR)}{_CENTURY}(?=[0-9]{{2}}(?![0-9]))",
        f"{_after(before + _CENTURY for before in _BEFORE_A_YEAR)}[0-9]{{2}}(?![0-9])",
    )
)
"""A month or day before a slash, a day of the month or a count of days, each half of a year: a token each, but only
where it belongs to a date; the same digits in a sum are cut one by one."""
_PIECE = re.compile(rf"{_LABEL}|{_DATE}| [-+*=] | <| \?\??|{_PLAIN}|[0-9]|\s|[^\sA-Za-z0-9]")
_WORD = re.compile(_PLAIN)
_PROTECTED = re.compile(rf"{_LABEL}| ?[0-9]+/?|-| [-+*] |\(|[a-z]| \?\??|@")
_FIRST_PRIVATE = 0xE000
KNOWN_SHARE, PHRASE_SHARE = 0.006, 0.03
"""Of the documents of its family: what share makes a word a token, and what share lets it be part of a phrase."""


def build_tokenizer(families: dict[str, list[str]], markers: Sequence[str], phrases: int, context: int) -> Any:
    """A fast tokenizer. `families`: texts by family, cut where a prompt may end; `markers`: the layout's own."""
    known, common = _words(families)
    found = _phrases(families, known, common, phrases)
    labels = [f"{gap}({k})" for gap in ("", "\n", " ") for k in (*range(1, 30), *"ABCDEFG")]
    dates = [f"{gap}{k:02d}/" for gap in ("", " ") for k in range(1, 32)] + [f" {k}" for k in range(70)]
    halves = ["18", "19", "20", "21", *(f"{k:02d}" for k in range(100))]
    whole = sorted({*known, *found, *labels, *markers, *(f" {sign} " for sign in "-+*="), " <", " ?", " ??"})
    split = splitter(f"{_DATE}|{_longest(whole)}|[A-Za-z]+|[0-9]|\\s|[^\\sA-Za-z0-9]")
    pieces = [in_alphabet(text) for text in (*whole, *dates, *halves)]
    return byte_tokenizer(split, pieces, context)


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
                if piece == ".":  # what follows a sentence is not yet known where the sentence ends
                    runs.append(run)
                    run = ""
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
