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

SEEDS = range(8)
Case = tuple[ModuleType, str, str]
CASES: list[Case] = [
    (
        arithmetic,
        "((5 - -3 * 2) * (1 + 4 - 7)) =",
        '(1) This equation can be written as "(A * B)", where A = (5 - -3 * 2) and B = (1 + 4 - 7).\n'
        "(2) Let's calculate A = (5 - -3 * 2) = (5 - (-3 * 2)) = (5 - -6) = 11.\n"
        "(3) Let's calculate B = (1 + 4 - 7) = ((1 + 4) - 7) = (5 - 7) = -2.\n"
        "(4) Then, the final equation is (A * B) = (11 * -2) = -22.\n"
        "(Final response) So the answer is -22.",
    ),
    (
        arithmetic,
        "(((0 * 5 - 2) + (6 - 1 - 1)) - ((8 + -8 * 1) * (3 * 3 + -4))) =",
        '(1) This equation can be written as "((A + B) - (C * D))", where A = (0 * 5 - 2), B = (6 - 1 - 1), '
        "C = (8 + -8 * 1) and D = (3 * 3 + -4).\n"
        "(2) Let's calculate A = (0 * 5 - 2) = ((0 * 5) - 2) = (0 - 2) = -2.\n"
        "(3) Let's calculate B = (6 - 1 - 1) = ((6 - 1) - 1) = (5 - 1) = 4.\n"
        "(4) Let's calculate C = (8 + -8 * 1) = (8 + (-8 * 1)) = (8 + -8) = 0.\n"
        "(5) Let's calculate D = (3 * 3 + -4) = ((3 * 3) + -4) = (9 + -4) = 5.\n"
        "(6) Then, the final equation is ((A + B) - (C * D)) = ((-2 + 4) - (0 * 5)) = "
        "(2 - (0 * 5)) = (2 - 0) = 2.\n"
        "(Final response) So the answer is 2.",
    ),
    (
        words,
        "Sort the following words alphabetically:\nList: zebra apple",
        '(1) The first letter: "zebra"="z" (26), "apple"="a" (1).\n'
        '(2) We now have: (1) "apple" < (26) "zebra".\n'
        '(3) Hence, we have "apple" < "zebra".\n'
        "(Final response) So the answer is: apple zebra.",
    ),
    (
        words,
        "Sort the following words alphabetically:\nList: plum peach fig pear fudge",
        '(1) The first letter: "plum"="p" (16), "peach"="p" (16), "fig"="f" (6), "pear"="p" (16), '
        '"fudge"="f" (6).\n'
        '(2) We now have: (6) ["fig" ? "fudge"] < (16) ["plum" ? "peach" ? "pear"].\n'
        '(3) Now sort this subpart ["fig" ? "fudge"] by looking at their second letters: '
        '"fig"="i" (9), "fudge"="u" (21).\n'
        '(3.1) We now have: (9) "fig" < (21) "fudge".\n'
        '(3.2) Hence, we have "fig" < "fudge".\n'
        '(4) Now sort this subpart ["plum" ? "peach" ? "pear"] by looking at their second letters: '
        '"plum"="l" (12), "peach"="e" (5), "pear"="e" (5).\n'
        '(4.1) We now have: (5) ["peach" ? "pear"] < (12) "plum".\n'
        '(4.2) Now sort this subpart ["peach" ? "pear"] by looking at their third letters: '
        '"peach"="a" (1), "pear"="a" (1).\n'
        '(4.2.1) We now have: (1) ["peach" ? "pear"].\n'
        '(4.2.2) Now sort this subpart ["peach" ? "pear"] by looking at their fourth letters: '
        '"peach"="c" (3), "pear"="r" (18).\n'
        '(4.2.3) We now have: (3) "peach" < (18) "pear".\n'
        '(4.2.4) Hence, we have "peach" < "pear".\n'
        '(4.3) Hence, we have "peach" < "pear" < "plum".\n'
        '(5) Hence, we have "fig" < "fudge" < "peach" < "pear" < "plum".\n'
        "(Final response) So the answer is: fig fudge peach pear plum.",
    ),
    (
        dates,
        "It is raining. Mia and Tom married on 02/28/1988. It is their two-year anniversary today. "
        "What is the date yesterday in MM/DD/YYYY?\n"
        "Options:\n(A) 02/27/1991\n(B) 02/27/1990\n(C) 02/28/1990",
        "(1) If Mia and Tom married on 02/28/1988 and it is their two-year anniversary today, "
        "then today's date is February 28, 1990.\n"
        "(2) The date yesterday is February 27, 1990, that is 02/27/1990.\n"
        "(Final response) So the answer is (B).",
    ),
    (
        dates,
        "The concert took place on Feb 27, 2004. The exam was three days after the concert. The race was on the "
        "first Friday after the exam. Today is the day before the race. Give the date 2 weeks ago in MM/DD/YYYY.\n"
        "Options:\n(A) 02/19/2004\n(B) 03/18/2004\n(C) 02/20/2004\n(D) 02/26/2004",
        "(1) If the exam was three days after the concert, then the date of the exam is March 1, 2004.\n"
        "(2) If the race was on the first Friday after the exam, then the date of the race is March 5, 2004.\n"
        "(3) If today is the day before the race, then today's date is March 4, 2004.\n"
        "(4) The date 2 weeks ago is February 19, 2004, that is 02/19/2004.\n"
        "(Final response) So the answer is (A).",
    ),
    (
        deduction,
        "On a shelf, there are three books: a red book, a blue book, and a green book. The blue book is to the right "
        "of the red book. The green book is the leftmost.\n"
        "Options:\n(A) The red book is the second from the left.\n(B) The blue book is the second from the left.\n"
        "(C) The green book is the second from the left.",
        '(1) The blue book is to the right of the red book: "(left) ?? red ?? blue ?? (right)".\n'
        '(2) The green book is the leftmost: "(left) green ?? (right)".\n'
        "(3) There are in total three books: a red book, a blue book, and a green book.\n"
        '(4) Combining (1), (2) and (3) we get the following ordering: "(left) green red blue (right)".\n'
        "(5) According to this ordering, the book that is the second from the left is the red book.\n"
        "(Final response) The red book is the second from the left. So the answer is (A).",
    ),
    (
        deduction,
        "All of this is true. In a golf tournament, there were five golfers: Ana, Ben, Cleo, Dan, and Eve. Ana finished "
        "above Ben. Cleo finished first. Dan finished second-to-last. Eve finished last.\n"
        "Options:\n(A) Ana finished third.\n(B) Ben finished third.\n(C) Cleo finished third.\n"
        "(D) Dan finished third.\n(E) Eve finished third.",
        '(1) Ana finished above Ben: "(above) ?? Ana ?? Ben ?? (below)".\n'
        '(2) Cleo finished first: "(above) Cleo ?? (below)".\n'
        '(3) Dan finished second-to-last: "(above) ?? Dan ? (below)".\n'
        '(4) Eve finished last: "(above) ?? Eve (below)".\n'
        "(5) There are in total five golfers: Ana, Ben, Cleo, Dan, and Eve.\n"
        '(6) Combining (1) and (2) we get the following ordering: "(above) Cleo ?? Ana ?? Ben ?? (below)".\n'
        '(7) Combining (3), (5) and (6) we get the following ordering: "(above) Cleo ?? Ana ?? Ben ?? (below)".\n'
        '(8) Combining (3), (4), (5) and (7) we get the following ordering: "(above) Cleo Ana Ben Dan Eve (below)".\n'
        "(9) According to this ordering, the golfer that finished third is Ben.\n"
        "(Final response) Ben finished third. So the answer is (B).",
    ),
]
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
