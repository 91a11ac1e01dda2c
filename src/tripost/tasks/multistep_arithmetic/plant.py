"""Errors of known place in right attempts: a slip in one claim, carried on to the end or not, as models make them.

An attempt is taken only if every claim in it holds; this is reckoned here, without the scripted expert. A changed
claim counts as wrong only if its value is another one: `0 * 4` for `0 * 5` is not surely an error.
"""

import random
import re
from collections.abc import Iterator

import msgspec

from tripost.interfaces import PlantedError
from tripost.records import Attempt, Problem
from tripost.tasks.multistep_arithmetic.derive import (
    CALCULATE,
    EQUATION,
    FINAL,
    question_text,
    read_chain,
    read_equation,
    read_integer,
    reductions,
    written_out,
)
from tripost.tasks.multistep_arithmetic.expression import (
    ExpressionError,
    Node,
    bind,
    evaluate,
    parse,
    substitute,
)
from tripost.tasks.planted import near, rewrite, with_answer

_PLACE = re.compile(r"-?[0-9]+|(?<= )[-+*](?= )")


class _Claim(msgspec.Struct, frozen=True):
    """`text` stands for `value`: the definition of a letter, or item `index` of the chain of a step."""

    kind: str
    line: int
    index: int
    text: str
    value: int
    name: str = ""


def plant(problem: Problem, attempt: Attempt, rng: random.Random) -> PlantedError | None:
    """The attempt with one wrong claim, of a kind that is drawn first; None where it cannot be vouched for."""
    try:
        work = _Work(problem.question, attempt)
    except ExpressionError:
        return None
    kinds = sorted({claim.kind for claim in work.claims})
    rng.shuffle(kinds)
    for kind in kinds:
        claims = [claim for claim in work.claims if claim.kind == kind]
        carry = rng.random() < 0.5
        for claim in rng.sample(claims, len(claims)):
            for text in _slips(claim.text, rng):
                lines = work.lines_with(claim, text, carry)
                if lines:
                    carried = "-carried" if len(lines) > 1 else ""
                    return PlantedError(rewrite(attempt, lines), claim.line, kind + carried)
    return None


def _slips(text: str, rng: random.Random) -> Iterator[str]:
    """The expression with one number or operator changed, in random order."""
    places = list(_PLACE.finditer(text))
    rng.shuffle(places)
    for place in places:
        found = place[0]
        others = [str(n) for n in near(int(found), rng)] if found[-1].isdigit() else list("+-*".replace(found, ""))
        for other in others:
            yield text[: place.start()] + other + text[place.end() :]


class _Work:
    """A right attempt, taken apart. Raises ExpressionError where a step cannot be read or does not hold."""

    def __init__(self, question: str, attempt: Attempt) -> None:
        self.attempt = attempt
        self.whole = parse(question_text(question))
        self.value = evaluate(self.whole)
        self.values: dict[str, int] = {}
        self.claims: list[_Claim] = []
        for number, step in enumerate(attempt.steps, start=1):
            if step.text.startswith(EQUATION):
                self._equation(number, step.text)
            elif step.text.startswith(CALCULATE):
                name, *chain = read_chain(step.text, CALCULATE)
                _demand(name in self.values and bool(chain))
                self._chain(number, ("copy", "operation"), chain, self.values[name], name)
            else:
                _demand(step.text.startswith(FINAL))
                self._chain(number, ("equation", "substitution"), read_chain(step.text, FINAL), self.value)
        _demand(read_integer(attempt.final) == self.value)
        end = len(attempt.steps) + 1
        self.claims.append(_Claim("answer", end, 0, str(self.value), self.value))

    def _equation(self, number: int, text: str) -> None:
        written, definitions = read_equation(text) or ("", {})
        bound: dict[str, Node] = {}
        _demand(bind(parse(written), self.whole, bound))
        _demand({name: parse(definition) for name, definition in definitions.items()} == bound)
        self.values = {name: evaluate(node) for name, node in bound.items()}
        for name, definition in definitions.items():
            self.claims.append(_Claim("definition", number, 0, definition, self.values[name], name))

    def _chain(self, number: int, kinds: tuple[str, str], chain: list[str], value: int, name: str = "") -> None:
        _demand(all(evaluate(parse(item), self.values) == value for item in chain))
        for index, item in enumerate(chain):
            last = index == len(chain) - 1 > 0
            kind = "result" if last else kinds[min(index, 1)]
            kind = "operation" if kind == "substitution" and index > 1 else kind
            self.claims.append(_Claim(kind, number, index, item, value, name))

    def lines_with(self, claim: _Claim, text: str, carry: bool) -> dict[int, str]:
        """The lines with that claim changed and, if it is carried on, all that follows from it; none where the
        change would not surely be an error."""
        try:
            node = parse(text)
            if evaluate(node, self.values) == claim.value:
                return {}
            if claim.kind == "answer":
                return {claim.line: with_answer(self.attempt, text)}
            onward = written_out(text, substitute(node, dict(self.values))) if carry else []
            lines = {claim.line: self._line(claim, text, onward)}
            return lines | self._what_follows(claim, evaluate(node, self.values), onward) if carry else lines
        except ExpressionError:  # beyond the bounds of what can be written
            return {}

    def _line(self, claim: _Claim, text: str, onward: list[str]) -> str:
        """The line of the claim with `text` in its place, and behind it what follows from it, if it is carried on."""
        old = self.attempt.line(claim.line)
        if claim.kind == "definition":
            return old.replace(f"{claim.name} = {claim.text}", f"{claim.name} = {text}", 1)
        opener = CALCULATE if old.startswith(CALCULATE) else FINAL
        head = [claim.name] if claim.name else []
        chain = read_chain(old, opener)[len(head) :]
        rest = onward[1:] if onward else chain[claim.index + 1 :]
        stop = "." if old.endswith(".") else ""
        return opener + " = ".join([*head, *chain[: claim.index], text, *rest]) + stop

    def _what_follows(self, claim: _Claim, value: int, onward: list[str]) -> dict[int, str]:
        """The later lines, with `value` believed to be that of the claim's letter, or of the whole."""
        lines: dict[int, str] = {}
        believed = dict(self.values) | ({claim.name: value} if claim.name else {})
        for number, step in enumerate(self.attempt.steps[claim.line :], start=claim.line + 1):
            stop = "." if step.text.endswith(".") else ""
            if step.text.startswith(CALCULATE) and read_chain(step.text, CALCULATE)[0] == claim.name:
                lines[number] = f"{CALCULATE}{' = '.join([claim.name, *onward])}{stop}"
            elif step.text.startswith(FINAL):
                head = read_chain(step.text, FINAL)[0]
                chain = reductions(substitute(parse(head), dict(believed)))
                lines[number] = f"{FINAL}{' = '.join([head, *chain])}{stop}"
                value = int(chain[-1])
        lines[len(self.attempt.steps) + 1] = with_answer(self.attempt, str(value))
        return lines


def _demand(holds: bool) -> None:
    if not holds:
        raise ExpressionError("a step that cannot be read, or does not hold")
