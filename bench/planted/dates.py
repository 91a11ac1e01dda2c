"""Plant an error in a date rationale, or tell it another right way."""

import random
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from functools import partial

from bench.planted import NotApplicableError, Planted, check_planted, shuffled
from bench.planted.calendar_days import read_date
from bench.planted.date_errors import KINDS as LINE_KINDS
from bench.planted.date_errors import Mark, Planter
from bench.planted.date_facts import Fact, read_fact, read_question
from bench.planted.date_lines import Work, carried, lowered, read_claim, read_work, respelt, subject_of
from bench.planted.date_rewrites import REWRITES

__all__ = ["KINDS", "REWRITES", "plant", "rewrite"]


def _may_be(fact: Fact, text: str, possible: dict[str, set[date]]) -> bool:
    """Whether a date may be that of a claim, on any reading of the question."""
    try:
        return read_date(text) in fact.days(possible)
    except ValueError:
        return False


def _surely_wrong(work: Work, mark: Mark) -> bool:
    """Whether the line is wrong by the calendar and the question's words alone."""
    line, possible = mark.line, work.told.possible()
    fact = read_claim(line.claim, line.verb)
    if not all(_may_be(fact, day, possible) for day in (line.day, line.that or line.day)):
        return True
    right = work.lines[mark.at]
    if line.told.casefold() == right.told.casefold():
        return False
    # The told part was changed: the question does not say so, and it is not true by chance.
    said = [lowered(sentence).casefold() for told in work.told.facts for sentence in told.sentences]
    if any(line.told.casefold() in sentence for sentence in said):
        return False
    retold = _retold(work, mark)
    return retold is None or isinstance(retold.base, date) or retold.day(work.truth) != work.truth[retold.subject]


def _retold(work: Work, mark: Mark) -> Fact | None:
    """The fact that a changed told part would be, or None where it is not read."""
    line = mark.line
    for fact in work.told.facts:
        sentences = [lowered(sentence) for sentence in fact.sentences]
        if " and ".join(sentences).casefold() == work.lines[mark.at].told.casefold():
            parts = line.told.split(" and ") if len(sentences) > 1 else [line.told]
            return read_fact(tuple(part[0].upper() + part[1:] for part in parts))
    return None


def _followed(work: Work, mark: Mark) -> Mark:
    """A changed told part with the day that follows from it, where that is another one."""
    retold, line = _retold(work, mark), mark.line
    subject = subject_of(line.claim, line.verb)
    if retold is None or subject != retold.subject:
        return mark
    try:
        day = retold.day(work.truth)
    except KeyError:
        return mark
    that = respelt(line.that, day) if line.that else ""
    return replace(mark, line=replace(line, day=respelt(line.day, day), that=that), beliefs={subject: day})


Found = tuple[Work, int, str, bool]
"""A rationale with an error, the place of the wrong line, the wrong text, and whether what follows was carried."""


def _on_a_line(planter: Planter, work: Work, rng: random.Random) -> Found | None:
    """One line made wrong, any to which the planter applies."""
    places = list(range(len(work.lines)))
    rng.shuffle(places)
    carry = rng.random() < 0.5
    for at in places:
        mark = planter(work, at, rng)
        if mark is None or mark.line == work.lines[at] or not _surely_wrong(work, mark):
            continue
        if carry and mark.line.told != work.lines[at].told:
            mark = _followed(work, mark)
        changed = work.put(at, mark.line)
        goes_on = carry and bool(mark.beliefs or mark.answer)
        return carried(changed, at, mark.beliefs, mark.answer) if goes_on else changed, at, mark.part, goes_on
    return None


def _letter(work: Work, rng: random.Random) -> Found | None:
    """The letter of another option."""
    letter = rng.choice([other for other in work.told.options if other != work.letter])
    return replace(work, letter=letter), len(work.lines), f"({letter})", False


KINDS: dict[str, Callable[[Work, random.Random], Found | None]] = {
    **{name: partial(_on_a_line, planter) for name, planter in LINE_KINDS.items()},
    "letter": _letter,
}


def plant(question: str, rationale: str, rng: random.Random, kind: str | None = None) -> Planted:
    """A right rationale with one error in it, of a random kind that applies (or of the given kind).

    Seed the generator anew for each rationale: the same seed asks for the same kind first every time.
    """
    work = read_work(read_question(question), rationale)
    for name in shuffled(KINDS, rng) if kind is None else [kind]:
        found = KINDS[name](work, rng)
        if found:
            after, at, part, goes_on = found
            return check_planted(rationale, Planted(after.show(), at + 1, part, name, goes_on))
    raise NotApplicableError("no error of this kind fits the rationale")


def rewrite(question: str, rationale: str, rng: random.Random) -> str:
    """Another right rationale of the same question: one to three changes of the telling."""
    told = read_question(question)
    first = work = read_work(told, rationale)
    wanted = rng.randint(1, 3)
    for name in shuffled(REWRITES, rng):
        changed = REWRITES[name](work, rng)
        if changed is not None and changed.show() != work.show():
            work, wanted = changed, wanted - 1
        if not wanted and work.show() != first.show():
            break
    if work.show() == first.show():
        raise NotApplicableError("no other telling found")
    read_work(told, work.show())
    return work.show()
