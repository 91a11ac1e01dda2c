"""One contract for every task and its expert: ours, and one that is a file of its own.

A further task is a line of `SUBJECTS`.
"""

import random
import re
from collections.abc import Callable
from itertools import islice
from typing import Protocol

import msgspec
import pytest

from bench.planted import Planted, arithmetic, dates, deduction, words
from tests.fakes import ARITHMETIC, DATES, DEDUCTION, DIFFICULTIES, WORDS, attempt
from tests.toy import ROOT
from tripost import registry
from tripost.errors import DataError
from tripost.interfaces import Expert, Published, Scripted, Task
from tripost.records import Attempt, Feedback, Problem
from tripost.text import parse_attempt, parse_feedback, write_attempt, write_feedback

Plant = Callable[[str, str, random.Random], tuple[str, int]]
"""Question and rationale to a text with an error, and the number of its first wrong step."""


class Subject(msgspec.Struct, frozen=True):
    """A task with an expert, and what was written without the expert's code: a planter, and other right tellings."""

    task: Task
    difficulties: list[str]
    plant: Plant
    rewrite: Callable[[str, str, random.Random], str] = lambda question, rationale, rng: rationale

    def problems(self, count: int, seed: int = 5) -> list[Problem]:
        """The first problems of the generator."""
        return list(islice(self.task.problems(self.difficulties, seed), count))

    @property
    def expert(self) -> Expert:
        """FBK and IMP."""
        assert isinstance(self.task, Scripted)
        return self.task.script()

    def judged(self, problem: Problem, text: str) -> Feedback:
        """FBK's feedback on a text that it must be able to judge."""
        verdict = self.expert.feedback(problem, attempt(text))
        assert isinstance(verdict, Feedback), (verdict, text)
        return verdict


class Planter(Protocol):
    """A module of `bench.planted`."""

    def plant(self, question: str, rationale: str, rng: random.Random) -> Planted:
        """An error, and where."""
        ...

    def rewrite(self, question: str, rationale: str, rng: random.Random) -> str:
        """The same told another way."""
        ...


def ours(name: str, module: Planter) -> Subject:
    """A registered task, with the planter and rewriter of the benchmark."""

    def plant(question: str, rationale: str, rng: random.Random) -> tuple[str, int]:
        planted = module.plant(question, rationale, rng)
        return planted.text, planted.step

    return Subject(registry.task(name), DIFFICULTIES[name], plant, module.rewrite)


def slip(question: str, rationale: str, rng: random.Random) -> tuple[str, int]:
    """Column addition with one digit changed behind an equals sign, a carry or `so far`, or in the answer."""
    places = list(re.finditer(r"(?<== )[0-9]|(?<=carry )[0-9]|(?<=so far )[0-9]|(?<=answer is )[0-9]", rationale))
    place = rng.choice(places)
    other = rng.choice([digit for digit in "0123456789" if digit != place[0]])
    return rationale[: place.start()] + other + rationale[place.end() :], rationale.count("\n", 0, place.start()) + 1


SUBJECTS = {
    ARITHMETIC: ours(ARITHMETIC, arithmetic),
    DATES: ours(DATES, dates),
    DEDUCTION: ours(DEDUCTION, deduction),
    WORDS: ours(WORDS, words),
    "addition": Subject(
        registry.task("addition", f"{ROOT}/examples/addition/addition.py:Addition"), ["2 digits", "3 digits"], slip
    ),
}
each = pytest.mark.parametrize("subject", SUBJECTS.values(), ids=SUBJECTS.keys())


@each
def test_truth_is_correct_and_the_expert_is_silent_on_it(subject: Subject) -> None:
    for problem in subject.problems(50):
        y = attempt(str(problem.rationale))
        assert subject.task.is_correct(problem, y)
        assert subject.judged(problem, y.raw).says_correct


@each
def test_a_planted_error_is_found_in_its_step(subject: Subject) -> None:
    for k, problem in enumerate(subject.problems(60)):
        text, step = subject.plant(problem.question, str(problem.rationale), random.Random(k))
        assert subject.judged(problem, text).wrong_step == step, text


@each
def test_another_valid_derivation_is_right(subject: Subject) -> None:
    for k, problem in enumerate(subject.problems(60)):
        text = subject.rewrite(problem.question, str(problem.rationale), random.Random(k))
        assert subject.judged(problem, text).says_correct, text


@each
def test_improve_from_any_passing_prefix_ends_correct(subject: Subject) -> None:
    for k, problem in enumerate(subject.problems(20)):
        y = attempt(subject.rewrite(problem.question, str(problem.rationale), random.Random(k)))
        for step in range(1, len(y.steps) + 2):
            improved = subject.expert.improve(problem, y, write_feedback(y, step, "x", "y", "script"))
            assert isinstance(improved, Attempt)
            assert improved.steps[: step - 1] == y.steps[: step - 1]
            assert subject.judged(problem, improved.raw).says_correct, improved.raw
            assert subject.task.is_correct(problem, improved)


@each
def test_improve_does_not_need_the_answer(subject: Subject) -> None:
    for problem in subject.problems(10):
        y = attempt(str(problem.rationale))
        blind = msgspec.structs.replace(problem, answer="", rationale=None)
        improved = subject.expert.improve(blind, y, write_feedback(y, 1, "x", "y", "script"))
        assert isinstance(improved, Attempt)
        assert improved.final == problem.answer


@each
def test_problems_are_reproducible_and_stay_when_more_are_asked_for(subject: Subject) -> None:
    few, many = subject.problems(10, seed=3), subject.problems(30, seed=3)
    assert many[:10] == few
    assert len({p.id for p in many}) == len({p.question for p in many}) == 30
    assert subject.problems(10, seed=4) != few


@each
def test_texts_round_trip(subject: Subject) -> None:
    """Rationales, and FBK's feedback on planted errors."""
    for k, problem in enumerate(subject.problems(20)):
        y = parse_attempt(str(problem.rationale), "dataset")
        assert write_attempt(y.steps, y.final_text, "dataset").raw == problem.rationale
        wrong = attempt(subject.plant(problem.question, str(problem.rationale), random.Random(k))[0])
        said = subject.judged(problem, wrong.raw)
        assert parse_feedback(said.text, wrong, said.author) == said


@each
def test_difficulties_are_read_off_questions_and_refused_where_there_are_none(subject: Subject) -> None:
    with pytest.raises(DataError, match="write it as"):
        next(subject.task.problems(["hard"], 1))
    if isinstance(subject.task, Published):
        for problem in subject.problems(20):
            assert subject.task.difficulty(problem.question) == problem.difficulty
        with pytest.raises(DataError):
            subject.task.difficulty("How many roads must a man walk down?")
