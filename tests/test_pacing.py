"""Limits a minute, as the endpoint counts them; and how many calls at once."""

import asyncio
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tripost.chat.money import Purse
from tripost.chat.outcomes import retry_after, seconds_of
from tripost.chat.pacing import BURST, WINDOW, Estimate, Gate, Limit, Pacer


def most_in_a_minute(sent: list[tuple[float, float]]) -> float:
    """The largest sum of amounts in any 60 s."""
    return max(sum(amount for time, amount in sent if start <= time < start + 60) for start, _ in sent)


@settings(max_examples=50)
@given(
    per_minute=st.integers(min_value=1, max_value=500),
    amounts=st.lists(st.floats(min_value=0.1, max_value=3), min_size=1, max_size=150),
    late=st.floats(min_value=0, max_value=0.7),
    seed=st.integers(),
)
def test_no_minute_holds_more_than_the_limit_whenever_calls_arrive(
    per_minute: int, amounts: list[float], late: float, seed: int
) -> None:
    limit, now, sent, rng = Limit(per_minute), 0.0, [], random.Random(seed)
    for amount in amounts:
        amount = min(amount, limit.room)
        while (wait := limit.wait(now, amount)) > 0:
            now += wait
        limit.take(now, amount)
        sent.append((now + rng.uniform(0, late), amount))
    assert most_in_a_minute(sent) <= per_minute + 1e-6 or len(sent) == 1


def test_the_limit_is_used_and_spread() -> None:
    limit, now, sent = Limit(600), 0.0, []
    while now < 300:
        wait = limit.wait(now, 1)
        if wait > 0:
            now += wait
            continue
        limit.take(now, 1)
        sent.append(now)
    assert len(sent) / 300 * 60 >= 0.96 * 600
    first = sum(time < 1 for time in sent)
    assert first <= (1 + BURST) * 10 + 1


def test_what_was_reserved_too_much_is_given_back() -> None:
    limit = Limit(6000)
    entry = limit.take(0.0, limit.room)
    assert limit.wait(1.0, 100) > 50
    limit.settle(entry, 10)
    assert limit.wait(1.0, 100) == 0


def test_more_than_a_minutes_worth_goes_alone() -> None:
    limit = Limit(100)
    assert limit.wait(0.0, 1000) == 0
    limit.take(0.0, 1000)
    assert limit.wait(1.0, 1) > WINDOW - 2


def test_a_limit_that_the_endpoint_names_counts_if_it_is_lower() -> None:
    pacer = Pacer(1000, None, lambda: 0.0)
    pacer.learn_limits(2000, 50_000)
    assert pacer.requests is not None
    assert pacer.tokens is not None
    assert pacer.requests.room > 900
    pacer.learn_limits(100, None)
    assert pacer.requests.room < 100


def test_estimates_learn_what_calls_take() -> None:
    estimate = Estimate()
    assert estimate.completion(700) == 700
    for _ in range(50):
        estimate.learn(4000, 1000, 60)
    assert estimate.prompt(4000) == pytest.approx(1000, rel=0.01)
    assert 60 <= estimate.completion(700) <= 75


def test_the_gate_halves_when_the_endpoint_chokes_and_grows_again() -> None:
    now = 0.0
    gate = Gate(64, lambda: now)
    for _ in range(100):
        gate.went_well()
    assert gate.limit == 64
    for _ in range(20):
        gate.was_too_much()
    assert gate.limit == 32
    now = 2.0
    gate.was_too_much()
    assert gate.limit == 16
    for _ in range(16):
        gate.went_well()
    assert 16.5 < gate.limit < 17.5


def test_an_accident_now_and_then_is_no_choking() -> None:
    gate = Gate(64, lambda: 0.0)
    for _ in range(100):
        for _ in range(15):
            gate.went_well()
        gate.was_too_much()
    assert gate.limit == 64


def test_the_gate_lets_in_as_many_as_fit_in_their_order() -> None:
    async def main() -> None:
        gate = Gate(2, asyncio.get_running_loop().time)
        inside: list[int] = []

        async def call(k: int) -> None:
            await gate.enter()
            inside.append(k)

        tasks = [asyncio.create_task(call(k)) for k in range(5)]
        await asyncio.sleep(0)
        assert inside == [0, 1]
        tasks[2].cancel()
        await asyncio.sleep(0)
        gate.leave()
        await asyncio.sleep(0)
        assert inside == [0, 1, 3]
        gate.leave()
        await asyncio.sleep(0)
        assert inside == [0, 1, 3, 4]
        assert gate.inside == 2

    asyncio.run(main())


@given(st.lists(st.tuples(st.floats(0, 2), st.floats(0, 1)), max_size=60))
def test_the_purse_is_never_overdrawn(calls: list[tuple[float, float]]) -> None:
    logged = 1.0

    def so_far() -> float:
        return logged

    purse = Purse(10.0, so_far)
    open_calls: list[tuple[float, float]] = []
    for dearest, share in calls:
        if purse.reserve(dearest):
            open_calls.append((dearest, share * dearest))
        if len(open_calls) > 3:
            logged += open_calls[0][1]
            purse.settle(*open_calls.pop(0))
        assert purse.spent + purse.reserved <= 10.0 + 1e-9
    while open_calls:
        logged += open_calls[-1][1]
        purse.settle(*open_calls.pop())
    assert purse.reserved == pytest.approx(0)
    assert purse.spent == pytest.approx(1.0 + purse.paid)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("6m0s", 360), ("350ms", 0.35), ("1s", 1), ("1h2m3.5s", 3723.5), ("12", 12), ("0", 0)]
    + [(odd, None) for odd in ("", "s", "soon", "1.2.3", "5x", "1s2", "-1", ".")],
)
def test_times_in_headers(text: str, seconds: float | None) -> None:
    assert seconds_of(text) == (None if seconds is None else pytest.approx(seconds))


@given(st.text(max_size=60))
def test_no_header_breaks_the_reader(text: str) -> None:
    assert (seconds_of(text) or 0) >= 0
    assert (retry_after({"retry-after": text}) or 0) >= 0
