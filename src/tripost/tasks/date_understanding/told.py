"""Whether a condition is what the question says: the same clauses in the same order, dates compared as dates."""

import datetime
import re
from collections.abc import Collection

from tripost.tasks.date_understanding.days import FIND_DATE, MONTHS, NUMBERS, WEEKDAYS, ordinal, read_date
from tripost.tasks.date_understanding.slots import EVENTS, NAMES, ORDINALS
from tripost.tasks.options import HEAD

_WORD = re.compile(r"[a-z0-9]+(?:[/:][0-9]+)*")
_CLAUSE = re.compile(rf"{_WORD.pattern}|[.,;:?!]")
_NAME = re.compile(r"\b(?:" + "|".join(NAMES) + r")\b|(?<![.?!] )(?<!^)\b[A-Z][a-z]+")
_JOINS = {"and", "but", "so", "therefore", "which", "that", "because"}
_SHORTENED = {*MONTHS, *WEEKDAYS, "feburary", "sept", "tues", "thurs"}
_DETAILS = {
    *EVENTS,
    *(name[:3] for name in (*MONTHS, *WEEKDAYS)),
    *("yesterday", "today", "tomorrow", "before", "after", "ago", "later", "last", "silver", "golden"),
    *("diamond", "ruby", "day", "days", "week", "weeks", "month", "months", "year", "years"),
}
_YEAR_OR_DATE = re.compile(r"[0-9]{4}|[0-9]{8}|0[0-9a-z]{4,}|[0-9]{1,2}/[0-9/]{3,10}")
MAX_WORDS = 80


class Told:
    """The clauses of a question: what stands between its full stops, commas and joining words."""

    def __init__(self, question: str) -> None:
        stem = question.partition(HEAD)[0]
        self._names = _names(stem)
        self._clauses = _clauses(stem)
        self._all = set(_words(stem))
        self._shapes = [self._masked(clause, self._names) for clause in self._clauses]
        self.own_weekdays = any(_odd_weekday(match[0]) for match in FIND_DATE.finditer(stem))

    def says(self, condition: str) -> bool:
        """Whether the condition consists of whole clauses of the question, in their order; commas do not matter."""
        return _consists(_words(condition), self._clauses)

    def contradicts(self, condition: str) -> bool:
        """Whether its clauses are the question's but for details (numbers, names, ...), and so say otherwise."""
        names = self._names | _names(condition)
        other = [clause for clause in _clauses(condition) if clause not in self._clauses]
        return bool(other) and all(self._masked(clause, names) in self._shapes for clause in other)

    def foreign(self, condition: str, days: Collection[datetime.date]) -> str | None:
        """A person, a year or a date that is neither in the question nor one of the days that follow from it.

        A condition repeats what is told; other words for it may be as true, but they name nobody and no year anew.
        """
        known = {*self._all, *(f"{day:%Y%m%d}" for day in days), *(f"{day.year}" for day in days)}
        people = {name.lower() for name in NAMES} - known
        for word in _words(condition):
            if word in people or (_YEAR_OR_DATE.fullmatch(word) and word not in known):
                return word
        return None

    def _masked(self, words: list[str], names: set[str]) -> list[str]:
        return ["#" if word in _DETAILS or word in names or word[0].isdigit() else word for word in words]


def _names(text: str) -> set[str]:
    return {word.lower() for word in _NAME.findall(text)}


def _odd_weekday(text: str) -> bool:
    """Whether a date is given with a weekday that is not its own: such a question has a calendar of its own."""
    found = read_date(text)
    if found is None or found.weekday is None or found.day is None:
        return False
    return found.day.weekday() != found.weekday


def _clauses(text: str) -> list[list[str]]:
    """The words of what stands between full stops, commas and joining words."""
    clauses: list[list[str]] = [[]]
    for word in _CLAUSE.findall(_with_dates(text)):
        if word in _JOINS or not word[0].isalnum():
            clauses.append([])
        else:
            clauses[-1].append(_canonical(word))
    return [clause for clause in clauses if clause][:MAX_WORDS]


def _with_dates(text: str) -> str:
    """Lower case, with dates as one word, the same however they are written."""

    def iso(match: re.Match[str]) -> str:
        found = read_date(match[0])
        if found is not None and found.day is not None:
            return f" {found.day:%Y%m%d} "
        return f" 0{''.join(filter(str.isalnum, match[0]))} "  # no such day; the same only to the letter

    return FIND_DATE.sub(iso, text[:2000]).lower()


def _canonical(word: str) -> str:
    """One spelling of a word that has several: `Sept`, `Feburary`, `Tuesday`, `ten`, `third`."""
    if word in NUMBERS:
        return str(NUMBERS.index(word))
    if word in ORDINALS:
        return ordinal(ORDINALS.index(word) + 1)
    return word[:3] if word in _SHORTENED else word


def _words(text: str) -> list[str]:
    """All words but the joining ones."""
    return [_canonical(word) for word in _WORD.findall(_with_dates(text)) if word not in _JOINS]


def _consists(words: list[str], clauses: list[list[str]]) -> bool:
    """Whether the words are some of the clauses, each whole, one after the other."""
    if not 0 < len(words) <= MAX_WORDS:
        return False
    ends = {0}
    for clause in clauses:
        ends |= {end + len(clause) for end in ends if words[end : end + len(clause)] == clause}
    return len(words) in ends
