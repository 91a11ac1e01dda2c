"""base_model: the model that is taught, from scratch or copied from a local folder or a Hugging Face name."""

from pathlib import Path

from tripost import phrases, registry
from tripost.models.base import copy_base, scratch_base
from tripost.params import Params
from tripost.shell.stage import run

DOCUMENTS = 400


def main(params: Params, out: Path) -> None:
    """Write the base's weights (safetensors), config and tokenizer to the folder `out`."""
    if params.base_model.source != "scratch":
        copy_base(params.base_model.source, out)
        return
    names = sorted(params.problems)
    difficulties = {name: params.problems[name].seen for name in names}
    texts = phrases.documents(registry.tasks(names), registry.scripts(names), difficulties, DOCUMENTS, params.seed)
    scratch_base(texts, params.base_model, params.seed, out)


if __name__ == "__main__":
    run(main)
