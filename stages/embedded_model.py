"""embedded_model: the base that stands in for a pretrained model, trained anew. Frozen in dvc.yaml; `make embedded`.

It takes hours, goes on from its last checkpoint in the folder `work`, and writes `out` only at its end.
"""

from pathlib import Path

from tripost.params import Params
from tripost.pretrain.formats import formats
from tripost.pretrain.loop import train
from tripost.pretrain.recipe import EMBEDDED
from tripost.pretrain.release import begin, release
from tripost.pretrain.vocabulary import embedded_tokenizer
from tripost.shell.stage import run


def main(params: Params, out: Path, work: Path) -> None:
    """Write weights, config, tokenizer, the recipe and the digests of what was read to the folder `out`."""
    tokenizer = work / "tokenizer"
    read = begin(work, formats())
    if not tokenizer.exists():
        embedded_tokenizer(EMBEDDED.context).save_pretrained(tokenizer)
    release(train(EMBEDDED, tokenizer, work), EMBEDDED, read, out)


if __name__ == "__main__":
    run(main)
