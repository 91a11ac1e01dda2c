"""What planters write behind an error: what somebody goes on to who believes it, in the words that stood there."""

import datetime

import msgspec
import pytest

from tests.fakes import DATES, DEDUCTION, attempt
from tests.test_plant import PROBLEMS, plant
from tripost.tasks.date_understanding.slips import respelt

STORY = (
    "The date of the festival was New Year's Day of 2009. The race took place five weeks before the festival. "
    "Today is the first Friday after the race. What is the date the day after tomorrow in MM/DD/YYYY?\n"
    "Options:\n(A) 12/07/2008\n(B) 12/06/2009\n(C) 11/30/2008"
)
STORY_TOLD = (
    "(1) If the date of the festival was New Year's Day of 2009, then the date of the festival is January 1, {}.\n"
    "(2) If the race took place five weeks before the festival, then the date of the race is November 27, {}.\n"
    "(3) If today is the first Friday after the race, then today's date is December 4, {}.\n"
    "(4) The date the day after tomorrow is December 6, {}, that is 12/06/{}.\n"
    "(Final response) So the answer is ({})."
)
RIGHT_STORY = (
    STORY_TOLD.format(2009, 2008, 2008, 2008, 2008, "C")
    .replace("December 4, 2008", "November 28, 2008")
    .replace("December 6, 2008, that is 12/06/2008", "November 30, 2008, that is 11/30/2008")
)
BOXES = (
    "In a stack, there are four boxes: a tea box, a bread box, a coin box, and an ink box. The ink box is two places "
    "below the coin box. The bread box is at the bottom of the stack.\nOptions:\n"
    "(A) The tea box is the second from the bottom.\n(B) The bread box is the second from the bottom.\n"
    "(C) The coin box is the second from the bottom.\n(D) The ink box is the second from the bottom."
)
BOXES_TOLD = (
    '(1) The ink box is two places below the coin box: "(top) ?? {0} ? {1} ?? (bottom)".\n'
    '(2) The bread box is at the bottom of the stack: "(top) ?? bread (bottom)".\n'
    "(3) There are in total four boxes: a tea box, a bread box, a coin box, and an ink box.\n"
    '(4) Combining (1), (2) and (3) we get the following ordering: "(top) {0} tea {1} bread (bottom)".\n'
    "(5) According to this ordering, the box that is the second from the bottom is the {1} box.\n"
    "(Final response) The {1} box is the second from the bottom. So the answer is ({2})."
)


@pytest.mark.parametrize(
    ("task", "question", "right", "kind", "wrong"),
    [
        (DATES, STORY, RIGHT_STORY, "year-carried", STORY_TOLD.format(2010, 2009, 2009, 2009, 2009, "B")),
        (
            DEDUCTION,
            BOXES,
            BOXES_TOLD.format("coin", "ink", "D"),
            "exchanged-carried",
            BOXES_TOLD.format("ink", "coin", "C"),
        ),
    ],
)
def test_a_carried_error_is_gone_on_from_as_a_model_would(
    task: str, question: str, right: str, kind: str, wrong: str
) -> None:
    y = attempt(right)
    problem = msgspec.structs.replace(PROBLEMS[task][0], question=question, answer=str(y.final))
    errors = [plant(problem, y, seed) for seed in range(400)]
    assert wrong in {error.attempt.raw for error in errors if error and (error.kind, error.step) == (kind, 1)}


@pytest.mark.parametrize(
    ("text", "after"),
    [
        ("9/1/2021", "5/11/2022"),
        ("09/01/2021", "05/11/2022"),
        ("Sept 1st, 2021", "May 11th, 2022"),
        ("Sept. 1, 2021", "May 11, 2022"),
        ("Wednesday, September 1, 2021", "Wednesday, May 11, 2022"),
        ("the 1st of September 2021", "the 11th of May 2022"),
        ("Feburary 1, 2021", "May 11, 2022"),
    ],
)
def test_a_wrong_date_is_spelt_as_the_right_one(text: str, after: str) -> None:
    assert respelt(text, datetime.date(2022, 5, 11)) == after
