"""Every seed and every finding of the fuzzer, and random bytes, through their targets, without atheris."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.fuzz.targets import CORPUS, FINDINGS, NAMES, TARGETS, dispatch, files

MAX_CALLS = 250_000
"""Of Python functions and of built-in ones, for one input; the most that a seed needs today is a third of it."""
INPUTS = [*files(CORPUS), *files(FINDINGS)]


@contextmanager
def bounded_work() -> Iterator[None]:
    """Fails where more than MAX_CALLS functions are called: a bound that does not depend on the machine."""
    calls = 0

    def count(frame: FrameType, event: str, argument: object) -> None:
        nonlocal calls
        calls += event in ("call", "c_call")

    before = sys.getprofile()
    sys.setprofile(count)
    try:
        yield
    finally:
        sys.setprofile(before)
    assert calls <= MAX_CALLS


@pytest.mark.parametrize("path", INPUTS, ids=lambda path: f"{path.parent.parent.name}/{path.parent.name}/{path.name}")
def test_seeds_and_findings_hold(path: Path) -> None:
    target = TARGETS[path.parent.name]
    target(b"")  # what a target reads once is not this input's work
    with bounded_work():
        target(path.read_bytes())


@pytest.mark.parametrize("name", NAMES)
def test_any_bytes_hold(name: str) -> None:
    @settings(max_examples=150, deadline=None)
    @given(st.binary(max_size=400))
    def run(data: bytes) -> None:
        TARGETS[name](data)

    run()


def test_the_first_byte_names_the_target_and_each_has_seeds() -> None:
    assert [dispatch(bytes([number, 7])) for number in range(len(NAMES))] == [(name, b"\x07") for name in NAMES]
    assert {path.parent.name for path in files(CORPUS)} == set(NAMES)


def test_the_corpus_stays_small() -> None:
    seeds = files(CORPUS)
    assert len(seeds) <= 5 * len(NAMES)
    assert sum(path.stat().st_size for path in seeds) <= 200_000
