"""Whether a condition is what the question says: the same words in the same order, dates compared as dates."""

import re

from tripost.tasks.date_understanding.days import FIND_DATE, NUMBERS, WEEKDAYS, read_date
from tripost.tasks.date_understanding.slots import ORDINALS
from tripost.tasks.options import HEAD

_WORD = re.compile(r"[a-z0-9]+(?:[/:][0-9]+)*")
_CLAUSE = re.compile(rf"{_WORD.pattern}|[.,;:?!]")
_NAME = re.compile(r"(?<![.?!] )(?<!^)\b[A-Z][a-z]+")
_JOINS = {"and", "but", "so", "therefore", "which", "that", "because"}
_DETAILS = {
    *NUMBERS,
    *WEEKDAYS,
    *ORDINALS,
    *("yesterday", "today", "tomorrow", "before", "after", "ago", "later", "last", "silver", "golden"),
    *("diamond", "ruby", "day", "days", "week", "weeks", "month", "months", "year", "years"),
}
MAX_WORDS = 80


class Told:
    """The words of a question."""

    def __init__(self, question: str) -> None:
        stem = question.partition(HEAD)[0]
        self._details = _DETAILS | {word.lower() for word in _NAME.findall(stem)}
        self._words = f" {' '.join(_words(stem))} "
        self._clauses = _clauses(stem)
        self._shapes = [self._masked(clause) for clause in self._clauses]
        self.own_weekdays = any(_odd_weekday(match[0]) for match in FIND_DATE.finditer(stem))

    def says(self, condition: str) -> bool:
        """Whether the condition consists of runs of the question's words, joined by `and` and its like."""
        return _runs(_words(condition), self._words)

    def contradicts(self, condition: str) -> bool:
        """Whether its clauses are the question's but for details (numbers, names, ...), and so say otherwise."""
        clauses = _clauses(condition)
        other = [clause for clause in clauses if clause not in self._clauses]
        return bool(other) and all(self._masked(clause) in self._shapes for clause in other)

    def _masked(self, words: list[str]) -> list[str]:
        return ["#" if word in self._details or word[0].isdigit() else word for word in words]


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
            clauses[-1].append(word)
    return [clause for clause in clauses if clause][:MAX_WORDS]


def _with_dates(text: str) -> str:
    """Lower case, with dates as one word, the same however they are written."""

    def iso(match: re.Match[str]) -> str:
        found = read_date(match[0])
        return f" {found.day:%Y%m%d} " if found is not None and found.day is not None else match[0]

    return FIND_DATE.sub(iso, text[:2000]).lower()


def _words(text: str) -> list[str]:
    return _WORD.findall(_with_dates(text))


def _runs(words: list[str], whole: str) -> bool:
    """Whether the words are runs of at least three words of `whole` (or all of them), with joining words between."""
    if not 0 < len(words) <= MAX_WORDS:
        return False
    start = 0
    while start < len(words):
        if start and words[start] in _JOINS and start + 1 < len(words):
            start += 1
        end = start
        while end < len(words) and f" {' '.join(words[start : end + 1])} " in whole:
            end += 1
        if end - start < min(3, len(words)):
            return False
        start = end
    return True
