"""What is special to the tasks: what is seen, which words FBK finds for what, what it leaves alone."""

from itertools import islice

import pytest

from tests.fakes import ARITHMETIC, DATES, DEDUCTION, DIFFICULTIES, WORDS, arithmetic_problem, attempt, problems
from tripost import registry
from tripost.errors import UnknownNameError
from tripost.interfaces import CannotImprove, CannotJudge
from tripost.records import Attempt, Feedback, Problem
from tripost.text import write_feedback

TASKS = [ARITHMETIC, DATES, DEDUCTION, WORDS]

RIGHT_BUT = str(arithmetic_problem().rationale).replace("So the answer is -5.", "%s")


def judged(problem: Problem, text: str) -> Feedback:
    verdict = registry.script(problem.task).feedback(problem, attempt(text))
    assert isinstance(verdict, Feedback), verdict
    return verdict


@pytest.mark.parametrize(
    ("task", "seen", "unseen"),
    [
        (
            ARITHMETIC,
            ["length 3, depth [2]", "length 4, depth [2,2]"],
            ["length 5, depth [2]", "length 3, depth [2,2,2]"],
        ),
        (DATES, ["1 step", "2 steps"], ["3 steps", "6 steps"]),
        (WORDS, ["2 words", "7 words"], ["8 words", "20 words"]),
        (DEDUCTION, ["3 objects", "4 objects", "5 objects"], ["6 objects", "7 objects"]),
    ],
)
def test_seen_and_unseen_are_the_papers(task: str, seen: list[str], unseen: list[str]) -> None:
    found = registry.task(task)
    assert [found.seen(d) for d in seen + unseen] == [True] * len(seen) + [False] * len(unseen)
    assert all(p.seen is found.seen(p.difficulty) for p in islice(found.problems(seen + unseen, 1), 8))


def test_arithmetic_rationale_is_written_as_published() -> None:
    problem = arithmetic_problem()
    improved = registry.script(ARITHMETIC).improve(
        problem,
        attempt(str(problem.rationale)),
        write_feedback(attempt(str(problem.rationale)), 1, "x", "y", "script"),
    )
    assert isinstance(improved, Attempt)
    assert improved.raw == problem.rationale


@pytest.mark.parametrize(
    ("before", "after", "step", "part", "reason"),
    [
        ("(-1 + 3) = 2.", "(-3 + 3) = 0.", 2, "= (-3 + 3)", "(1 - 2) is not -3"),
        ("(8 - 1) = 7.", "(8 - 1) = 9.", 3, "= 9", "(8 - 1) is not 9"),
        ("(2 - 7) = -5.\n", "(2 - 8) = -6.\n", 4, "= (2 - 8)", "B is 7"),
        ("and B = (4 * 2 - 1)", "and B = (4 * 2 + 1)", 1, "B = (4 * 2 + 1)", "B is another part of the question"),
        ('"(A - B)"', '"(A + B)"', 1, '"(A + B)"', "it is not the equation of the question"),
        ("answer is -5", "answer is 5", 5, "So the answer is 5.", "the last step gives -5"),
        ("A = (1 - 2 + 3) = ((", "A = (1 - 2 - 3) = ((", 2, "A = (1 - 2 - 3)", "A is (1 - 2 + 3)"),
        ("= (8 - 1) = 7.", "= (8 - 1 = 7.", 3, "= (8 - 1 = 7.", "it cannot be read"),
    ],
)
def test_arithmetic_feedback_names_step_part_and_reason(
    before: str, after: str, step: int, part: str, reason: str
) -> None:
    problem = arithmetic_problem()
    text = str(problem.rationale)
    assert before in text
    found = judged(problem, text.replace(before, after))
    assert (found.wrong_step, found.wrong_part, found.reason) == (step, part, reason)


SORT = Problem(
    id="w1", task=WORDS, question="Sort the following words alphabetically:\nList: pear plum apple", answer="apple pear plum",
    rationale=None, difficulty="3 words", seen=True, split="train", group_id="w1", source="generated", licence="Apache-2.0",
)  # fmt: skip
SORTED = (
    '(1) The first letter: "pear"="p" (16), "plum"="p" (16), "apple"="a" (1).\n'
    '(2) We now have: (1) "apple" < (16) ["pear" ? "plum"].\n'
    '(3) Now sort this subpart ["pear" ? "plum"] by looking at their second letters: "pear"="e" (5), "plum"="l" (12).\n'
    '(3.1) We now have: (5) "pear" < (12) "plum".\n'
    '(3.2) Hence, we have "pear" < "plum".\n'
    '(4) Hence, we have "apple" < "pear" < "plum".\n'
    "(Final response) So the answer is: apple pear plum."
)


@pytest.mark.parametrize(
    ("before", "after", "step", "part", "reason"),
    [
        ('"pear"="p" (16)', '"pear"="q" (17)', 1, '"pear"="q" (17)', 'the first letter of "pear" is "p" (16)'),
        ('(16) ["pear" ? "plum"]', '(16) "pear"', 2, '(16) "pear"', '"plum" is missing'),
        ('(5) "pear" < (12) "plum"', '(12) "plum" < (5) "pear"', 4, '(12) "plum" < (5) "pear"', "(5) comes before (12)"),
        ('have "pear" < "plum".\n(4)', 'have "plum" < "pear".\n(4)', 5, '"plum" < "pear"', '"pear" comes before "plum"'),
        ('"apple" < "pear" < "plum".', '"apple" < "plum".', 6, '"apple" < "plum"', '"pear" is missing'),
        ('"apple" < "pear" < "plum".', '"apple" < "pear".', 6, '"pear".', '"plum" is missing'),
        ("is: apple pear plum", "is: apple plum", 7, "So the answer is: apple plum.", '"pear" is missing'),
        ('"apple"="a" (1)', '"aple"="a" (1)', 1, '"aple"="a" (1)', '"aple" is not in the list'),
        ('(16) ["pear" ? "plum"]', '(16) "pear" < (16) "plum"', 2, '(16) "pear" < (16) "plum"', "both are (16)"),
    ],
)  # fmt: skip
def test_word_feedback_names_step_part_and_reason(before: str, after: str, step: int, part: str, reason: str) -> None:
    assert judged(SORT, SORTED).says_correct
    assert before in SORTED
    found = judged(SORT, SORTED.replace(before, after, 1))
    assert (found.wrong_step, found.wrong_part, found.reason) == (step, part, reason)


def test_a_word_that_is_the_beginning_of_another_sorts_first() -> None:
    problem = next(iter(problems(WORDS, 1)))
    question = "Sort the following words alphabetically:\nList: ab a's ax a"
    fields = {f: getattr(problem, f) for f in problem.__struct_fields__}
    x = Problem(**fields | {"question": question, "answer": "a a's ab ax", "rationale": None})
    improved = registry.script(WORDS).improve(
        x, attempt(SORTED), write_feedback(attempt(SORTED), 1, "x", "y", "script")
    )
    assert isinstance(improved, Attempt)
    assert improved.final == "a a's ab ax"
    assert judged(x, improved.raw).says_correct


@pytest.mark.parametrize("task", TASKS)
def test_a_step_in_free_prose_is_not_guessed_at(task: str) -> None:
    problem = problems(task, 1)[0]
    verdict = registry.script(task).feedback(problem, attempt("(1) Easy.\n(Final response) So the answer is 1."))
    assert isinstance(verdict, CannotJudge)
    assert "(1)" in verdict.reason


@pytest.mark.parametrize(
    ("task", "text"),
    [
        (ARITHMETIC, "(1) Then, the final equation is -5.\n(Final response) So the answer is -5."),
        (ARITHMETIC, "(1) Then, the final equation is (1 * -5) = -5.\n(Final response) So the answer is -5."),
        (ARITHMETIC, "(Final response) So the answer is -5."),
        (ARITHMETIC, RIGHT_BUT % "All of this is wrong, the answer is 9. So the answer is -5."),
        (ARITHMETIC, RIGHT_BUT % "So the answer is 9. So the answer is -5."),
        (
            WORDS,
            '(1) We now have: (1) "apple" < (16) ["pear" ? "plum"].\n(Final response) So the answer is: apple pear plum.',
        ),
        (WORDS, "(Final response) So the answer is: apple pear plum."),
    ],
)
def test_a_right_answer_that_no_step_leads_to_is_not_called_correct(task: str, text: str) -> None:
    problem = arithmetic_problem() if task == ARITHMETIC else SORT
    assert registry.task(task).is_correct(problem, attempt(text))
    assert isinstance(registry.script(task).feedback(problem, attempt(text)), CannotJudge)


def test_a_definition_that_the_equation_does_not_use_is_found() -> None:
    problem = arithmetic_problem()
    text = str(problem.rationale).replace("(1 - 2 + 3) and", "(1 - 2 + 3), Z = 9 and")
    assert judged(problem, text).wrong_part == "Z = 9"


def test_a_question_without_groups_is_not_continued() -> None:
    fields = {f: getattr(arithmetic_problem(), f) for f in Problem.__struct_fields__}
    x = Problem(**fields | {"question": "3 + 4 =", "answer": "7", "rationale": None})
    y = attempt("(1) Then, the final equation is 5.\n(Final response) So the answer is 5.")
    assert isinstance(registry.script(ARITHMETIC).improve(x, y, judged(x, y.raw)), CannotImprove)


def test_unknown_names_get_a_hint() -> None:
    with pytest.raises(UnknownNameError, match="did you mean 'word_sorting'"):
        registry.task("wordsorting")


def test_difficulties_of_the_fakes_are_seen() -> None:
    assert all(registry.task(name).seen(d) for name, many in DIFFICULTIES.items() for d in many)
