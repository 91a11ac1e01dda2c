"""Integer expressions with + - * and letters: reading, writing, evaluating, reducing one operation at a time.

Written by hand over checked tokens; no text is ever given to eval().
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

TOKEN = re.compile(r"\s*(\d+|[A-Za-z]|[-+*()])")
NORMAL = ("+-", "*")
LEFT_TO_RIGHT = ("+-*",)
SUMS_FIRST = ("*", "+-")
Path = tuple[int, ...]


@dataclass(frozen=True)
class Leaf:
    """A number or a letter, in so many pairs of parentheses."""

    text: str
    parens: int = 0


@dataclass(frozen=True)
class Pair:
    """One operation, in so many pairs of parentheses."""

    op: str
    left: "Expr"
    right: "Expr"
    parens: int = 0


Expr = Leaf | Pair


def tokens(text: str) -> list[str]:
    """The tokens of an expression; a minus that stands where an operand must begin joins its number."""
    found: list[str] = []
    at = 0
    while at < len(text.rstrip()):
        match = TOKEN.match(text, at)
        if match is None:
            raise ValueError(f"not an expression: {text!r}")
        token, at = match[1], match.end()
        signed = found and found[-1] == "-" and (len(found) == 1 or found[-2] in ("(", "+", "-", "*"))
        if token.isdigit() and signed:
            found[-1] = "-" + token
        else:
            found.append(token)
    return found


def join(parts: Sequence[str]) -> str:
    """Write tokens with spaces around the operators between operands only."""
    return "".join(f" {part} " if part in ("+", "-", "*") else part for part in parts)


def is_number(token: str) -> bool:
    """Whether a token is a whole number, with or without a sign."""
    return re.fullmatch(r"-?\d+", token) is not None


@lru_cache(maxsize=4096)
def parse(text: str, levels: tuple[str, ...] = NORMAL, from_right: bool = False) -> Expr:
    """The tree of an expression; other levels or grouping from the right give the tree of a wrong reading."""
    parts = tokens(text)
    expr, at = _level(parts, 0, levels, 0, from_right)
    if at != len(parts):
        raise ValueError(f"not an expression: {text!r}")
    return expr


def _level(parts: list[str], at: int, levels: Sequence[str], depth: int, right: bool) -> tuple[Expr, int]:
    if depth == len(levels):
        return _operand(parts, at, levels, right)
    first, at = _level(parts, at, levels, depth + 1, right)
    operands, ops = [first], []
    while at < len(parts) and parts[at] in levels[depth]:
        ops.append(parts[at])
        operand, at = _level(parts, at + 1, levels, depth + 1, right)
        operands.append(operand)
    while ops:
        if right:
            last = operands.pop()
            operands[-1] = Pair(ops.pop(), operands[-1], last)
        else:
            head = operands.pop(0)
            operands[0] = Pair(ops.pop(0), head, operands[0])
    return operands[0], at


def _operand(parts: list[str], at: int, levels: Sequence[str], right: bool) -> tuple[Expr, int]:
    token = parts[at] if at < len(parts) else ""
    if token == "(":
        inner, at = _level(parts, at + 1, levels, 0, right)
        if at >= len(parts) or parts[at] != ")":
            raise ValueError(f"unbalanced: {join(parts)!r}")
        return replace(inner, parens=inner.parens + 1), at + 1
    if not is_number(token) and not token.isalpha():
        raise ValueError(f"operand expected in {join(parts)!r}")
    return Leaf(token), at + 1


def show(expr: Expr) -> str:
    """Write a tree with the parentheses that it records and no others."""
    inner = expr.text if isinstance(expr, Leaf) else f"{show(expr.left)} {expr.op} {show(expr.right)}"
    return "(" * expr.parens + inner + ")" * expr.parens


def value(expr: Expr, letters: Mapping[str, int] | None = None) -> int:
    """The value of a tree, letters standing for the given numbers."""
    if isinstance(expr, Leaf):
        return int(expr.text) if is_number(expr.text) else (letters or {})[expr.text]
    left, right = value(expr.left, letters), value(expr.right, letters)
    return left * right if expr.op == "*" else left + right if expr.op == "+" else left - right


def value_of(text: str, letters: Mapping[str, int] | None = None) -> int:
    """The value of an expression given as text."""
    return value(parse(text), letters)


def plain(expr: Expr) -> Expr:
    """The same tree with no record of parentheses: two texts with the same plain tree mean the same."""
    if isinstance(expr, Leaf):
        return Leaf(expr.text)
    return Pair(expr.op, plain(expr.left), plain(expr.right))


def grouped(expr: Expr, root: bool = True) -> Expr:
    """The same tree with just one pair of parentheses around every operation (the root keeps its own)."""
    if isinstance(expr, Leaf):
        return Leaf(expr.text)
    parens = expr.parens if root else 1
    return Pair(expr.op, grouped(expr.left, False), grouped(expr.right, False), parens)


def at_path(expr: Expr, path: Path) -> Expr:
    """The subtree at a path (0 is left, 1 is right)."""
    for turn in path:
        if isinstance(expr, Leaf):
            raise ValueError("no such path")
        expr = expr.right if turn else expr.left
    return expr


def put(expr: Expr, path: Path, new: Expr) -> Expr:
    """The tree with the subtree at a path replaced."""
    if not path:
        return new
    if isinstance(expr, Leaf):
        raise ValueError("no such path")
    if path[0]:
        return replace(expr, right=put(expr.right, path[1:], new))
    return replace(expr, left=put(expr.left, path[1:], new))


def paths(expr: Expr, here: Path = ()) -> list[Path]:
    """The paths of all subtrees, operands before their operation and left before right."""
    if isinstance(expr, Leaf):
        return [here]
    return [*paths(expr.left, (*here, 0)), *paths(expr.right, (*here, 1)), here]


def ready(expr: Expr) -> list[Path]:
    """The paths of the operations between two numbers, leftmost first."""
    found = []
    for path in paths(expr):
        node = at_path(expr, path)
        if isinstance(node, Pair) and isinstance(node.left, Leaf) and isinstance(node.right, Leaf):
            found.append(path)
    return found


def reduced(expr: Expr, path: Path) -> Expr:
    """The tree with the operation at a path carried out."""
    return put(expr, path, Leaf(str(value(at_path(expr, path)))))


def reductions(expr: Expr) -> list[str]:
    """The texts that come after a tree of numbers, as the leftmost operation is carried out each time."""
    found = []
    while isinstance(expr, Pair):
        expr = reduced(expr, ready(expr)[0])
        found.append(show(expr))
    return found


def chain(text: str) -> tuple[str, ...]:
    """An expression of numbers, its grouped form where that differs, and its reductions to one number."""
    group = grouped(parse(text))
    first = [text] if show(group) == text else [text, show(group)]
    return (*first, *reductions(group))
