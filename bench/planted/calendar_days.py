"""Days as they are written, and what is some days, weeks, months or years away from them.

Nothing here but the standard library: a month that is too short for a day has it on its last day.
"""

import calendar
import re
from collections.abc import Callable
from datetime import date, timedelta

MONTHS = list(calendar.month_name)[1:]
WEEKDAYS = list(calendar.day_name)
WORDS = [
    *("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"),
    *("eleven", "twelve", "thirteen", "fourteen", "fifteen"),
]
NTHS = [
    *("zeroth", "first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth"),
    *("eleventh", "twelfth"),
]
UNITS = ("day", "week", "month", "year", "hour")

MONTH = "(?:" + "|".join(MONTHS) + r"|(?:" + "|".join(month[:3] for month in MONTHS) + r")\.?|Sept\.?)"
DATE = rf"(?:(?:{'|'.join(WEEKDAYS)}), )?(?:\d{{1,2}}/\d{{1,2}}/\d{{4}}|{MONTH} \d{{1,2}}(?:st|nd|rd|th)?, \d{{4}})"
NUMBER = r"(?:\d+|[Aa]n?|(?i:" + "|".join(WORDS) + "))"
NTH = r"(?:\d+(?:st|nd|rd|th)|" + "|".join(NTHS) + "|last)"
UNIT = "(?:" + "|".join(UNITS) + ")s?"
_FIGURES = re.compile(r"(\d{1,2})/(\d{1,2})/(\d{4})")
_NAMED = re.compile(rf"({MONTH}) (\d{{1,2}})(?:st|nd|rd|th)?, (\d{{4}})")


def month_number(text: str) -> int:
    """`Sept.` -> 9."""
    return next(at for at, month in enumerate(MONTHS, 1) if month.startswith(text[:3]))


def read_number(text: str) -> int:
    """`a` -> 1, `two` -> 2, `17` -> 17."""
    if text.isdigit():
        return int(text)
    return 1 if text.lower() in ("a", "an") else WORDS.index(text.lower())


def read_nth(text: str) -> int:
    """`second` -> 2, `3rd` -> 3, `last` -> -1."""
    return -1 if text == "last" else int(text[:-2]) if text[0].isdigit() else NTHS.index(text)


def ymd(text: str) -> tuple[int, int, int]:
    """Year, month and day as they are written, whether or not there is such a day."""
    weekday, comma, rest = text.partition(", ")
    if comma and weekday in WEEKDAYS:
        text = rest
    match = _FIGURES.fullmatch(text)
    if match:
        return int(match[3]), int(match[1]), int(match[2])
    match = _NAMED.fullmatch(text)
    if not match:
        raise ValueError(f"not a date: {text!r}")
    return int(match[3]), month_number(match[1]), int(match[2])


def read_date(text: str) -> date:
    """The day of a date in any spelling; ValueError where there is none, or where it has another weekday."""
    day = date(*ymd(text))
    said = text.partition(", ")[0]
    if said in WEEKDAYS and said != WEEKDAYS[day.weekday()]:
        raise ValueError(f"not a {said}: {text!r}")
    return day


def nth_text(number: int) -> str:
    """21 -> `21st`."""
    ending = "th" if 10 < number % 100 < 14 else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number}{ending}"


def named(day: date) -> str:
    """`December 24, 1937`."""
    return f"{MONTHS[day.month - 1]} {day.day}, {day.year}"


def figures(day: date) -> str:
    """`12/24/1937`."""
    return f"{day.month:02}/{day.day:02}/{day.year}"


SPELLINGS: dict[str, Callable[[date], str]] = {
    "named": named,
    "figures": figures,
    "short figures": lambda day: f"{day.month}/{day.day}/{day.year}",
    "short": lambda day: f"{MONTHS[day.month - 1][:3]} {day.day}, {day.year}",
    "short nth": lambda day: f"{MONTHS[day.month - 1][:3]} {nth_text(day.day)}, {day.year}",
    "nth": lambda day: f"{MONTHS[day.month - 1]} {nth_text(day.day)}, {day.year}",
    "weekday": lambda day: f"{WEEKDAYS[day.weekday()]}, {named(day)}",
}


def last_day(year: int, month: int) -> date:
    """The last day of a month."""
    return date(year, month, calendar.monthrange(year, month)[1])


def shifted(day: date, number: int, unit: str) -> date:
    """The day so many units later (earlier where the number is negative)."""
    unit = unit.removesuffix("s")
    if unit == "hour":
        return day + timedelta(days=number // 24)
    if unit in ("day", "week"):
        return day + timedelta(days=number * (7 if unit == "week" else 1))
    months = day.year * 12 + day.month - 1 + number * (12 if unit == "year" else 1)
    end = last_day(months // 12, months % 12 + 1)
    return end.replace(day=min(day.day, end.day))


def sources(day: date, number: int, unit: str) -> set[date]:
    """All days from which this day is so many units away: of months and years there may be several, or none."""
    if unit == "hour":
        return set()
    near = shifted(day, -number, unit)
    around = (near + timedelta(days=days) for days in range(-4, 5))
    return {other for other in around if shifted(other, number, unit) == day}


def first_weekday(day: date, weekday: str, nth: int = 1) -> date:
    """The nth such weekday on or after the day."""
    wait = (WEEKDAYS.index(weekday) - day.weekday()) % 7
    return day + timedelta(days=wait + 7 * (nth - 1))


def palindrome(year: int) -> date:
    """The day of the year that reads the same from both ends in MMDDYYYY."""
    days = (date(year, 1, 1) + timedelta(days=days) for days in range(365 + calendar.isleap(year)))
    found = [day for day in days if (text := f"{day:%m%d}{day.year:04}") == text[::-1]]
    if len(found) != 1:
        raise ValueError(f"no palindrome day in {year}")
    return found[0]


_HOLIDAYS = {
    "Christmas Day": (12, 25),
    "Christmas Eve": (12, 24),
    "Halloween": (10, 31),
    "Valentine's Day": (2, 14),
    "New Year's Day": (1, 1),
    "New Year's Eve": (12, 31),
    "the leap day": (2, 29),
}
_MONTH_YEAR = (
    rf"(?:(?P<month>{MONTH})(?: in)? |the (?P<nth_month>{NTH}) month of |the (?P<quarter>{NTH}) quarter of )?"
)
_NTH_DAY = re.compile(rf"the (?P<nth>{NTH}) (?P<what>day|{'|'.join(WEEKDAYS)}) of {_MONTH_YEAR}(?P<year>\d{{4}})")


def read_when(text: str) -> date:
    """The day of a date, a holiday, or a description (`the last day of the 1st quarter of 1913`)."""
    text = text.partition(", because ")[0]
    if re.fullmatch(DATE, text):
        return read_date(text)
    name, _, year = text.rpartition(" of ")
    if name in _HOLIDAYS:
        return date(int(year), *_HOLIDAYS[name])
    if name == "the US Thanksgiving":
        return first_weekday(date(int(year), 11, 1), "Thursday", 4)
    if name == "the palindrome day":
        return palindrome(int(year))
    match = _NTH_DAY.fullmatch(text)
    if not match:
        raise ValueError(f"not a day: {text!r}")
    return _nth_day(match)


def _nth_day(match: re.Match[str]) -> date:
    year, nth = int(match["year"]), read_nth(match["nth"])
    first, last = 1, 12
    if match["month"]:
        first = last = month_number(match["month"])
    elif match["nth_month"]:
        first = last = read_nth(match["nth_month"])
    elif match["quarter"]:
        last = read_nth(match["quarter"]) * 3
        first = last - 2
    start, end = date(year, first, 1), last_day(year, last)
    if match["what"] == "day":
        return end if nth < 0 else start + timedelta(days=nth - 1)
    return first_weekday(end - timedelta(days=6) if nth < 0 else start, match["what"], max(nth, 1))
