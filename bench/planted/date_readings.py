"""What the sentence forms of date questions mean: readers from what varies in a form to a day, and how far it is."""

from collections.abc import Callable, Mapping
from datetime import date

from bench.planted.calendar_days import (
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
_JUBILEES = {"silver": 25, "ruby": 40, "golden": 50, "diamond": 60}

Groups = Mapping[str, str]
Away = tuple[str, date | str, int, str]
"""Whose day it is; a day, or whose day that one is; how many; of which unit."""
Reader = Callable[[Groups], Away]


def _count(groups: Groups, sign: int) -> tuple[int, str]:
    return sign * read_number(groups["n"]), groups.get("unit") or "year"


def day(offset: int) -> Reader:
    return lambda groups: (TODAY, read_when(groups.get("when") or groups["date"]), offset, "day")


def away(sign: int, unit: str = "") -> Reader:
    def read(groups: Groups) -> Away:
        number, said = _count(groups, sign)
        return TODAY, read_when(groups.get("when") or groups["date"]), number, unit or said

    return read


def year_day(groups: Groups) -> Away:
    return TODAY, _md(groups, int(groups["year"])), 0, "day"


def _md(groups: Groups, year: int) -> date:
    text = groups["md"]
    return read_date(f"{text}/{year}" if "/" in text else f"{text}, {year}")


def right(groups: Groups) -> Away:
    right = {groups["name"]: groups["date"], groups["name2"]: groups["date2"]}[groups["name3"]]
    return TODAY, read_date(right), 0, "day"


def thought(groups: Groups) -> Away:
    thought, number = read_date(groups["date"]), read_number(groups["n"])
    today = shifted(thought, number, groups["unit"])
    if _md(groups, today.year) != today:
        raise ValueError("today is not as far from what was thought as is said")
    return TODAY, thought, number, groups["unit"]


def day_first(groups: Groups) -> Away:
    day, month, year = groups["date"].split("/")
    return TODAY, date(int(year), int(month), int(day)), 0, "day"


def hours(groups: Groups) -> Away:
    return TODAY, date(int(groups["year"]), 1, 1), -read_number(groups["n"]), "hour"


def visits(groups: Groups) -> Away:
    first = date(int(groups["year"]), month_number(groups["month"]), read_nth(groups["nth"]))
    return TODAY, first, read_nth(groups["nth2"]) - 1, "month"


def first_of_year(groups: Groups) -> Away:
    first = date(int(groups["year"]), 1, 1)
    if groups["year"] != groups["year2"] or WEEKDAYS[first.weekday()] != groups["weekday"]:
        raise ValueError("the year does not begin with that weekday")
    return TODAY, first_weekday(first, groups["weekday2"]), 0, "day"


def job(groups: Groups) -> Away:
    first = shifted(_md(groups, int(groups["year"])), 1 - read_nth(groups["nth"]), "day")
    return TODAY, first, *_count(groups, 1)


def jubilee(groups: Groups) -> Away:
    return TODAY, read_date(groups["date"]), _JUBILEES[groups["jubilee"]], "year"


def of_event(groups: Groups) -> Away:
    return groups["event"], read_when(groups["when"]), 0, "day"


def between(sign: int) -> Reader:
    return lambda groups: (groups.get("event") or TODAY, groups["other"], *_count(groups, sign))


def next_to(offset: int) -> Reader:
    return lambda groups: (groups.get("event") or TODAY, groups["other"], offset, "day")
