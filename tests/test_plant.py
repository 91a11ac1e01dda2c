"""The planters of the tasks: one error, surely wrong, at the step they name; held against readings of their own."""

import random
from contextlib import suppress
from itertools import islice

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.planted import NotApplicableError, arithmetic, dates, deduction, words
from tests.fakes import ARITHMETIC, DATES, DEDUCTION, WORDS, attempt, problems
from tests.lies import LIES
from tripost import registry
from tripost.interfaces import Planted, PlantedError
from tripost.records import Attempt, Feedback, Problem
from tripost.text import parse_attempt

TASKS = [ARITHMETIC, DATES, DEDUCTION, WORDS]
BENCH = {ARITHMETIC: arithmetic, DATES: dates, DEDUCTION: deduction, WORDS: words}
PROBLEMS = {name: problems(name, 40) for name in TASKS}
KINDS = {
    ARITHMETIC: {"answer", *(f"{kind}{end}" for end in ("", "-carried") for kind in (
        "definition", "copy", "operation", "result", "equation", "substitution",
    ))},
    DATES: {"letter", *(f"{kind}{end}" for end in ("", "-carried") for kind in (
        "day", "month", "year", "count", "spelling", "condition",
    ))},
    DEDUCTION: {"letter", *(f"{kind}{end}" for end in ("", "-carried") for kind in (
        "exchanged", "gap", "position", "clue", "object",
    ))},
    WORDS: {"letter", "number", *(f"{kind}{end}" for end in ("", "-carried") for kind in (
        "exchanged", "missing", "misspelt",
    ))},
}  # fmt: skip


def plant(problem: Problem, y: Attempt, seed: int) -> PlantedError | None:
    task = registry.task(problem.task)
    assert isinstance(task, Planted)
    return task.plant(problem, y, random.Random(f"{problem.id} {seed}"))


def rationale(problem: Problem) -> Attempt:
    return parse_attempt(str(problem.rationale), "dataset")


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


@pytest.mark.parametrize(
    ("task", "difficulties"),
    [(DATES, ["1 step", "2 steps", "6 steps"]), (DEDUCTION, ["3 objects", "5 objects", "7 objects"])],
)
def test_in_harder_problems_too(task: str, difficulties: list[str]) -> None:
    for seed, problem in enumerate(islice(registry.task(task).problems(difficulties, 9), 250)):
        error = plant(problem, rationale(problem), seed)
        assert error is not None
        assert LIES[task](problem, rationale(problem), error), error
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
