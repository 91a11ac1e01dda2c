"""warmup: M_0, the base fine-tuned on the training problems' reference rationales, or the base as it is."""

from pathlib import Path

from tripost.examples import rationale_examples
from tripost.layout import Layout
from tripost.models.chat import load_turns
from tripost.models.folder import copy_folder
from tripost.models.learner import TorchLearner
from tripost.params import Params
from tripost.shell.guards import pool_meta_of
from tripost.shell.io import load_problems, write_json, write_records
from tripost.shell.partial import partial_work
from tripost.shell.stage import run
from tripost.shell.training import fit_and_save, nothing_learned


def main(
    params: Params,
    model: Path,
    problems: Path,
    out: Path,
    loss: Path,
    counts: Path,
    pool: Path,
    pool_meta: Path,
    partial: Path | None = None,
) -> None:
    """Write M_0 to the folder `out`, its loss curve (CSV), what training came to, and the empty `pool` of t0."""
    with partial_work(partial, Path(__file__), params.seed, params.warmup, model, problems) as work:
        if params.warmup == "none":
            copy_folder(model, out)
            nothing_learned(loss, counts)
        else:
            layout = Layout(chat=load_turns(model))
            examples = rationale_examples(load_problems(problems / "train.jsonl").values(), layout)
            learner = TorchLearner(str(model), params.warmup)
            fit_and_save(learner, examples, f"{params.seed} t0", "warmup", work, out, loss, counts)
        write_records(pool, [])
        write_json(pool_meta, pool_meta_of(pool))


if __name__ == "__main__":
    run(main)
