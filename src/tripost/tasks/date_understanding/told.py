"""Whether a condition is what the question says: the same clauses in the same order, dates compared as dates."""

import datetime
import re
from collections import Counter
from collections.abc import Collection

from tripost.tasks.date_understanding.days import FIND_DATE, MONTHS, NUMBERS, WEEKDAYS, ordinal, read_date
from tripost.tasks.date_understanding.slots import EVENTS, JUBILEES, NAMES, ORDINALS
from tripost.tasks.options import HEAD

_WORD = re.compile(r"[a-z0-9]+(?:[/:][0-9]+)*")
_CLAUSE = re.compile(rf"{_WORD.pattern}|[.,;:?!]")
_NAME = re.compile(r"\b(?:" + "|".join(NAMES) + r")\b|(?<![.?!] )(?<!^)\b[A-Z][a-z]+")
_JOINS = {"and", "but", "so", "therefore", "which", "that", "because"}
_SHORTENED = {*MONTHS, *WEEKDAYS, "feburary", "sept", "tues", "thurs"}
_KINDS = {
    "event": set(EVENTS),
    "month": {name[:3] for name in MONTHS},
    "weekday": {name[:3] for name in WEEKDAYS},
    "jubilee": set(JUBILEES),
    "unit": {f"{unit}{s}" for unit in ("hour", "day", "week", "month", "year") for s in ("", "s")},
    "day": {"yesterday", "today", "tomorrow"},
    "side": {"before", "after"},
    "past": {"ago", "later"},
    "end": {"last", "1st"},
}
"""Words that one may have in the place of another, and then says something else."""
_FIGURES = (
    ("date", re.compile(r"[0-9]{8}d?|0[0-9a-z]{4,}")),
    ("time", re.compile(r"[0-9]{1,2}:[0-9]{2}")),
    ("day of the year", re.compile(r"[0-9]{1,2}/[0-9]{1,2}")),
    ("nth", re.compile(r"[0-9]{1,2}(?:st|nd|rd|th)")),
    ("number", re.compile(r"[0-9]{1,7}")),
)
_FULL_DATE, _YEAR = re.compile(r"[0-9]{8}"), re.compile(r"[0-9]{4}")
_BEFORE_YEAR = re.compile(r"of|in|[0-9].*|" + "|".join(sorted(name[:3] for name in MONTHS)))
MAX_WORDS = 80


class Told:
    """The clauses of a question: what stands between its full stops, commas and joining words."""

    def __init__(self, question: str) -> None:
        stem = question.partition(HEAD)[0]
        self._names = _names(stem)
        self._clauses = _clauses(stem)
        self._all = set(_words(stem))
        self.own_weekdays = any(_odd_weekday(match[0]) for match in FIND_DATE.finditer(stem))

    def says(self, condition: str) -> bool:
        """Whether the condition consists of whole clauses of the question, in their order; commas do not matter."""
        return _consists(_words(condition), self._clauses)

    def contradicts(self, condition: str) -> bool:
        """Whether its clauses are the question's but for details of one kind (a number for a number, a name for a
        name), and so say otherwise. Other units may say the same, and so may names in another order."""
        names = self._names | _names(condition)
        other = [clause for clause in _clauses(condition) if clause not in self._clauses]
        pairs = [
            next((mine for mine in self._clauses if _says_otherwise(mine, clause, names)), None) for clause in other
        ]
        if not other or None in pairs:
            return False
        said = Counter(word for clause in other for word in clause)
        return said != Counter(word for clause in pairs if clause for word in clause)

    def foreign(self, condition: str, days: Collection[datetime.date]) -> bool:
        """Whether it names a person of whom the question does not speak, or a date, or a year as part of one (`of
        1938`), that is more than a year from all that the question speaks of. A condition repeats what is told; other
        words may be as true, but bring up nobody new and no other time."""
        years = {day.year for day in days}
        years |= {int(word[:4]) for word in self._all if _FULL_DATE.fullmatch(word) or _YEAR.fullmatch(word)}
        people = {name.lower() for name in NAMES} - self._all
        before = ""
        for word in _words(condition):
            dated = _FULL_DATE.fullmatch(word) or (_YEAR.fullmatch(word) and _BEFORE_YEAR.fullmatch(before))
            if word in people or (dated and all(abs(int(word[:4]) - year) > 1 for year in years)):
                return True
            before = word
        return False

    def mentions(self, word: str) -> bool:
        """Whether the word stands in the question."""
        return word in self._all


def readable(condition: str) -> bool:
    """Whether it is in letters that can be read here: what is passed over may turn its meaning."""
    return not any(char.isalpha() and not char.isascii() for char in condition)


def _says_otherwise(mine: list[str], other: list[str], names: set[str]) -> bool:
    """Whether a clause differs from the question's own in words of a single kind, each in the same place."""
    if len(mine) != len(other):
        return False
    kinds = {_kinds(a, b, names) for a, b in zip(mine, other, strict=True) if a != b}
    # Two kinds may move together (`tomorrow is the first Friday`, `today is the first Thursday`), so may two days.
    return len(kinds) == 1 and not kinds & {"", "day"}


def _kinds(a: str, b: str, names: set[str]) -> str:
    """What both words are; empty where they are not of one kind."""
    if a.removesuffix("d") == b.removesuffix("d"):
        return ""
    if a in names and b in names:
        return "name"
    for kind, words in _KINDS.items():
        if a in words and b in words:
            return kind
    return next((kind for kind, figures in _FIGURES if figures.fullmatch(a) and figures.fullmatch(b)), "")


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
        if found is not None and found.day_first is not None:
            return f" {found.day_first:%Y%m%d}d "  # may be that day: never the same as the date, nor against it
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
