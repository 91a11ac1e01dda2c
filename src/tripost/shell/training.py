"""Training with a progress line, and what it leaves behind: the model, its loss curve, its counts."""

import sys
from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path

from tripost.errors import DataError
from tripost.interfaces import Learned, Learner
from tripost.records import Example
from tripost.shell.io import write_json, write_text
from tripost.shell.progress import Progress


def training_seed(name: str) -> int:
    """The seed of a training run, from the pipeline's seed and the iteration's name."""
    return int(sha256(name.encode()).hexdigest()[:8], 16)


def fit(learner: Learner, examples: Sequence[Example], seed: str, what: str, partial: Path) -> Learned:
    """Fit the learner on the examples and show it. Raises DataError where there is nothing to learn.

    `partial`: where checkpoints stand, those of a run that was interrupted, too.
    """
    if not examples:
        raise DataError(
            f"{what}: no examples to train on; ask for more problems.*.train, for rationales, or for warmup: none"
        )
    with Progress(what, 0, "steps") as bar:

        def on_step(step: int, steps: int, value: float, tokens: int) -> None:
            if not bar.total and step > 1:
                sys.stderr.write(f"{what}: goes on at step {step} of {steps}\n")
                bar.skip(step - 1)
            bar.total = steps
            bar.advance(1, tokens, f"loss {value:.3f}")

        learned = learner.fit(examples, training_seed(seed), on_step, partial)
    if not learned.steps:
        raise DataError(f"{what}: no example has a token that weighs more than 0; see rebalance.weights")
    return learned


def nothing_learned(loss: Path, counts: Path) -> None:
    """What stands beside a model that was not trained: no step in the loss curve, and counts that say so."""
    write_text(loss, "step,loss\n")
    write_json(counts, {"examples": {}, "steps": 0, "target_tokens": 0})


def fit_and_save(
    learner: Learner,
    examples: Sequence[Example],
    seed: str,
    what: str,
    partial: Path,
    out: Path,
    loss: Path,
    counts: Path,
) -> None:
    """Fit the learner on the examples and write everything. Raises DataError where there is nothing to learn."""
    learned = fit(learner, examples, seed, what, partial)
    by_kind: dict[str, int] = {}
    for example in examples:
        by_kind[example.kind] = by_kind.get(example.kind, 0) + 1
    last = learned.losses[-20:]
    found = {
        "examples": by_kind,
        "steps": learned.steps,
        "target_tokens": learned.target_tokens,
        "loss_first": learned.losses[0],
        "loss_last": sum(last) / len(last),
    }
    learner.save(out)
    write_text(loss, "step,loss\n" + "".join(f"{k},{v:.6f}\n" for k, v in enumerate(learned.losses, start=1)))
    write_json(counts, found)
