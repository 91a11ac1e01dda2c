"""Short step-by-step solutions of easier relatives of the tasks, in the layout of the tasks. Never a mistake."""

import random

from tripost.pretrain.page import GIVEN, KEY, SAID, Page
from tripost.pretrain.pages.numbers import group
from tripost.prompts import attempt_prompt
from tripost.records import Step
from tripost.tasks.date_understanding.derive import derive as derive_date
from tripost.tasks.date_understanding.wording import write_question
from tripost.tasks.logical_deduction.derive import derive as derive_order
from tripost.tasks.logical_deduction.puzzle import make_question
from tripost.tasks.logical_deduction.question import read_question
from tripost.tasks.multistep_arithmetic.derive import derive as derive_value
from tripost.tasks.word_sorting import some_words
from tripost.tasks.word_sorting.derive import derive as derive_words
from tripost.text import write_attempt


def _solved(question: str, derived: tuple[list[Step], str], final: float = SAID) -> Page:
    steps, line, said = write_attempt(*derived, "dataset").raw.rpartition("\n(Final response)")
    return [(attempt_prompt(question), GIVEN), (steps, SAID), (line + said, final)]


def sums(rng: random.Random) -> Page:
    """Two groups, one of them of two terms only."""
    lengths = rng.choice(((2, 2), (2, 3), (3, 2)))
    groups = [group(length, rng) for length in lengths]
    question = f"({groups[0]} {rng.choice('+-*')} {groups[1]}) ="
    return _solved(question, derive_value(question))


def lists(rng: random.Random) -> Page:
    """Two or three words."""
    question = f"Sort the following words alphabetically:\nList: {' '.join(some_words(rng.choice((2, 3, 3)), rng))}"
    return _solved(question, derive_words(question))


def dates(rng: random.Random) -> Page:
    """One step."""
    question = write_question(1, rng)
    return _solved(question, derive_date(question), KEY)


def orders(rng: random.Random) -> Page:
    """Three objects."""
    question = make_question(3, rng)
    return _solved(question, derive_order(read_question(question)), KEY)
