"""A deduction question, read sentence by sentence; written from questions, without the task's own reader."""

import re
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from bench.planted.rows import Mask, Row, everything, places

NTHS = ("first", "second", "third", "fourth", "fifth", "sixth", "seventh")
NUMBERS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight")
# What is nearer to the first end, what is nearer to the last one, and how far (0: any distance).
RELATIONS = [
    ("to the left of", "to the right of", 0),
    ("cheaper than", "more expensive than", 0),
    ("less expensive than", "more expensive than", 0),
    ("lighter than", "heavier than", 0),
    ("weighs less than", "weighs more than", 0),
    ("the next lighter one after", "the next heavier one after", 1),
    ("older than", "newer than", 0),
    ("older than", "younger than", 0),
    ("the next older one after", "the next younger one after", 1),
    ("ahead of", "behind", 0),
    ("directly ahead of", "directly behind", 1),
    ("two places ahead of", "two places behind", 2),
    ("stands right before", "stands right after", 1),
    ("stands somewhere before", "stands somewhere after", 0),
    ("finished above", "finished below", 0),
    ("finished ahead of", "finished behind", 0),
    ("finished directly ahead of", "finished directly behind", 1),
    ("came in right before", "came in right after", 1),
    ("was faster than", "was slower than", 0),
    ("less tall than", "taller than", 0),
    ("shorter than", "higher than", 0),
    ("comes earlier than", "comes later than", 0),
    ("comes right before", "comes right after", 1),
    ("played before", "played after", 0),
    ("played directly before", "played directly after", 1),
    ("west of", "east of", 0),
    ("further west than", "further east than", 0),
    ("directly west of", "directly east of", 1),
    ("the western neighbour of", "the eastern neighbour of", 1),
    ("two doors west of", "two doors east of", 2),
    ("above", "below", 0),
    ("somewhere above", "somewhere below", 0),
    ("directly above", "directly below", 1),
    ("two places above", "two places below", 2),
    ("stands right on", "stands right under", 1),
]
_NEARER = {words: (-1, far) for words, _, far in RELATIONS} | {words: (1, far) for _, words, far in RELATIONS}
_ENDS = {
    **dict.fromkeys(["leftmost", "left", "cheapest", "lightest", "oldest", "front", "shortest", "top"], 1),
    **dict.fromkeys(["westernmost", "west", "first"], 1),
    **dict.fromkeys(["rightmost", "right", "most expensive", "heaviest", "newest", "youngest", "back"], -1),
    **dict.fromkeys(["tallest", "easternmost", "east", "last", "bottom"], -1),
}
_END = re.compile(r"\b(" + "|".join(sorted(_ENDS, key=len, reverse=True)) + r")\b")
_NTH = re.compile(r"\b(" + "|".join(NTHS) + r")\b")


def place_of(words: str, count: int) -> int:
    """The place, from 0, that a phrase such as `the second from the right` or `finished third-to-last` names."""
    ends, nths = _END.findall(words), _NTH.findall(words)
    if len(set(ends) - {"first"}) > 1 or len(nths) > 1 or not (ends or nths):
        raise ValueError(f"not a place: {words!r}")
    nth = NTHS.index(nths[0]) if nths else 0
    side = _ENDS[ends[-1]] if ends else 1
    if nth >= count:
        raise ValueError(f"no such place: {words!r}")
    return nth if side > 0 else count - 1 - nth


@dataclass(frozen=True)
class Clue:
    """A sentence of the paragraph and the arrangements that it allows."""

    text: str
    mask: Mask
    things: tuple[int, ...]


@dataclass(frozen=True)
class Puzzle:
    """A deduction question as read."""

    noun: str
    """What the objects are, in the plural: `books`."""
    listed: tuple[str, ...]
    """The objects as the paragraph lists them: `a white book`."""
    names: tuple[str, ...]
    """The same without articles: `white book`."""
    short: tuple[str, ...]
    """The same as patterns have them: `white`."""
    clues: tuple[Clue, ...]
    options: dict[str, str]

    @property
    def count(self) -> int:
        """How many objects there are."""
        return len(self.names)

    def solutions(self) -> Mask:
        """The arrangements that all clues allow."""
        mask = everything(self.count)
        for clue in self.clues:
            mask &= clue.mask
        return mask

    def thing(self, name: str) -> int:
        """The number of an object that is named in full, with or without "the"."""
        return self.names.index(re.sub(r"^[Tt]he ", "", name))

    def row(self, ends: tuple[str, str]) -> Row:
        """The objects as patterns have them."""
        return Row(self.short, ends)


def read_clue(text: str, names: tuple[str, ...]) -> Clue:
    """What a sentence says of one object's place, or of two objects; ValueError where it is not read."""
    known = sorted(names, key=len, reverse=True)
    parts = re.split(
        r"(?:\b[Tt]he )?\b(" + "|".join(re.escape(name) for name in known) + r")\b", text.removesuffix(".")
    )
    things, words = tuple(names.index(name) for name in parts[1::2]), [part.strip() for part in parts[::2]]
    at = places(len(names))
    if len(things) == 1:
        place = place_of(" ".join(words), len(names))
        return Clue(text, at[:, things[0]] == place, things)
    relation = re.sub(r"^(?:is|are) ", "", words[1]) if len(things) == 2 and not words[0] and not words[2] else ""
    if relation not in _NEARER:
        raise ValueError(f"not a clue: {text!r}")
    sign, far = _NEARER[relation]
    distance = sign * (at[:, things[0]] - at[:, things[1]])
    return Clue(text, distance == far if far else distance > 0, things)


def short_names(names: tuple[str, ...]) -> tuple[str, ...]:
    """The names without the last word where all of them have the same one."""
    heads = {name.rpartition(" ")[2] for name in names}
    return tuple(name.rpartition(" ")[0] for name in names) if len(heads) == 1 and len(names) > 1 else names


def read_puzzle(question: str) -> Puzzle:
    """Read a question with its options; ValueError for a sentence that is not read."""
    stem, found, below = question.partition("\nOptions:\n")
    sentences = re.split(r"(?<=\.)\s+", stem.strip())
    at = next((at for at, sentence in enumerate(sentences) if ": " in sentence), None)
    if at is None or not found:
        raise ValueError("not a deduction question")
    scene, _, listing = sentences[at].removesuffix(".").partition(": ")
    listed = tuple(re.split(r", and |, | and ", listing))
    names = tuple(re.sub(r"^(?:an?|the) ", "", thing) for thing in listed)
    head = re.search(r"\b(" + "|".join(NUMBERS) + r") ([a-z]+)$", scene)
    if head is None or NUMBERS.index(head[1]) != len(names):
        raise ValueError(f"another number of objects: {sentences[at]!r}")
    clues = tuple(read_clue(sentence, names) for sentence in sentences[at + 1 :])
    options = dict(re.findall(r"^\(([A-Z])\) (.+)$", below, re.MULTILINE))
    return Puzzle(head[2], listed, names, short_names(names), clues, options)


def right_letter(puzzle: Puzzle) -> str:
    """The letter of the one true option; ValueError where the order is not certain, or not one option is true."""
    solutions = puzzle.solutions()
    if int(solutions.sum()) != 1:
        raise ValueError(f"{int(solutions.sum())} arrangements satisfy all clues")
    true = [letter for letter, text in puzzle.options.items() if read_clue(text, puzzle.names).mask[solutions].all()]
    if len(true) != 1:
        raise ValueError(f"{len(true)} options are true")
    return true[0]


def needless(puzzle: Puzzle) -> int:
    """How many clues may be left out, one at a time, without another arrangement becoming possible."""
    found = 0
    for rest in combinations(puzzle.clues, len(puzzle.clues) - 1):
        found += int(np.logical_and.reduce([clue.mask for clue in rest]).sum()) == 1 if rest else 0
    return found
