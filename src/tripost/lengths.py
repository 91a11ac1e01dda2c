"""How many tokens a trajectory's training texts take, stored with each turn at rollout and again at edit."""

from collections.abc import Callable, Mapping, Sequence

import msgspec

from tripost.layout import Layout
from tripost.prompts import pair_segments
from tripost.records import Problem, Trajectory


def with_token_counts(
    rows: Sequence[Trajectory],
    problems: Mapping[str, Problem],
    count_tokens: Callable[[Sequence[str]], list[int]],
    layout: Layout,
) -> list[Trajectory]:
    """The rows with `Turn.n_tokens`: tokens of the longest training text that ends in the turn."""
    texts: list[str] = []
    owners: list[tuple[int, int]] = []
    for r, row in enumerate(rows):
        question = problems[row.problem_id].question
        for i in range(len(row.turns)):
            ends = [pair_segments(question, row.turns, i, layout, with_update=False)]
            if i > 0:
                ends.append(pair_segments(question, row.turns, i - 1, layout, with_update=True))
            for segments in ends:
                texts.append("".join(text for _, text in segments))
                owners.append((r, i))
    longest: dict[tuple[int, int], int] = {}
    for owner, n in zip(owners, count_tokens(texts), strict=True):
        longest[owner] = max(n, longest.get(owner, 0))
    return [
        msgspec.structs.replace(
            row,
            turns=tuple(msgspec.structs.replace(turn, n_tokens=longest[r, i]) for i, turn in enumerate(row.turns)),
        )
        for r, row in enumerate(rows)
    ]
