"""The kinds of error that are planted in deductions.

Each planter takes a right rationale and gives it back with one line made wrong, and the wrong text in it, or None
where it does not apply. `deduction` checks that the line does not follow, over all arrangements of the objects.
"""

import random
from dataclasses import replace

from bench.planted.clues import NUMBERS, read_clue
from bench.planted.deduction_lines import ClueLine, Combined, Conclusion, Total, Work, is_right
from bench.planted.pattern_errors import PATTERN_KINDS, Mark, Planter, lines_of
from bench.planted.rows import Tokens, follows, order_of


def too_much(work: Work, rng: random.Random) -> Mark | None:
    """A true place of an object named before it follows from the lines cited."""
    order = order_of(work.puzzle.solutions(), work.puzzle.count)
    for at, line in lines_of(work, Combined, rng):
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
    for at, line in lines_of(work, Combined, rng):
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
    for at, line in lines_of(work, Combined, rng):
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
    for at, line in lines_of(work, ClueLine, rng):
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
    for at, line in lines_of(work, Total, rng):
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
    for at, line in lines_of(work, Conclusion, rng):
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
    **PATTERN_KINDS,
    "sentence": sentence,
    "total": total,
    "citation": citation,
    "uncited": uncited,
    "left out": left_out,
    "too much": too_much,
    "conclusion": conclusion,
    "letter": letter,
    "response": response,
    "option sentence": option_sentence,
}
