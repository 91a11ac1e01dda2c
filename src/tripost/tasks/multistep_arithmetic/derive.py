"""The published way to solve a problem step by step, from the start or from any prefix of right steps."""

import re
import string
from collections.abc import Mapping, Sequence

import msgspec

from tripost.records import Step
from tripost.tasks.multistep_arithmetic.expression import (
    ExpressionError,
    Node,
    evaluate,
    parse,
    reduce_once,
    substitute,
    write,
)
from tripost.text import label_key

EQUATION = 'This equation can be written as "'
CALCULATE = "Let's calculate "
FINAL = "Then, the final equation is "
_DEFINITION = re.compile(r"([A-Z]) = ([^,=]*)")
_INTEGER = re.compile(r"-?[0-9]{1,60}")
_GROUP = re.compile(r"\([^()]*\)")


def question_text(question: str) -> str:
    """The expression of a question, without its final `=`."""
    return question.strip().removesuffix("=").rstrip()


def read_equation(text: str) -> tuple[str, dict[str, str]] | None:
    """`This equation can be written as "T", where A = ..., B = ... and C = ...`: T and the definitions."""
    if not text.startswith(EQUATION):
        return None
    template, quote, rest = text[len(EQUATION) :].partition('"')
    if not quote or not rest.startswith(", where "):
        return None
    definitions: dict[str, str] = {}
    for item in rest[len(", where ") :].rstrip().removesuffix(".").replace(" and ", ", ").split(", "):
        match = _DEFINITION.fullmatch(item)
        if match is None or match[1] in definitions:
            return None
        definitions[match[1]] = match[2]
    return template, definitions


def read_integer(text: str | None) -> int | None:
    """A final answer as a number, of a bounded length; None for anything else."""
    return int(text) if text is not None and _INTEGER.fullmatch(text) else None


def read_chain(text: str, opener: str) -> list[str]:
    """`<opener>X = Y = Z.` -> [X, Y, Z]."""
    return text[len(opener) :].rstrip().removesuffix(".").split(" = ")


class Begun(msgspec.Struct, frozen=True):
    """A step that went wrong: of which group (None: the final equation), its chain as far as it is right, and the
    operation that it did not get right, where that has easier parts."""

    name: str | None
    chain: tuple[str, ...]
    hard: Node | None

    def written_on(self, values: Mapping[str, Node]) -> list[str]:
        """The chain to its end, the hard operation in parts."""
        rest = reductions(substitute(parse(self.chain[-1]), values), self.hard)
        return [*self.chain, *(rest[1:] if rest[0] == self.chain[-1] else rest)]


def derive(question: str, prefix: Sequence[Step] = (), begun: Begun | None = None) -> tuple[list[Step], str]:
    """All steps (those of `prefix`, which must be right, then new ones) and the final response.

    `begun`: a step after `prefix` that is taken up where it is still right. Raises ExpressionError where the
    question, or a prefix in a form that cannot be continued, is beyond us.
    """
    whole = parse(question_text(question))
    steps = list(prefix)
    template, definitions = next(
        (found for found in (read_equation(step.text) for step in reversed(steps)) if found), (None, {})
    )
    if template is not None:
        used = set(re.findall(r"[A-Z]", template))
        definitions = {name: text for name, text in definitions.items() if name in used}
    else:
        template, definitions = _groups(question_text(question))
        if not definitions:
            raise ExpressionError("the question has no groups to name")
        _append(steps, f'{EQUATION}{template}", where {_join(definitions)}.')
    values: dict[str, Node] = {name: evaluate(parse(text)) for name, text in definitions.items()}
    done = {read_chain(s.text, CALCULATE)[0] for s in steps if s.text.startswith(CALCULATE)}
    for name, text in definitions.items():
        if name not in done:
            if begun is not None and begun.name == name:
                chain = begun.written_on({})
            else:
                chain = written_out(text, parse(text))
            _append(steps, f"{CALCULATE}{' = '.join([name, *chain])}.")
    if not steps[-1].text.startswith(FINAL):  # one that came before a group was calculated leads nowhere
        if begun is not None and begun.name is None:
            chain = begun.written_on(values)
        else:
            chain = [template, *reductions(substitute(parse(template), values))]
        _append(steps, f"{FINAL}{' = '.join(chain)}.")
    return steps, f"So the answer is {evaluate(whole)}."


def _append(steps: list[Step], text: str) -> None:
    number = label_key(steps[-1].label)[0] + 1 if steps else 1
    steps.append(Step(label=str(number), text=text))


def _groups(text: str) -> tuple[str, dict[str, str]]:
    """Name the innermost brackets A, B, C, ..."""
    definitions: dict[str, str] = {}

    def name(match: re.Match[str]) -> str:
        if len(definitions) == len(string.ascii_uppercase):
            raise ExpressionError("more groups than letters")
        letter = string.ascii_uppercase[len(definitions)]
        definitions[letter] = match[0]
        return letter

    return _GROUP.sub(name, text), definitions


def _join(definitions: dict[str, str]) -> str:
    parts = [f"{name} = {text}" for name, text in definitions.items()]
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}"


def written_out(text: str, node: Node) -> list[str]:
    """An expression as it stands, fully bracketed where that differs, and all its reductions."""
    written = reductions(node)
    return written if written[0] == text else [text, *written]


def reductions(node: Node, hard: Node | None = None) -> list[str]:
    """The expression, fully bracketed, and what is left after each operation, down to a number.

    `hard`: an operation that is worked out in parts.
    """
    written, taken_apart = [write(node)], {hard} if hard is not None else set()
    while not isinstance(node, int):
        if isinstance(node, str):
            raise ExpressionError(f"{node} is not defined")
        node = reduce_once(node, taken_apart)
        written.append(write(node))
    return written
