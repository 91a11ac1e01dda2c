"""Integer expressions with + - * and brackets: parse, evaluate, write, compare. Never `eval`, always bounded.

A node is an int, a variable (one capital letter), or `(operator, left, right)`; `*` binds before `+` and `-`,
equal operators from left to right, as in the published problems.
"""

import re
from collections.abc import Mapping
from typing import TypeAlias

Node: TypeAlias = int | str | tuple[str, "Node", "Node"]

MAX_CHARS = 2_000
MAX_TOKENS = 300
MAX_DEPTH = 40
MAX_DIGITS = 40
"""Of a number, written or calculated: what has a value can be written, and read again."""
MAX_IN_PARTS = 1_000
"""Numbers from here on are not worked out in parts: the chain would grow beyond any use."""
_TOKEN = re.compile(rf"[ ]*([0-9]{{1,{MAX_DIGITS}}}|[A-Z](?![A-Za-z])|[-+*()])")
_PRECEDENCE = {"+": 1, "-": 1, "*": 2}


class ExpressionError(ValueError):
    """Text that is no expression of this grammar, or one beyond its bounds."""


def tokens(text: str) -> list[str]:
    """Split into numbers, variables, operators and brackets. Raises ExpressionError."""
    if len(text) > MAX_CHARS:
        raise ExpressionError("too long")
    found: list[str] = []
    position, text = 0, text.rstrip(" ")
    while position < len(text):
        match = _TOKEN.match(text, position)
        if match is None or len(found) >= MAX_TOKENS:
            raise ExpressionError("not an expression")
        found.append(match[1])
        position = match.end()
    return found


def parse(text: str) -> Node:
    """Read an expression. Raises ExpressionError; recursion is bounded by MAX_DEPTH brackets."""
    rest = tokens(text)
    rest.reverse()
    node = _binary(rest, 1, 0)
    if rest:
        raise ExpressionError(f"unexpected {rest[-1]!r}")
    return node


def _binary(rest: list[str], lowest: int, depth: int) -> Node:
    node = _operand(rest, depth)
    while rest and _PRECEDENCE.get(rest[-1], 0) >= lowest:
        operator = rest.pop()
        node = (operator, node, _binary(rest, _PRECEDENCE[operator] + 1, depth))
    return node


def _operand(rest: list[str], depth: int) -> Node:
    if not rest or depth > MAX_DEPTH:
        raise ExpressionError("incomplete or too deep")
    token = rest.pop()
    if token == "(":
        node = _binary(rest, 1, depth + 1)
        if not rest or rest.pop() != ")":
            raise ExpressionError("bracket not closed")
        return node
    if token == "-":
        inner = _operand(rest, depth + 1)
        return -inner if isinstance(inner, int) else ("-", 0, inner)
    if token in "+*)":
        raise ExpressionError(f"unexpected {token!r}")
    return int(token) if token[0] in "0123456789" else token


def evaluate(node: Node, values: Mapping[str, int] = {}) -> int:
    """The value of an expression. Raises ExpressionError for an unknown variable or a huge number."""
    if isinstance(node, int):
        return node
    if isinstance(node, str):
        if node not in values:
            raise ExpressionError(f"{node} is not defined")
        return values[node]
    operator, left, right = node[0], evaluate(node[1], values), evaluate(node[2], values)
    result = left + right if operator == "+" else left - right if operator == "-" else left * right
    if abs(result) >= 10**MAX_DIGITS:
        raise ExpressionError("too large")
    return result


def write(node: Node) -> str:
    """The expression with a pair of brackets around every operation: `((1 - 8) + 6)`."""
    if isinstance(node, tuple):
        return f"({write(node[1])} {node[0]} {write(node[2])})"
    return str(node)


def substitute(node: Node, values: Mapping[str, Node]) -> Node:
    """The expression with variables replaced."""
    if isinstance(node, tuple):
        return (node[0], substitute(node[1], values), substitute(node[2], values))
    return values.get(node, node) if isinstance(node, str) else node


def reduce_once(node: Node, hard: set[Node] | None = None) -> Node:
    """Do the leftmost innermost operation, as the published rationales do.

    One that is in `hard` is written in parts instead, and a product among its parts joins `hard`.
    """
    if not isinstance(node, tuple):
        return node
    operator, left, right = node
    if isinstance(left, tuple):
        return (operator, reduce_once(left, hard), right)
    if isinstance(right, tuple):
        return (operator, left, reduce_once(right, hard))
    if hard is not None and node in hard:
        parts = in_parts(node)
        if isinstance(parts, tuple) and parts != node:
            hard.update(part for part in parts[1:] if isinstance(part, tuple))
            return parts
    return evaluate(node)


def in_parts(node: Node) -> Node:
    """An operation of two numbers as operations that are easier: `(76 * 3)` as `((70 * 3) + (6 * 3))`.

    Of the second number its first digit goes by itself; of the first one where the second has one digit, in `*`
    alone. The node itself where it is no such operation, has no parts, or is too large.
    """
    if not isinstance(node, tuple):
        return node
    operator, left, right = node
    if not isinstance(left, int) or not isinstance(right, int):
        return node
    if max(abs(left), abs(right)) >= MAX_IN_PARTS:
        return node
    first, rest = _leading(right)
    if operator != "*":
        return (operator, (operator, left, first), rest) if rest else node
    if {abs(left), abs(right)} & {0, 1, 10, 100}:
        return node
    if rest:
        return ("+", ("*", left, first), ("*", left, rest))
    first, rest = _leading(left)
    return ("+", ("*", first, right), ("*", rest, right)) if rest else node


def _leading(number: int) -> tuple[int, int]:
    """A number as its first digit with zeros, and the rest: -47 as -40 and -7."""
    size = abs(number)
    rest = size % 10 ** (len(str(size)) - 1)
    sign = -1 if number < 0 else 1
    return sign * (size - rest), sign * rest


def innermost(node: Node) -> Node:
    """The operation that is done first: the leftmost of those whose operands are numbers; a number itself."""
    while isinstance(node, tuple):
        inner = next((part for part in node[1:] if isinstance(part, tuple)), None)
        if inner is None:
            break
        node = inner
    return node


def difference(before: Node, after: Node) -> tuple[Node, Node]:
    """The smallest pair of corresponding parts with different values that explains why the two differ."""
    if isinstance(before, tuple) and isinstance(after, tuple) and before[0] == after[0]:
        for i in (1, 2):
            other = 3 - i
            if before[other] == after[other] and before[i] != after[i]:
                return difference(before[i], after[i])
        for i in (1, 2):
            if evaluate(before[i]) != evaluate(after[i]):
                return difference(before[i], after[i])
    return before, after


def bind(template: Node, whole: Node, bound: dict[str, Node]) -> bool:
    """Whether `template` becomes `whole` when its variables are replaced; fills `bound` with what they stand for."""
    if isinstance(template, str):
        return bound.setdefault(template, whole) == whole
    if isinstance(template, tuple) and isinstance(whole, tuple):
        same = template[0] == whole[0]
        return same and bind(template[1], whole[1], bound) and bind(template[2], whole[2], bound)
    return template == whole
