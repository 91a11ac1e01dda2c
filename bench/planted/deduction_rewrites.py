"""Other right ways to tell a deduction, or None where one does not apply."""

import random
from collections.abc import Callable, Sequence
from dataclasses import replace

from bench.planted.deduction_lines import ClueLine, Combined, Conclusion, Line, Total, Work
from bench.planted.rows import Gap, Tokens, described, fitting, follows, joined, order_of, split


def rearranged(work: Work, order: Sequence[int]) -> Work:
    """The same lines in another order, cited by their new numbers."""
    new = {old: at for at, old in enumerate(order)}
    lines = []
    for old in order:
        line = work.lines[old]
        if isinstance(line, Combined):
            line = replace(line, cited=tuple(sorted(new[cited] for cited in line.cited)))
        lines.append(line)
    return replace(work, lines=tuple(lines))


def inserted(work: Work, at: int, line: Line) -> Work:
    """With one more line, which is cited by none."""
    lines = [
        replace(other, cited=tuple(cited + (cited >= at) for cited in other.cited))
        if isinstance(other, Combined)
        else other
        for other in work.lines
    ]
    return replace(work, lines=(*lines[:at], line, *lines[at:]))


def _premises(work: Work) -> list[int]:
    return [at for at, line in enumerate(work.lines) if isinstance(line, ClueLine | Total)]


def _combined(work: Work) -> list[int]:
    return [at for at, line in enumerate(work.lines) if isinstance(line, Combined)]


def _total(work: Work) -> int:
    return next(at for at, line in enumerate(work.lines) if isinstance(line, Total))


def clues(work: Work, rng: random.Random) -> Work | None:
    """The clues, and how many objects there are, in another order."""
    order = list(range(len(work.lines)))
    places = _premises(work)
    if places != list(range(len(places))):
        return None
    mixed = rng.sample(places, len(places))
    return rearranged(work, [*mixed, *order[len(places) :]])


def total_first(work: Work, rng: random.Random) -> Work | None:
    """How many objects there are said at the beginning."""
    at = _total(work)
    return rearranged(work, [at, *(other for other in range(len(work.lines)) if other != at)])


def listed(work: Work, rng: random.Random) -> Work | None:
    """The objects listed in another order."""
    at = _total(work)
    line = work.lines[at]
    if not isinstance(line, Total):
        return None
    return work.put(at, replace(line, listed=tuple(rng.sample(line.listed, len(line.listed)))))


def more_cited(work: Work, rng: random.Random) -> Work | None:
    """One more line cited, needed or not."""
    at = rng.choice(_combined(work) or [0])
    line = work.lines[at]
    others = [other for other in range(at) if not isinstance(line, Combined) or other not in line.cited]
    if not isinstance(line, Combined) or not others:
        return None
    return work.put(at, replace(line, cited=tuple(sorted([*line.cited, rng.choice(others)]))))


def cited_order(work: Work, rng: random.Random) -> Work | None:
    """The lines cited in another order."""
    at = rng.choice(_combined(work) or [0])
    line = work.lines[at]
    return work.put(at, replace(line, cited=line.cited[::-1])) if isinstance(line, Combined) else None


def weaker_tokens(tokens: Tokens, rng: random.Random) -> Tokens:
    """A pattern that allows more: an object unnamed, or a number of objects left open."""
    things, gaps = split(tokens)
    if len(things) > 2 and rng.random() < 0.5:
        at = rng.randrange(len(things))
        gap = Gap(gaps[at].least + gaps[at + 1].least + 1, gaps[at].more or gaps[at + 1].more)
        things, gaps = [*things[:at], *things[at + 1 :]], [*gaps[:at], gap, *gaps[at + 2 :]]
    at = rng.randrange(len(gaps))
    return joined(things, [*gaps[:at], Gap(rng.choice([0, gaps[at].least]), True), *gaps[at + 1 :]])


def weaker_between(work: Work, rng: random.Random) -> Work | None:
    """A weaker ordering said first, from the same lines."""
    at = rng.choice(_combined(work) or [0])
    line = work.lines[at]
    if not isinstance(line, Combined):
        return None
    return inserted(work, at, replace(line, tokens=weaker_tokens(line.tokens, rng)))


def weaker(work: Work, rng: random.Random) -> Work | None:
    """A weaker ordering on the way; the last one then cites all clues, and how many objects there are."""
    *before, last = _combined(work) or [0]
    line, final = (work.lines[before[-1]], work.lines[last]) if before else (None, None)
    if not isinstance(line, Combined) or not isinstance(final, Combined):
        return None
    cited = tuple(sorted({*final.cited, *_premises(work)}))
    changed = work.put(before[-1], replace(line, tokens=weaker_tokens(line.tokens, rng)))
    return changed.put(last, replace(final, cited=cited))


def at_once(work: Work, rng: random.Random) -> Work | None:
    """The whole order from all clues at once."""
    order = order_of(work.puzzle.solutions(), work.puzzle.count)
    premises = [work.lines[at] for at in _premises(work)]
    tail = [line for line in work.lines if isinstance(line, Conclusion)]
    line = Combined(tuple(range(len(premises))), order)
    return replace(work, lines=(*premises, line, *tail))


def other_way(work: Work, rng: random.Random) -> Work | None:
    """The clues combined one after another in another order, each time with how many objects there are."""
    premises = [work.lines[at] for at in _premises(work)]
    lines: list[Line] = list(premises)
    size = next(at for at, line in enumerate(lines) if isinstance(line, Total))
    steps = [at for at, line in enumerate(lines) if isinstance(line, ClueLine)]
    rng.shuffle(steps)
    tail = [line for line in work.lines if isinstance(line, Conclusion)]
    order = order_of(work.puzzle.solutions(), work.puzzle.count)
    before = steps[0]
    for step in steps[1:]:
        cited = tuple(sorted({before, step, size}))
        mask = replace(work, lines=tuple(lines)).premises(cited)
        things = {thing for at in cited for thing in _named(lines[at])}
        tokens = described(mask, work.puzzle.count, things)
        if tokens is None or fitting(tokens, work.puzzle.count).all():
            continue
        lines.append(Combined(cited, tokens))
        before = len(lines) - 1
    found = replace(work, lines=tuple(lines))
    if not follows(fitting(order, work.puzzle.count), found.mask(before)):
        lines.append(Combined(tuple(range(len(lines))), order))
    return replace(work, lines=(*lines, *tail))


def _named(line: Line) -> list[int]:
    return [token for token in line.tokens if isinstance(token, int)] if isinstance(line, ClueLine | Combined) else []


def short_response(work: Work, rng: random.Random) -> Work | None:
    """The response with its sentence, or without."""
    return replace(work, sentence="" if work.sentence else work.puzzle.options[work.letter])


Rewrite = Callable[[Work, random.Random], Work | None]
REWRITES: dict[str, Rewrite] = {
    "clues": clues,
    "total first": total_first,
    "listed": listed,
    "more cited": more_cited,
    "cited order": cited_order,
    "weaker between": weaker_between,
    "weaker": weaker,
    "at once": at_once,
    "other way": other_way,
    "short response": short_response,
}
