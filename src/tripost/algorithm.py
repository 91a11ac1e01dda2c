"""TriPosT on one page, in memory, in the paper's words ("Teaching Language Models to Self-Improve through
Interactive Demonstrations", Yu et al., NAACL 2024, arXiv 2310.13522; section 3). <- start reading here

The pipeline of `dvc.yaml` makes the same five calls with files between them and a gate after the third; a test
holds that both give the same records. (The pipeline's edit also judges probes, which measure the expert and change
no trajectory: `probes.py`.) `docs/paper.md` maps each symbol of the paper to a name and a file.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TypeVar

import msgspec

from tripost.edit import apart, edit_all, wrong_share
from tripost.filter import filter_all
from tripost.interfaces import Decoder, Expert, Task
from tripost.layout import ChatTurns
from tripost.params import Params
from tripost.rebalance import rebalance
from tripost.records import Dropped, Example, Problem, Trajectory
from tripost.rollout import knows_feedback, rollout

M = TypeVar("M")
"""A model; what it is, `decode` and `learn` agree on (the pipeline's are folders)."""


class Iteration(msgspec.Struct):
    """The records of one iteration."""

    t: str
    attempts: list[Trajectory]
    kept: list[Trajectory]
    dropped: list[Dropped]
    examples: list[Example]


def tripost(
    m_0: M,
    problems: Sequence[Problem],
    tasks: Mapping[str, Task],
    experts: Mapping[str, Expert],
    params: Params,
    context: int,
    decode: Callable[[M], Decoder],
    learn: Callable[[M, list[Example], str], M],
    chat: ChatTurns | None = None,
) -> Iterator[tuple[Iteration, M]]:
    """Teach M_theta to correct itself: one pair of records and model for each iteration t."""
    models = {"t0": m_0}
    by_id = {x.id: x for x in problems}
    layout = params.layout(chat)
    pools: dict[str, list[Trajectory]] = {"t0": []}
    for t, iteration in params.iterations.items():
        m_theta = decode(models[iteration.prev])
        seed = params.seed

        # 1. Rollout: M_theta tries, in its own words; M_0 knows no feedback yet, unless its base does.
        own = knows_feedback(iteration.prev, params.model)
        attempts = rollout(m_theta, problems, params.rollout, t, seed=seed, own_feedback=own, layout=layout)

        # 2. Edit: FBK and IMP take over at its first mistake.
        found = edit_all(attempts, by_id, tasks, experts, params.edit, m_theta.count_tokens, layout)
        edited, lost, _ = apart(found)

        # 3. Filter: keep what ends correct, say why the rest goes.
        kept, dropped, _ = apart(filter_all(edited, by_id, tasks, context))

        # 4. Rebalance: turn pairs, a share p of them improvements, with weights.
        older = pools[iteration.prev] if params.rebalance.replay == "all" else []
        pools[t] = older + kept
        wrong = wrong_share(edited, lost, by_id, tasks)
        balanced = rebalance(pools[t], by_id, params.rebalance, wrong, f"{seed} {t}", layout)
        examples, unused = list(balanced.examples()), list(balanced.dropped())

        # 5. Train: weighted supervised learning, a new model.
        models[t] = learn(models[iteration.prev], examples, t)
        yield Iteration(t, attempts, kept, lost + dropped + unused, examples), models[t]
