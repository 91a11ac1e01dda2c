"""train: weighted supervised learning from the model of iteration `prev`: the model of iteration `t`."""

from pathlib import Path

from tripost.models.learner import TorchLearner
from tripost.params import Params
from tripost.records import Example
from tripost.shell.guards import require_rebalanced
from tripost.shell.io import read_records
from tripost.shell.partial import partial_work
from tripost.shell.stage import run
from tripost.shell.training import fit_and_save


def main(
    params: Params,
    model: Path,
    examples: Path,
    meta: Path,
    report: Path,
    out: Path,
    loss: Path,
    counts: Path,
    t: str,
    partial: Path | None = None,
) -> None:
    """Write M_t to the folder `out`, its loss curve (CSV) and what training came to."""
    with partial_work(partial, Path(__file__), params.seed, params.train, t, model, examples) as work:
        require_rebalanced(examples, meta, report, params)
        rows = list(read_records(examples, Example))
        learner = TorchLearner(str(model), params.train)
        fit_and_save(learner, rows, f"{params.seed} {t}", f"train {t}", work, out, loss, counts)


if __name__ == "__main__":
    run(main)
