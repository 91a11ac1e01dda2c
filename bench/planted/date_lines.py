"""The lines of a date rationale: read, written, held against the question, and worked out from another belief."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from itertools import combinations

from bench.planted.calendar_days import DATE, NUMBER, SPELLINGS, UNIT, figures, read_date, read_number, shifted
from bench.planted.date_facts import Fact, Told, read_span
from bench.planted.date_forms import TODAY

SMALL = {
    *("The", "It", "This", "In", "On", "Today", "Yesterday", "Tomorrow", "There", "That", "From", "According"),
    *("She", "He"),
}
OPENERS = ("So ", "Then ", "Therefore, ")
_LINE = re.compile(
    rf"\((\d+)\) (?P<opener>{'|'.join(OPENERS)})?(?:[Ii]f (?P<told>.+), then )?"
    rf"(?P<claim>.+?)(?P<verb> is | was on )(?P<day>{DATE})(?:, that is (?P<that>{DATE}))?\."
)
_RESPONSE = re.compile(r"\(Final response\) So the answer is \(([A-Z])\)\.")
_STATED = re.compile(rf"(?P<claim>.+?)(?P<verb> is | was on )(?P<day>{DATE})")
_AWAY = re.compile(rf"(?:the date )?({NUMBER}) ({UNIT}) (before|after) (today|the [a-z]+|{DATE})")
_TODAY = {"today's date": 0, "the date today": 0, "today": 0}
_NEAR = {"yesterday's date": -1, "yesterday": -1, "tomorrow's date": 1, "tomorrow": 1}


@dataclass(frozen=True)
class Line:
    """`If <told>, then <claim> is <day>, that is <that>.`; told, opener and that may be empty."""

    claim: str
    day: str
    told: str = ""
    that: str = ""
    verb: str = " is "
    opener: str = ""

    def show(self) -> str:
        """The line without its number."""
        start = f"If {self.told}, then {self.claim}" if self.told else self.opener + self.claim
        that = f", that is {self.that}" if self.that else ""
        return f"{start[0].upper()}{start[1:]}{self.verb}{self.day}{that}."


@dataclass(frozen=True)
class Work:
    """A rationale as read, with the question as read."""

    told: Told
    lines: tuple[Line, ...]
    letter: str
    truth: dict[str, date] = field(compare=False)
    """The days of today and of the events."""

    def put(self, at: int, *lines: Line) -> "Work":
        """With other lines in the place of one."""
        return replace(self, lines=(*self.lines[:at], *lines, *self.lines[at + 1 :]))

    def show(self) -> str:
        """The rationale's text."""
        lines = [f"({number}) {line.show()}" for number, line in enumerate(self.lines, 1)]
        return "\n".join([*lines, f"(Final response) So the answer is ({self.letter})."])


def lowered(sentence: str) -> str:
    """A sentence as it stands inside another one: its first letter small unless it is that of a name or month."""
    sentence = sentence.removeprefix("Therefore, ")
    first = re.split("[ ',]", sentence)[0]
    return sentence[0].lower() + sentence[1:] if first in SMALL or read_word(first) else sentence


def read_word(text: str) -> bool:
    """Whether it is a number in letters."""
    return text.isalpha() and re.fullmatch(NUMBER, text) is not None


def subject_of(claim: str, verb: str = " is ") -> str | None:
    """The subject whose own day a claim states, or None where it is about another day."""
    if claim in _TODAY:
        return TODAY
    match = re.fullmatch(r"the date of the ([a-z]+)" if verb == " is " else r"the ([a-z]+)", claim)
    return match[1] if match else None


def read_claim(claim: str, verb: str = " is ") -> Fact:
    """What a claim's day is counted from; ValueError where it is not read."""
    subject = subject_of(claim, verb)
    if subject:
        return Fact((), claim, subject)
    if claim in _NEAR:
        return Fact((), claim, TODAY, _NEAR[claim])
    match = _AWAY.fullmatch(claim)
    if match:
        text = match[4].removeprefix("the ")
        base = text if text.isalpha() else read_date(text)
        return Fact((), claim, base, read_number(match[1]) * (1 if match[3] == "after" else -1), match[2].rstrip("s"))
    number, unit = read_span(claim.removeprefix("the date "))
    return Fact((), claim, TODAY, number, unit)


def facts_told(told: Told, text: str) -> list[Fact]:
    """The facts whose sentences all stand in the told part of a line, but for how they begin."""
    found = []
    for fact in told.facts:
        if all(lowered(sentence).casefold() in text.casefold() for sentence in fact.sentences):
            found.append(fact)
    return found


def stated(text: str) -> tuple[Fact, str] | None:
    """A told part that is itself a claim: what its day is counted from, and the day's text."""
    match = _STATED.fullmatch(text)
    try:
        return (read_claim(match["claim"], match["verb"]), match["day"]) if match else None
    except ValueError:
        return None


def read_work(told: Told, rationale: str) -> Work:
    """Read a right rationale; ValueError where it is not right, or not in the format."""
    *texts, last = rationale.split("\n")
    response = _RESPONSE.fullmatch(last)
    truth = told.known()
    lines = []
    for number, text in enumerate(texts, 1):
        match = _LINE.fullmatch(text)
        if match is None or match[1] != str(number):
            raise ValueError(f"not a line of a date rationale: {text}")
        parts = {key: value or "" for key, value in match.groupdict().items()}
        opener, told_text = parts["opener"], parts["told"]
        claim = parts["claim"] if opener or told_text else parts["claim"][0].lower() + parts["claim"][1:]
        line = Line(claim, parts["day"], told_text, parts["that"], parts["verb"], opener)
        _check_right(told, truth, line, text)
        lines.append(line)
    if response is None or not lines:
        raise ValueError(f"not a final response: {last}")
    if read_date(told.options[response[1]]) != shifted(truth[TODAY], *told.span):
        raise ValueError(f"wrong already: {last}")
    return Work(told, tuple(lines), response[1], truth)


def _check_right(told: Told, truth: Mapping[str, date], line: Line, text: str) -> None:
    """Refuse a line that is wrong: its told part is not told and not true, or a day is not that of its claim."""
    if line.told and not facts_told(told, line.told) and line.told.casefold() not in _parts(told):
        claim = stated(line.told)
        if claim is None or not right_day(claim[0], claim[1], truth):
            raise ValueError(f"wrong already: {text}")
    fact = read_claim(line.claim, line.verb)
    if not all(right_day(fact, day, truth) for day in (line.day, line.that or line.day)):
        raise ValueError(f"wrong already: {text}")


def _parts(told: Told) -> set[str]:
    """All choices of sentences of one fact in their order, joined by " and ", in small letters."""
    found = set()
    for fact in told.facts:
        texts = [lowered(sentence).casefold() for sentence in fact.sentences]
        for size in range(1, len(texts) + 1):
            found |= {" and ".join(chosen) for chosen in combinations(texts, size)}
    return found


def right_day(fact: Fact, text: str, truth: Mapping[str, date]) -> bool:
    """Whether a date is that of the claim."""
    try:
        return read_date(text) == fact.day(truth)
    except ValueError:
        return False


def respelt(text: str, day: date) -> str:
    """Another day in the spelling of a date."""
    try:
        old = read_date(text)
    except ValueError:
        return SPELLINGS["named"](day)
    return next((spell(day) for spell in SPELLINGS.values() if spell(old) == text), figures(day))


def retold(text: str, truth: Mapping[str, date], beliefs: Mapping[str, date]) -> str:
    """A text with the days of the subjects, where it names them, as they are believed to be."""
    changed = {truth[name]: day for name, day in beliefs.items() if day != truth[name]}

    def swap(match: re.Match[str]) -> str:
        try:
            day = read_date(match[0])
        except ValueError:
            return match[0]
        return respelt(match[0], changed[day]) if day in changed else match[0]

    return re.sub(DATE, swap, text)


def carried(work: Work, at: int, beliefs: Mapping[str, date], answer: date | None) -> Work:
    """The lines after one worked out anew from what is believed about subjects, or about the answer."""
    known, settled = {**work.truth, **beliefs}, set(beliefs)
    lines = list(work.lines)
    asked = Fact((), "", TODAY, *work.told.span)
    for index in range(at + 1, len(lines)):
        line = lines[index]
        claim = read_claim(line.claim, line.verb)
        for fact in work.told.facts:
            told = fact in facts_told(work.told, line.told) or fact.subject == subject_of(line.claim, line.verb)
            if told and fact.subject not in settled:
                known[fact.subject] = fact.day(known)
                settled.add(fact.subject)
        day = claim.day(known)
        if isinstance(claim.base, date):
            claim = read_claim(retold(line.claim, work.truth, known), line.verb)
            day = claim.day(known)
        if answer and (claim.base, claim.number, claim.unit) == (asked.base, asked.number, asked.unit):
            day = answer
        that = respelt(line.that, day) if line.that else ""
        told_text = line.told if facts_told(work.told, line.told) else retold(line.told, work.truth, known)
        lines[index] = replace(line, claim=claim.subject, day=respelt(line.day, day), that=that, told=told_text)
    final = answer or asked.day(known)
    letters = [letter for letter, text in work.told.options.items() if read_date(text) == final]
    return replace(work, lines=tuple(lines), letter=letters[0] if letters else work.letter)
