"""What is special to the tasks: what is seen, which words FBK finds for what, what it leaves alone."""

import random
from itertools import islice

import pytest

from tests.fakes import ARITHMETIC, DATES, DEDUCTION, DIFFICULTIES, WORDS, arithmetic_problem, attempt, problems
from tripost import registry
from tripost.errors import UnknownNameError
from tripost.interfaces import CannotImprove, CannotJudge, Planted
from tripost.parts import find_part
from tripost.records import Attempt, Feedback, Problem
from tripost.tasks.multistep_arithmetic.derive import derive
from tripost.text import write_attempt, write_feedback

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
        ("(-1 + 3) = 2.", "(-3 + 3) = 0.", 2, "= (-3 + 3)", "(1 - 2) is -1"),
        ("(8 - 1) = 7.", "(8 - 1) = 9.", 3, "= 9", "(8 - 1) is 7"),
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


PRODUCTS = "((2 * 9 + 5) * (-3 * 4 - 2)) ="


def product(question: str = PRODUCTS, answer: str = "-322") -> Problem:
    fields = {f: getattr(arithmetic_problem(), f) for f in Problem.__struct_fields__}
    return Problem(**fields | {"question": question, "answer": answer, "rationale": None})


@pytest.mark.parametrize(
    ("before", "after", "part", "reason", "mended"),
    [
        ("(23 * -14) = -322.", "(23 * -14) = -312.", "= -312", "(23 * -14) is ((23 * -10) + (23 * -4))",
         "(A * B) = (23 * -14) = ((23 * -10) + (23 * -4)) = (-230 + (23 * -4)) = (-230 + ((20 * -4) + (3 * -4)))"
         " = (-230 + (-80 + (3 * -4))) = (-230 + (-80 + -12)) = (-230 + -92) = -322."),
        ("(-12 - 2) = -14.", "(-12 - 2) = -10.", "= -10", "(-12 - 2) is -14", "(-12 - 2) = -14."),
        ("(18 + 5) = 23.", "(8 + 5) = 23.", "= (8 + 5)", "(2 * 9) is 18", "(18 + 5) = 23."),
        # What M_theta has worked out in parts itself is taken up where it is right.
        ("(23 * -14) = -322.", "(23 * -14) = ((23 * -10) + (23 * -4)) = (-230 + -82) = -312.", "= (-230 + -82)",
         "(23 * -4) is ((20 * -4) + (3 * -4))", "(A * B) = (23 * -14) = ((23 * -10) + (23 * -4)) ="
         " (-230 + (23 * -4)) = (-230 + ((20 * -4) + (3 * -4))) = (-230 + (-80 + (3 * -4))) = (-230 + (-80 + -12))"
         " = (-230 + -92) = -322."),
        # Of several operations at once the first is named.
        ("((-3 * 4) - 2) = (-12 - 2) = -14.", "((-3 * 4) - 2) = -10.", "= -10", "(-3 * 4) is -12", "((-3 * 4) - 2) = (-12 - 2) = -14."),
        # The step that went wrong is taken up, in whatever order they come.
        ("(2) Let's calculate A = (2 * 9 + 5) = ((2 * 9) + 5) = (18 + 5) = 23.\n(3) Let's calculate B",
         "(2) Let's calculate B = (-3 * 4 - 2) = ((-3 * 4) - 2) = (-12 - 2) = -10.\n(3) Let's calculate B",
         "= -10", "(-12 - 2) is -14", "(2) Let's calculate A = (2 * 9 + 5) = ((2 * 9) + 5) = (18 + 5) = 23.\n(3)"),
        ("(3) Let's calculate B = (-3 * 4 - 2) = ((-3 * 4) - 2) = (-12 - 2) = -14.\n(4) Then, the final equation is (A * B) = (23 * -14) = -322.",
         "(3) Then, the final equation is (A * B) = (23 * -14) = -312.", "= -312", "(23 * -14) is ((23 * -10) + (23 * -4))",
         "(4) Then, the final equation is (A * B) = (23 * -14) = ((23 * -10) + (23 * -4)) ="),
    ],
)  # fmt: skip
def test_arithmetic_says_how_it_is_worked_out_and_mends_it_so(
    before: str, after: str, part: str, reason: str, mended: str
) -> None:
    right, problem = write_attempt(*derive(PRODUCTS), "dataset"), product()
    assert before in right.raw
    wrong = attempt(right.raw.replace(before, after))
    found = judged(problem, wrong.raw)
    assert (found.wrong_part, found.reason) == (part, reason)
    update = registry.script(ARITHMETIC).improve(problem, wrong, found)
    assert isinstance(update, Attempt)
    assert mended in update.raw
    assert judged(problem, update.raw).says_correct


EQUATION = '(1) This equation can be written as "(A * B)", where A = (2 * 9 + 5) and B = (-3 * 4 - 2).\n'
A_IS = "(2) Let's calculate A = (2 * 9 + 5) = ((2 * 9) + 5) = (18 + 5) = 23.\n"
B_IS = "(3) Let's calculate B = (-3 * 4 - 2) = ((-3 * 4) - 2) = (-12 - 2) = -14.\n"
FINAL = "(%d) Then, the final equation is (A * B) = (23 * -14) = %d.\n"


@pytest.mark.parametrize(
    ("problem", "steps", "reason"),
    [
        (product(), EQUATION + A_IS + B_IS, "it does not follow from the steps"),
        (product(), EQUATION + FINAL % (2, -322) + A_IS.replace("(2) L", "(3) L"), "the last step gives -322"),
        (product(), EQUATION + "(2) Let's calculate A=(2 * 9 + 5)=23.\n", "it cannot be read"),
        (product(), EQUATION + "(2) Let's calculate AB = (2 * 9 + 5) = 23.\n", "it cannot be read"),
        (product(), EQUATION + "(2) Let's calculate C = (2 * 9 + 5) = 23.\n", "C is not defined"),
        # What is not yet calculated is not told: it may be the answer.
        (product(), EQUATION + "(2) Then, the final equation is (A * B) = (24 * -14) = -336.\n", "A is (2 * 9 + 5)"),
        (
            product("((2 * 9 + 5) + (3 * 4 - 12)) =", "23"),
            EQUATION.replace("A * B", "A + B").replace("(-3 * 4 - 2)", "(3 * 4 - 12)")
            + "(2) Then, the final equation is (A + B) = 24.\n",
            "it is not 24",
        ),
    ],
)
def test_arithmetic_reasons_are_true_and_hold_no_result_that_is_still_to_be_found(
    problem: Problem, steps: str, reason: str
) -> None:
    assert judged(problem, steps + "(Final response) So the answer is 7.").reason == reason


def test_arithmetic_without_a_result_leads_to_no_answer() -> None:
    said = "(Final response) So the answer is -322."
    for steps in (
        EQUATION + A_IS + B_IS + "(4) Then, the final equation is (A * B).\n",
        EQUATION + "(2) Let's calculate A = (2 * 9 + 5).\n" + B_IS + FINAL % (4, -322),
        "(1) Then, the final equation is ((2 * 9 + 5) * (-3 * 4 - 2)).\n",
    ):
        verdict = registry.script(ARITHMETIC).feedback(product(), attempt(steps + said))
        assert isinstance(verdict, CannotJudge), steps
        assert verdict.reason == "the answer is right, but no step leads to it"
    assert judged(product(), EQUATION + A_IS + B_IS + FINAL % (4, -322) + said).says_correct


def test_arithmetic_mends_a_group_that_comes_after_its_final_equation() -> None:
    late = (
        EQUATION
        + B_IS.replace("(3) L", "(2) L")
        + FINAL % (3, -322)
        + A_IS.replace("(2) L", "(4) L").replace("= 23", "= 24")
    )
    wrong = attempt(late + "(Final response) So the answer is -322.")
    found = judged(product(), wrong.raw)
    assert (found.wrong_step, found.reason) == (4, "(18 + 5) is 23")
    update = registry.script(ARITHMETIC).improve(product(), wrong, found)
    assert isinstance(update, Attempt)
    assert [step.text[:30] for step in update.steps[3:]] == [
        "Let's calculate A = (2 * 9 + 5",
        "Then, the final equation is (A",
    ]


def test_arithmetic_does_not_say_the_answer_itself() -> None:
    told, task = 0, registry.task(ARITHMETIC)
    assert isinstance(task, Planted)
    for problem in problems(ARITHMETIC, 40):
        right = attempt(str(problem.rationale))
        for k in range(6):
            error = task.plant(problem, right, random.Random(f"{problem.id} {k}"))
            assert error is not None
            found = judged(problem, error.attempt.raw)
            told += " is " in found.reason and " is not " not in found.reason
            known = f"{problem.question}\n{error.attempt.raw}"
            assert find_part(problem.answer, known) or not find_part(problem.answer, found.reason), found
    assert told > 40


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
