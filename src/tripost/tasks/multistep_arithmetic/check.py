"""The scripted FBK and IMP of multistep arithmetic.

FBK checks what each step claims (parses it and recomputes) instead of comparing with one canonical text, so any
valid derivation is right. Of a wrong operation it says how to work it out: in parts that are easier, or, where there
are none, what it is, unless that is the answer. IMP works it out that way.
"""

import re
from itertools import pairwise

from tripost.experts.script import Wrong, improve_by, judge_steps
from tripost.interfaces import CannotImprove, CannotJudge
from tripost.parts import find_part
from tripost.records import Attempt, Feedback, Problem, Step
from tripost.tasks.multistep_arithmetic.derive import (
    CALCULATE,
    EQUATION,
    FINAL,
    Begun,
    derive,
    question_text,
    read_chain,
    read_equation,
    read_integer,
)
from tripost.tasks.multistep_arithmetic.expression import (
    ExpressionError,
    Node,
    bind,
    difference,
    evaluate,
    in_parts,
    innermost,
    parse,
    write,
)
from tripost.text import says_only_the_answer

UNREADABLE = "it cannot be read"
_NAME = re.compile("[A-Z]")


class ArithmeticScript:
    """Expert for multistep arithmetic."""

    def feedback(self, problem: Problem, attempt: Attempt) -> Feedback | CannotJudge:
        """FBK. The first claim that does not hold; CannotJudge for a step that is none of the known forms."""
        try:
            checker = _Checker(problem.question)
        except ExpressionError as error:
            return CannotJudge(f"question: {error}")
        return judge_steps(checker, attempt)

    def improve(self, problem: Problem, attempt: Attempt, feedback: Feedback) -> Attempt | CannotImprove:
        """IMP. Keeps the steps before the wrong one and derives the rest; gives nothing that FBK would not accept."""
        try:
            checker = _Checker(problem.question)
        except ExpressionError as error:
            return CannotImprove(f"question: {error}")
        seen = judge_steps(checker, attempt)
        same = isinstance(seen, Feedback) and seen.wrong_step == feedback.wrong_step
        begun = checker.begun if same else None  # whoever the feedback is from, the operation is the one that we see
        found = improve_by(lambda question, kept: derive(question, kept, begun), self, problem, attempt, feedback)
        if isinstance(found, Attempt) or begun is None:
            return found
        return improve_by(derive, self, problem, attempt, feedback)  # what it had begun leads nowhere


class _Checker:
    """Reads an attempt step by step and holds what its steps have established."""

    def __init__(self, question: str) -> None:
        self.whole = parse(question_text(question))
        self.value = evaluate(self.whole)
        self.template: str | None = None
        self.definitions: dict[str, str] = {}
        self.values: dict[str, int] = {}
        self.begun: Begun | None = None
        self.last_result = ""
        self.calculated: set[str] = set()
        self.concluded = False

    def step(self, step: Step) -> Wrong | CannotJudge | None:
        text = step.text
        if text.startswith(EQUATION):
            return self._equation(text)
        if text.startswith(CALCULATE):
            return self._calculate(text)
        if text.startswith(FINAL):
            return self._final_equation(text)
        return CannotJudge("none of the known forms")

    def final(self, attempt: Attempt) -> Wrong | CannotJudge | None:
        if not says_only_the_answer(attempt.final_text):
            return CannotJudge("the final response says more than the answer")
        if read_integer(attempt.final) == self.value:
            return None if self.concluded else CannotJudge("the answer is right, but no step leads to it")
        return attempt.final_text, self.last_result or "it does not follow from the steps"

    def _equation(self, text: str) -> Wrong | None:
        found = read_equation(text)
        if found is None:
            return text, UNREADABLE
        written, definitions = found
        bound: dict[str, Node] = {}
        template = _parse(written)
        if template is None or not bind(template, self.whole, bound):
            return f'"{written}"', "it is not the equation of the question"
        for name, definition in definitions.items():
            node = _parse(definition)
            if node is None:
                return f"{name} = {definition}", UNREADABLE
            if name not in bound:
                return f"{name} = {definition}", f"{name} does not stand in the equation"
            if node != bound[name]:
                return f"{name} = {definition}", f"{name} is another part of the question"
        missing = [name for name in bound if name not in definitions]
        if missing:
            return _from(text, ", where "), f"{missing[0]} is not defined"
        self.template, self.definitions = written, definitions
        self.values = {name: evaluate(node) for name, node in bound.items()}
        return None

    def _calculate(self, text: str) -> Wrong | None:
        name, *chain = read_chain(text, CALCULATE)
        if not _NAME.fullmatch(name):
            return text, UNREADABLE
        if name not in self.values:
            return f"{CALCULATE}{name}", f"{name} is not defined"
        if not chain:
            return text, "nothing is calculated"
        if _parse(chain[0]) is None:
            return _from(text, f"{name} = {chain[0]}"), UNREADABLE
        if _value(chain[0], {}) != self.values[name]:
            return f"{name} = {chain[0]}", f"{name} is {self.definitions[name]}"
        wrong = self._chain(text, name, chain, self.values[name])
        if read_integer(chain[-1]) is not None:
            self.calculated.add(name)
        return wrong

    def _final_equation(self, text: str) -> Wrong | None:
        chain = read_chain(text, FINAL)
        if _parse(chain[0]) is None:
            return text, UNREADABLE
        if _value(chain[0], self.values) != self.value:
            reason = f"the equation is {self.template or 'that of the question'}"
            return f"{FINAL.removeprefix('Then, ')}{chain[0]}", reason
        bound: dict[str, Node] = {}
        led = bind(parse(chain[0]), self.whole, bound) and set(bound) <= self.calculated
        self.concluded = led and read_integer(chain[-1]) is not None
        self.last_result = f"the last step gives {chain[-1]}" if len(chain) > 1 else ""
        return self._chain(text, None, chain, self.value)

    def _chain(self, text: str, name: str | None, chain: list[str], value: int) -> Wrong | None:
        """`X = Y = Z`, where X is known to be right: the first that has another value. Notes where it is taken up."""
        for k, (before, after) in enumerate(pairwise(chain), start=1):
            found = _value(after, {})
            if found == value:
                continue
            reason, hard = (UNREADABLE, None) if found is None else self._why(parse(before), parse(after))
            if len(set(chain[:k])) == k:  # one that repeats itself is begun anew
                self.begun = Begun(name, tuple(chain[:k]), hard)
            return (_from(text, f"= {after}") if found is None else f"= {after}"), reason
        return None

    def _why(self, before: Node, after: Node) -> tuple[str, Node | None]:
        """What went wrong between two neighbours, and which operation has to be taken apart.

        `B is -3`, `(8 - 3) is 5`, `(6 * 76) is ((6 * 70) + (6 * 6))`; where that is the answer, `(8 - 3) is not 6`.
        """
        values: dict[str, Node] = {}
        if bind(before, after, values):
            wrong = next(n for n, v in values.items() if evaluate(v) != self.values[n])
            known = wrong in self.calculated
            return f"{wrong} is {self.values[wrong] if known else self.definitions[wrong]}", None
        old, new = difference(_with_values(before, self.values), after)
        first = innermost(old)
        parts = in_parts(first)
        told = f"{write(first)} is {write(parts) if parts != first else evaluate(first)}"
        if isinstance(old, int) or find_part(str(self.value), told):
            said = f"{write(old)} is not {write(new)}"
            given = find_part(str(self.value), write(before)) or not find_part(str(self.value), said)
            return said if given else f"it is not {write(after)}", None
        return told, first if parts != first else None


def _from(text: str, part: str) -> str:
    """The rest of the line from `part` on. What cannot be read, or lacks something, is quoted to its very end: a
    right line may well begin the same way, but it does not end there."""
    return text[text.index(part) :]


def _with_values(node: Node, values: dict[str, int]) -> Node:
    if isinstance(node, tuple):
        return (node[0], _with_values(node[1], values), _with_values(node[2], values))
    return values[node] if isinstance(node, str) else node


def _parse(text: str) -> Node | None:
    try:
        return parse(text)
    except ExpressionError:
        return None


def _value(text: str, values: dict[str, int]) -> int | None:
    try:
        return evaluate(parse(text), values)
    except ExpressionError:
        return None
