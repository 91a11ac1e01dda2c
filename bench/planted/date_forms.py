"""The sentence forms of date questions: what each says of today, or of the day of an event.

Written from looking at questions. A form is a pattern in which `<n>`, `<date>` and the like stand for what varies,
and ` & ` for the end of a sentence; its reader gives the subject, what it is counted from, and how far away it is.
"""

import re
from collections.abc import Callable, Mapping
from datetime import date
from functools import cache

from bench.planted.calendar_days import (
    DATE,
    MONTH,
    NTH,
    NUMBER,
    UNIT,
    WEEKDAYS,
    first_weekday,
    month_number,
    read_date,
    read_nth,
    read_number,
    read_when,
    shifted,
)

TODAY = "today"
NAMES = ("Ana", "Eva", "Jane", "John", "Lin", "Mia", "Omar", "Ravi", "Sam", "Tom")
_PLACES = {
    "date": DATE,
    "when": r".+?",
    "n": NUMBER,
    "unit": UNIT,
    "nth": NTH,
    "name": r"[A-Z]\w+",
    "he": r"(?:[Ss]he|[Hh]e)",
    "his": r"(?:his|her|their)",
    "event": r"(?!day\b)[a-z]+",
    "other": r"(?!day\b)[a-z]+",
    "weekday": "(?:" + "|".join(WEEKDAYS) + ")",
    "month": MONTH,
    "md": rf"(?:\d{{1,2}}/\d{{1,2}}|{MONTH} \d{{1,2}}(?:st|nd|rd|th)?)",
    "year": r"\d{4}",
    "jubilee": r"(?:silver|ruby|golden|diamond)",
}
_JUBILEES = {"silver": 25, "ruby": 40, "golden": 50, "diamond": 60}

Groups = Mapping[str, str]
Away = tuple[str, date | str, int, str]
"""Whose day it is; a day, or whose day that one is; how many; of which unit."""
Reader = Callable[[Groups], Away]


def _count(groups: Groups, sign: int) -> tuple[int, str]:
    return sign * read_number(groups["n"]), groups.get("unit") or "year"


def _day(offset: int) -> Reader:
    return lambda groups: (TODAY, read_when(groups.get("when") or groups["date"]), offset, "day")


def _away(sign: int, unit: str = "") -> Reader:
    def read(groups: Groups) -> Away:
        number, said = _count(groups, sign)
        return TODAY, read_when(groups.get("when") or groups["date"]), number, unit or said

    return read


def _year_day(groups: Groups) -> Away:
    return TODAY, _md(groups, int(groups["year"])), 0, "day"


def _md(groups: Groups, year: int) -> date:
    text = groups["md"]
    return read_date(f"{text}/{year}" if "/" in text else f"{text}, {year}")


def _right(groups: Groups) -> Away:
    right = {groups["name"]: groups["date"], groups["name2"]: groups["date2"]}[groups["name3"]]
    return TODAY, read_date(right), 0, "day"


def _thought(groups: Groups) -> Away:
    thought, number = read_date(groups["date"]), read_number(groups["n"])
    today = shifted(thought, number, groups["unit"])
    if _md(groups, today.year) != today:
        raise ValueError("today is not as far from what was thought as is said")
    return TODAY, thought, number, groups["unit"]


def _day_first(groups: Groups) -> Away:
    day, month, year = groups["date"].split("/")
    return TODAY, date(int(year), int(month), int(day)), 0, "day"


def _hours(groups: Groups) -> Away:
    return TODAY, date(int(groups["year"]), 1, 1), -read_number(groups["n"]), "hour"


def _visits(groups: Groups) -> Away:
    first = date(int(groups["year"]), month_number(groups["month"]), read_nth(groups["nth"]))
    return TODAY, first, read_nth(groups["nth2"]) - 1, "month"


def _first_of_year(groups: Groups) -> Away:
    first = date(int(groups["year"]), 1, 1)
    if groups["year"] != groups["year2"] or WEEKDAYS[first.weekday()] != groups["weekday"]:
        raise ValueError("the year does not begin with that weekday")
    return TODAY, first_weekday(first, groups["weekday2"]), 0, "day"


def _job(groups: Groups) -> Away:
    first = shifted(_md(groups, int(groups["year"])), 1 - read_nth(groups["nth"]), "day")
    return TODAY, first, *_count(groups, 1)


def _jubilee(groups: Groups) -> Away:
    return TODAY, read_date(groups["date"]), _JUBILEES[groups["jubilee"]], "year"


def _of_event(groups: Groups) -> Away:
    return groups["event"], read_when(groups["when"]), 0, "day"


def _between(sign: int) -> Reader:
    return lambda groups: (groups.get("event") or TODAY, groups["other"], *_count(groups, sign))


def _next_to(offset: int) -> Reader:
    return lambda groups: (groups.get("event") or TODAY, groups["other"], offset, "day")


NOISE = """It is raining
<name> has <n> cousins
<name> and <name2> are neighbours
<name> has been waiting here for <n> minutes
The train has <n> cars
There are <n> people in the room
In the US, Thanksgiving is on the fourth Thursday of November
In the UK, people usually put the day before the month when formatting the date"""

READINGS: list[tuple[str, Reader]] = [
    ("Yesterday was <when> & Today could not be \\d+/\\d+/\\d+ because <month> has only <n> days", _day(1)),
    ("Yesterday was <when>", _day(1)),
    ("<name> missed yesterday's train, that of <date>", _day(1)),
    ("The newspaper of yesterday is dated <date>", _day(1)),
    ("Yesterday, <date>, <name> ate <n> pizzas and <n2> wings", _day(1)),
    ("The day before yesterday was <when>", _day(2)),
    ("Tomorrow is <when>", _day(-1)),
    ("<name> booked a flight for tomorrow, <date>", _day(-1)),
    ("<name> scheduled <n> apointments with <n2> poeple for tomorrow \\(<date>\\)", _day(-1)),
    ("The shop is closed today and opens again tomorrow, <date>", _day(-1)),
    ("Today's meeting is rescheduled to <n> [ap]m tomorrow, <date>", _day(-1)),
    ("The day after tomorrow, <date>, is <name>'s birthday", _day(-2)),
    ("The day after tomorrow is <date>", _day(-2)),
    ("It is <date> today", _day(0)),
    ("This is <when>", _day(0)),
    ("Today is <when> & <name>'s appointment will be <n> <unit> later", _day(0)),
    ("According to the calendar, it is now <date>", _day(0)),
    ("Today, <date>, is a day that we will never forget", _day(0)),
    ("<name> writes <date> on top of today's page", _day(0)),
    ("The current local time is \\d+:\\d+ [ap]m of <date>", _day(0)),
    ("<name> is celebrating <when>", _day(0)),
    ("<n> <unit> ago, on <date>, <name> moved house", _away(1)),
    ("In <n> <unit> it will be <date>", _away(-1)),
    ("It was <date> <n> <unit> ago", _away(1)),
    ("It will be <date> <n> <unit> ago", _away(1)),
    ("<name> has <n> <unit> left until <date>", _away(-1)),
    ("<name> planted a tree on <date>, exactly <n> <unit> ago", _away(1)),
    ("<name> remembers that <n> <unit> ago it was <date>", _away(1)),
    ("<date> is like yesterday to <name>, but that is actually <n> <unit> ago", _away(1)),
    ("The deadline is <date>, which is <n> <unit> away from now", _away(-1)),
    ("The <event> was scheduled to be on <date>, but was delayed by <n> <unit> to today", _away(1)),
    ("<name> (?:last saw the sea|quited <his> job) on <date> & <n> <unit> have passed since then", _away(1)),
    ("<name> (?:last saw the sea|quited <his> job) on <date> & That was <n> <unit> ago", _away(1)),
    ("<name> moved to this town on <date> & Today is <his> <n>-year anniversary there", _away(1, "year")),
    ("<name> and <name2> married on <date> & It is their <n>-year anniversary today", _away(1, "year")),
    ("<name> and <name2> married on <date> & Today is their <jubilee> wedding anniversary", _jubilee),
    ("<name> was born on <when> and turns <n> today", _away(1, "year")),
    ("<name> was born on <when> & Today is <his> <n>-year-old birthday", _away(1, "year")),
    (
        "On <date> <name> bought <n> pills & From the next day on <he> took one a day, the last one today",
        _away(1, "day"),
    ),
    ("On <date> <name> bought <n> eggs & <he> ate one per day & Today <he> ran out of eggs", _away(1, "day")),
    ("It is <md>, and the year is <year>", _year_day),
    ("Today is <md>, and it is <name>'s <nth> time in the year <year> to see a meteor shower", _year_day),
    ("Today is <md> & <name> is watching NFL <year>", _year_day),
    ("<name> thinks today is <date>, but <name2> thinks today is <date2> & <name3> is correct", _right),
    ("<name> says it is <date> today, <name2> says it is <date2> & <name3> is right", _right),
    ("<name> thought today is <date>, but today is in fact <md>, which is <n> <unit> later", _thought),
    ("Therefore, today is <date> to them", _day_first),
    ("<name> writes the day before the month, so <his> letter of today is dated <date>", _day_first),
    ("<year> is coming in <n> hours", _hours),
    ("There are <n> hours left until the year <year> begins", _hours),
    (
        "<name> visits the bookstore on the <nth> of each month starting from the <month> of <year> & "
        "It is <his> <nth2> visit to the bookstore today",
        _visits,
    ),
    ("The first day of <year> is a <weekday>, and today is the first <weekday2> of <year2>", _first_of_year),
    (
        "<name> got <his> job in <year> & Today is <his> <n>-year work anniversary & <he> still remember that "
        "on <md>, <his> <nth> day at work, <he> spilled coffee on <his> laptop",
        _job,
    ),
    ("Today is the first <weekday> after the <other>", _next_to(0)),
    ("The <event> was on the first <weekday> after the <other>", _next_to(0)),
    ("The <event> was the day after the <other>", _next_to(1)),
    ("Today is the day after the <other>", _next_to(1)),
    ("Today is the day before the <other>", _next_to(-1)),
    ("The <other> was yesterday", _next_to(1)),
    ("The <other> is tomorrow", _next_to(-1)),
    ("The <other> was <n> <unit> ago", _between(1)),
    ("<n> <unit> have passed since the <other>", _between(1)),
    ("The <other> will be in <n> <unit>", _between(-1)),
    ("It is <n> <unit> until the <other>", _between(-1)),
    ("Today is <n> <unit> after the <other>", _between(1)),
    ("Today is <n> <unit> before the <other>", _between(-1)),
    ("The <event> (?:took place|was) <n> <unit> after the <other>", _between(1)),
    ("The <event> (?:took place|was) <n> <unit> before the <other>", _between(-1)),
    ("The <event> (?:took place on|was on) <when>", _of_event),
    ("The date of the <event> was <when>", _of_event),
    ("Today is <when>", _day(0)),
]


@cache
def pattern(text: str) -> re.Pattern[str]:
    """A sentence form as a pattern: `<n>` and the like are named groups; what comes twice is not named again."""
    seen: set[str] = set()

    def place(match: re.Match[str]) -> str:
        key = match[1]
        kind = _PLACES[key.rstrip("23")]
        if key in seen:
            return kind
        seen.add(key)
        return f"(?P<{key}>{kind})"

    return re.compile(re.sub(r"<(\w+)>", place, text))
