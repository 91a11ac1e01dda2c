"""Shares with 95 % Wilson intervals, and exact McNemar tests of the same problems."""

from collections.abc import Iterable, Sequence

import msgspec


class Rate(msgspec.Struct, frozen=True):
    """k of n, with its 95 % Wilson interval; value and interval are None where n = 0."""

    value: float | None
    k: int
    n: int
    low: float | None
    high: float | None


def rate(flags: Iterable[bool]) -> Rate:
    """The share of true flags."""
    from scipy.stats import binomtest

    values = list(flags)
    k, n = sum(values), len(values)
    if n == 0:
        return Rate(value=None, k=0, n=0, low=None, high=None)
    interval = binomtest(k, n).proportion_ci(method="wilson")
    return Rate(value=k / n, k=k, n=n, low=float(interval.low), high=float(interval.high))


def exact(found: Rate) -> tuple[float, float]:
    """Its exact (Clopper-Pearson) 95 % interval, which holds the truth at least so often, however few there are."""
    from scipy.stats import binomtest

    if found.n == 0:
        return 0.0, 1.0
    interval = binomtest(found.k, found.n).proportion_ci(method="exact")
    return float(interval.low), float(interval.high)


class Paired(msgspec.Struct, frozen=True):
    """Exact McNemar test on the same problems: how many only the first got right, only the second, and p."""

    only_before: int
    only_after: int
    p_value: float


def paired(before: Sequence[bool], after: Sequence[bool]) -> Paired:
    """Two-sided: is one more often right than the other?"""
    from scipy.stats import binomtest

    only_before = sum(b and not a for b, a in zip(before, after, strict=True))
    only_after = sum(a and not b for b, a in zip(before, after, strict=True))
    n = only_before + only_after
    p_value = float(binomtest(only_after, n, 0.5).pvalue) if n else 1.0
    return Paired(only_before=only_before, only_after=only_after, p_value=p_value)
