"""How the embedded base is trained: every number of it, and the learning rate at each step."""

import msgspec


class Recipe(msgspec.Struct, frozen=True):
    """`tokens`: of one process and step; `rate` falls linearly to nothing over the last `decay` steps of `steps`."""

    layers: int = 6
    width: int = 128
    head: int = 64
    intermediate: int = 320
    context: int = 1536
    theta: float = 10_000.0
    steps: int = 1_000
    decay: int = 300
    warmup: int = 100
    rate: float = 3e-3
    weight_decay: float = 0.05
    tokens: int = 2_048
    processes: int = 2
    seed: int = 1
    compiled: bool = True


EMBEDDED = Recipe(layers=8, head=32, tokens=2_048, steps=14_800, decay=14_800)
"""The one that is shipped; docs/embedded-model.md says how it was chosen."""


def rate_at(step: int, recipe: Recipe) -> float:
    """The learning rate of a step, from 0: linear up, flat, linear down."""
    up = (step + 1) / recipe.warmup
    down = (recipe.steps - step) / max(1, recipe.decay)
    return recipe.rate * min(1.0, up, down)
