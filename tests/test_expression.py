"""The arithmetic grammar against Python's own arithmetic, and under hostile text."""

import operator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tripost.tasks.multistep_arithmetic.expression import (
    MAX_DEPTH,
    ExpressionError,
    Node,
    bind,
    difference,
    evaluate,
    in_parts,
    parse,
    reduce_once,
    substitute,
    write,
)

OPERATORS = {"+": operator.add, "-": operator.sub, "*": operator.mul}
NODES = st.recursive(
    st.integers(-99, 99), lambda inner: st.tuples(st.sampled_from("+-*"), inner, inner), max_leaves=12
)


def value(node: Node) -> int:
    if isinstance(node, tuple):
        return int(OPERATORS[node[0]](value(node[1]), value(node[2])))
    assert isinstance(node, int)
    return node


@given(NODES)
def test_round_trip_and_value(node: Node) -> None:
    assert parse(write(node)) == node
    assert evaluate(node) == value(node)


@given(NODES)
def test_every_reduction_keeps_the_value_and_ends(node: Node) -> None:
    for _ in range(50):
        if isinstance(node, int):
            break
        after = reduce_once(node)
        assert evaluate(after) == evaluate(node)
        node = after
    assert isinstance(node, int)


@pytest.mark.parametrize(
    ("operation", "parts"),
    [
        ("(3 * 76)", "((3 * 70) + (3 * 6))"),
        ("(76 * 3)", "((70 * 3) + (6 * 3))"),
        ("(-47 * -12)", "((-47 * -10) + (-47 * -2))"),
        ("(47 * 30)", "((40 * 30) + (7 * 30))"),
        ("(-240 + -216)", "((-240 + -200) + -16)"),
        ("(5 - 32)", "((5 - 30) - 2)"),
        ("(11 * 12)", "((11 * 10) + (11 * 2))"),
        *((same, same) for same in ("(8 * 9)", "(76 * 10)", "(0 * 76)", "(76 * -1)", "(100 * 23)", "(76 + 30)", "7")),
        ("(1234567 * 89)", "(1234567 * 89)"),
        ("((1 + 2) * 76)", "((1 + 2) * 76)"),
    ],
)
def test_an_operation_is_worked_out_in_parts(operation: str, parts: str) -> None:
    assert write(in_parts(parse(operation))) == parts


@given(st.tuples(st.sampled_from("+-*"), st.integers(-1_100, 1_100), st.integers(-1_100, 1_100)))
def test_parts_have_the_value_of_the_whole_and_come_to_an_end(node: Node) -> None:
    assert evaluate(in_parts(node)) == value(node)
    hard, left = {node}, node
    for _ in range(120):
        if isinstance(left, int):
            break
        left = reduce_once(left, hard)
        assert evaluate(left) == value(node)
    assert left == value(node)


@given(NODES, NODES)
def test_difference_names_parts_with_different_values(before: Node, after: Node) -> None:
    if evaluate(before) != evaluate(after):
        old, new = difference(before, after)
        assert evaluate(old) != evaluate(new)


@given(st.text("0123456789+-*() ABCZ=.^/e_\"'", max_size=60))
def test_parse_raises_nothing_but_its_own_error(text: str) -> None:
    try:
        node = parse(text)
    except ExpressionError:
        return
    assert parse(write(node)) == parse(write(parse(write(node))))


@pytest.mark.parametrize(
    ("text", "expected"), [("1 - 2 - 3", -4), ("2 + 3 * 4", 14), ("2 * 3 - -4", 10), ("-(3)", -3)]
)
def test_precedence(text: str, expected: int) -> None:
    assert evaluate(parse(text)) == expected


@pytest.mark.parametrize(
    "text",
    [
        "9**9**9",
        "(" * 10_000,
        "(" * (MAX_DEPTH + 2) + "1" + ")" * (MAX_DEPTH + 2),
        '__import__("os")',
        "\u0661 + 1",
        "1 / 0",
        "",
        "1 +",
        "Ab",
        "1" * 41,
        "1 + " * 400 + "1",
    ],
)
def test_hostile_text_is_refused(text: str) -> None:
    with pytest.raises(ExpressionError):
        parse(text)


def test_huge_values_are_refused() -> None:
    with pytest.raises(ExpressionError):
        evaluate(parse("*".join(["9" * 40] * 20)))


def test_bind_and_substitute_are_inverse() -> None:
    template, whole = parse("((A - B) * C)"), parse("((1 + 2) - 3) * (4 - 5)")
    bound: dict[str, Node] = {}
    assert bind(template, whole, bound)
    assert substitute(template, bound) == whole
    assert not bind(parse("(A + A)"), parse("(1 + 2)"), {})
