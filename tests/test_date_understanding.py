"""Date understanding: the calendar, what a question says, what a step claims, and what FBK makes of it."""

import calendar
import datetime
import random
from collections import Counter
from itertools import islice

import pytest
from dateutil.relativedelta import relativedelta
from hypothesis import given
from hypothesis import strategies as st

from tests.fakes import attempt
from tripost import registry
from tripost.errors import DataError
from tripost.interfaces import CannotImprove, CannotJudge
from tripost.records import Attempt, Feedback, Problem
from tripost.tasks.date_understanding.claims import read_claim, read_step
from tripost.tasks.date_understanding.days import Span, nth_weekday, read_date, read_span, shift, slashed, spelled
from tripost.tasks.date_understanding.filling import spell_date
from tripost.tasks.date_understanding.premises import FORMS
from tripost.tasks.date_understanding.question import read_question, split_sentences
from tripost.tasks.date_understanding.slots import Slots, compiled
from tripost.tasks.options import HEAD, read_options, write_options
from tripost.text import write_feedback

DATES = "date_understanding"
DAYS = st.dates(datetime.date(1000, 1, 1), datetime.date(2900, 12, 31))
ANY = ["1 step", "2 steps", "3 steps", "4 steps", "5 steps", "6 steps"]


def asked(told: str, ask: str = "today", options: str | None = None, answer: str = "(A)") -> Problem:
    """A problem with this premise; without options, the right one and a wrong one."""
    stem = f"{told} What is the date {ask} in MM/DD/YYYY?"
    if options is None:
        right = read_question(write_options(stem, ["01/01/0001", "01/02/0001"])).answer
        options = f"{slashed(right)} {slashed(right + datetime.timedelta(days=1))}"
    return Problem(
        id="d1", task=DATES, question=write_options(stem, options.split()), answer=answer, rationale=None,
        difficulty="1 step", seen=True, split="train", group_id="d1", source="generated", licence="Apache-2.0",
    )  # fmt: skip


def judged(problem: Problem, text: str) -> Feedback:
    verdict = registry.script(DATES).feedback(problem, attempt(text))
    assert isinstance(verdict, Feedback), verdict
    return verdict


@given(DAYS, st.integers(0, 2**32))
def test_a_date_reads_back_however_it_is_spelled(day: datetime.date, seed: int) -> None:
    for text in (spell_date(day, random.Random(seed)), slashed(day), spelled(day), f"{day:%A}, {spelled(day)}"):
        found = read_date(text)
        assert found is not None
        assert found.day == day


@given(DAYS, st.integers(-400, 400), st.integers(-400, 400))
def test_spans_are_those_of_another_library(day: datetime.date, months: int, days: int) -> None:
    assert shift(day, Span(months=months, days=days)) == day + relativedelta(months=months) + relativedelta(days=days)


@given(st.integers(1, 9998), st.integers(1, 12), st.integers(1, 5), st.integers(0, 6))
def test_nth_weekdays_are_those_of_the_calendar(year: int, month: int, n: int, weekday: int) -> None:
    days = [w[weekday] for w in calendar.monthcalendar(year, month) if w[weekday]]
    if n <= len(days):
        assert nth_weekday(n, weekday, year, month).day == days[n - 1]
    else:
        with pytest.raises(ValueError, match="day"):
            nth_weekday(n, weekday, year, month)


@pytest.mark.parametrize(
    ("text", "span"),
    [
        ("today", Span()),
        ("the day before yesterday", Span(days=-2)),
        ("a month ago", Span(months=-1)),
        ("one year ago from today", Span(months=-12)),
        ("24 hours later", Span(days=1)),
        ("36 hours later", None),
        ("one week from today", Span(days=7)),
        ("in three weeks", Span(days=21)),
        ("10 days before today", Span(days=-10)),
        ("10 days before the exam", None),
        ("eleventy days ago", None),
        ("ago", None),
    ],
)
def test_spans_are_read(text: str, span: Span | None) -> None:
    assert read_span(text) == span


@pytest.mark.parametrize(
    ("told", "today"),
    [
        ("Yesterday was April 30, 2021.", "05/01/2021"),
        ("It was Sept. 1st, 2021 a week ago.", "09/08/2021"),
        ("Today is Christmas Eve of 1937.", "12/24/1937"),
        ("This is the last day of 1899.", "12/31/1899"),
        ("Jane is celebrating the last day of Jan 2012.", "01/31/2012"),
        ("Today is the last day of the first quarter of 2008.", "03/31/2008"),
        ("Today is the second day of the third month of 1966.", "03/02/1966"),
        ("Today is the palindrome day of 2020, because the MMDDYYYY format of the date is the same backwards as forwards.", "02/02/2020"),
        ("The first day of 2019 is a Tuesday, and today is the first Monday of 2019.", "01/07/2019"),
        ("2015 is coming in 36 hours.", "12/30/2014"),
        ("In the UK, people usually put the day before the month when formatting the date. Therefore, today is 02/01/1987 to them.", "01/02/1987"),
        ("In the US, Thanksgiving is on the fourth Thursday of November. Today is the US Thanksgiving of 2002.", "11/28/2002"),
        ("Jane and John married on Jan 2, 1958. Today is their golden wedding anniversary.", "01/02/2008"),
        ("Jane was born on the last day of Feburary in 2000. Today is her 16-year-old birthday.", "02/29/2016"),
        ("Jane was born on the last day of Feburary in 2001. Today is her 16-year-old birthday.", "02/28/2017"),
        ("On May 9th, 2017 Jane bought 40 eggs. She ate one per day. Today she ran out of eggs.", "06/18/2017"),
        ("Jane quited her job on Mar 20, 2020. 176 days have passed since then.", "09/12/2020"),
        ("Jane visits the bookstore on the 16th of each month starting from the October of 2009. It is her 5th visit to the bookstore today.", "02/16/2010"),
        ("Jane thinks today is 6/18/2019, but John thinks today is 6/19/2019. John is correct.", "06/19/2019"),
        ("The exam was on Halloween of 2001. Today is the first Monday after the exam.", "11/05/2001"),
        ("Today is two weeks after the exam. The exam was the day after the trip. The trip was on 2/28/2000.", "03/14/2000"),
    ],
)  # fmt: skip
def test_premises_mean_what_they_say(told: str, today: str) -> None:
    assert slashed(read_question(asked(told).question).today) == today


@pytest.mark.parametrize(
    "told",
    [
        "Jane was born on the last day of February in 2000. Today is her 17-year-old birthday.",  # no 29 February
        "Today is the fifth Monday of February 2001.",
        "Today is the leap day of 2001.",
        "Jane thinks today is 6/18/2019, but John thinks today is 6/19/2019. Ana is correct.",
        "The first day of 2019 is a Monday, and today is the first Monday of 2019.",
        "The exam was two days after the trip. The trip was two days after the exam. The exam was yesterday.",
        "The exam was on 1/1/2001. The exam was on 1/2/2001. The exam was yesterday.",
        "Nobody knows what day it is.",
        "Today is 02/30/2001.",
    ],
)
def test_what_makes_no_day_is_refused(told: str) -> None:
    with pytest.raises(DataError, match="not a question of date understanding"):
        read_question(asked(told, options="01/01/2001 01/02/2001").question)


GOLDEN = "Jane and John married on Jan 2, 1958. Today is their golden wedding anniversary."
STORY = "The party was on July 18, 2014. The lecture was the day after the party. Today is the day after the party."
PLAIN = asked("Today is Christmas Eve of 1937.", "10 days ago")
RIGHT = (
    "(1) If today is Christmas Eve of 1937, then today's date is December 24, 1937.\n"
    "(2) The date 10 days ago is December 14, 1937, that is 12/14/1937.\n"
    "(Final response) So the answer is (A)."
)


@pytest.mark.parametrize(
    ("before", "after", "step", "part", "reason"),
    [
        ("December 24, 1937", "December 25, 1937", 1, "today's date is December 25, 1937", "it is December 24, 1937"),
        ("December 24, 1937", "November 24, 1938", 1, "today's date is November 24, 1938", "it is December 24, 1937"),
        ("December 24, 1937", "December 32, 1937", 1, "today's date is December 32, 1937", "there is no such day"),
        ("December 24, 1937", "Monday, December 24, 1937", 1, "today's date is Monday, December 24, 1937", "it is another day of the week"),
        ("of 1937, then", "of 1938, then", 1, "today is Christmas Eve of 1938", "the question says otherwise"),
        ("Christmas Eve of 1937", "Easter of 1941", 1, "today is Easter of 1941", "the question does not speak of that"),
        ("today is Christmas Eve", "Omar says it is Christmas Eve", 1, "Omar says it is Christmas Eve of 1937", "the question does not speak of that"),
        ("December 14, 1937, that", "December 13, 1937, that", 2, "The date 10 days ago is December 13, 1937", "it is December 14, 1937"),
        ("that is 12/14/1937", "that is 12/14/1973", 2, "that is 12/14/1973", "it is 12/14/1937"),
        ("is (A).", "is (B).", 3, "So the answer is (B).", "that option is another date"),
        ("is (A).", "is (C).", 3, "So the answer is (C).", "there is no such option"),
        ("The date 10 days ago", "The date of the exam", 2, "The date of the exam is December 14, 1937", "the question names no exam"),
    ],
)  # fmt: skip
def test_feedback_names_step_part_and_reason(before: str, after: str, step: int, part: str, reason: str) -> None:
    assert judged(PLAIN, RIGHT).says_correct
    assert before in RIGHT
    found = judged(PLAIN, RIGHT.replace(before, after, 1))
    assert (found.wrong_step, found.wrong_part, found.reason) == (step, part, reason)


@pytest.mark.parametrize(
    "text",
    [
        "(1) Today's date is 12/24/1937.\n(2) 10 days before today is Dec 14, 1937.\n(Final response) So the answer is (A).",
        "(1) The date 10 days ago is December 14, 1937.\n(Final response) So the answer is (A).",
        "(1) If today is Christmas Eve of 1937, then tomorrow's date is 12/25/1937.\n"
        "(2) 10 days before December 24, 1937 is December 14, 1937.\n(Final response) So the answer is (A).",
        "(1) If today is Christmas Eve of 1937, then today is Friday, Dec 24th, 1937, that is 12/24/1937.\n"
        "(2) So the date 10 days ago is 12/14/1937.\n(Final response) So the answer is (A).",
        "(1) If today is 12/24/1937, the date 10 days ago is 12/14/1937.\n(Final response) So the answer is (A).",
    ],
)
def test_other_true_tellings_are_right(text: str) -> None:
    assert judged(PLAIN, text).says_correct


@pytest.mark.parametrize(
    ("told", "condition"),
    [
        (GOLDEN, "Jane and John married on Jan 2, 1958 and today is their 50th wedding anniversary"),
        (GOLDEN, "John and Jane married on Jan 2, 1958 and today is their golden wedding anniversary"),
        (
            "Jane planted a tree on 5/1/2020, exactly two weeks ago.",
            "Jane planted a tree on 5/1/2020, exactly 14 days ago",
        ),
        ("In two weeks it will be 05/29/2020.", "in 14 days it will be 05/29/2020"),
        ("Tomorrow is the third Friday of May 2019.", "today is the third Thursday of May 2019"),
        (
            "Today is the last day of the first quarter of 2013.",
            "tomorrow is the first day of the second quarter of 2013",
        ),
        (GOLDEN, "they married in January of 1958"),
        ("Today is 02/28/2004.", "a year ago was in 2003"),
        ("Today's meeting is rescheduled to 10 am tomorrow, 10/16/1924.", "the meeting is on 10/16/1924"),
        ("Today is 5/15/2020.", "today is Friday"),
        ("Today is 5/15/2020.", "today is 5/15/20"),
        ("Today is 5/15/2020.", "today is 15/5/2020 in the UK format"),
        ("Today is 5/15/2020.", "2016 was a leap year and the next one was 2020"),
        ("Today is 5/15/2020.", "the last leap year before that was 2012"),
        ("Today is 5/15/2020.", "today is \u4e0d\u662f 5/15/2020"),  # "is not", in letters that are not read
        ("Yesterday was 5/14/2020.", "yesterday was Thursday"),
        ("Yesterday was 5/14/2020.", "yesterday was 14/05/2020"),
        ("Tomorrow is 5/16/2020.", "tomorrow is Saturday"),
    ],
)
def test_a_condition_in_other_words_is_neither_right_nor_wrong(told: str, condition: str) -> None:
    x = asked(told, "tomorrow")
    day = slashed(read_question(x.question).answer)
    text = f"(1) If {condition}, then the date tomorrow is {day}.\n(Final response) So the answer is (A)."
    assert isinstance(registry.script(DATES).feedback(x, attempt(text)), CannotJudge)


@pytest.mark.parametrize(
    ("told", "condition"),
    [
        (GOLDEN, "Jane and John married on Jan 2, 1959 and today is their golden wedding anniversary"),
        (GOLDEN, "Jane and John married on Jan 2, 1958 and today is their silver wedding anniversary"),
        ("Jane planted a tree on 5/1/2020, exactly two weeks ago.", "Jane planted a tree on 5/1/2020, exactly two days ago"),
        ("Today is 5/20, and it is Mia's 4th time in the year 2019 to see a meteor shower.",
         "today is 5/20 and it is Lin's 4th time in the year 2019 to see a meteor shower"),
        (STORY, "the party was the day after the party"),
        (STORY, "the lecture was on July 18, 2014"),
        ("Jane thinks today is 6/18/2019, but John thinks today is 6/19/2019. John is correct.", "Jane is correct"),
    ],
)  # fmt: skip
def test_a_condition_against_the_question_is_wrong(told: str, condition: str) -> None:
    x = asked(told, "tomorrow")
    day = slashed(read_question(x.question).answer)
    found = judged(x, f"(1) If {condition}, then the date tomorrow is {day}.\n(Final response) So the answer is (A).")
    assert (found.wrong_step, found.wrong_part) == (1, condition)


def test_a_long_question_is_split_piece_by_piece() -> None:
    assert split_sentences("Jan. 1 " * 4_000) == [("Jan. 1 " * 4_000).strip()]
    assert split_sentences("It was Sept. 1st, 2021 a week ago. What is it?") == [
        "It was Sept. 1st, 2021 a week ago.",
        "What is it?",
    ]


@pytest.mark.parametrize(
    "line",
    [
        "If it is the day before Christmas, then today's date is December 24, 1937.",  # true, in other words
        "Since today is Christmas Eve of 1937, today's date is December 24, 1937.",
        "If today is Christmas Eve of 1937, then Jane's appointment is Dec 27, 1937.",
        "Christmas Eve is lovely.",
    ],
)
def test_free_prose_is_not_guessed_at(line: str) -> None:
    verdict = registry.script(DATES).feedback(PLAIN, attempt(f"(1) {line}\n(Final response) So the answer is (A)."))
    assert isinstance(verdict, CannotJudge)
    assert "(1)" in verdict.reason


@pytest.mark.parametrize(
    "text",
    [
        "(Final response) So the answer is (A).",
        "(1) If today is Christmas Eve of 1937, then today's date is December 24, 1937.\n(Final response) So the answer is (A).",
        f"{RIGHT[: RIGHT.rindex(chr(10))]}\n(Final response) It may well be another one. So the answer is (A).",
    ],
)
def test_a_right_answer_that_no_step_leads_to_is_not_called_correct(text: str) -> None:
    assert registry.task(DATES).is_correct(PLAIN, attempt(text))
    assert isinstance(registry.script(DATES).feedback(PLAIN, attempt(text)), CannotJudge)


def test_a_question_with_a_calendar_of_its_own_is_judged_without_weekdays() -> None:
    x = asked("Jane scheduled 3 apointments with 5 poeple for tomorrow (Tue, 7/9/1972).", "yesterday")
    text = (
        "(1) If Jane scheduled 3 apointments with 5 poeple for tomorrow (Tue, 7/9/1972), then today's date is Mon, 7/8/1972.\n"
        "(2) The date yesterday is 7/7/1972.\n(Final response) So the answer is (A)."
    )
    assert judged(x, text).says_correct
    assert judged(x, text.replace("7/8/1972", "7/6/1972")).wrong_step == 1


def test_a_label_that_the_calendar_contradicts_is_not_taught() -> None:
    thanksgiving = (
        "In the US, Thanksgiving is on the fourth Thursday of November. Today is the US Thanksgiving of 2002."
    )
    x = asked(thanksgiving, "today", "11/22/2002 11/21/2002")
    text = "(1) The date today is November 28, 2002.\n(Final response) So the answer is (A)."
    assert registry.script(DATES).feedback(x, attempt(text)) == CannotJudge("question: no option is the answer")
    improved = registry.script(DATES).improve(
        x, attempt(RIGHT), write_feedback(attempt(RIGHT), 1, "x", "y", "script")
    )
    assert improved == CannotImprove("no option is the answer")


def test_all_forms_that_fit_a_generated_premise_agree() -> None:
    """The first form that fits is taken: that must not hide another meaning."""
    for problem in islice(registry.task(DATES).problems(["1 step", "2 steps"], 11), 400):
        found = read_question(problem.question)
        whole = " ".join(found.sentences)
        days = set()
        for form in FORMS:
            for template in form.templates:
                match = compiled(template).fullmatch(whole)
                if match:
                    days.add(form.today(Slots(match.groupdict())))
        assert len(days) <= 1, whole


def test_every_form_comes_up_and_options_are_fair() -> None:
    many = list(islice(registry.task(DATES).problems(ANY, 3), 1200))
    stems = {p.question.partition(HEAD)[0] for p in many}
    assert len(stems) == len(many)
    wholes = [" ".join(read_question(p.question).sentences) for p in many[0::6] + many[1::6]]
    forms = [form for form in FORMS if not form.named]
    unused = [f.templates for f in forms if not any(compiled(t).fullmatch(w) for w in wholes for t in f.templates)]
    assert not unused
    letters = Counter(p.answer for p in many)
    assert set(letters) == {f"({letter})" for letter in "ABCDEF"}
    assert min(letters[f"({letter})"] for letter in "ABCDE") > 0.7 * len(many) / 6
    for p in many:
        _, options = read_options(p.question)
        found = read_question(p.question)
        right = [letter for letter, text in options.items() if text == slashed(found.answer)]
        assert [f"({letter})" for letter in right] == [p.answer]
        assert len(attempt(str(p.rationale)).steps) == found.steps


@given(
    st.text(max_size=300) | st.builds(lambda a, b: f"If {a}, then {b}", st.text(max_size=60), st.text(max_size=60))
)
def test_any_text_is_read_or_said_to_be_unread(text: str) -> None:
    said = read_step(text)
    assert said.unread or said.claims
    assert read_claim(text) is None or read_claim(text) == read_claim(text)


@pytest.mark.parametrize(
    "text",
    [
        "If " + "today is " * 60 + "then today is 1/1/2001",
        "the date " * 60 + "is",
        "1 day before " * 50,
        "If " + "a, " * 190,
        "today is January 1, 2001" + ", that is 01/01/2001" * 25,
        "x" * 19_000,
    ],
)
def test_hostile_steps_are_read_at_once(text: str) -> None:
    """A blow-up would take hours, and pytest's timeout ends it; how long it takes is measured by bench/hostile.py."""
    verdict = registry.script(DATES).feedback(PLAIN, attempt(f"(1) {text}\n(Final response) So the answer is (A)."))
    assert isinstance(verdict, CannotJudge) or verdict.wrong_step == 1


def test_improve_from_a_prefix_in_other_words_goes_on_from_it() -> None:
    x = asked("The exam was on Halloween of 2001. Today is the day after the exam.", "tomorrow")
    y = attempt(
        "(1) The exam was on Wednesday, 10/31/2001.\n(2) Tomorrow's date is 11/3/2001.\n(Final response) So the answer is (B)."
    )
    verdict = judged(x, y.raw)
    assert verdict.wrong_step == 2
    improved = registry.script(DATES).improve(x, y, verdict)
    assert isinstance(improved, Attempt)
    assert [step.text for step in improved.steps] == [
        "The exam was on Wednesday, 10/31/2001.",
        "If today is the day after the exam, then today's date is November 1, 2001.",
        "The date tomorrow is November 2, 2001, that is 11/02/2001.",
    ]


def test_the_questions_own_sentence_stands_also_where_a_month_is_too_short() -> None:
    x = asked("It was March 31, 2021 a month ago.")
    text = (
        "(1) If it was March 31, 2021 a month ago, then today's date is April 30, 2021.\n"
        "(Final response) So the answer is (A)."
    )
    assert judged(x, text).says_correct


def test_options_of_one_day_are_refused() -> None:
    with pytest.raises(DataError, match="the same day"):
        read_question(
            write_options("Today is 1/1/2001. What is the date tomorrow in MM/DD/YYYY?", ["01/02/2001", "1/2/2001"])
        )
