"""The kinds of error that are planted in deductions.

Each planter takes a right rationale and gives it back with one line made wrong, and the wrong text in it, or None
where it does not apply. `deduction` checks that the line does not follow, over all arrangements of the objects.
"""

import random
from collections.abc import Callable, Iterator
from dataclasses import replace

from bench.planted.clues import NUMBERS, read_clue
from bench.planted.deduction_lines import ClueLine, Combined, Conclusion, Line, Total, Work, is_right
from bench.planted.rows import Gap, Tokens, follows, joined, order_of, split

Mark = tuple[Work, int, str]
"""The changed rationale, the place of the wrong line (the response comes after the last one), the wrong text."""
Planter = Callable[[Work, random.Random], Mark | None]


def _lines(work: Work, kinds: type | tuple[type, ...], rng: random.Random) -> list[tuple[int, Line]]:
    found = [(at, line) for at, line in enumerate(work.lines) if isinstance(line, kinds)]
    rng.shuffle(found)
    return found


def _pattern(*kinds: type) -> Callable[[Callable[[Tokens, int, random.Random], Iterator[Tokens]]], Planter]:
    """A planter that puts another pattern into a line of these kinds: any change of it that no longer follows."""

    def make(change: Callable[[Tokens, int, random.Random], Iterator[Tokens]]) -> Planter:
        def plant(work: Work, rng: random.Random) -> Mark | None:
            for at, line in _lines(work, kinds, rng):
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


def too_much(work: Work, rng: random.Random) -> Mark | None:
    """A true place of an object named before it follows from the lines cited."""
    order = order_of(work.puzzle.solutions(), work.puzzle.count)
    for at, line in _lines(work, Combined, rng):
        if not isinstance(line, Combined):
            continue
        changes: list[Tokens] = [order] if "??" in line.tokens else []
        changes += [
            (*line.tokens[:place], thing, *line.tokens[place + 1 :])
            for place, thing in enumerate(order)
            if len(line.tokens) == work.puzzle.count and line.tokens[place] == "?" and "??" not in line.tokens
        ]
        rng.shuffle(changes)
        for tokens in changes:
            changed = work.put(at, replace(line, tokens=tokens))
            if not is_right(changed, at):
                return changed, at, work.row.show(tokens)
    return None


def citation(work: Work, rng: random.Random) -> Mark | None:
    """Another line cited than the one that is needed."""
    for at, line in _lines(work, Combined, rng):
        if not isinstance(line, Combined):
            continue
        places = list(range(len(line.cited)))
        rng.shuffle(places)
        for place in places:
            others = [other for other in range(at) if other not in line.cited]
            others = [other for other in others if not isinstance(work.lines[other], Conclusion)]
            rng.shuffle(others)
            for other in others:
                cited = tuple(sorted({*line.cited[:place], other, *line.cited[place + 1 :]}))
                changed = work.put(at, replace(line, cited=cited))
                if not is_right(changed, at):
                    return changed, at, f"({other + 1})"
    return None


def uncited(work: Work, rng: random.Random) -> Mark | None:
    """A line that is needed no longer cited, where two others still are."""
    for at, line in _lines(work, Combined, rng):
        if not isinstance(line, Combined) or len(line.cited) < 3:
            continue
        for gone in rng.sample(line.cited, len(line.cited)):
            changed = work.put(at, replace(line, cited=tuple(cited for cited in line.cited if cited != gone)))
            if not is_right(changed, at):
                return changed, at, work.row.show(line.tokens)
    return None


def left_out(work: Work, rng: random.Random) -> Mark | None:
    """The conclusion without the last combination, which it needs."""
    orders = [at for at, line in enumerate(work.lines) if isinstance(line, Combined)]
    if not orders or not isinstance(work.lines[-1], Conclusion) or orders[-1] != len(work.lines) - 2:
        return None
    changed = replace(work, lines=(*work.lines[:-2], work.lines[-1]))
    if is_right(changed, orders[-1]):
        return None
    return changed, orders[-1], work.show_line(work.lines[-1])


def sentence(work: Work, rng: random.Random) -> Mark | None:
    """A clue told wrongly: with two objects swapped, or another object in it."""
    names = work.puzzle.names
    said = {clue.text.removesuffix(".") for clue in work.puzzle.clues}
    for at, line in _lines(work, ClueLine, rng):
        if not isinstance(line, ClueLine):
            continue
        clue = read_clue(line.sentence, names)
        other = rng.choice([name for name in names if names.index(name) not in clue.things])
        swaps = [{names[clue.things[0]]: other}]
        if len(clue.things) == 2:
            left, right = (names[thing] for thing in clue.things)
            swaps.append({left: right, right: left})
        swap = rng.choice(swaps)
        text = line.sentence
        for number, name in enumerate(swap):
            text = text.replace(name, f"\0{number}\0")
        for number, name in enumerate(swap.values()):
            text = text.replace(f"\0{number}\0", name)
        changed = read_clue(text, names)
        if text not in said and not follows(changed.mask, clue.mask):
            return work.put(at, replace(line, sentence=text)), at, text
    return None


def total(work: Work, rng: random.Random) -> Mark | None:
    """A wrong number of objects, or a wrong list of them."""
    for at, line in _lines(work, Total, rng):
        if not isinstance(line, Total):
            continue
        gone = rng.randrange(len(line.listed))
        rest = (*line.listed[:gone], *line.listed[gone + 1 :])
        near = NUMBERS.index(line.number) + rng.choice([-1, 1])
        twice = (*line.listed[:gone], rng.choice(rest), *line.listed[gone + 1 :])
        changes = [replace(line, number=NUMBERS[near]), replace(line, listed=rest), replace(line, listed=twice)]
        changes.append(Total(NUMBERS[len(rest)], rest))
        changed = work.put(at, rng.choice(changes))
        text = work.show_line(changed.lines[at])
        return changed, at, text.removeprefix("There are in total ").removesuffix(".")
    return None


def conclusion(work: Work, rng: random.Random) -> Mark | None:
    """Another object at the place that is asked for."""
    for at, line in _lines(work, Conclusion, rng):
        if isinstance(line, Conclusion):
            thing = rng.choice([other for other in range(work.puzzle.count) if other != line.thing])
            return work.put(at, replace(line, thing=thing)), at, work.puzzle.names[thing]
    return None


def _other_letter(work: Work, rng: random.Random) -> str:
    return rng.choice([letter for letter in work.puzzle.options if letter != work.letter])


def letter(work: Work, rng: random.Random) -> Mark | None:
    """The letter of another option; the sentence is still the right one."""
    other = _other_letter(work, rng)
    return replace(work, letter=other), len(work.lines), f"({other})"


def response(work: Work, rng: random.Random) -> Mark | None:
    """Another option, sentence and letter."""
    other = _other_letter(work, rng)
    text = work.puzzle.options[other] if work.sentence else ""
    return replace(work, letter=other, sentence=text), len(work.lines), text or f"({other})"


def option_sentence(work: Work, rng: random.Random) -> Mark | None:
    """The sentence of another option before the right letter."""
    text = work.puzzle.options[_other_letter(work, rng)]
    return (replace(work, sentence=text), len(work.lines), text) if work.sentence else None


KINDS: dict[str, Planter] = {
    "clue reversed": _pattern(ClueLine)(_reversed),
    "clue renamed": _pattern(ClueLine)(_renamed),
    "clue off by one": _pattern(ClueLine)(_off_by_one),
    "adjacent": _pattern(ClueLine, Combined)(_closed),
    "open end": _pattern(ClueLine, Combined)(_open_end),
    "sentence": sentence,
    "total": total,
    "citation": citation,
    "uncited": uncited,
    "left out": left_out,
    "swapped": _pattern(Combined)(_swapped),
    "renamed": _pattern(Combined)(_renamed),
    "moved": _pattern(Combined)(_moved),
    "off by one": _pattern(Combined)(_off_by_one),
    "too much": too_much,
    "conclusion": conclusion,
    "letter": letter,
    "response": response,
    "option sentence": option_sentence,
}
