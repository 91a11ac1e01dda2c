"""Our side of `wide`: python -m bench.speed.wide_ours train|decode WORKLOAD"""

import sys
from pathlib import Path
from typing import Any

import msgspec

from bench.speed.side import serve
from tripost.interfaces import Sampling
from tripost.models.decoder import TorchDecoder
from tripost.models.learner import TorchLearner
from tripost.models.prefixes import Prefixes
from tripost.params import TrainParams
from tripost.records import Example


def main(what: str, workload: str) -> None:
    """One epoch over the examples, or so many tokens of each prompt, each time it is asked."""
    work = msgspec.json.decode(Path(workload).read_bytes())
    if what == "train":
        examples = msgspec.convert(work["examples"], list[Example])
        learner = TorchLearner(work["model"], TrainParams.model_validate(work["training"]))

        def train() -> dict[str, Any]:
            learner.fit(examples, 1)
            return {"units": sum(len(row["ids"]) for row in work["rows"])}

        serve(train)
        return
    decoder = TorchDecoder(work["model"], len(work["prompts"]))
    decoder.ends = frozenset()  # a model with random weights ends by chance
    sampling = Sampling(temperature=1.0, max_new_tokens=work["steps"])

    def decode() -> dict[str, Any]:
        decoder.prefixes = Prefixes()
        said = decoder.complete(work["prompts"], sampling, range(len(work["prompts"])))
        return {"units": sum(completion.n_tokens for completion in said)}

    serve(decode)


if __name__ == "__main__":
    main(*sys.argv[1:])
