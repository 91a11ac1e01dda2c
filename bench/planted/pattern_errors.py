"""Wrong patterns in deductions: what a model may write for the pattern of a clue or of a combined ordering."""

import random
from collections.abc import Callable, Iterator
from dataclasses import replace

from bench.planted.deduction_lines import ClueLine, Combined, Line, Work, is_right
from bench.planted.rows import Gap, Tokens, joined, split

Mark = tuple[Work, int, str]
"""The changed rationale, the place of the wrong line (the response comes after the last one), the wrong text."""
Planter = Callable[[Work, random.Random], Mark | None]


def lines_of(work: Work, kinds: type | tuple[type, ...], rng: random.Random) -> list[tuple[int, Line]]:
    found = [(at, line) for at, line in enumerate(work.lines) if isinstance(line, kinds)]
    rng.shuffle(found)
    return found


def _pattern(*kinds: type) -> Callable[[Callable[[Tokens, int, random.Random], Iterator[Tokens]]], Planter]:
    """A planter that puts another pattern into a line of these kinds: any change of it that no longer follows."""

    def make(change: Callable[[Tokens, int, random.Random], Iterator[Tokens]]) -> Planter:
        def plant(work: Work, rng: random.Random) -> Mark | None:
            for at, line in lines_of(work, kinds, rng):
                if not isinstance(line, ClueLine | Combined):
                    continue
                found = sorted(set(change(line.tokens, work.puzzle.count, rng)) - {line.tokens}, key=str)
                rng.shuffle(found)
                for tokens in found:
                    changed = work.put(at, replace(line, tokens=tokens))
                    if not is_right(changed, at):
                        return changed, at, work.row.show(tokens)
            return None

        return plant

    return make


def _reversed(tokens: Tokens, count: int, rng: random.Random) -> Iterator[Tokens]:
    yield tuple(reversed(tokens))


def _renamed(tokens: Tokens, count: int, rng: random.Random) -> Iterator[Tokens]:
    things, gaps = split(tokens)
    for at in range(len(things)):
        for other in set(range(count)) - set(things):
            yield joined([*things[:at], other, *things[at + 1 :]], gaps)


def _swapped(tokens: Tokens, count: int, rng: random.Random) -> Iterator[Tokens]:
    things, gaps = split(tokens)
    for left in range(len(things)):
        for right in range(left + 1, len(things)):
            swap = {things[left]: things[right], things[right]: things[left]}
            yield joined([swap.get(thing, thing) for thing in things], gaps)


def _closed(tokens: Tokens, count: int, rng: random.Random) -> Iterator[Tokens]:
    """A `??` between two objects dropped: they stand next to each other."""
    things, gaps = split(tokens)
    for at in range(1, len(things)):
        if gaps[at].more:
            yield joined(things, [*gaps[:at], Gap(gaps[at].least, False), *gaps[at + 1 :]])


def _open_end(tokens: Tokens, count: int, rng: random.Random) -> Iterator[Tokens]:
    """A `??` at an end dropped, or made one object."""
    things, gaps = split(tokens)
    for at in (0, len(things)):
        if gaps[at].more:
            for least in (gaps[at].least, gaps[at].least + 1):
                yield joined(things, [*gaps[:at], Gap(least, False), *gaps[at + 1 :]])


def _off_by_one(tokens: Tokens, count: int, rng: random.Random) -> Iterator[Tokens]:
    """One `?` more or less, anywhere."""
    things, gaps = split(tokens)
    for at, gap in enumerate(gaps):
        for least in (gap.least - 1, gap.least + 1):
            if least >= 0 and (not gap.more or least > gap.least):
                yield joined(things, [*gaps[:at], Gap(least, gap.more), *gaps[at + 1 :]])


def _moved(tokens: Tokens, count: int, rng: random.Random) -> Iterator[Tokens]:
    """One object moved past its neighbour."""
    for at in range(len(tokens) - 1):
        yield (*tokens[:at], tokens[at + 1], tokens[at], *tokens[at + 2 :])


PATTERN_KINDS: dict[str, Planter] = {
    "clue reversed": _pattern(ClueLine)(_reversed),
    "clue renamed": _pattern(ClueLine)(_renamed),
    "clue off by one": _pattern(ClueLine)(_off_by_one),
    "adjacent": _pattern(ClueLine, Combined)(_closed),
    "open end": _pattern(ClueLine, Combined)(_open_end),
    "swapped": _pattern(Combined)(_swapped),
    "renamed": _pattern(Combined)(_renamed),
    "moved": _pattern(Combined)(_moved),
    "off by one": _pattern(Combined)(_off_by_one),
}
