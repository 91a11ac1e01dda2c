"""Other right ways to tell an arithmetic rationale.

Each rewrite gives back another rationale of the same values, or None where it does not apply.
"""

import random
from collections.abc import Callable
from dataclasses import replace

from bench.planted.derivation import Work
from bench.planted.expression import (
    Leaf,
    Pair,
    at_path,
    grouped,
    is_number,
    join,
    parse,
    paths,
    plain,
    put,
    ready,
    reduced,
    show,
    tokens,
    value_of,
)

LETTERS = ("PQRS", "WXYZ", "ABCD", "KLMN", "EFGH", "STUV")


def reorder(work: Work, rng: random.Random) -> Work | None:
    """The letters calculated in another order."""
    order = list(range(1, len(work.rows) - 2))
    if len(order) < 2:
        return None
    first = list(order)
    while order == first:
        rng.shuffle(order)
    rows = (work.rows[0], *(work.rows[row] for row in order), *work.rows[-2:])
    return replace(work, order=tuple(work.order[row - 1] for row in order), rows=rows)


def skip(work: Work, rng: random.Random) -> Work | None:
    """Intermediate expressions of one chain left out; the final equation keeps its substituted form."""
    last = len(work.rows) - 2
    long = [row for row in range(1, last + 1) if len(work.rows[row]) > (3 if row == last else 2)]
    if not long:
        return None
    row = rng.choice(long)
    line = work.rows[row]
    middle = list(range(2 if row == last else 1, len(line) - 1))
    gone = set(rng.sample(middle, rng.randint(1, len(middle))))
    return work.put_row(row, tuple(text for at, text in enumerate(line) if at not in gone))


def _variants(text: str) -> list[str]:
    """Texts of the same value that a careful reckoner might write next to this one."""
    parts = tokens(text)
    found = []
    for at in range(1, len(parts)):
        op, number = parts[at - 1], parts[at]
        if is_number(number) and number.startswith("-") and op in ("+", "-"):
            turned = "+" if op == "-" else "-"
            found.append(join([*parts[: at - 1], turned, number[1:], *parts[at + 1 :]]))
    expr = grouped(parse(text))
    for path in paths(expr):
        node = at_path(expr, path)
        if isinstance(node, Pair) and node.op != "-":
            found.append(show(put(expr, path, replace(node, left=node.right, right=node.left))))
    return [other for other in found if value_of(other) == value_of(text)]


def extra(work: Work, rng: random.Random) -> Work | None:
    """One more expression in a chain: a double sign made one, or the two sides of + or * exchanged."""
    places = []
    for row in range(1, len(work.rows) - 1):
        for index, text in enumerate(work.rows[row][:-1]):
            if not any(part.isalpha() for part in tokens(text)):
                places += [(row, index, other) for other in _variants(text) if other not in work.rows[row]]
    if not places:
        return None
    row, index, other = rng.choice(places)
    line = work.rows[row]
    return work.put_row(row, (*line[: index + 1], other, *line[index + 1 :]))


def other_order(work: Work, rng: random.Random) -> Work | None:
    """The operations of one chain carried out in another order."""
    rows = list(range(1, len(work.rows) - 1))
    rng.shuffle(rows)
    for row in rows:
        line = work.rows[row]
        kept = line[: 2 if row == len(work.rows) - 2 else 1]
        expr = grouped(parse(kept[-1]))
        found = [*kept] if show(expr) in kept else [*kept, show(expr)]
        while isinstance(expr, Pair):
            expr = reduced(expr, rng.choice(ready(expr)))
            found.append(show(expr))
        if len(kept) < len(line) and tuple(found) != line:
            return work.put_row(row, tuple(found))
    return None


def _places(work: Work, rng: random.Random) -> list[tuple[int, int]]:
    """Every expression that is more than a number: the shape, the definitions and those in chains."""
    rows = enumerate(work.rows[:-1])
    found = [(row, index) for row, line in rows for index, text in enumerate(line) if not is_number(text)]
    rng.shuffle(found)
    return found


def add_parens(work: Work, rng: random.Random) -> Work | None:
    """Parentheses around an operation or a negative number that had none."""
    for row, index in _places(work, rng):
        expr = parse(work.rows[row][index])
        bare = []
        for path in paths(expr):
            node = at_path(expr, path)
            if path and not node.parens and (isinstance(node, Pair) or node.text.startswith("-")):
                bare.append(path)
        if bare:
            path = rng.choice(bare)
            return work.put(row, index, show(put(expr, path, replace(at_path(expr, path), parens=1))))
    return None


def drop_parens(work: Work, rng: random.Random) -> Work | None:
    """A pair of parentheses left out that the order of operations does without."""
    for row, index in _places(work, rng):
        expr = parse(work.rows[row][index])
        inside = [path for path in paths(expr) if at_path(expr, path).parens]
        rng.shuffle(inside)
        for path in inside:
            node = at_path(expr, path)
            text = show(put(expr, path, replace(node, parens=node.parens - 1)))
            # The same tree, not just the same value: a value may agree by chance where the reading does not.
            if plain(parse(text)) == plain(expr):
                return work.put(row, index, text)
    return None


def rename(work: Work, rng: random.Random) -> Work | None:
    """Other letters."""
    choices = [letters[: len(work.names)] for letters in LETTERS if len(letters) >= len(work.names)]
    choices = [letters for letters in choices if not set(letters) & set(work.names)]
    if not choices:
        return None
    new = dict(zip(work.names, rng.choice(choices), strict=True))
    rows = []
    for line in work.rows:
        rows.append(tuple(_renamed(text, new) for text in line))
    return Work(tuple(new.values()), tuple(new[name] for name in work.order), tuple(rows))


def _renamed(text: str, new: dict[str, str]) -> str:
    expr = parse(text)
    for path in paths(expr):
        node = at_path(expr, path)
        if isinstance(node, Leaf) and node.text in new:
            expr = put(expr, path, replace(node, text=new[node.text]))
    return show(expr)


Rewrite = Callable[[Work, random.Random], Work | None]
REWRITES: dict[str, Rewrite] = {
    "reorder": reorder,
    "skip": skip,
    "extra": extra,
    "other order": other_order,
    "add parens": add_parens,
    "drop parens": drop_parens,
    "rename": rename,
}
