"""The planted errors and the other tellings, on rationales made up here in the format of the tasks."""

import ast
import itertools
import random
import re
from collections.abc import Callable
from contextlib import suppress
from types import ModuleType

import pytest

from bench.planted import NotApplicableError, Planted, arithmetic, dates, deduction, words
from bench.planted.expression import NORMAL, SUMS_FIRST, grouped, join, parse, show, tokens, value_of
from bench.planted.sorting import Beliefs, derive, read_rows
from tests.planted_cases import CASES, Case

SEEDS = range(8)
each = pytest.mark.parametrize(("task", "question", "rationale"), CASES)
ARITHMETIC = [case for case in CASES if case[0] is arithmetic]
WORDS = [case for case in CASES if case[0] is words]
DATES = [case for case in CASES if case[0] is dates]
DEDUCTIONS = [case for case in CASES if case[0] is deduction]


def plantings(case: Case) -> list[Planted]:
    """One planting of every kind that applies, for each seed."""
    task, question, rationale = case
    found = []
    for seed in SEEDS:
        for kind in task.KINDS:
            with suppress(NotApplicableError):
                found.append(task.plant(question, rationale, random.Random(seed), kind))
    return found


def labels(text: str) -> list[tuple[int, ...]]:
    """The dotted labels of all lines but the last."""
    found = re.findall(r"^\(([\d.]+)\) ", text, re.MULTILINE)
    return [tuple(int(number) for number in label.split(".")) for label in found]


def python_value(text: str) -> int:
    """The value of a checked expression by Python's own parser, not by that of the planter."""
    assert re.fullmatch(r"[-+*() \d]+", text)

    def walk(node: ast.expr) -> int:
        if isinstance(node, ast.Constant) and isinstance(node.value, int):
            return node.value
        if isinstance(node, ast.UnaryOp):
            return -walk(node.operand)
        assert isinstance(node, ast.BinOp)
        left, right = walk(node.left), walk(node.right)
        table: dict[type, Callable[[], int]] = {ast.Add: lambda: left + right, ast.Sub: lambda: left - right}
        return table.get(type(node.op), lambda: left * right)()

    return walk(ast.parse(text, mode="eval").body)


@each
def test_planted_changes_one_line_first(task: ModuleType, question: str, rationale: str) -> None:
    before = rationale.split("\n")
    for planted in plantings((task, question, rationale)):
        after = planted.text.split("\n")
        at = planted.step - 1
        assert after[:at] == before[:at]
        assert after[at] != before[at]
        assert planted.part in after[at]
        assert planted.kind in task.KINDS
        assert planted.carried or after[at + 1 :] == before[at + 1 :]


@each
def test_every_seed_gives_the_same_again(task: ModuleType, question: str, rationale: str) -> None:
    for seed in SEEDS:
        for made in (task.plant, task.rewrite):
            assert made(question, rationale, random.Random(seed)) == made(question, rationale, random.Random(seed))


@each
def test_rewrite_keeps_the_response(task: ModuleType, question: str, rationale: str) -> None:
    for seed in SEEDS:
        text = rationale
        for _ in range(3):
            again = task.rewrite(question, text, random.Random(seed))
            assert again != text
            text = again
            assert text.rpartition("So the answer")[2] == rationale.rpartition("So the answer")[2]
            assert labels(text) == sorted(set(labels(text)))
            assert task.plant(question, text, random.Random(seed)).text != text


@pytest.mark.parametrize("case", ARITHMETIC)
def test_wrong_numbers_are_wrong(case: Case) -> None:
    right = {line.split(" = ")[0][4:]: line for line in case[2].split("\n")}
    for planted in plantings(case):
        line = planted.text.split("\n")[planted.step - 1]
        if planted.kind in ("operation", "head", "grouping", "substitution", "end"):
            truth = right[line.split(" = ")[0][4:]].removesuffix(".").split(" = ")[-1]
            assert python_value(planted.part) != int(truth)


@pytest.mark.parametrize("case", ARITHMETIC)
def test_rewritten_chains_have_one_value(case: Case) -> None:
    for seed in SEEDS:
        text = arithmetic.rewrite(case[1], case[2], random.Random(seed))
        for line in text.split("\n")[1:-1]:
            chain = [part for part in line.removesuffix(".").split(" = ")[1:] if not re.search("[A-Z]", part)]
            assert len({python_value(part) for part in chain}) == 1


@pytest.mark.parametrize("case", DATES)
def test_wrong_days_are_wrong(case: Case) -> None:
    right = re.findall(r"(\w+ \d+, \d{4})[.,]", case[2])
    for planted in plantings(case):
        if planted.kind in ("day", "month", "year", "overflow", "leap", "swapped", "direction", "week", "weekday"):
            assert planted.part == re.findall(r"(\w+ \d+, \d{4})[.,]", planted.text)[planted.step - 1]
            assert planted.part != right[planted.step - 1]


@pytest.mark.parametrize("case", DEDUCTIONS)
def test_wrong_orderings_do_not_fit_what_they_cite(case: Case) -> None:
    for planted in plantings(case):
        lines = planted.text.split("\n")
        wrong = lines[planted.step - 1]
        if "Combining" not in wrong or planted.kind == "left out":
            continue
        cited = [int(number) for number in re.findall(r"\((\d+)\)", wrong.partition(" we get")[0])[1:]]
        patterns = [text for number in cited for text in re.findall(r'"\(\w+\) (.+) \(', lines[number - 1])]
        claim = re.findall(r'"\(\w+\) (.+) \(', wrong)[0]
        people = ["red", "blue", "green"] if "book" in case[1] else ["Ana", "Ben", "Cleo", "Dan", "Eve"]
        orders = [" ".join(order) for order in itertools.permutations(people)]
        allowed = [order for order in orders if all(fits(pattern, order) for pattern in patterns)]
        assert not all(fits(claim, order) for order in allowed), planted


def fits(pattern: str, order: str) -> bool:
    """Whether an order is as a pattern says, by a regular expression."""
    signs = {"?": r" \w+", "??": r"(?: \w+)*"}
    return re.fullmatch("".join(signs.get(word, f" {word}") for word in pattern.split()), f" {order}") is not None


@pytest.mark.parametrize("case", WORDS)
def test_right_rationale_is_derived(case: Case) -> None:
    listed = tuple(case[1].split("List: ")[1].split())
    assert derive(listed, Beliefs()) == read_rows(case[2])


def test_all_kinds_and_both_continuations_occur() -> None:
    for task, cases in ((arithmetic, ARITHMETIC), (words, WORDS), (dates, DATES), (deduction, DEDUCTIONS)):
        found = [planted for case in cases for planted in plantings(case)]
        assert {planted.kind for planted in found} == set(task.KINDS)
        assert {planted.carried for planted in found} == {True, False}


def test_wrong_rationales_are_refused() -> None:
    for case in CASES:
        task, question, _ = case
        for planted in plantings(case):
            with pytest.raises(ValueError, match="wrong already"):
                task.plant(question, planted.text, random.Random(1))
        with pytest.raises(ValueError, match="wrong already"):
            task.rewrite(question, planted.text, random.Random(1))


def test_expression() -> None:
    text = "(2 - -3 * 4 + 1)"
    assert join(tokens(text)) == text == show(parse(text))
    assert value_of(text) == python_value(text) == 15
    assert show(grouped(parse(text, NORMAL))) == "((2 - (-3 * 4)) + 1)"
    assert show(grouped(parse(text, SUMS_FIRST))) == "((2 - -3) * (4 + 1))"
    for bad in ("(1 + 2", "1 +", "1 ** 2", "import os", "1 2"):
        with pytest.raises(ValueError, match=r"expression|unbalanced|operand"):
            parse(bad)
