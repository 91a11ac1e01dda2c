"""The second readers and solvers of generated questions (`bench.generated`), on questions made up here."""

from datetime import date
from itertools import islice

import pytest

from bench.fbk import TASKS
from bench.generated import check, date_wording, deduction_wording, report
from bench.planted import clues, date_facts
from bench.planted.calendar_days import palindrome, read_date, read_when, shifted, sources
from bench.planted.date_forms import TODAY
from bench.planted.rows import Row, described, everything, fitting, order_of, places
from tripost import registry

ASK = " What is the date today in MM/DD/YYYY?\nOptions:\n(A) 01/01/1900\n(B) 01/02/1900"
TOLD = [
    ("Yesterday was Dec 31, 2000. Today could not be 12/32/2000 because December has only 31 days.", (2001, 1, 1)),
    ("The day before yesterday was the last day of February in 2004.", (2004, 3, 2)),
    ("Tomorrow is the US Thanksgiving of 2014.", (2014, 11, 26)),
    ("This is the 3rd day of the second month of 1999.", (1999, 2, 3)),
    ("Today is the last day of the 2nd quarter of 1913.", (1913, 6, 30)),
    ("Eva is celebrating the 2nd Friday of March 2028.", (2028, 3, 10)),
    ("It is Nov 30, and the year is 2033.", (2033, 11, 30)),
    ("Today is 9/27. Sam is watching NFL 1914.", (1914, 9, 27)),
    ("In 3 weeks it will be Sept. 5th, 2010.", (2010, 8, 15)),
    ("It was Jan 31, 2015 a month ago.", (2015, 2, 28)),
    ("2015 is coming in 36 hours.", (2014, 12, 30)),
    ("In the UK, people usually put the day before the month when formatting the date. "
     "Therefore, today is 02/03/2020 to them.", (2020, 3, 2)),
    ("Lin thinks today is 5/1/1990, but Tom thinks today is 5/3/1990. Lin is correct.", (1990, 5, 1)),
    ("On 6/1/1990 Lin bought 40 eggs. He ate one per day. Today he ran out of eggs.", (1990, 7, 11)),
    ("Jane visits the bookstore on the 3rd of each month starting from the December of 1973. "
     "It is her third visit to the bookstore today.", (1974, 2, 3)),
    ("John got his job in 1977. Today is his 8-year work anniversary. He still remember that on March 1, his second "
     "day at work, he spilled coffee on his laptop.", (1985, 2, 28)),
    ("Ana and Lin married on Nov 23rd, 1948. Today is their golden wedding anniversary.", (1998, 11, 23)),
    ("The first day of 1938 is a Saturday, and today is the first Monday of 1938.", (1938, 1, 3)),
    ("The train has 3 cars. The trip was on the leap day of 2000. The exam was on the first Tuesday after the trip. "
     "It is two weeks until the exam.", (2000, 2, 22)),
    ("The trip was on 6/30/2001. Tom's appointment will be 3 days later. two months have passed since the trip.",
     None),
]  # fmt: skip


@pytest.mark.parametrize(("told", "day"), TOLD)
def test_dates_are_read(told: str, day: tuple[int, int, int] | None) -> None:
    question = date_facts.read_question(told + ASK)
    if day is None:
        assert question.unread == ("Tom's appointment will be 3 days later",)
    else:
        assert question.unread == ()
        assert question.known()[TODAY] == date(*day)


def test_the_day_asked_for() -> None:
    told = "Today is 8/31/2005."
    spans = {
        "tomorrow": "09/01/2005",
        "the day before yesterday": "08/29/2005",
        "6 months ago from today": "02/28/2005",
        "in two weeks": "09/14/2005",
        "24 hours later": "09/01/2005",
    }
    for span, right in spans.items():
        for ask in (f"Give the date {span} in MM/DD/YYYY.", f"In MM/DD/YYYY, what is the date {span}?"):
            question = f"{told} {ask}\nOptions:\n(A) 01/01/2001\n(B) {right}\n(C) 02/02/2002"
            assert date_facts.right_letter(date_facts.read_question(question)) == "B"
            with pytest.raises(ValueError, match="0 options"):
                date_facts.right_letter(date_facts.read_question(question.replace(right, "03/03/2003")))


def test_days() -> None:
    assert read_date("Dec 24th, 1937") == read_date("12/24/1937") == read_date("Friday, December 24, 1937")
    for bad in ("Thursday, December 24, 1937", "November 31, 2001", "02/29/2001", "soon"):
        with pytest.raises(ValueError, match=r"not a|day"):
            read_date(bad)
    assert palindrome(2020) == read_when("the palindrome day of 2020") == date(2020, 2, 2)
    assert shifted(date(2004, 2, 29), -4, "year") == date(2000, 2, 29)
    assert sources(date(2005, 2, 28), 1, "month") == {date(2005, 1, day) for day in (28, 29, 30, 31)}
    assert sources(date(2005, 3, 31), 1, "month") == set()


SHELF = (
    "On a branch, there are three birds: a blue jay, a crow, and an owl. The crow is to the left of the owl. %s\n"
    "Options:\n(A) The blue jay is the rightmost.\n(B) The crow is the rightmost.\n(C) The owl is the rightmost."
)


def test_deductions_are_solved() -> None:
    first = clues.read_puzzle(SHELF % "The blue jay is the second from the left.")
    assert (first.noun, first.short) == ("birds", ("blue jay", "crow", "owl"))
    assert clues.right_letter(first) == "C"
    assert order_of(first.solutions(), 3) == (1, 0, 2)
    assert clues.needless(first) == 0
    assert clues.right_letter(clues.read_puzzle(SHELF % "The rightmost bird is the blue jay.")) == "A"
    with pytest.raises(ValueError, match="2 arrangements"):
        clues.right_letter(clues.read_puzzle(SHELF % "The owl is to the right of the blue jay."))
    with pytest.raises(ValueError, match="0 arrangements"):
        clues.right_letter(clues.read_puzzle(SHELF % "The owl is the leftmost."))
    two = SHELF.replace("(B) The crow is the right", "(B) The crow is the left")
    with pytest.raises(ValueError, match="2 options"):
        clues.right_letter(clues.read_puzzle(two % "The blue jay is the second from the left."))
    with pytest.raises(ValueError, match="not a clue"):
        clues.read_puzzle(SHELF % "The owl is fond of the crow.")


def test_every_relation_has_its_opposite() -> None:
    names = ("Ann", "Bob", "Cid")
    for before, after, far in clues.RELATIONS:
        left = clues.read_clue(f"Ann {before} Bob.", names).mask
        assert (left == clues.read_clue(f"Bob is {after} Ann.", names).mask).all()
        assert int(left.sum()) == {0: 3, 1: 2, 2: 1}[far]


def test_places() -> None:
    five = {
        "The X is the second from the right": 3,
        "X finished second-to-last": 3,
        "The third-most expensive fruit are the X": 2,
        "The X is the oldest": 0,
        "X is at the back of the queue": 4,
        "The fourth golfer is X": 3,
        "The first runner is X": 0,
    }
    for text, place in five.items():
        assert clues.place_of(text.replace("X", ""), 5) == place
    with pytest.raises(ValueError, match="not a place"):
        clues.place_of("The X is fine", 5)


def test_patterns() -> None:
    row = Row(("red", "blue jay", "blue"), ("left", "right"))
    text = "(left) ?? blue jay ? blue (right)"
    assert row.show(row.read(text)) == text
    assert order_of(fitting(row.read(text), 3), 3) == (1, 0, 2)
    assert int(fitting(("??", 0, "??", 1, "??"), 3).sum()) == 3
    assert int(fitting(("?", "??"), 3).sum()) == 6
    assert described(everything(3), 3, [0]) == ("??", 0, "??")
    assert described(places(3)[:, 1] == 2, 3, [0, 1]) == ("??", 0, "??", 1)
    with pytest.raises(ValueError, match="not a pattern"):
        row.read("(left) black (right)")


@pytest.mark.parametrize("task", ["date_understanding", "logical_deduction"])
def test_generated_questions_are_solved_again(task: str) -> None:
    some = list(islice(registry.task(task).problems(TASKS[task][1], 3), 40))
    found = check(task, some)
    assert (found.right, found.disagreements) == (40, [])
    again = check(task, [some[0], some[0]])
    assert [reason for reason, _ in again.disagreements] == ["asked twice"]
    assert "disagreements                          1" in report(again)


def test_wordings_hide_what_varies() -> None:
    shelf = deduction_wording(SHELF % "The blue jay is the second from the left.")
    assert shelf == (
        "On a branch, there are N birds: THINGS. The THING is to the left of the THING. "
        "The THING is the N from the left."
    )
    told = date_wording("Lin planted a tree on Dec 5th, 1999, exactly two weeks ago." + ASK)
    assert told == "NAME planted N tree on DATE, exactly N week ago. What is the date today in MM/DD/YYYY?"
