"""The corpus of the embedded base: what its pages say is true, or said to be wrong; and how they become batches."""

import random
import re
from itertools import islice

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tripost import registry
from tripost.interfaces import CannotJudge
from tripost.judge import judge
from tripost.pretrain.corpus import SHARES, pages, shares
from tripost.pretrain.muon import Muon, orthogonal
from tripost.pretrain.packing import LONG, SHORT, batches, stream, tokenised
from tripost.pretrain.page import Statement, checks, differing
from tripost.pretrain.pages import days, letters, lists, numbers, orders
from tripost.pretrain.recipe import Recipe, rate_at
from tripost.pretrain.vocabulary import embedded_tokenizer
from tripost.records import Problem
from tripost.tasks.date_understanding.days import FIND_DATE, read_date
from tripost.tasks.multistep_arithmetic.expression import evaluate, parse
from tripost.text import FEEDBACK, UPDATE, attempt_prompt, parse_attempt

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
        assert FEEDBACK not in text
        assert UPDATE not in text


def chain_values(line: str) -> set[int]:
    return {evaluate(parse(expression)) for expression in line.split(" = ")}


@given(SEEDS)
def test_sums_said_right_are_right_and_said_wrong_are_wrong(seed: int) -> None:
    for statement in (numbers.wrong_operation, numbers.wrong_chain):
        right, wrong = statement(random.Random(seed))
        assert len(chain_values(right)) == 1
        assert len(chain_values(wrong)) > 1


@pytest.mark.parametrize("kind", ["operations", "chains"])
def test_pages_of_sums_hold_only_true_lines(kind: str) -> None:
    for n in range(50):
        for line in text_of(kind, n).splitlines():
            assert len(chain_values(line)) == 1, line


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
        (prompt, _), (said, _) = page
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
def test_what_is_said_wrong_differs_and_its_difference_mends_it(statement, seed: int) -> None:  # type: ignore[no-untyped-def]
    right, wrong = statement(random.Random(seed))
    assert right != wrong
    part, instead = differing(right, wrong)
    assert part
    assert instead
    assert right in {
        wrong[:k] + instead + wrong[k + len(part) :] for k in range(len(wrong)) if wrong.startswith(part, k)
    }


@given(SEEDS)
def test_letters_said_wrong_are_wrong(seed: int) -> None:
    for text, is_right in zip(letters.wrong_letters(random.Random(seed)), (True, False), strict=True):
        head, _, items = text.rpartition("letter: ")
        k = {"first": 1, "second": 2, "third": 3}[head.split()[-1]]
        found = re.findall(r'"([a-z]+)"="([a-z]?)" \((-?\d+)\)', items)
        listed = re.match(r"List: ([a-z ]+)\.", text)
        true = all(word[k - 1 : k] == letter and ord(letter) - 96 == int(number) for word, letter, number in found)
        said = listed is None or listed[1].split() == [word for word, _, _ in found]
        if is_right or listed:
            assert (true and said) == is_right, text


@given(SEEDS)
def test_orders_of_words_said_wrong_are_wrong(seed: int) -> None:
    for text, is_right in zip(letters.wrong_order(random.Random(seed)), (True, False), strict=True):
        words = re.findall(r'"([a-z]+)"', text)
        assert (words == sorted(words)) == is_right
    for text, is_right in zip(letters.wrong_list(random.Random(seed)), (True, False), strict=True):
        given_words, said = text.removeprefix("List: ").split(". In order: ")
        assert (sorted(given_words.split()) == said.split()) == is_right


@given(SEEDS)
def test_the_two_spellings_of_a_date_agree_where_they_should(seed: int) -> None:
    for text, is_right in zip(days.wrong_spelling(random.Random(seed)), (True, False), strict=True):
        said = [read_date(match[0]) for match in FIND_DATE.finditer(text)]
        assert len(said) == 2
        assert (said[0] == said[1]) == is_right


@given(st.lists(st.sampled_from(["a b c", "a c", "b"]), min_size=1, max_size=4), SEEDS)
def test_a_page_of_checks_judges_each_line_once(rights: list[str], seed: int) -> None:
    statements: list[Statement] = [(text, f"{text} x") for text in rights]
    page = checks(statements, random.Random(seed))
    text = "".join(piece for piece, _ in page)
    assert text.count("is correct.") + text.count("is incorrect:") == len(statements)
    shown = dict(re.findall(r"^\((\d)\) (.*)$", text, flags=re.M))
    for number, (_, wrong) in enumerate(statements, start=1):
        if "Check all" in text:
            assert (f"Step ({number}) is incorrect" in text) == (shown[str(number)] == wrong)


def test_editing_does_what_the_order_says() -> None:
    for k in range(100):
        given_text, said = (text for text, _ in lists.replacing(random.Random(k)))
        before, order = re.fullmatch(r"(.*\n)(In \(\d+\) .*\n)Updated:\n", given_text, flags=re.S).groups()  # type: ignore[union-attr]
        number, part, new = re.fullmatch(r'In \((\d+)\) "(.*)" should be "(.*)"\.\n', order, flags=re.S).groups()  # type: ignore[union-attr]
        lines, after = before.splitlines(), said.splitlines()
        assert [i for i in range(len(lines)) if lines[i] != after[i]] in ([], [int(number) - 1])
        mended = {
            lines[int(number) - 1][:j] + new + lines[int(number) - 1][j + len(part) :]
            for j in range(len(lines[int(number) - 1]))
            if lines[int(number) - 1].startswith(part, j)
        }
        assert after[int(number) - 1] in mended


@pytest.fixture(scope="module")
def tokenizer():  # type: ignore[no-untyped-def]
    return embedded_tokenizer(1024, phrases=100, syllables=100)


@pytest.mark.parametrize("kind", SHARES)
def test_tokens_give_the_text_again_and_learn_what_is_to_be_said(tokenizer, kind: str) -> None:  # type: ignore[no-untyped-def]
    made = list(islice(pages(kind, "t"), 10))
    for page, document in zip(made, tokenised(tokenizer, made), strict=True):
        assert tokenizer.decode(document.ids[:-1]) == "".join(text for text, _ in page)
        assert (document.ids[-1], document.learned[-1]) == (tokenizer.eos_token_id, True)
        learned = tokenizer.decode([i for i, one in zip(document.ids[:-1], document.learned, strict=False) if one])
        for text, one in page:
            if one:
                assert text.strip() in learned or len(text) < 3


def test_batches_are_full_and_hold_whole_documents(tokenizer) -> None:  # type: ignore[no-untyped-def]
    made = batches(stream(tokenizer, "b", shares()), 12, 1536, "b")
    again = batches(stream(tokenizer, "b", shares()), 12, 1536, "b")
    assert len(made) == 12
    for batch, same in zip(made, again, strict=True):
        assert np.array_equal(batch.ids, same.ids)
        assert np.array_equal(batch.learned, same.learned)
        rows, length = batch.ids.shape
        assert (rows, length - 1) in {(1536 // size, size) for size in (SHORT, LONG)}
        assert (batch.ids != tokenizer.eos_token_id).mean() > 0.8
        for ids, learned in zip(batch.ids, batch.learned, strict=True):
            filled = len(ids) - int(np.argmax(ids[::-1] != 0)) + 1  # EOS is 0, too: the last document's, then padding
            assert learned[filled:].sum() == 0
    assert 0.3 < np.mean([batch.learned.mean() for batch in made]) < 0.7


def test_each_kind_has_its_share_of_the_tokens(tokenizer) -> None:  # type: ignore[no-untyped-def]
    wanted = {"operations": 3.0, "dates": 1.0}
    found = list(islice(stream(tokenizer, "s", wanted), 400))
    questions = sum(len(d.ids) for d in found if tokenizer.decode(d.ids).startswith("Q: "))
    assert questions / sum(len(d.ids) for d in found) == pytest.approx(0.25, abs=0.02)


def test_the_learning_rate_rises_stays_and_falls_to_nothing() -> None:
    recipe = Recipe(steps=100, decay=40, warmup=10, rate=2.0)
    rates = [rate_at(step, recipe) for step in range(100)]
    assert rates[:10] == pytest.approx([0.2 * k for k in range(1, 11)])
    assert set(rates[9:60]) == {2.0}
    assert rates[60:] == pytest.approx([2.0 * k / 40 for k in range(40, 0, -1)])


@pytest.mark.parametrize("shape", [(3, 8, 8), (2, 16, 6), (2, 6, 16)])
def test_steps_of_muon_are_nearly_orthogonal(shape: tuple[int, ...]) -> None:
    import torch

    torch.manual_seed(0)
    values = torch.linalg.svdvals(orthogonal(torch.randn(shape)))
    assert 0.3 < values.min() < values.max() < 1.3


def test_muon_makes_a_matrix_step_against_its_gradient() -> None:
    import torch

    matrix = torch.nn.Parameter(torch.zeros(4, 4))
    muon = Muon([matrix], weight_decay=0.0)
    muon.rate = 1.0
    matrix.grad = torch.eye(4)
    muon.step()
    assert torch.diag(matrix.detach()).max() < -0.2 * 0.5
    assert (matrix.detach() - torch.diag(torch.diag(matrix.detach()))).abs().max() < 1e-5
