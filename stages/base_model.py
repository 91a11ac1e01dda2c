"""base_model: the model that is taught: the embedded one, any other (a folder, a Hugging Face name), or a new one."""

from pathlib import Path

from tripost import phrases, registry
from tripost.experts import chosen
from tripost.models.base import copy_base, embedded_base, scratch_base
from tripost.models.learner import TorchLearner
from tripost.params import Params
from tripost.shell.partial import partial_work
from tripost.shell.stage import run
from tripost.shell.training import fit

DOCUMENTS = 400


def main(params: Params, out: Path, embedded: Path, partial: Path | None = None) -> None:
    """Write the base's weights (safetensors), config and tokenizer to the folder `out`."""
    base = params.model.scratch
    if params.model.base == "embedded":
        embedded_base(embedded, out)
        return
    if params.model.base != "scratch":
        copy_base(params.model.base, out, chat=params.model.format == "chat_template")
        return
    tasks = registry.tasks_of(params.problems)
    experts = chosen.experts(tasks, params.problems, params.llms)
    difficulties = {name: params.problems[name].seen for name in tasks}
    texts = list(phrases.documents(tasks, experts, difficulties, DOCUMENTS, params.seed))
    pages = phrases.drills(tasks, base.drill_pages, params.seed) if base.drill else []
    if base.drill is None or not pages:
        scratch_base(texts, base, params.seed, out)
        return
    with partial_work(partial, Path(__file__), params.seed, base, texts, pages) as work:
        scratch_base(texts, base, params.seed, work / "undrilled")
        learner = TorchLearner(str(work / "undrilled"), base.drill)
        fit(learner, pages, f"{params.seed} base", "drill", work)
        learner.save(out)


if __name__ == "__main__":
    run(main)
