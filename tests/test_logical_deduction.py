"""Logical deduction against independent readings: patterns as regular expressions, questions solved from their text
by trying every order, verdicts from a table."""

import functools
import random
import re
from itertools import islice, pairwise, permutations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.fakes import DEDUCTION, attempt, attempts_of, problems
from tests.test_fuzz import bounded_work
from tripost import registry
from tripost.filter import flaw
from tripost.flaws import update_flaw
from tripost.interfaces import CannotImprove, CannotJudge, Drilled
from tripost.records import Attempt, Feedback, Problem
from tripost.tasks.logical_deduction.arrangements import MANY, ONE, Tokens, follows, matching, row, strongest
from tripost.tasks.logical_deduction.question import read_question
from tripost.tasks.options import write_options
from tripost.text import ALL_CORRECT, write_feedback

SIZES = ["3 objects", "4 objects", "5 objects", "6 objects", "7 objects"]
BIRDS = (
    "On a branch, there are four birds: a hawk, an owl, a crow, and a robin. The owl is to the left of the hawk. "
    "The crow is the second from the left. The robin is to the right of the hawk.\nOptions:\n"
    + "\n".join(
        f"({a}) The {b} is the second from the right."
        for a, b in zip("ABCD", ("hawk", "owl", "crow", "robin"), strict=True)
    )
)
FOUND = """\
(1) The owl is to the left of the hawk: "(left) ?? owl ?? hawk ?? (right)".
(2) The crow is the second from the left: "(left) ? crow ?? (right)".
(3) The robin is to the right of the hawk: "(left) ?? hawk ?? robin ?? (right)".
(4) There are in total four birds: a hawk, an owl, a crow, and a robin.
(5) Combining (1) and (2) we get the following ordering: "(left) ? crow ?? hawk ?? (right)".
(6) Combining (3), (4) and (5) we get the following ordering: "(left) owl crow hawk robin (right)".
(7) According to this ordering, the bird that is the second from the right is the hawk.
(Final response) The hawk is the second from the right. So the answer is (A)."""
RACE = (
    "In a golf tournament, there were three golfers: Ana, Rob, and Eve. Rob finished above Ana. Eve finished above Rob."
    "\nOptions:\n(A) Ana finished second.\n(B) Rob finished second.\n(C) Eve finished second."
)
RACED = """\
(1) Rob finished above Ana: "(above) ?? Rob ?? Ana ?? (below)".
(2) Eve finished above Rob: "(above) ?? Eve ?? Rob ?? (below)".
(3) There are in total three golfers: Ana, Rob, and Eve.
(4) Combining (1), (2) and (3) we get the following ordering: "(above) Eve Rob Ana (below)".
(5) According to this ordering, the golfer that finished second is Rob.
(Final response) Rob finished second. So the answer is (B)."""
EXPERT = registry.script(DEDUCTION)


def asked(question: str, answer: str) -> Problem:
    problem = next(registry.task(DEDUCTION).problems(["3 objects"], 1))
    return msgspec.structs.replace(problem, question=question, answer=answer, rationale=None)


PROBLEMS = {FOUND: asked(BIRDS, "(A)"), RACED: asked(RACE, "(B)")}


def judged(problem: Problem, text: str) -> Feedback:
    verdict = EXPERT.feedback(problem, attempt(text))
    assert isinstance(verdict, Feedback), verdict
    return verdict


patterns = st.lists(st.sampled_from([ONE, MANY, 0, 1, 2, 3, 4]), max_size=9).map(tuple)


@given(tokens=patterns)
def test_a_pattern_fits_what_a_regular_expression_fits(tokens: Tokens) -> None:
    signs = {ONE: "[0-4]", MANY: "[0-4]*"}
    written = re.compile("".join(signs.get(token, str(token)) for token in tokens))
    orders = list(permutations(range(5)))
    fitting = sum(matching(5, order) for order in orders if written.fullmatch("".join(map(str, order))))
    assert matching(5, tokens) == fitting
    assert {matching(5, order).bit_count() for order in orders} == {1}


@given(many=st.lists(patterns, min_size=1, max_size=3), among=st.sets(st.integers(0, 4), min_size=1))
def test_the_strongest_pattern_follows_and_says_all_about_its_objects(many: list[Tokens], among: set[int]) -> None:
    known = row(5).full
    for tokens in many:
        known &= matching(5, tokens) or row(5).full
    known = known or 1
    found = strongest(5, known, tuple(sorted(among)))
    objects = [token for token in found if token >= 0]
    assert follows(known, matching(5, found))
    assert set(objects) <= among
    for other in among - set(objects):  # the chain is as long as it can be
        assert not all(
            follows(known, row(5).before[a][other]) or follows(known, row(5).before[other][a]) for a in objects
        )


BEFORE = r"\b(left|older|less|cheaper|above|ahead|west|western|before|earlier|shorter|lighter|faster|on)\b"
FAR = r"\blast\b|the (right|east|back|bottom)\b|rightmost|easternmost|newest|tallest|heaviest|youngest|expensive"
ORDINAL = {word: k for k, word in enumerate(["first", "second", "third", "fourth", "fifth", "sixth", "seventh"])}


def holds(order: tuple[str, ...], sentence: str) -> bool:
    """Whether a sentence is true of an order, read with as little grammar as will do, whatever the theme."""
    named = sorted((found.start(), name) for name in order if (found := re.search(rf"\b{name}\b", sentence)))
    words = re.sub(rf"\b({'|'.join(order)})\b", "", sentence)
    places = [order.index(name) for _, name in named]
    if len(places) == 1:
        count = next((ORDINAL[word] for word in re.findall(r"[a-z]+", words) if word in ORDINAL), 0)
        return places[0] == (len(order) - 1 - count if re.search(FAR, words) else count)
    apart = places[1] - places[0] if re.search(BEFORE, words) else places[0] - places[1]
    if re.search(r"\btwo (places|doors)", words):
        return apart == 2
    near = re.search(r"direct|neighbour|next|right (before|after|on|under)", words)
    return apart == 1 if near else apart > 0


def test_every_generated_question_has_one_answer_by_trying_every_order() -> None:
    for problem in islice(registry.task(DEDUCTION).problems(["3 objects", "4 objects", "5 objects"], 9), 200):
        stem, _, options = problem.question.partition("\nOptions:\n")
        listed, *clues = stem[stem.index(": ") + 2 :].rstrip(".").split(". ")
        names = [re.sub(r"^(and )?(an? )?", "", name) for name in re.split(r", ", listed)]
        left = [order for order in permutations(names) if all(holds(order, clue) for clue in clues)]
        assert len(left) == 1, (problem.question, left)
        right = [line[:3] for line in options.split("\n") if holds(left[0], line[4:])]
        assert right == [problem.answer], problem.question


def test_a_name_within_a_name_of_the_question_is_no_stranger() -> None:
    stem = "On a branch, there are three birds: a barn owl, a hawk, and a crow. The barn owl is the leftmost. The crow is the rightmost."
    options = [f"The {name} is the leftmost." for name in ("barn owl", "hawk", "crow")]
    x = msgspec.structs.replace(
        next(iter(problems(DEDUCTION, 1))), question=write_options(stem, options), answer="(A)"
    )
    for said in ("The barn owl sits on the far left", "The hawk, as the owls say, is leftmost"):
        y = attempt(f'(1) {said}: "(left) barn owl ?? (right)".\n(Final response) So the answer is (A).')
        assert isinstance(registry.script(DEDUCTION).feedback(x, y), CannotJudge)


def test_letters_are_spread_and_clues_are_needed() -> None:
    problems = list(islice(registry.task(DEDUCTION).problems(["5 objects"], 4), 500))
    counts = [sum(p.answer == f"({letter})" for p in problems) for letter in "ABCDE"]
    assert all(70 < count < 130 for count in counts), counts
    spare = 0
    for problem in problems:
        question = read_question(problem.question)
        fits = [question.fits(claim.tokens) for _, claim in question.clues]
        without = [functools.reduce(int.__and__, fits[:k] + fits[k + 1 :], row(5).full) for k in range(len(fits))]
        spare += any(left.bit_count() == 1 for left in without)
    assert 25 < spare < 125, "about one question in seven has a clue more than it needs"


@pytest.mark.parametrize(
    ("truth", "before", "after", "step", "part", "reason"),
    [
        (FOUND, "The owl is to the left", "The owl is to the right", 1, "The owl is to the right of the hawk:",
         "the question does not say so"),
        (FOUND, "The owl is to the left", "The hawk is to the left", 1, "The hawk is to the left of the hawk:",
         "nothing stands beside itself"),
        (FOUND, "The owl is to the left", "The owl sits by the quail, left", 1, "The owl sits by the quail, left of the hawk:",
         '"quail" is none of the birds'),
        (FOUND, "?? owl ?? hawk ??", "?? hawk ?? owl ??", 1, '"(left) ?? hawk ?? owl ?? (right)"',
         'the sentence does not say that "hawk" comes before "owl"'),
        (FOUND, '"(left) ? crow ??', '"(left) ?? crow ?', 2, '"(left) ?? crow ? (right)"',
         'the sentence does not say that just one stands after "crow"'),
        (FOUND, "?? hawk ?? robin ?? (r", "?? crow ?? robin ?? (r", 3,
         'The robin is to the right of the hawk: "(left) ?? crow ?? robin ?? (right)"',
         'the sentence does not say that "crow" comes before "robin"'),
        (FOUND, "four birds: a hawk, an owl, a crow", "four birds: a hawk, a crow", 4,
         "four birds: a hawk, a crow, and a robin.", '"owl" is missing'),
        (FOUND, "total four", "total five", 4, "five birds: a hawk, an owl, a crow, and a robin.",
         "the question has four birds"),
        (FOUND, "crow ?? hawk ?? (r", "crow hawk ?? (r", 5,
         'Combining (1) and (2) we get the following ordering: "(left) ? crow hawk ?? (right)"',
         '(1) and (2) do not say that nothing stands between "crow" and "hawk"'),
        (FOUND, "crow ?? hawk ?? (r", "crow ?? hawk ?? crow (r", 5, '"(left) ? crow ?? hawk ?? crow (right)"',
         '"crow" stands there twice'),
        (FOUND, "(1) and (2) we", "(1) and (9) we", 5, "(9)", "there is no earlier step (9)"),
        (FOUND, "owl crow hawk robin (r", "crow hawk robin (r", 6, '"(left) crow hawk robin (right)"',
         "that is fewer than four birds"),
        (FOUND, "owl crow hawk robin (r", "owl crow eagle robin (r", 6, '"(left) owl crow eagle robin (right)"',
         '"eagle" is none of the birds'),
        (FOUND, "(left) owl crow", "(above) owl crow", 6, '"(above) owl crow hawk robin (right)"',
         "the ends are (left) and (right)"),
        (FOUND, 'robin (right)".\n', "robin (ri\n", 6, '"(left) owl crow hawk robin (ri', "the quote does not end"),
        (FOUND, "right is the hawk.\n", "right is the crow.\n", 7,
         "the bird that is the second from the right is the crow.", "step (6) says otherwise"),
        (FOUND, "(3), (4) and (5) we get", "(4) and (5) we get", 6,
         'Combining (4) and (5) we get the following ordering: "(left) owl crow hawk robin (right)"',
         '(4) and (5) do not say that "owl" comes before "crow"'),
        (FOUND, "answer is (A)", "answer is (B)", 8, "The hawk is the second from the right. So the answer is (B).",
         "step (6) speaks against (B)"),
        (FOUND, "answer is (A)", "answer is (E)", 8, "The hawk is the second from the right. So the answer is (E).",
         "that is none of the letters of the options"),
        (FOUND, "e) The hawk is", "e) The owl is", 8, "The owl is the second from the right. So the answer is",
         "(A) says something else"),
        (RACED, "(1) Rob finished above Ana:", "(1) Rob finished above Mel:", 1, "Rob finished above Mel:",
         '"Mel" is none of the golfers'),
        (RACED, "Ana, Rob, and Eve.\n(4)", "Ana, Rob, and Rob.\n(4)", 3, "three golfers: Ana, Rob, and Rob.",
         '"Rob" stands there twice'),
        (RACED, "(above) Eve Rob Ana (below)", "(last) Eve Rob Ana (first)", 4, '"(last) Eve Rob Ana (first)"',
         '(1), (2) and (3) do not say that "Eve" comes before "Rob"'),
        (RACED, "(5) According to this ordering, the golfer that finished second is Rob.",
         '(5) Combining (1) and (2) we get: "(above) ?? Eve ? Ana (below)".\n'
         '(6) Combining (1) and (2) we get: "(below) ?? Eve ? Ana (above)".', 6,
         '"(below) ?? Eve ? Ana (above)"', '(1) and (2) do not say that "Eve" comes before "Ana"'),
    ],
)  # fmt: skip
def test_feedback_names_step_part_and_reason(
    truth: str, before: str, after: str, step: int, part: str, reason: str
) -> None:
    problem = PROBLEMS[truth]
    assert judged(problem, truth).says_correct
    assert before in truth
    found = judged(problem, truth.replace(before, after, 1))
    assert (found.wrong_step, found.wrong_part, found.reason) == (step, part, reason)


@pytest.mark.parametrize(
    ("truth", "before", "after"),
    [
        (FOUND, "The owl is to the left of the hawk:", "The hawk is to the right of the owl:"),
        (FOUND, "(left) ?? owl ?? hawk ?? (right)", "(right) ?? hawk ?? owl ?? (left)"),
        (FOUND, "(left) owl crow hawk robin (right)", "(right) robin hawk crow owl (left)"),
        (FOUND, "the bird that is the second from the right is", "the second bird from the right is"),
        (FOUND, "(3), (4) and (5) we get", "(5), (3), and (2) we get"),
        (FOUND, "There are in total four birds", "There are 4 birds"),
        (FOUND, "The hawk is the second from the right. So", "So"),
        (RACED, "(above) Eve Rob Ana (below)", "(first) Eve Rob Ana (last)"),
        (RACED, "the golfer that finished second is Rob", "the person who finished last (the one at the bottom of this list) is Ana"),
        (RACED, "the golfer that finished second is Rob", "Eve finished first"),
    ],
)  # fmt: skip
def test_other_true_words_are_right(truth: str, before: str, after: str) -> None:
    assert before in truth
    assert judged(PROBLEMS[truth], truth.replace(before, after, 1)).says_correct


def test_improve_goes_on_from_every_prefix_of_right_steps_and_does_not_need_the_answer() -> None:
    for problem in islice(registry.task(DEDUCTION).problems(SIZES, 21), 60):
        blind = msgspec.structs.replace(problem, answer="", rationale=None)
        y = attempt(str(problem.rationale))
        for step in range(1, len(y.steps) + 2):
            improved = EXPERT.improve(blind, y, write_feedback(y, step, "x", "y", "script"))
            assert isinstance(improved, Attempt)
            assert improved.steps[: step - 1] == y.steps[: step - 1]
            assert improved.final == problem.answer


def slip(text: str, rng: random.Random) -> str:
    """A word or sign comes in from elsewhere, or a step or a citation is lost."""
    lines = text.split("\n")
    line = rng.randrange(len(lines) - 1)
    if rng.random() < 0.2:
        return "\n".join(lines[:line] + lines[line + 1 :])
    if "Combining" in lines[line]:
        some = re.sub(r"Combining \([0-9]+\)(, | and )", "Combining ", lines[line])
        lines[line] = rng.choice((lines[line], some, re.sub(r" and \([0-9]+\)", "", lines[line])))
    signs = list(re.finditer(r"\([a-z0-9 ]+\)|\?\??|[A-Za-z-]+", lines[line].partition(") ")[2]))
    label, _, body = lines[line].partition(") ")
    one, other = rng.choice(signs), rng.choice(re.findall(r"\([a-z0-9 ]+\)|\?\??|[A-Za-z-]+", rng.choice(lines)))
    lines[line] = f"{label}) {body[: one.start()]}{other}{body[one.end() :]}"
    return "\n".join(lines)


def test_updates_after_feedback_pass_the_filter() -> None:
    rng, task, wrong = random.Random(3), registry.task(DEDUCTION), 0
    for problem in islice(task.problems(SIZES, 33), 600):
        y = attempt(slip(str(problem.rationale), rng))
        said = EXPERT.feedback(problem, y)
        if y.malformed or isinstance(said, CannotJudge) or said.says_correct:
            continue
        wrong += 1
        update = EXPERT.improve(problem, y, said)
        assert isinstance(update, Attempt), (y.raw, said.text)
        right = write_feedback(update, None, "", "", "script")
        tau = attempts_of(problem, (y.raw, said), (update.raw, right))
        assert flaw(tau, problem, task, 100) is None, (y.raw, said.text, update.raw)
        assert update_flaw(tau.turns[0], update, right) is None
    assert wrong > 150


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("(7) According to this ordering, the bird", "(7) So the bird"),
        ("The owl is to the left of the hawk:", "The owl sits far away from the hawk:"),
        ('"(left) ?? owl ?? hawk ?? (right)"', '"?? owl ?? hawk ??"'),
        ('"(left) ?? owl ?? hawk ?? (right)"', '"(here) ?? owl ?? hawk ?? (there)"'),
        ('"(left) owl crow', '"(left) owl, crow'),
        ("the bird that is the second from the right is the hawk", "the hawk it must be"),
        ("The hawk is the second from the right. So", "It is quite clear. So"),
        ("(A).", "(A). So the answer is (A)."),
    ],
)
def test_what_cannot_be_read_is_not_guessed_at(before: str, after: str) -> None:
    assert before in FOUND
    assert isinstance(EXPERT.feedback(PROBLEMS[FOUND], attempt(FOUND.replace(before, after, 1))), CannotJudge)


def test_a_right_answer_that_no_step_leads_to_is_not_called_correct() -> None:
    first_two = "\n".join(FOUND.split("\n")[:2])
    for text in ("(Final response) So the answer is (A).", f"{first_two}\n(Final response) So the answer is (A)."):
        verdict = EXPERT.feedback(PROBLEMS[FOUND], attempt(text))
        assert verdict == CannotJudge("the answer is right, but no step leads to it")


@pytest.mark.parametrize(
    ("before", "after", "says"),
    [
        ("The crow is the second from the left. ", "", "make 0 of the options right"),
        ("The owl is to", "The owl is near", "cannot be read"),
        ("The crow is the second from the left. ", "The owl is the rightmost. ", "make all of the options right"),
        ("four birds", "five birds", "does not name five different birds"),
        ("On a branch", "In a cage", "no known introduction"),
    ],
)
def test_a_question_that_cannot_be_solved_is_not_judged(before: str, after: str, says: str) -> None:
    problem = asked(BIRDS.replace(before, after, 1), "(A)")
    verdict = EXPERT.feedback(problem, attempt(FOUND))
    assert isinstance(verdict, CannotJudge)
    assert verdict.reason.startswith("question: ")
    assert says in verdict.reason
    nothing = write_feedback(attempt(FOUND), 1, "x", "y", "script")
    assert isinstance(EXPERT.improve(problem, attempt(FOUND), nothing), CannotImprove)


def test_improve_refuses_a_prefix_that_is_wrong() -> None:
    y = attempt(
        FOUND.replace("?? owl ?? hawk ??", "?? hawk ?? owl ??", 1).replace(
            "owl is to the left", "owl is to the right", 1
        )
    )
    assert isinstance(EXPERT.improve(PROBLEMS[FOUND], y, write_feedback(y, 4, "x", "y", "script")), CannotImprove)


@pytest.mark.parametrize("name", ["s", "es", "S", "s s"])
def test_what_is_left_without_its_ending_may_be_no_name(name: str) -> None:
    listed = f"{name}, pears, and plums"
    asked_for = (
        f"A fruit stand sells three fruits: {listed}. The pears are the cheapest. The plums are the most expensive."
    )
    options = "\n".join(
        f"({a}) The {b} are the cheapest." for a, b in zip("ABC", (name, "pears", "plums"), strict=True)
    )
    assert read_question(f"{asked_for}\nOptions:\n{options}").right == "B"


def test_hostile_text_is_refused_without_much_work() -> None:
    cited = " and ".join(["(1)"] * 2000)
    pattern = "(left) " + "?? " * 3000 + "(right)"
    lines = [
        f'Combining {cited} we get the following ordering: "{pattern}".',
        f'The owl is to the left of the hawk: "{pattern}".',
        f'The owl is to the left of the hawk: "(left) {"hawk " * 2500}(right)".',
        f'{"The owl " * 2000}is the leftmost: "(left) owl ?? (right)".',
        f"There are in total four birds: {'a hawk, ' * 2000}.",
        f"According to this ordering, {'the bird that ' * 1000}is the owl.",
        f"Combining {'(' * 15000}",
        '"' * 15000,
    ]
    for line in lines:
        y = attempt(f"(1) {line}\n(Final response) So the answer is (A).")
        with bounded_work():
            verdict = EXPERT.feedback(PROBLEMS[FOUND], y)
        assert isinstance(verdict, CannotJudge) or not verdict.says_correct
    long = "\n".join(f"({k}) {FOUND.splitlines()[k % 3][4:]}" for k in range(1, 200))
    y = attempt(f"{long}\n(Final response) So the answer is (C).")
    with bounded_work():
        found = judged(PROBLEMS[FOUND], y.raw)
        update = EXPERT.improve(PROBLEMS[FOUND], y, found)
    assert isinstance(update, Attempt)


def test_exercises_are_true() -> None:
    task, rng = registry.task(DEDUCTION), random.Random(8)
    assert isinstance(task, Drilled)
    for _ in range(300):
        given_text, said = task.drill(rng)
        assert given_text.endswith(": ")
        names = re.sub(r"\([^)]*\)|[?\".]|\band\b", " ", said).split()
        quoted = re.findall(r'"([^"]+)"', given_text)
        if len(quoted) == 2:
            both = [re.sub(r"\([^)]*\)|\?", " ", text).split() for text in quoted]
            pairs = {(a, b) for words in both for a, b in pairwise(words)}
            assert all(names.index(a) < names.index(b) for a, b in pairs), (given_text, said)
    assert judged(PROBLEMS[RACED], RACED).text == ALL_CORRECT
