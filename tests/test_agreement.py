"""What the filter keeps, the gate keeps: two readers of the same text that share no code agree, also on odd text."""

import random
import re

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.fakes import ARITHMETIC, DATES, WORDS, attempts_of, problems
from tests.test_edit import PARAMS
from tripost import registry
from tripost.columns import flatten
from tripost.edit import apart, edit
from tripost.filter import filter_all, flaw
from tripost.layout import PAPER_LAYOUT
from tripost.records import Problem, Trajectory

ODD = ['" is incorrect. This is because ', "\u00a0", "<|x>y|>", "</s>", "\ufffd", "Feedback:", "(Final response)", '"', "]",
       "So the answer is", " = ", " < ", "(", "-", "\u202e", "\x1b[31m", ".", ":", "Q:", "1", "a"]  # fmt: skip
PIECE = re.compile(r"[A-Za-z]+|[0-9]|[^\sA-Za-z0-9]")


def with_tokens(row: Trajectory) -> Trajectory:
    turns = tuple(msgspec.structs.replace(turn, n_tokens=9) for turn in row.turns)
    return msgspec.structs.replace(row, turns=turns)


def corrupted(text: str, rng: random.Random) -> str:
    for _ in range(rng.randint(1, 3)):
        piece = rng.choice(list(PIECE.finditer(text)))
        kind = rng.randrange(4)
        new = ["", rng.choice(ODD), rng.choice(PIECE.findall(text)), piece[0] * 2][kind]
        text = text[: piece.start()] + new + text[piece.end() :]
        if rng.random() < 0.1:
            text = text[: rng.randrange(1, len(text))] + "\n(Final response) So the answer is 1."
    return text


@settings(max_examples=150, deadline=None)
@given(st.sampled_from([ARITHMETIC, DATES, WORDS]), st.integers(0, 2**32))
def test_what_passes_the_filter_has_nothing_for_the_gate(task: str, seed: int) -> None:
    rng = random.Random(seed)
    x = problems(task, 5)[seed % 5]
    row = edit(
        attempts_of(x, (corrupted(str(x.rationale), rng), None)),
        x,
        registry.task(task),
        registry.script(task),
        PARAMS,
    )
    if not isinstance(row, Trajectory):
        return
    kept, *_ = apart(filter_all([with_tokens(row)], {x.id: x}, registry.tasks([task]), 100))
    for columns in flatten(kept, {x.id: x}, [], None, layout=PAPER_LAYOUT, sample=0, seed=1):
        wrong = {name: value for name, value in columns.items() if name in NONE and value != 0}
        assert not wrong, (wrong, kept)


NONE = {"stale_fields", "leftovers", "unreadable"}


@pytest.mark.parametrize("task", [ARITHMETIC, DATES, WORDS])
def test_the_experts_own_repairs_pass_the_filter(task: str) -> None:
    """FBK must quote what its IMP takes away: of 300 attempts with a slip, every scripted edit is kept."""
    rng = random.Random(7)
    many = problems(task, 20)
    lost: list[str] = []
    edited = 0
    for k in range(300):
        x: Problem = many[k % len(many)]
        text = str(x.rationale)
        piece = rng.choice(list(PIECE.finditer(text)))
        text = text[: piece.start()] + rng.choice(["", *PIECE.findall(text)]) + text[piece.end() :]
        if k % 5 == 0:
            lines = text.split("\n")
            cut = rng.randrange(len(lines) - 1)
            lines[cut] = lines[cut][: rng.randrange(6, len(lines[cut]))]
            text = "\n".join(lines)
        row = edit(attempts_of(x, (text, None)), x, registry.task(task), registry.script(task), PARAMS)
        if isinstance(row, Trajectory):
            edited += 1
            found = flaw(with_tokens(row), x, registry.task(task), 100)
            lost += [f"{found}\n{text}\n{row.turns[0].feedback}"] if found else []
    assert edited > (40 if task == DATES else 150)  # a slip in a date's prose is mostly left unjudged
    assert len(lost) <= 3, "\n\n".join(lost)
