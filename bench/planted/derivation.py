"""The lines of an arithmetic rationale as rows of expressions, and the later rows worked out from earlier."""

import re
from dataclasses import dataclass, replace

from bench.planted.expression import (
    Leaf,
    at_path,
    chain,
    is_number,
    parse,
    paths,
    plain,
    put,
    reductions,
    show,
    value_of,
)

SETUP = re.compile(r'\(1\) This equation can be written as "([^"]+)", where (.+)\.')
STEP = re.compile(r"\(\d+\) Let's calculate ([A-Za-z]) = (.+)\.")
TOTAL = re.compile(r"\(\d+\) Then, the final equation is (.+)\.")
RESPONSE = re.compile(r"\(Final response\) So the answer is (-?\d+)\.")
Row = tuple[str, ...]


@dataclass(frozen=True)
class Work:
    """One rationale: row k holds the expressions of line k + 1.

    The first row is the shape and the definitions, then come the chains of the letters, the chain of the
    final equation and the answer.
    """

    names: tuple[str, ...]
    order: tuple[str, ...]
    rows: tuple[Row, ...]

    @property
    def truth(self) -> dict[str, int]:
        """The values of the letters by their definitions."""
        return {name: value_of(text) for name, text in zip(self.names, self.rows[0][1:], strict=True)}

    def put(self, row: int, index: int, text: str) -> "Work":
        """The same with one expression replaced."""
        line = self.rows[row]
        return self.put_row(row, (*line[:index], text, *line[index + 1 :]))

    def put_row(self, row: int, line: Row) -> "Work":
        """The same with one row replaced."""
        return replace(self, rows=(*self.rows[:row], line, *self.rows[row + 1 :]))


def read_work(rationale: str) -> Work:
    """Read a rationale; ValueError where it is not of the format."""
    lines = rationale.split("\n")
    setup = SETUP.fullmatch(lines[0])
    steps = [STEP.fullmatch(line) for line in lines[1:-2]]
    total, response = TOTAL.fullmatch(lines[-2]), RESPONSE.fullmatch(lines[-1])
    if setup is None or total is None or response is None:
        raise ValueError("not an arithmetic rationale")
    pairs = [part.split(" = ") for part in re.split(r", | and ", setup[2])]
    found = [step for step in steps if step is not None]
    rows = [
        (setup[1], *(pair[1] for pair in pairs)),
        *(tuple(step[2].split(" = ")) for step in found),
        tuple(total[1].split(" = ")),
        (response[1],),
    ]
    work = Work(tuple(pair[0] for pair in pairs), tuple(step[1] for step in found), tuple(rows))
    if show_work(work) != rationale:
        raise ValueError("not an arithmetic rationale")
    return work


def show_line(work: Work, row: int) -> str:
    """One line of the rationale."""
    line = work.rows[row]
    if row == 0:
        pairs = [f"{name} = {text}" for name, text in zip(work.names, line[1:], strict=True)]
        listed = " and ".join(filter(None, [", ".join(pairs[:-1]), pairs[-1]]))
        return f'(1) This equation can be written as "{line[0]}", where {listed}.'
    if row == len(work.rows) - 1:
        return f"(Final response) So the answer is {line[0]}."
    if row == len(work.rows) - 2:
        return f"({row + 1}) Then, the final equation is {' = '.join(line)}."
    return f"({row + 1}) Let's calculate {work.order[row - 1]} = {' = '.join(line)}."


def show_work(work: Work) -> str:
    """The text of a rationale."""
    return "\n".join(show_line(work, row) for row in range(len(work.rows)))


def substituted(shape: str, letters: dict[str, int]) -> str:
    """The shape with numbers for its letters."""
    expr = parse(shape)
    for path in paths(expr):
        node = at_path(expr, path)
        if isinstance(node, Leaf) and node.text in letters:
            expr = put(expr, path, replace(node, text=str(letters[node.text])))
    return show(expr)


def stated(work: Work) -> dict[str, int]:
    """The values that the chains of the letters end with."""
    return {name: int(line[-1]) for name, line in zip(work.order, work.rows[1:-2], strict=True)}


def carry_on(before: Work, work: Work, row: int) -> Work:
    """Work out the rows after an error anew from it; rows that it does not reach stay as they were."""
    if row == 0:
        texts = dict(zip(work.names, work.rows[0][1:], strict=True))
        for index, name in enumerate(work.order, start=1):
            if texts[name] != before.rows[0][1 + work.names.index(name)]:
                work = work.put_row(index, chain(texts[name]))
    total = len(work.rows) - 2
    if row < total and (stated(work) != stated(before) or work.rows[0][0] != before.rows[0][0]):
        first = substituted(work.rows[0][0], stated(work))
        work = work.put_row(total, (work.rows[0][0], first, *reductions(parse(first))))
    if row <= total:
        work = work.put(total + 1, 0, work.rows[total][-1])
    return work


def right_values(work: Work, row: int) -> list[int]:
    """The value that each expression of a row of this right rationale stands for."""
    letters = work.truth
    whole = value_of(work.rows[0][0], letters)
    if row == 0:
        return [whole, *letters.values()]
    is_step = 0 < row < len(work.rows) - 2
    return [letters[work.order[row - 1]] if is_step else whole] * len(work.rows[row])


def check_right(question: str, work: Work) -> None:
    """Refuse a rationale that is not right: planting an error in it would prove nothing."""
    asked = parse(question.strip().removesuffix("="))
    texts = dict(zip(work.names, work.rows[0][1:], strict=True))
    expr = parse(work.rows[0][0])
    for path in paths(expr):
        node = at_path(expr, path)
        if isinstance(node, Leaf) and node.text in texts:
            expr = put(expr, path, parse(texts[node.text]))
    # The same tree, not just the same value: a definition times zero may be wrong unseen.
    if plain(expr) != plain(asked):
        raise ValueError("wrong already: the first step is not the question")
    for row, line in enumerate(work.rows):
        for text, right in zip(line, right_values(work, row), strict=True):
            if value_of(text, work.truth) != right:
                raise ValueError(f"wrong already: {text} at step {row + 1}")
    if not all(is_number(line[-1]) for line in work.rows[1:]):
        raise ValueError("wrong already: a calculation without a result")
    if sorted(work.names) != sorted(work.order):
        raise ValueError("wrong already: a letter without a calculation")
