"""The sentence forms of date questions: what each says of today, or of the day of an event.

Written from looking at questions. A form is a pattern in which `<n>`, `<date>` and the like stand for what varies,
and ` & ` for the end of a sentence; its reader gives the subject, what it is counted from, and how far away it is.
"""

import re
from functools import cache

from bench.planted import date_readings as readings
from bench.planted.calendar_days import DATE, MONTH, NTH, NUMBER, UNIT, WEEKDAYS

TODAY = readings.TODAY
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
NOISE = """It is raining
<name> has <n> cousins
<name> and <name2> are neighbours
<name> has been waiting here for <n> minutes
The train has <n> cars
There are <n> people in the room
In the US, Thanksgiving is on the fourth Thursday of November
In the UK, people usually put the day before the month when formatting the date"""

READINGS: list[tuple[str, readings.Reader]] = [
    ("Yesterday was <when> & Today could not be \\d+/\\d+/\\d+ because <month> has only <n> days", readings.day(1)),
    ("Yesterday was <when>", readings.day(1)),
    ("<name> missed yesterday's train, that of <date>", readings.day(1)),
    ("The newspaper of yesterday is dated <date>", readings.day(1)),
    ("Yesterday, <date>, <name> ate <n> pizzas and <n2> wings", readings.day(1)),
    ("The day before yesterday was <when>", readings.day(2)),
    ("Tomorrow is <when>", readings.day(-1)),
    ("<name> booked a flight for tomorrow, <date>", readings.day(-1)),
    ("<name> scheduled <n> apointments with <n2> poeple for tomorrow \\(<date>\\)", readings.day(-1)),
    ("The shop is closed today and opens again tomorrow, <date>", readings.day(-1)),
    ("Today's meeting is rescheduled to <n> [ap]m tomorrow, <date>", readings.day(-1)),
    ("The day after tomorrow, <date>, is <name>'s birthday", readings.day(-2)),
    ("The day after tomorrow is <date>", readings.day(-2)),
    ("It is <date> today", readings.day(0)),
    ("This is <when>", readings.day(0)),
    ("Today is <when> & <name>'s appointment will be <n> <unit> later", readings.day(0)),
    ("According to the calendar, it is now <date>", readings.day(0)),
    ("Today, <date>, is a day that we will never forget", readings.day(0)),
    ("<name> writes <date> on top of today's page", readings.day(0)),
    ("The current local time is \\d+:\\d+ [ap]m of <date>", readings.day(0)),
    ("<name> is celebrating <when>", readings.day(0)),
    ("<n> <unit> ago, on <date>, <name> moved house", readings.away(1)),
    ("In <n> <unit> it will be <date>", readings.away(-1)),
    ("It was <date> <n> <unit> ago", readings.away(1)),
    ("It will be <date> in <n> <unit>", readings.away(-1)),
    ("<name> has <n> <unit> left until <date>", readings.away(-1)),
    ("<name> planted a tree on <date>, exactly <n> <unit> ago", readings.away(1)),
    ("<name> remembers that <n> <unit> ago it was <date>", readings.away(1)),
    ("<date> is like yesterday to <name>, but that is actually <n> <unit> ago", readings.away(1)),
    ("The deadline is <date>, which is <n> <unit> away from now", readings.away(-1)),
    ("The <event> was scheduled to be on <date>, but was delayed by <n> <unit> to today", readings.away(1)),
    ("<name> (?:last saw the sea|quited <his> job) on <date> & <n> <unit> have passed since then", readings.away(1)),
    ("<name> (?:last saw the sea|quited <his> job) on <date> & That was <n> <unit> ago", readings.away(1)),
    ("<name> moved to this town on <date> & Today is <his> <n>-year anniversary there", readings.away(1, "year")),
    ("<name> and <name2> married on <date> & It is their <n>-year anniversary today", readings.away(1, "year")),
    ("<name> and <name2> married on <date> & Today is their <jubilee> wedding anniversary", readings.jubilee),
    ("<name> was born on <when> and turns <n> today", readings.away(1, "year")),
    ("<name> was born on <when> & Today is <his> <n>-year-old birthday", readings.away(1, "year")),
    (
        "On <date> <name> bought <n> pills & From the next day on <he> took one a day, the last one today",
        readings.away(1, "day"),
    ),
    ("On <date> <name> bought <n> eggs & <he> ate one per day & Today <he> ran out of eggs", readings.away(1, "day")),
    ("It is <md>, and the year is <year>", readings.year_day),
    ("Today is <md>, and it is <name>'s <nth> time in the year <year> to see a meteor shower", readings.year_day),
    ("Today is <md> & <name> is watching NFL <year>", readings.year_day),
    ("<name> thinks today is <date>, but <name2> thinks today is <date2> & <name3> is correct", readings.right),
    ("<name> says it is <date> today, <name2> says it is <date2> & <name3> is right", readings.right),
    ("<name> thought today is <date>, but today is in fact <md>, which is <n> <unit> later", readings.thought),
    ("Therefore, today is <date> to them", readings.day_first),
    ("<name> writes the day before the month, so <his> letter of today is dated <date>", readings.day_first),
    ("<year> is coming in <n> hours", readings.hours),
    ("There are <n> hours left until the year <year> begins", readings.hours),
    (
        "<name> visits the bookstore on the <nth> of each month starting from the <month> of <year> & "
        "It is <his> <nth2> visit to the bookstore today",
        readings.visits,
    ),
    ("The first day of <year> is a <weekday>, and today is the first <weekday2> of <year2>", readings.first_of_year),
    (
        "<name> got <his> job in <year> & Today is <his> <n>-year work anniversary & <he> still remember that "
        "on <md>, <his> <nth> day at work, <he> spilled coffee on <his> laptop",
        readings.job,
    ),
    ("Today is the first <weekday> after the <other>", readings.next_to(0)),
    ("The <event> was on the first <weekday> after the <other>", readings.next_to(0)),
    ("The <event> was the day after the <other>", readings.next_to(1)),
    ("Today is the day after the <other>", readings.next_to(1)),
    ("Today is the day before the <other>", readings.next_to(-1)),
    ("The <other> was yesterday", readings.next_to(1)),
    ("The <other> is tomorrow", readings.next_to(-1)),
    ("The <other> was <n> <unit> ago", readings.between(1)),
    ("<n> <unit> have passed since the <other>", readings.between(1)),
    ("The <other> will be in <n> <unit>", readings.between(-1)),
    ("It is <n> <unit> until the <other>", readings.between(-1)),
    ("Today is <n> <unit> after the <other>", readings.between(1)),
    ("Today is <n> <unit> before the <other>", readings.between(-1)),
    ("The <event> (?:took place|was) <n> <unit> after the <other>", readings.between(1)),
    ("The <event> (?:took place|was) <n> <unit> before the <other>", readings.between(-1)),
    ("The <event> (?:took place on|was on) <when>", readings.of_event),
    ("The date of the <event> was <when>", readings.of_event),
    ("Today is <when>", readings.day(0)),
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
