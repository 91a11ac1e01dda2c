"""Days and spans of time, read and written: `Sept. 1st, 2021`, `9/1/2021`, `two weeks ago`. Calendar: Gregorian."""

import calendar
import datetime
import re

import msgspec

MONTHS = [name.lower() for name in calendar.month_name][1:]
WEEKDAYS = [name.lower() for name in calendar.day_name]
NUMBERS = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve"]
_UNITS = ("hour", "day", "week", "month", "year")

WEEKDAY = r"(?:Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)day|(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)\.?"
MONTH = (
    r"(?:January|February|Feburary|March|April|May|June|July|August|September|October|November|December"
    r"|(?:Jan|Feb|Mar|Apr|Jun|Jul|Aug|Sept?|Oct|Nov|Dec)\.?)"
)
"""`Feburary` is how the published questions spell it."""
DAY = r"[0-9]{1,2}(?:st|nd|rd|th)?"
YEAR = r"[0-9]{4}"
DATE = (
    rf"(?:(?:{WEEKDAY}), )?"
    rf"(?:[0-9]{{1,2}}/[0-9]{{1,2}}/{YEAR}|{MONTH} {DAY},? {YEAR}|(?:the )?{DAY} (?:of )?{MONTH},? {YEAR})"
)
NUMBER = rf"(?:[0-9]{{1,4}}|[Aa]n?|{'|'.join(f'[{word[0].upper()}{word[0]}]{word[1:]}' for word in NUMBERS[1:])})"
UNIT = r"(?:hours?|days?|weeks?|months?|years?)"
_DATE = re.compile(
    rf"(?:(?P<weekday>{WEEKDAY}), )?(?:(?P<m>[0-9]{{1,2}})/(?P<d>[0-9]{{1,2}})/(?P<y>{YEAR})"
    rf"|(?P<month>{MONTH}) (?P<day>[0-9]{{1,2}})(?:st|nd|rd|th)?,? (?P<year>{YEAR})"
    rf"|(?:the )?(?P<day2>[0-9]{{1,2}})(?:st|nd|rd|th)? (?:of )?(?P<month2>{MONTH}),? (?P<year2>{YEAR}))"
)
FIND_DATE = re.compile(rf"(?<![0-9/A-Za-z]){DATE}(?![0-9/])")


class Span(msgspec.Struct, frozen=True):
    """A stretch of time: whole months, then days; negative for the past."""

    months: int = 0
    days: int = 0

    def __neg__(self) -> "Span":
        return Span(-self.months, -self.days)


TODAY = Span()
_FIXED = {
    "today": TODAY,
    "yesterday": Span(days=-1),
    "tomorrow": Span(days=1),
    "the day before yesterday": Span(days=-2),
    "the day after tomorrow": Span(days=2),
}
_LENGTH = rf"(?P<n>{NUMBER}) (?P<unit>{UNIT})"
_RELATIVE = re.compile(
    rf"(?:{_LENGTH} (?P<way>ago|later|before|after|from now|earlier|hence)(?: (?:from )?(?:today|now))?"
    rf"|in (?P<n2>{NUMBER}) (?P<unit2>{UNIT})(?: from (?:today|now))?"
    rf"|(?P<n3>{NUMBER}) (?P<unit3>{UNIT}) from (?:today|now))"
)
SPAN = (
    rf"(?:the day before yesterday|the day after tomorrow|yesterday|tomorrow|today"
    rf"|{NUMBER} {UNIT} (?:ago|later|from now|from today|earlier)(?: from today)?|in {NUMBER} {UNIT})"
)


def number(text: str) -> int:
    """`ten`, `a`, `40` -> 10, 1, 40."""
    text = text.lower()
    if text.isdecimal():
        return int(text)
    return 1 if text in ("a", "an") else NUMBERS.index(text)


def month_number(text: str) -> int:
    """`Sept.` -> 9."""
    start = text.lower()[:3]
    return next(k for k, name in enumerate(MONTHS, start=1) if name.startswith(start))


def weekday_number(text: str) -> int:
    """`Tue` -> 1; Monday is 0."""
    start = text.lower()[:3]
    return next(k for k, name in enumerate(WEEKDAYS) if name.startswith(start))


def length(n: int, unit: str) -> Span | None:
    """`3 weeks` -> 21 days; None for hours that are no whole days."""
    unit = unit.removesuffix("s")
    if unit == "hour":
        return Span(days=n // 24) if n % 24 == 0 else None
    return {"day": Span(days=n), "week": Span(days=7 * n), "month": Span(months=n), "year": Span(months=12 * n)}[unit]


def read_span(text: str) -> Span | None:
    """`two weeks ago`, `in 3 days`, `10 days before today` -> how far from today; None for anything else."""
    text = text.strip().lower()
    if text in _FIXED:
        return _FIXED[text]
    match = _RELATIVE.fullmatch(text) if len(text) <= 60 else None
    if match is None:
        return None
    way = match["way"]
    if way in ("before", "after") and not text.endswith(("today", "now")):
        return None
    n, unit = next((match[f"n{k}"], match[f"unit{k}"]) for k in ("", "2", "3") if match[f"n{k}"])
    span = length(number(n), unit)
    return None if span is None else -span if way in ("ago", "before", "earlier") else span


def shift(day: datetime.date, span: Span) -> datetime.date:
    """The day so far away. A month has no 31st: its last day then, as the published answers have it.

    Raises OverflowError beyond the years 1 to 9999.
    """
    months = day.year * 12 + day.month - 1 + span.months
    year, month = divmod(months, 12)
    if not 1 <= year <= 9999:
        raise OverflowError("beyond the calendar")
    last = calendar.monthrange(year, month + 1)[1]
    return datetime.date(year, month + 1, min(day.day, last)) + datetime.timedelta(days=span.days)


def nth_weekday(n: int, weekday: int, year: int, month: int) -> datetime.date:
    """The n-th such weekday of a month. Raises ValueError where it has none."""
    first = datetime.date(year, month, 1)
    day = 1 + (weekday - first.weekday()) % 7 + 7 * (n - 1)
    return first.replace(day=day)


class Written(msgspec.Struct, frozen=True):
    """A date as written: the day, None where there is no such day; the weekday, None where none is named.

    `day_first`: which day it would be with the day before the month (`15/5/2020`), where it is none otherwise.
    """

    day: datetime.date | None
    weekday: int | None = None
    day_first: datetime.date | None = None


def read_date(text: str) -> Written | None:
    """A whole date in one of the usual ways, month before day in `9/1/2021`; None for anything else."""
    match = _DATE.fullmatch(text.strip()) if len(text) <= 60 else None
    if match is None:
        return None
    if match["y"]:
        year, month, day = int(match["y"]), int(match["m"]), int(match["d"])
    else:
        k = "" if match["month"] else "2"
        year, month, day = int(match[f"year{k}"]), month_number(match[f"month{k}"]), int(match[f"day{k}"])
    weekday = weekday_number(match["weekday"]) if match["weekday"] else None
    try:
        return Written(datetime.date(year, month, day), weekday)
    except ValueError:
        return Written(None, weekday, _day_first(year, month, day) if match["y"] else None)


def _day_first(year: int, day: int, month: int) -> datetime.date | None:
    try:
        return datetime.date(year, month, day)
    except ValueError:
        return None


def slashed(day: datetime.date) -> str:
    """MM/DD/YYYY."""
    return f"{day.month:02d}/{day.day:02d}/{day.year:04d}"


def spelled(day: datetime.date) -> str:
    """December 24, 1937."""
    return f"{calendar.month_name[day.month]} {day.day}, {day.year:04d}"


def ordinal(n: int) -> str:
    """1st, 2nd, 3rd, 4th, 11th, ..."""
    suffix = "th" if 10 <= n % 100 <= 20 else {1: "st", 2: "nd", 3: "rd"}.get(n % 10, "th")
    return f"{n}{suffix}"
