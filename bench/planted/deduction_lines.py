"""The lines of a deduction: read, written, held against the question, and worked out from another belief."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from bench.planted.clues import NUMBERS, Puzzle, place_of, read_clue, read_puzzle
from bench.planted.rows import Mask, Row, Tokens, described, everything, fitting, follows, order_of

_CLUE = re.compile(r'(.+): "(\([^"]+\))"\.')
_TOTAL = re.compile(r"There are in total ([a-z]+) ([a-z]+): (.+)\.")
_COMBINED = re.compile(r'Combining ([()\d, and]+) we get the following ordering: "(\([^"]+\))"\.')
_CONCLUSION = re.compile(r"According to this ordering, the ([a-z]+) that (.+) is (?:the )?([^.]+)\.")
_RESPONSE = re.compile(r"\(Final response\) (?:(.+\.) )?So the answer is \(([A-Z])\)\.")


@dataclass(frozen=True)
class ClueLine:
    """`<sentence>: "<pattern>".`"""

    sentence: str
    tokens: Tokens


@dataclass(frozen=True)
class Total:
    """`There are in total five books: a white book, ... .`"""

    number: str
    listed: tuple[str, ...]


@dataclass(frozen=True)
class Combined:
    """`Combining (1) and (2) we get the following ordering: "<pattern>".`; the lines that it cites, from 0."""

    cited: tuple[int, ...]
    tokens: Tokens


@dataclass(frozen=True)
class Conclusion:
    """`According to this ordering, the book that <place> is the <name>.`"""

    place: str
    thing: int


Line = ClueLine | Total | Combined | Conclusion


@dataclass(frozen=True)
class Work:
    """A rationale as read, with the question as read; `sentence` of the response may be empty."""

    puzzle: Puzzle
    row: Row
    lines: tuple[Line, ...]
    sentence: str
    letter: str

    def show_line(self, line: Line) -> str:
        """A line without its number."""
        if isinstance(line, ClueLine):
            return f'{line.sentence}: "{self.row.show(line.tokens)}".'
        if isinstance(line, Total):
            return f"There are in total {line.number} {self.puzzle.noun}: {listing(line.listed)}."
        if isinstance(line, Combined):
            *first, last = [f"({at + 1})" for at in line.cited]
            cited = f"{', '.join(first)} and {last}" if first else last
            return f'Combining {cited} we get the following ordering: "{self.row.show(line.tokens)}".'
        article = "the " if self.articled else ""
        name = f"{article}{self.puzzle.names[line.thing]}"
        return f"According to this ordering, the {self.singular} that {line.place} is {name}."

    @property
    def articled(self) -> bool:
        """Whether the objects have articles (people have none)."""
        return not self.puzzle.names[0][0].isupper()

    @property
    def singular(self) -> str:
        """One of the objects: `book`."""
        return {"people": "person", "boxes": "box"}.get(self.puzzle.noun, self.puzzle.noun.removesuffix("s"))

    def show(self) -> str:
        """The rationale's text."""
        lines = [f"({number}) {self.show_line(line)}" for number, line in enumerate(self.lines, 1)]
        sentence = f"{self.sentence} " if self.sentence else ""
        return "\n".join([*lines, f"(Final response) {sentence}So the answer is ({self.letter})."])

    def mask(self, at: int) -> Mask:
        """The arrangements that what a line states allows."""
        line = self.lines[at]
        count = self.puzzle.count
        return fitting(line.tokens, count) if isinstance(line, ClueLine | Combined) else everything(count)

    def premises(self, cited: Sequence[int]) -> Mask:
        """The arrangements that all cited lines allow."""
        mask = everything(self.puzzle.count)
        for at in cited:
            mask &= self.mask(at)
        return mask

    def put(self, at: int, line: Line) -> "Work":
        """With another line in the place of one."""
        return replace(self, lines=(*self.lines[:at], line, *self.lines[at + 1 :]))


def listing(names: Sequence[str]) -> str:
    """`a, b, and c`."""
    return f"{', '.join(names[:-1])}, and {names[-1]}" if len(names) > 1 else names[0]


def read_work(question: str, rationale: str) -> Work:
    """Read a right rationale; ValueError where it is not right, or not in the format."""
    puzzle = read_puzzle(question)
    *texts, last = rationale.split("\n")
    response = _RESPONSE.fullmatch(last)
    ends = re.search(r'"\(([^")]+)\) [^"]*\(([^"(]+)\)"', rationale)
    if response is None or ends is None:
        raise ValueError("not a deduction")
    row = puzzle.row((ends[1], ends[2]))
    lines = []
    for number, text in enumerate(texts, 1):
        if not text.startswith(f"({number}) "):
            raise ValueError(f"not a line of a deduction: {text}")
        lines.append(_read_line(puzzle, row, text.removeprefix(f"({number}) ")))
    work = Work(puzzle, row, tuple(lines), response[1] or "", response[2])
    for at, text in enumerate(texts):
        if not is_right(work, at):
            raise ValueError(f"wrong already: {text}")
    if not is_right_response(work):
        raise ValueError(f"wrong already: {last}")
    return work


def _read_line(puzzle: Puzzle, row: Row, text: str) -> Line:
    if match := _COMBINED.fullmatch(text):
        cited = tuple(int(number) - 1 for number in re.findall(r"\((\d+)\)", match[1]))
        return Combined(cited, row.read(match[2]))
    if match := _TOTAL.fullmatch(text):
        return Total(match[1], tuple(re.split(r", and |, ", match[3])))
    if match := _CONCLUSION.fullmatch(text):
        return Conclusion(match[2], puzzle.thing(match[3]))
    if match := _CLUE.fullmatch(text):
        return ClueLine(match[1], row.read(match[2]))
    raise ValueError(f"not a line of a deduction: {text}")


def is_right(work: Work, at: int) -> bool:
    """Whether a line follows from the question and from the lines that it cites."""
    line, puzzle = work.lines[at], work.puzzle
    if isinstance(line, ClueLine):
        clues = [clue for clue in puzzle.clues if clue.text.removesuffix(".") == line.sentence]
        return bool(clues) and len(clues[0].things) > 0 and follows(work.mask(at), clues[0].mask)
    if isinstance(line, Total):
        return line.number == NUMBERS[puzzle.count] and sorted(line.listed) == sorted(puzzle.listed)
    if isinstance(line, Combined):
        known = [cited for cited in line.cited if cited < at and not isinstance(work.lines[cited], Conclusion)]
        return len(known) == len(line.cited) and follows(work.mask(at), work.premises(known))
    return follows(_at(puzzle, line.thing, place_of(line.place, puzzle.count)), last_order(work.lines[:at], puzzle))


def last_order(lines: Sequence[Line], puzzle: Puzzle) -> Mask:
    """What the ordering found last allows, or the last clue where nothing is combined."""
    patterns = [line.tokens for line in lines if isinstance(line, Combined)]
    patterns = patterns or [line.tokens for line in lines if isinstance(line, ClueLine)]
    return fitting(patterns[-1], puzzle.count) if patterns else everything(puzzle.count)


def _at(puzzle: Puzzle, thing: int, place: int) -> Mask:
    tokens: Tokens = ("?",) * place + (thing,) + ("?",) * (puzzle.count - 1 - place)
    return fitting(tokens, puzzle.count)


def is_right_response(work: Work) -> bool:
    """Whether the letter is that of a true option, and the sentence (if any) is that option."""
    puzzle = work.puzzle
    text = puzzle.options.get(work.letter, "")
    if not text or (work.sentence and work.sentence != text):
        return False
    return follows(read_clue(text, puzzle.names).mask, puzzle.solutions())


def carried(work: Work, at: int) -> Work | None:
    """The lines after one worked out anew from it; None where they contradict it, or leave the order open."""
    wrong = work.lines[at]
    if isinstance(wrong, Conclusion):
        return _answered(work, _at(work.puzzle, wrong.thing, place_of(wrong.place, work.puzzle.count)))
    for index in range(at + 1, len(work.lines)):
        line = work.lines[index]
        if isinstance(line, Combined):
            old = [token for token in line.tokens if isinstance(token, int)]
            tokens = described(work.premises(line.cited), work.puzzle.count, old)
            if tokens is None:
                return None
            work = work.put(index, replace(line, tokens=tokens))
    last = last_order(work.lines, work.puzzle)
    if int(last.sum()) != 1:
        return None
    order = order_of(last, work.puzzle.count)
    for index, line in enumerate(work.lines):
        if isinstance(line, Conclusion):
            work = work.put(index, replace(line, thing=order[place_of(line.place, work.puzzle.count)]))
    return _answered(work, last)


def _answered(work: Work, premises: Mask) -> Work | None:
    """With the response that follows."""
    for letter, text in work.puzzle.options.items():
        if follows(read_clue(text, work.puzzle.names).mask, premises):
            return replace(work, letter=letter, sentence=text if work.sentence else "")
    return None
