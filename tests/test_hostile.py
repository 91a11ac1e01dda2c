"""Hostile text, one finding at a time: what it once did, and that it is refused now."""

from pathlib import Path
from typing import Any

import msgspec
import pytest

from tests.fakes import ARITHMETIC, SCRIPT, WORDS, arithmetic_problem, attempt, problems
from tripost import registry
from tripost.errors import DataError, ParamsError
from tripost.interfaces import CannotImprove, CannotJudge
from tripost.params import SourceParams
from tripost.params_file import check_params, load_params
from tripost.parts import find_part
from tripost.problems import collect
from tripost.reading import read_attempt, read_feedback, stands_in
from tripost.records import Feedback, Problem
from tripost.tasks.multistep_arithmetic.derive import derive
from tripost.tasks.multistep_arithmetic.expression import ExpressionError, evaluate, parse
from tripost.tasks.word_sorting.derive import question_words
from tripost.text import MAX_CHARS, MAX_STEPS, parse_feedback, reads_back, unreadable_attempt, write_feedback

X = arithmetic_problem()
END = "\n(Final response) So the answer is 7."
BECAUSE = '" is incorrect. This is because '
SORT = "Sort the following words alphabetically:\nList: "


def asked(task: str, question: str) -> Problem:
    return msgspec.structs.replace(problems(task, 1)[0], question=question, answer="7", rationale=None)


def improved(x: Problem, text: str, step: int) -> object:
    y = attempt(text)
    return registry.script(x.task).improve(x, y, write_feedback(y, step, "x", "y", "script"))


@pytest.mark.parametrize(
    ("task", "question"),
    [
        (ARITHMETIC, f"({' + '.join('1' * 60)}) ="),  # written out, its brackets are deeper than the parser goes
        (ARITHMETIC, f"(({'9' * 40} * 2) - 1) ="),  # a value of 41 digits cannot be read again
        (ARITHMETIC, "(A - 1) ="),
        (WORDS, SORT + 'b"c a'),
        (WORDS, SORT + "b a b"),
        (WORDS, SORT + "B a"),
        (WORDS, SORT + "a" * 61 + " b"),
        (WORDS, SORT + " ".join(f"w{n}" for n in range(201))),
        (WORDS, SORT + " ".join(f"abcdefghijklmnopqrstu{n}" for n in range(2))),  # alike for more than twenty letters
    ],
)
def test_a_question_beyond_the_bounds_is_refused_by_both_experts(task: str, question: str) -> None:
    x = asked(task, question)
    assert isinstance(improved(x, "(1) a" + END, 1), CannotImprove)
    rating = registry.script(task).feedback(x, attempt("(1) a" + END))
    assert isinstance(rating, CannotJudge)


def test_an_update_that_could_not_be_read_is_not_given() -> None:
    """Labels end at 999, texts at 20,000 characters: IMP once gave malformed attempts where its steps went beyond."""
    first, second, *_ = str(X.rationale).split("\n")
    late = f"{first.replace('(1)', '(998)')}\n{second.replace('(2)', '(999)')}{END}"
    more = (MAX_CHARS - len(first) - len(second) - len(END) - 8) // len(" = 2")
    long = f"{first}\n{second.removesuffix('.')}{' = 2' * more}.{END}"
    for text in (late, long):
        assert not attempt(text).malformed
        assert isinstance(improved(X, text, 3), CannotImprove)


def test_a_prefix_that_fbk_would_not_accept_is_not_continued() -> None:
    assert isinstance(improved(X, str(X.rationale).replace("= 2.", "= 3."), 3), CannotImprove)


def test_an_equation_of_an_undefined_letter_ends() -> None:
    """It was reduced without end."""
    y = attempt('(1) This equation can be written as "A", where B = (1).' + END)
    with pytest.raises(ExpressionError, match="A is not defined"):
        derive(X.question, y.steps)


def test_values_are_as_long_as_what_can_be_read_again() -> None:
    assert evaluate(parse("9" * 40)) == 10**40 - 1
    with pytest.raises(ExpressionError, match="too large"):
        evaluate(parse(f"{'9' * 40} + 1"))


@pytest.mark.parametrize("task", [ARITHMETIC, WORDS])
def test_what_cannot_be_quoted_is_not_judged(task: str) -> None:
    x = problems(task, 1)[0]
    head = {ARITHMETIC: "Let's calculate ", WORDS: "Hence, we have "}[task]
    for part in (f"a{BECAUSE}b", f'"a"{BECAUSE}b'):
        verdict = registry.script(task).feedback(x, attempt(f"(1) {head}{part}{END}"))
        assert isinstance(verdict, CannotJudge) or reads_back(verdict, attempt(f"(1) {head}{part}{END}"))


def test_a_malformed_attempt_is_wrong_whatever_the_reference() -> None:
    x = msgspec.structs.replace(problems(WORDS, 1)[0], answer=" ")
    assert not registry.task(WORDS).is_correct(x, unreadable_attempt("", "m_theta"))


@pytest.mark.parametrize("change", [{"answer": " "}, {"question": "a" * (MAX_CHARS + 1)}])
def test_a_problem_that_cannot_be_used_is_refused(change: dict[str, Any]) -> None:
    x = msgspec.structs.replace(problems(WORDS, 1)[0], **change)
    counts = dict.fromkeys(("train", "validation", "test", "unseen_validation", "unseen_test"), 1)
    source = SourceParams(module=None, source="jsonl", path="x", expert=SCRIPT, seen=(), unseen=(), **counts)
    with pytest.raises(DataError, match="f:1: "):
        collect(registry.task(WORDS), source, [("f:1", msgspec.to_builtins(x))], seed=1)


def test_megabytes_of_words_are_not_split() -> None:
    assert question_words(SORT + "a " * 4_000_000) == []


def test_both_readers_stop_at_the_same_length() -> None:
    y = attempt("(1) aa\n(Final response) So the answer is 1.")
    said = f'In step (1) the part "a{BECAUSE}{"b" * MAX_CHARS}.'
    assert parse_feedback(said, y, "m_theta").malformed
    assert read_feedback(said, [("1", "aa"), ("", "So the answer is 1.")]) is None
    long = f"(1) {'a' * MAX_CHARS}{END}"
    assert attempt(long).malformed
    assert read_attempt(long) is None
    many = "\n".join(f"({n}) a" for n in range(1, MAX_STEPS + 2)) + END
    assert attempt(many).malformed
    assert read_attempt(many) is None


@pytest.mark.parametrize("piece", ["a", "a-b", "a ", "ab", "_", "\u00b2"])
def test_a_long_part_that_overlaps_itself_is_found_at_once(piece: str) -> None:
    """Trying place after place took 0.14 s at 20,000 characters in one reader, and more in the other."""
    line, part = piece * (20_000 // len(piece)), piece * (10_000 // len(piece))
    ends = not (part[-1].isalnum() and piece[0].isalnum())
    assert (find_part(part, line) is not None) == stands_in(part, line) == ends
    assert find_part(part, f"{line} {part}") is not None


def test_params_within_themselves_are_refused() -> None:
    raw: dict[str, Any] = {}
    raw["seed"] = raw
    with pytest.raises(ParamsError, match=r"params\.yaml: nested without end"):
        check_params(raw)


@pytest.mark.parametrize("raw", [{"int": 1}, {"WeightParams": 1}, {"[key]": 1}, {"seed": 16**5_000}])
def test_params_that_broke_their_own_error(raw: dict[str, Any]) -> None:
    with pytest.raises(ParamsError, match=r"unknown key|very long int"):
        check_params(raw)


@pytest.mark.parametrize(
    "content", ["seed: !!bool x", "seed: !!int ''", "a: b: \x85 \u202e", "seed: 0x" + "f" * 9_000]
)
def test_a_params_file_that_broke_its_reader(tmp_path: Path, content: str) -> None:
    (tmp_path / "params.yaml").write_text(content, encoding="utf-8")
    with pytest.raises(ParamsError, match=r"params\.yaml:(1:)? ") as error:
        load_params(tmp_path / "params.yaml")
    assert all(line.isprintable() for line in str(error.value).split("\n"))


@pytest.mark.parametrize(
    "said", [" ", "\u00a0", "All steps and the final response are correct. (1) a", f"x {BECAUSE}y"]
)
def test_claims_that_are_not_in_the_words_are_malformed(said: str) -> None:
    found = parse_feedback(said, attempt("(1) a" + END), "m_theta")
    assert isinstance(found, Feedback)
    assert found.malformed
    assert not found.says_correct
