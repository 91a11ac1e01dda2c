"""What the scratch base learns from before it sees a problem."""

from itertools import islice

from tests.fakes import ARITHMETIC, DIFFICULTIES, WORDS
from tripost import registry
from tripost.interfaces import Drilled
from tripost.phrases import documents, drills
from tripost.tasks.multistep_arithmetic.expression import evaluate, parse
from tripost.tasks.word_sorting.lines import letter

NAMES = [ARITHMETIC, WORDS]


def test_documents_hold_problems_rationales_and_feedback_reproducibly() -> None:
    tasks, experts = registry.tasks(NAMES), registry.scripts(NAMES)
    difficulties = {name: tuple(DIFFICULTIES[name]) for name in NAMES}
    first = list(documents(tasks, experts, difficulties, 40, 1))
    assert first == list(documents(tasks, experts, difficulties, 40, 1))
    assert len(first) == 80
    assert all(text.startswith("Q: ") and "(Final response)" in text for text in first)
    assert sum('the part "' in text and "is incorrect. This is because" in text for text in first) > 20


def test_exercises_are_true_and_what_is_given_weighs_nothing() -> None:
    pages = drills(registry.tasks(NAMES), 20, 1)
    assert len(pages) == 40
    for page in pages:
        for given, said in zip(page.segments[::2], page.segments[1::2], strict=True):
            assert (given.weight, said.weight) == (0.0, 1.0)
            if page.task == ARITHMETIC:
                assert evaluate(parse(given.text.removesuffix(" = "))) == int(said.text)
            else:
                ordinal, _, word = given.text.removesuffix('"=').partition(' letter: "')
                k = ["first", "second", "third", "fourth"].index(ordinal) + 1
                assert said.text == '"{}" ({})\n'.format(*letter(word, k))


def test_no_exercise_is_a_question_of_the_task() -> None:
    for name in NAMES:
        task = registry.task(name)
        assert isinstance(task, Drilled)
        questions = {p.question for p in islice(task.problems(DIFFICULTIES[name], 1), 200)}
        given = {segment.text for page in drills({name: task}, 20, 1) for segment in page.segments[::2]}
        assert not questions & given
