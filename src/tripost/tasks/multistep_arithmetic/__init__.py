"""Multistep arithmetic (BIG-Bench Hard): nested integer expressions with + - *.

Difficulty is `length L, depth [..]`: depth [2] combines 2 groups, [2,2] 4, [2,2,2] 8; a group has L terms.
Seen: length 3-4 with depth [2] or [2,2]. Unseen: length 5-6, or depth [2,2,2].
"""

import random
import re
from collections.abc import Iterator, Sequence

from tripost.errors import DataError
from tripost.interfaces import Expert, PlantedError
from tripost.records import Attempt, Problem
from tripost.tasks.generated import generate
from tripost.tasks.multistep_arithmetic.derive import derive, question_text, read_integer
from tripost.tasks.multistep_arithmetic.expression import ExpressionError, evaluate, parse, write
from tripost.text import write_attempt

_DIFFICULTY = re.compile(r"length ([3-6]), depth \[(2(?:,2){0,2})\]")
_GROUP = re.compile(r"\(([^()]*)\)")


class MultistepArithmetic:
    """The task."""

    name = "multistep_arithmetic"

    def seen(self, difficulty: str) -> bool:
        """Seen: length 3-4 and depth [2] or [2,2]."""
        length, depth = _read(difficulty)
        return length <= 4 and depth <= 2

    def problems(self, difficulties: Sequence[str], seed: int) -> Iterator[Problem]:
        """Endless problems, difficulties in turn."""
        return generate(self, difficulties, seed, _problem)

    def is_correct(self, problem: Problem, attempt: Attempt) -> bool:
        """Equal integers."""
        final = read_integer(attempt.final)
        return final is not None and final == read_integer(problem.answer)

    def script(self) -> Expert:
        """FBK and IMP that recompute."""
        from tripost.tasks.multistep_arithmetic.check import ArithmeticScript

        return ArithmeticScript()

    def plant(self, problem: Problem, attempt: Attempt, rng: random.Random) -> PlantedError | None:
        """A slip in one claim."""
        from tripost.tasks.multistep_arithmetic.plant import plant

        return plant(problem, attempt, rng)

    def drill(self, rng: random.Random) -> tuple[str, str]:
        """A single operation, with operands of the sizes that come up in the middle of a problem."""
        a, b = (rng.randint(-size, size) for size in (rng.choice((9, 9, 81, 400)), rng.choice((9, 9, 9, 81))))
        operation = (rng.choice("+-*"), a, b)
        return f"{write(operation)} = ", str(evaluate(operation))

    def difficulty(self, question: str) -> str:
        """Length and depth of a published question, read off its brackets."""
        text = question_text(question)
        try:
            evaluate(parse(text))
        except ExpressionError as error:
            raise DataError(f"not a question of multistep arithmetic: {error}") from None
        groups = _GROUP.findall(text)
        lengths = {len(re.findall(r" [-+*] ", group)) + 1 for group in groups}
        depth = {2: "2", 4: "2,2", 8: "2,2,2"}.get(len(groups))
        if depth is None or len(lengths) != 1 or not 3 <= min(lengths) <= 6:
            raise DataError("not a question of multistep arithmetic: unknown length or depth")
        return f"length {lengths.pop()}, depth [{depth}]"


def _read(difficulty: str) -> tuple[int, int]:
    match = _DIFFICULTY.fullmatch(difficulty)
    if match is None:
        raise DataError(
            f"difficulty {difficulty!r}: write it as 'length 3, depth [2,2]' "
            "(length 3-6, depth [2], [2,2] or [2,2,2])"
        )
    return int(match[1]), match[2].count("2")


def _problem(difficulty: str, rng: random.Random) -> tuple[str, str, str]:
    """Question, answer and rationale."""
    length, depth = _read(difficulty)

    def operator() -> str:
        return rng.choice("+-*")

    def group() -> str:
        terms = [str(rng.randint(-9, 9))]
        for _ in range(length - 1):
            terms += [operator(), str(rng.randint(-9, 9))]
        return f"({' '.join(terms)})"

    parts = [group() for _ in range(2**depth)]
    while len(parts) > 1:
        parts = [f"({a} {operator()} {b})" for a, b in zip(parts[::2], parts[1::2], strict=True)]
    question = f"{parts[0]} ="
    steps, final_text = derive(question)
    attempt = write_attempt(steps, final_text, "dataset")
    return question, str(attempt.final), attempt.raw
