"""Our side of training: python -m bench.speed.train_ours WORKLOAD"""

import sys
from pathlib import Path
from typing import Any

import msgspec

from bench.speed.side import serve
from tripost.models.learner import TorchLearner
from tripost.params import TrainParams
from tripost.records import Example


def main(workload: str) -> None:
    """One epoch over the workload's examples, each time it is asked."""
    work = msgspec.json.decode(Path(workload).read_bytes())
    examples = msgspec.convert(work["examples"], list[Example])
    learner = TorchLearner(work["model"], TrainParams.model_validate(work["training"]))

    def run() -> dict[str, Any]:
        tokens = 0

        def count(step: int, steps: int, loss: float, seen: int) -> None:
            nonlocal tokens
            tokens += seen

        losses = learner.fit(examples, 1, count).losses
        return {"units": tokens, "loss": losses[0]}

    serve(run)


if __name__ == "__main__":
    main(*sys.argv[1:])
