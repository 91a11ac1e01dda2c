"""Errors of known place in right attempts: a letter misread, words exchanged, dropped or misspelt, as models do.

An attempt is taken only if every line of it holds; this is looked at here, without the scripted expert. Half of the
errors are carried on: what is believed of the order also stands in the later lines and in the final response.
"""

import random
from collections.abc import Callable, Iterator, Mapping
from functools import partial

import msgspec

from tripost.interfaces import PlantedError
from tripost.records import Attempt, Problem
from tripost.tasks.planted import near, rewrite, with_answer
from tripost.tasks.word_sorting.derive import groups_at, sortable_words
from tripost.tasks.word_sorting.lines import (
    FIRST,
    HAVE,
    HENCE,
    SUBPART,
    Letter,
    letter,
    read_groups,
    read_letters,
    read_order,
    write_group,
    write_order,
)

Words = list[str]
Belief = Callable[[Words], Words]


class _Line(msgspec.Struct, frozen=True):
    """A line that holds. `words`: those that it puts in order; `k`: the letter that is looked at."""

    number: int
    opener: str
    text: str
    words: Words
    k: int


def plant(problem: Problem, attempt: Attempt, rng: random.Random) -> PlantedError | None:
    """The attempt with one wrong claim, of a kind that is drawn first; None where it cannot be vouched for."""
    try:
        lines = _read(problem.question, attempt)
    except ValueError:  # a question or line that is not of this task is one
        return None
    kinds = sorted(_KINDS)
    rng.shuffle(kinds)
    for kind in kinds:
        carry = rng.random() < 0.5
        for line in rng.sample(lines, len(lines)):
            for text, belief in _KINDS[kind](line, lines, rng):
                changed = {line.number: text if line.opener else with_answer(attempt, text)}
                if carry and line.opener:
                    changed |= _what_follows(line, lines, attempt, belief)
                carried = "-carried" if len(changed) > 1 else ""
                return PlantedError(rewrite(attempt, changed), line.number, kind + carried)
    return None


def _read(question: str, attempt: Attempt) -> list[_Line]:
    """The lines and the final response (without an opener). Raises ValueError where one does not hold."""
    words = sortable_words(question)
    looked_at: dict[frozenset[str], int] = {}
    lines: list[_Line] = []
    for number, step in enumerate(attempt.steps, start=1):
        text = step.text
        if text.startswith((FIRST, SUBPART)):
            named, k, letters = read_letters(text)
            mine = [item.word for item in letters]
            _demand(sorted(mine) == sorted(words if named is None else named) and set(mine) <= set(words))
            _demand(len({word[: k - 1] for word in mine}) == 1 and len(set(mine)) == len(mine))
            _demand(all((item.letter, item.number) == letter(item.word, k) for item in letters))
            looked_at[frozenset(mine)] = k
            lines.append(_Line(number, FIRST, text, mine, k))
        elif text.startswith(HAVE):
            groups = read_groups(text)
            mine = [word for group in groups for word in group.words]
            k = looked_at.get(frozenset(mine), 0)
            _demand(k > 0 and len(set(mine)) == len(mine))
            _demand(groups_at(mine, k) == [(group.number, list(group.words)) for group in groups])
            lines.append(_Line(number, HAVE, text, mine, k))
        else:
            _demand(text.startswith(HENCE))
            mine = read_order(text)
            _demand(frozenset(mine) in looked_at and mine == sorted(set(mine)))
            lines.append(_Line(number, HENCE, text, mine, looked_at[frozenset(mine)]))
    # An order of fewer words may be that of a subpart: each is given once, and that of the whole list at the end.
    orders = [frozenset(line.words) for line in lines if line.opener == HENCE]
    _demand(len(set(orders)) == len(orders) and bool(lines) and lines[-1].opener == HENCE)
    _demand(orders[-1] == frozenset(words))
    _demand(attempt.final is not None and attempt.final.split() == sorted(words))
    return [*lines, _Line(len(attempt.steps) + 1, "", attempt.final_text, sorted(words), 0)]


def _what_follows(line: _Line, lines: list[_Line], attempt: Attempt, belief: Belief) -> dict[int, str]:
    """The later lines about the order, and the final response, as somebody writes them who believes that."""
    found: dict[int, str] = {}
    for later in lines[line.number :]:
        believed = belief(later.words)
        if believed != later.words and later.opener in {HENCE, ""}:
            text = write_order(believed).removesuffix(".") if later.opener else ""
            stop = "." if later.text.endswith(".") else ""
            found[later.number] = text + stop if text else with_answer(attempt, " ".join(believed))
    return found


Found = Iterator[tuple[str, Belief]]


def _misread(line: _Line, lines: list[_Line], rng: random.Random) -> Found:
    """A word's letter taken for another one: the next in the word, or one near in the alphabet."""
    if line.opener == FIRST:
        items: list[Letter] = read_letters(line.text)[2]
        for item in rng.sample(items, len(items)):
            others = [letter(item.word, j) for j in (line.k - 1, line.k + 1) if 0 < j <= len(item.word)]
            others += [(item.letter, number) for number in near(item.number, rng) if number > 0]
            others = [other for other in others if other != (item.letter, item.number)]
            if others:
                found, number = rng.choice(others)
                yield line.text.replace(item.text, f'"{item.word}"="{found}" ({number})', 1), list


def _misnumbered(line: _Line, lines: list[_Line], rng: random.Random) -> Found:
    """A group under the number of another letter."""
    if line.opener == HAVE:
        groups = read_groups(line.text)
        for group in rng.sample(groups, len(groups)):
            other = next(number for number in near(group.number, rng) if number != -group.number)
            wrong = f"({other}) {write_group(group.words)}"
            yield line.text.replace(group.text, wrong, 1), list


def _exchanged(line: _Line, lines: list[_Line], rng: random.Random) -> Found:
    """Two neighbours in the order of each other: words, or groups with their numbers."""
    items = [group.text for group in read_groups(line.text)] if line.opener == HAVE else line.words
    if line.opener == FIRST or len(items) < 2:
        return
    at = rng.randrange(len(items) - 1)
    swapped = [*items[:at], items[at + 1], items[at], *items[at + 2 :]]
    if line.opener == HAVE:
        yield _joined(line, swapped), list
        return
    a, b = items[at], items[at + 1]

    yield _ordered(line, swapped), lambda words: _with(words, {a: b, b: a}) if {a, b} <= set(words) else words


def _missing(line: _Line, lines: list[_Line], rng: random.Random) -> Found:
    """A word left out where the whole list is put in order; not so that a subpart's order remains, which is right."""
    scopes = {frozenset(other.words) for other in lines}
    if line.opener in {HENCE, ""} and len(line.words) > 2 and line.words == lines[-1].words:
        for gone in rng.sample(line.words, len(line.words)):
            rest = [word for word in line.words if word != gone]
            if frozenset(rest) not in scopes:
                yield _ordered(line, rest), partial(_with, instead={gone: ""})


def _misspelt(line: _Line, lines: list[_Line], rng: random.Random) -> Found:
    """A word that is not in the list: two letters exchanged, one doubled, or one left out."""
    if line.opener in {HENCE, ""}:
        word = rng.choice(line.words)
        at = rng.randrange(len(word))
        ways = [word[:at] + word[at] * 2 + word[at + 1 :], word[:at] + word[at + 1 :]]
        ways += [word[:at] + word[at + 1] + word[at] + word[at + 2 :]] if at + 1 < len(word) else []
        others = [other for other in ways if other and other not in lines[-1].words]
        if others:
            belief = partial(_with, instead={word: rng.choice(others)})
            yield _ordered(line, belief(line.words)), belief


_KINDS: dict[str, Callable[[_Line, list[_Line], random.Random], Found]] = {
    "letter": _misread,
    "number": _misnumbered,
    "exchanged": _exchanged,
    "missing": _missing,
    "misspelt": _misspelt,
}


def _with(words: Words, instead: Mapping[str, str]) -> Words:
    """The words with others in their places; nothing in the place of one that is dropped."""
    return [other for other in (instead.get(word, word) for word in words) if other]


def _ordered(line: _Line, words: Words) -> str:
    """The words in this order, as a line; for the final response as an answer."""
    return _joined(line, [f'"{word}"' for word in words]) if line.opener else " ".join(words)


def _joined(line: _Line, items: Words) -> str:
    return line.opener + " < ".join(items) + ("." if line.text.endswith(".") else "")


def _demand(holds: bool) -> None:
    if not holds:
        raise ValueError("a line that cannot be read, or does not hold")
