"""Which claim of an ordering does not follow, in few words, without saying what would."""

from collections.abc import Sequence
from itertools import pairwise

from tripost.tasks.logical_deduction.arrangements import MANY, ONE, Tokens, follows
from tripost.tasks.logical_deduction.patterns import Pattern
from tripost.tasks.logical_deduction.question import Question
from tripost.tasks.logical_deduction.themes import NUMBERS


def why_not(question: Question, known: int, pattern: Pattern, by: Sequence[str]) -> str:
    """The first claim of `pattern`, in the order it is written, that does not follow from `known`.

    `by`: what has not said it, such as `(1)` and `(3)`. The claims taken one by one are as strong as the pattern.
    """
    who = f"{by[0]} does not say" if len(by) == 1 else f"{', '.join(by[:-1])} and {by[-1]} do not say"
    objects = [token for token in pattern.tokens if token >= 0]
    written = objects[::-1] if pattern.backward else objects
    for k, thing in enumerate(written):
        if thing in written[:k]:
            return f'"{question.short[thing]}" stands there twice'
    least = sum(token != MANY for token in pattern.tokens)
    if least > question.size:
        return f"that is more than {question.many}"
    if MANY not in pattern.tokens and least < question.size:
        return f"that is fewer than {question.many}"
    for a, b in pairwise(written):
        first, second = (b, a) if pattern.backward else (a, b)
        if not follows(known, question.fits((MANY, first, MANY, second, MANY))):
            return f'{who} that "{question.short[a]}" comes before "{question.short[b]}"'
    gaps = _gaps(pattern.tokens)
    for (a, b), gap in zip(pairwise(objects), gaps[1:-1], strict=True):
        if not follows(known, question.fits((MANY, a, *gap, b, MANY))):
            between = (b, a) if pattern.backward else (a, b)
            return f"{who} {_how_many(gap)} between {_both(question, between)}"
    if objects and not follows(known, question.fits((*gaps[0], objects[0], MANY))):
        return f"{who} {_how_many(gaps[0])} {_side(pattern, 'before')} {_both(question, objects[:1])}"
    if objects and not follows(known, question.fits((MANY, objects[-1], *gaps[-1]))):
        return f"{who} {_how_many(gaps[-1])} {_side(pattern, 'after')} {_both(question, objects[-1:])}"
    return f"{who} so"


def _gaps(tokens: Tokens) -> list[Tokens]:
    """What stands before, between and behind the objects."""
    gaps: list[list[int]] = [[]]
    for token in tokens:
        if token >= 0:
            gaps.append([])
        else:
            gaps[-1].append(token)
    return [tuple(gap) for gap in gaps]


def _how_many(gap: Tokens) -> str:
    if not gap:
        return "that nothing stands"
    ones = gap.count(ONE)
    word = NUMBERS[ones] if ones < len(NUMBERS) else str(ones)
    if MANY in gap:
        return f"that {word} or more stand"
    return f"that just {word} {'stands' if ones == 1 else 'stand'}"


def _side(pattern: Pattern, side: str) -> str:
    return {"before": "after", "after": "before"}[side] if pattern.backward else side


def _both(question: Question, things: Sequence[int]) -> str:
    return " and ".join(f'"{question.short[thing]}"' for thing in things)
