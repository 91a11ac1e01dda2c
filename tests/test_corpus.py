"""The pages of the embedded base's corpus: what they say is true, or said to be wrong."""

import random
import re
from collections.abc import Callable, Iterator
from itertools import islice
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tripost import registry
from tripost.interfaces import CannotJudge
from tripost.judge import judge
from tripost.pretrain.corpus import SHARES, pages
from tripost.pretrain.page import KEY, Page, Statement, checks, differing
from tripost.pretrain.pages import days, letters, lists, numbers, orders
from tripost.prompts import attempt_prompt
from tripost.records import Problem
from tripost.tasks.date_understanding.days import FIND_DATE, read_date
from tripost.tasks.multistep_arithmetic.expression import evaluate, parse
from tripost.text import ALL_CORRECT, ANSWER, FEEDBACK, UPDATE, parse_attempt

SEEDS = st.integers(0, 2**32)


def text_of(kind: str, n: int = 0) -> str:
    return "".join(text for text, _ in next(islice(pages(kind, "test"), n, None)))


@pytest.mark.parametrize("kind", SHARES)
def test_pages_come_again_teach_something_and_hold_no_trajectory(kind: str) -> None:
    made = list(islice(pages(kind, "a"), 40))
    assert made == list(islice(pages(kind, "a"), 40))
    assert made[0] != next(pages(kind, "b"))
    for page in made:
        text = "".join(piece for piece, _ in page)
        assert any(learned and piece.strip() for piece, learned in page)
        assert sum(marker in text for marker in (ANSWER, FEEDBACK, UPDATE)) <= 1


def chain_values(line: str) -> set[int]:
    return {evaluate(parse(expression)) for expression in line.split(" = ")}


@given(SEEDS)
def test_sums_said_right_are_right_and_said_wrong_are_wrong(seed: int) -> None:
    for statement in (numbers.wrong_operation, numbers.wrong_chain):
        right, wrong, _ = statement(random.Random(seed))
        assert len(chain_values(right)) == 1
        assert len(chain_values(wrong)) > 1


@pytest.mark.parametrize("kind", ["operations", "chains", "parts"])
def test_pages_of_sums_hold_only_true_lines(kind: str) -> None:
    for n in range(50):
        for line in text_of(kind, n).splitlines():
            assert len(chain_values(line.replace(" is ", " = "))) == 1, line


@pytest.mark.parametrize(
    ("kind", "task"),
    [
        ("sums", "multistep_arithmetic"),
        ("lists", "word_sorting"),
        ("dates", "date_understanding"),
        ("orders", "logical_deduction"),
    ],
)
def test_solutions_are_right_by_the_script(kind: str, task: str) -> None:
    for page in islice(pages(kind, "script"), 100):
        (prompt, _), *pieces = page
        said = "".join(text for text, _ in pieces)
        question = prompt.removeprefix("Q: ").partition("\nAnswer:")[0]
        assert prompt == attempt_prompt(question)
        attempt = parse_attempt(said, "dataset")
        problem = Problem(
            id="x", task=task, question=question, answer=str(attempt.final), rationale=said, difficulty="", seen=True,
            split="train", group_id="x", source="generated", licence="",
        )  # fmt: skip
        verdict = judge(problem, attempt, registry.task(task), registry.script(task))
        assert not isinstance(verdict, CannotJudge), (question, said, verdict)
        assert verdict.says_correct, (question, said, verdict)


STATEMENTS = [
    *(numbers.wrong_operation, numbers.wrong_chain, letters.wrong_letters, letters.wrong_order, letters.wrong_list),
    *(days.wrong_step, days.wrong_spelling, orders.wrong_clue, orders.wrong_against_row),
]


@pytest.mark.parametrize("statement", STATEMENTS)
@given(SEEDS)
def test_what_is_said_wrong_differs_and_its_difference_mends_it(
    statement: Callable[[random.Random], Statement], seed: int
) -> None:
    right, wrong, _ = statement(random.Random(seed))
    part, instead = differing(right, wrong)
    assert part != instead
    assert wrong.count(part) == 1
    assert wrong.replace(part, instead) == right


@given(SEEDS)
def test_letters_said_wrong_are_wrong(seed: int) -> None:
    for text, is_right in zip(letters.wrong_letters(random.Random(seed))[:2], (True, False), strict=True):
        head, _, items = text.rpartition("letter: ")
        k = {"first": 1, "second": 2, "third": 3}[head.split()[-1]]
        found = re.findall(r'"([a-z]+)"="([a-z]?)" \((-?\d+)\)', items)
        listed = re.match(r"List: ([a-z ]+)\.", text)
        true = all(word[k - 1 : k] == letter and ord(letter) - 96 == int(number) for word, letter, number in found)
        said = listed is None or listed[1].split() == [word for word, _, _ in found]
        assert (true and said) == is_right, text


@given(SEEDS)
def test_orders_of_words_said_wrong_are_wrong(seed: int) -> None:
    for text, is_right in zip(letters.wrong_order(random.Random(seed))[:2], (True, False), strict=True):
        words = re.findall(r'"([a-z]+)"', text)
        assert (words == sorted(words)) == is_right
    for text, is_right in zip(letters.wrong_list(random.Random(seed))[:2], (True, False), strict=True):
        given_words, said = text.removeprefix("List: ").split(". In order: ")
        assert (sorted(given_words.split()) == said.split()) == is_right


@given(SEEDS)
def test_the_two_spellings_of_a_date_agree_where_they_should(seed: int) -> None:
    for text, is_right in zip(days.wrong_spelling(random.Random(seed))[:2], (True, False), strict=True):
        said = [read_date(match[0]) for match in FIND_DATE.finditer(text)]
        assert len(said) == 2
        assert (said[0] == said[1]) == is_right


def numbered(page: Page) -> Iterator[tuple[int, Page]]:
    """The pieces of each line of a page of checks, without verdicts."""
    for number in range(1, 9):
        line = _until_its_end(page, f"({number}) ", f"({number})")
        if line:
            yield number, line


def _until_its_end(page: Page, *begins: str) -> Page:
    start = next((k for k, (text, _) in enumerate(page) if text.startswith(begins)), len(page))
    stop = next((k for k, (text, _) in enumerate(page) if k >= start and text.endswith("\n")), len(page) - 1)
    return page[start : stop + 1]


@pytest.mark.parametrize("statement", STATEMENTS)
@given(SEEDS)
def test_a_page_of_checks_judges_each_line_and_learns_what_can_be_known(
    statement: Callable[[random.Random], Statement], seed: int
) -> None:
    rng = random.Random(seed)
    statements = [statement(rng) for _ in range(3)]
    page = checks(statements, rng)
    text = "".join(piece for piece, _ in page)
    lines = dict(numbered(page))
    assert list(lines) == [1, 2, 3]
    for number, (right, wrong, follows) in enumerate(statements, start=1):
        shown = "".join(piece for piece, _ in lines[number])
        is_right = shown == f"({number}) {right}\n"
        assert is_right or shown == f"({number}) {wrong}\n"
        part, instead = differing(right, wrong)
        verdict = " is correct." if is_right else f' is incorrect: "{part}" should be "{instead}".'
        assert text.count(f"Step ({number}){verdict}") == 1
        assert [weight for piece, weight in page if piece in (verdict, f"{verdict}\n")][:1] == [KEY]
        learned = "".join(piece for piece, weight in lines[number] if weight)
        if not (is_right and follows):
            assert learned == ""
        else:
            given = shown.removesuffix(learned)
            assert learned.startswith(" ")
            assert f"({number}) {wrong}\n".startswith(given)
            assert not f"({number}) {wrong}\n".startswith(given + " " + learned[1:].partition(" ")[0].strip() + " ")
    assert all(not weight for piece, weight in page if piece in ("Feedback:", "Step (1)", "Check all lines.\n"))


def groups(pattern: str, text: str) -> tuple[str | Any, ...]:
    found = re.fullmatch(pattern, text, flags=re.S)
    assert found, text
    return found.groups()


def test_editing_does_what_the_order_says() -> None:
    for k in range(100):
        (given_text, _), *pieces = lists.replacing(random.Random(k))
        said = "".join(text for text, _ in pieces)
        before, order = groups(r"(.*\n)(In \(\d+\) .*)\nUpdated Answer:\n", given_text)
        number, part, new = groups(r'In \((\d+)\) "(.*)" should be "(.*)"\.', order)
        lines, after = before.splitlines(), said.splitlines()
        label, _, line = lines[int(number) - 1].partition(" ")
        lines[int(number) - 1] = f"{label} {line.replace(part, new)}"
        assert [text for text, weight in pieces if weight == KEY] == [f"{lines[int(number) - 1]}\n"]
        assert after == lines
        assert new != part


def test_options_and_choices_name_the_letter_of_what_is_said() -> None:
    for n in range(50):
        for kind in ("options", "choices"):
            listed: dict[str, str] = {}
            for line in text_of(kind, n).splitlines():
                option = re.fullmatch(r"\(([A-G])\) (.*)", line)
                if line == "Options:":
                    listed = {}
                elif option:
                    listed[option[1]] = option[2]
                else:
                    said, letter = groups(r"(.*?)(?: So the answer is)? \(([A-G])\)\.", line)
                    said = said.removeprefix("The answer is ").casefold()
                    if kind == "choices":
                        assert [key for key, text in listed.items() if said in text.casefold()] == [letter]
                    else:
                        dates = {read_date(match[0]) for match in FIND_DATE.finditer(said.title())}
                        assert dates == {read_date(listed[letter])}


def test_ticking_off_says_what_is_missing_and_what_is_foreign() -> None:
    for n in range(50):
        found = re.findall(r"List: (.*)\nOther: (.*)\n(.*)\n", text_of("ticking", n))
        assert found
        for listed, other, said in found:
            missing, foreign = set(listed.split()) - set(other.split()), set(other.split()) - set(listed.split())
            parts = [f'"{word}" is missing.' for word in missing] + [
                f'"{word}" is not in the list.' for word in foreign
            ]
            assert said == (" ".join(parts) or "Nothing is missing.")


def test_merging_breaks_ties_and_ends_with_the_sorted_list() -> None:
    for n in range(30):
        (given_text, _), (said, _) = next(islice(pages("merging", "test"), n, None))
        words = re.findall(r'"([a-z]+)"=', given_text.splitlines()[0])
        assert " ? " in given_text
        assert re.findall(r'"([a-z]+)"', said) == sorted(words)


def test_a_remark_is_made_of_the_fields_before_it() -> None:
    named = set()
    for n in range(30):
        for fields, said in re.findall(r"(.*)\nFeedback: (.*)\n", text_of("remarks", n)):
            if said == ALL_CORRECT:
                assert fields == "Nothing is wrong."
                continue
            place, part, reason = groups(r'(.+?), "(.+)": (.+)', fields)
            assert said == f'In {place} the part "{part}" is incorrect. This is because {reason}.'
            named.add(reason)
    assert len(named) > 10
