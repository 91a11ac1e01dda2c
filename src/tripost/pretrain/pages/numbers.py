"""Single operations with carries and signs, chains of them, and checking both."""

import random

from tripost.pretrain.page import GIVEN, SAID, Page, Statement, checks, exercises
from tripost.tasks.multistep_arithmetic.derive import reductions, written_out
from tripost.tasks.multistep_arithmetic.expression import evaluate, in_parts, parse, write

_SIZES = (9, 9, 30, 81, 400)


def near(n: int, rng: random.Random) -> int:
    """A number that one might have got instead: a digit or the sign is off."""
    slips = [n + 1, n - 1, n + 10, n - 10, -n, n + rng.randint(2, 9), n - rng.randint(2, 9)]
    text = str(abs(n))
    if len(text) > 1:
        swapped = int(text[1] + text[0] + text[2:])
        slips.append(-swapped if n < 0 else swapped)
    wrong = rng.choice(slips)
    return wrong if wrong != n else n + 1


def operation(rng: random.Random) -> tuple[str, int]:
    """An operation as text, and its value."""
    size = rng.choice(_SIZES)
    operator = rng.choice("+-*")
    a = rng.randint(-size, size)
    b = rng.randint(-9, 9) if operator == "*" or rng.random() < 0.4 else rng.randint(-size, size)
    if operator == "*" and size == 400 and rng.random() < 0.5:
        a, b = rng.randint(-81, 81), rng.randint(-30, 30)
    if rng.random() < 0.3:
        a, b = b, a
    node = (operator, a, b)
    return write(node), evaluate(node)


def operations(rng: random.Random) -> Page:
    """`(-6 * -2) = 12`, a page of them."""
    made = [operation(rng) for _ in range(14)]
    return exercises([(f"{text} =", f" {value}") for text, value in made])


def group(length: int, rng: random.Random) -> str:
    """`(4 * 5 - 9)`, of so many terms."""
    terms = [str(rng.randint(-9, 9))]
    for _ in range(length - 1):
        terms += [rng.choice("+-*"), str(rng.randint(-9, 9))]
    return f"({' '.join(terms)})"


def _chain(text: str) -> list[str]:
    return written_out(text, parse(text))


def chains(rng: random.Random) -> Page:
    """`(4 * 5 - 9) = ((4 * 5) - 9) = (20 - 9) = 11`, a page of them."""
    page: Page = []
    for _ in range(5):
        first, *rest = _chain(group(rng.choice((2, 3, 3, 4, 5)), rng))
        page += [(f"{first} =", GIVEN), (f" {' = '.join(rest)}\n", SAID)]
    return page


def parts(rng: random.Random) -> Page:
    """`(76 * 3) is ((70 * 3) + (6 * 3))`, then the chain that it begins; a page of them."""
    page: Page = []
    while len(page) < 4 * 3:
        text, _ = operation(rng)
        node = parse(text)
        if in_parts(node) == node:
            continue
        first, second, *rest = reductions(node, node)
        page += [(f"{first} is", GIVEN), (f" {second}\n", SAID)]
        page += [(f"{first} =", GIVEN), (f" {' = '.join([second, *rest])}\n", SAID)]
    return page


def wrong_operation(rng: random.Random) -> Statement:
    """`(-54 * 2) = -108`, and with another result."""
    text, value = operation(rng)
    return Statement(f"{text} = {value}", f"{text} = {near(value, rng)}")


def wrong_chain(rng: random.Random) -> Statement:
    """A chain, and the same with a slip that is carried on, or stands only at its end."""
    text = group(rng.choice((2, 3, 3)), rng)
    right = _chain(text)
    at = rng.randrange(1, len(right))
    last = right[-1]
    if at == len(right) - 1:
        wrong = [*right[:-1], str(near(int(last), rng))]
    else:
        numbers = [k for k, piece in enumerate(right[at].split(" ")) if piece.strip("()").lstrip("-").isdigit()]
        pieces = right[at].split(" ")
        k = rng.choice(numbers)
        inner = pieces[k].strip("()")
        pieces[k] = pieces[k].replace(inner, str(near(int(inner), rng)))
        slipped = " ".join(pieces)
        wrong = [*right[:at], *_chain(slipped)]
    if len({evaluate(parse(one)) for one in wrong}) == 1:  # a slip that changes nothing, such as beside a zero
        return wrong_chain(rng)
    return Statement(" = ".join(right), " = ".join(wrong))


def operation_checks(rng: random.Random) -> Page:
    """Operations, right and wrong."""
    return checks([wrong_operation(rng) for _ in range(rng.randint(3, 8))], rng)


def chain_checks(rng: random.Random) -> Page:
    """Chains, right and wrong."""
    return checks([wrong_chain(rng) for _ in range(rng.randint(2, 5))], rng)
