"""The planters of the tasks: one error, surely wrong, at the step they name; held against readings of their own."""

import random
import re
from collections.abc import Callable
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.planted import NotApplicableError, arithmetic, words
from tests.fakes import ARITHMETIC, WORDS, attempt, problems
from tests.test_planted import python_value
from tripost import registry
from tripost.interfaces import Planted, PlantedError
from tripost.records import Attempt, Feedback, Problem
from tripost.text import parse_attempt

TASKS = [ARITHMETIC, WORDS]
BENCH = {ARITHMETIC: arithmetic, WORDS: words}
PROBLEMS = {name: problems(name, 40) for name in TASKS}
KINDS = {
    ARITHMETIC: {"answer", *(f"{kind}{end}" for end in ("", "-carried") for kind in (
        "definition", "copy", "operation", "result", "equation", "substitution",
    ))},
    WORDS: {"letter", "number", *(f"{kind}{end}" for end in ("", "-carried") for kind in (
        "exchanged", "missing", "misspelt",
    ))},
}  # fmt: skip
ORDINALS = ["first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth"]


def plant(problem: Problem, y: Attempt, seed: int) -> PlantedError | None:
    task = registry.task(problem.task)
    assert isinstance(task, Planted)
    return task.plant(problem, y, random.Random(f"{problem.id} {seed}"))


def rationale(problem: Problem) -> Attempt:
    return parse_attempt(str(problem.rationale), "dataset")


def lies_about_numbers(problem: Problem, before: Attempt, error: PlantedError) -> bool:
    """Whether, by Python's own parser, a claim of the line has another value than the truth."""
    values = {
        name: python_value(definition)
        for name, definition in re.findall(r"([A-Z]) = (\([^=]*?\))(?=,| and|\.$)", before.line(1))
    }

    def value(text: str) -> int:
        return python_value(re.sub("[A-Z]", lambda letter: f"({values[letter[0]]})", text))

    line = error.attempt.line(error.step)
    if line.startswith("So the answer is"):
        return error.attempt.final != problem.answer
    if line.startswith("This equation"):
        found = re.findall(r"([A-Z]) = (\([^=]*?\))(?=,| and|\.$)", line)
        return any(python_value(definition) != values[name] for name, definition in found)
    claims = line.removesuffix(".").removeprefix("Let's calculate ").removeprefix("Then, the final equation is ")
    truth = values[claims[0]] if line.startswith("Let's") else int(problem.answer)
    items = claims.split(" = ")[1:] if line.startswith("Let's") else claims.split(" = ")
    return any(value(item) != truth for item in items)


def lies_about_words(problem: Problem, before: Attempt, error: PlantedError) -> bool:
    """Whether the line says something of letters, numbers, order or words that is not so."""
    listed = problem.question.partition("List: ")[2].split()
    line = error.attempt.line(error.step)
    if line.startswith("So the answer is"):
        return str(error.attempt.final).split() != sorted(listed)
    named = set(re.findall(r'"([a-z]{2,})"(?!=")', line)) | set(re.findall(r'"([a-z]+)"="', line))
    if named - set(listed):
        return True
    if line.startswith(("The first", "Now sort")):
        k = next(number for number, name in enumerate(ORDINALS) if f"{name} letter" in line)
        found = re.findall(r'"(\w+)"="(\w?)" \((-?\d+)\)', line)
        return any((c, int(n)) != (word[k], ord(word[k]) - 96) for word, c, n in found)
    numbers = [int(n) for n in re.findall(r"\((-?\d+)\)", line)]
    right = set(re.findall(r'"([a-z]+)"', before.line(error.step)))
    order = re.findall(r'"([a-z]+)"', line)
    if line.startswith("We now have"):
        true = [int(n) for n in re.findall(r"\((-?\d+)\)", before.line(error.step))]
        return numbers != true
    return order != sorted(order) or set(order) != right


LIES: dict[str, Callable[[Problem, Attempt, PlantedError], bool]] = {
    ARITHMETIC: lies_about_numbers,
    WORDS: lies_about_words,
}
each = pytest.mark.parametrize("task", TASKS)


@each
@given(st.integers(0, 39), st.integers(0, 10**6))
def test_the_step_that_is_named_is_the_first_that_changed_and_it_is_wrong(task: str, k: int, seed: int) -> None:
    problem = PROBLEMS[task][k]
    before = rationale(problem)
    error = plant(problem, before, seed)
    assert error is not None
    after = error.attempt
    assert not after.malformed
    assert [step.label for step in after.steps] == [step.label for step in before.steps]
    changed = [n for n in range(1, len(before.steps) + 2) if after.line(n) != before.line(n)]
    assert changed[0] == error.step
    assert (len(changed) > 1) == error.kind.endswith("-carried")
    assert LIES[task](problem, before, error), error
    assert error == plant(problem, before, seed)


@each
@given(st.integers(0, 39), st.integers(0, 10**6))
def test_the_scripted_expert_names_that_step(task: str, k: int, seed: int) -> None:
    problem = PROBLEMS[task][k]
    error = plant(problem, rationale(problem), seed)
    assert error is not None
    verdict = registry.script(task).feedback(problem, error.attempt)
    assert isinstance(verdict, Feedback)
    assert verdict.wrong_step == error.step


@each
def test_all_kinds_of_errors_are_planted(task: str) -> None:
    errors = [plant(problem, rationale(problem), seed) for problem in PROBLEMS[task] for seed in range(8)]
    assert {error.kind for error in errors if error} == KINDS[task]


@each
def test_nothing_is_planted_in_an_attempt_that_is_already_wrong(task: str) -> None:
    """Not even where its answer is right: which step would be the first wrong one?"""
    tried = 0
    for k, problem in enumerate(PROBLEMS[task]):
        for kind in BENCH[task].KINDS:
            with suppress(NotApplicableError):
                wrong = BENCH[task].plant(problem.question, str(problem.rationale), random.Random(k), kind)
                tried += 1
                assert plant(problem, attempt(wrong.text), k) is None, wrong
    assert tried > 100


@each
def test_other_words_of_the_model_are_kept_to_the_letter(task: str) -> None:
    """Another right telling takes an error too, or none at all; what the planter did not touch stays as it was."""
    planted = 0
    for k, problem in enumerate(PROBLEMS[task]):
        text = BENCH[task].rewrite(problem.question, str(problem.rationale), random.Random(k))
        y = attempt(text.replace("(Final response)", "  (Final answer)  ").replace("\n(2) ", "\n (2)  "))
        error = plant(problem, y, k)
        if error is not None:
            planted += 1
            verdict = registry.script(task).feedback(problem, error.attempt)
            assert isinstance(verdict, Feedback)
            assert verdict.wrong_step == error.step
            lines = error.attempt.raw.split("\n")
            assert lines[: error.step - 1] == y.raw.split("\n")[: error.step - 1]
            assert "(Final answer)  " in lines[-1]
    assert planted > 20


@each
@pytest.mark.parametrize("text", ["It is 7.", "(1) Hm.\n(Final response) So the answer is 7.", "(1) \n", '(1) "'])
def test_what_is_not_understood_takes_no_error(task: str, text: str) -> None:
    assert plant(PROBLEMS[task][0], attempt(text), 1) is None
