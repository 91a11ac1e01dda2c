"""Our side of the rollout: python -m bench.speed.decode_ours WORKLOAD BATCH"""

import hashlib
import sys
from pathlib import Path
from typing import Any

import msgspec

from bench.speed.side import serve
from tripost.interfaces import Sampling
from tripost.models.decoder import TorchDecoder
from tripost.models.prefixes import Prefixes


def main(workload: str, batch: str) -> None:
    """Greedy completions of the workload's prompts."""
    work = msgspec.json.decode(Path(workload).read_bytes())
    decoder = TorchDecoder(work["model"], int(batch))
    limits = Sampling(temperature=0.0, max_new_tokens=work["max_new_tokens"], stops=())

    def run() -> dict[str, Any]:
        decoder.prefixes = Prefixes()  # a first attempt has nothing to go on from
        said = decoder.complete(work["prompts"], limits, [0] * len(work["prompts"]))
        texts = [completion.text for completion in said]
        digests = [hashlib.sha256(text.encode()).hexdigest()[:16] for text in texts]
        return {"units": sum(completion.n_tokens for completion in said), "texts": digests}

    serve(run)


if __name__ == "__main__":
    main(*sys.argv[1:])
