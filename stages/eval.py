"""eval: oracle-free self-correction of the model of iteration `t` on the validation split."""

from pathlib import Path

from tripost import registry
from tripost.evaluate import evaluate, metrics
from tripost.experts import chosen
from tripost.models.chat import load_turns
from tripost.models.decoder import TorchDecoder
from tripost.params import Params
from tripost.rollout import knows_feedback
from tripost.shell.io import load_predictions, load_problems, write_json, write_records
from tripost.shell.partial import Remembering, partial_work
from tripost.shell.progress import Progress
from tripost.shell.stage import run


def main(
    params: Params,
    problems: Path,
    model: Path,
    out: Path,
    counts: Path,
    t: str,
    previous: Path | None = None,
    partial: Path | None = None,
) -> None:
    """Write predictions and metrics. `previous`: the predictions of the iteration before, for paired tests."""
    own = knows_feedback(t, params.model)
    tasks = registry.tasks_of(params.problems)
    layout = params.layout(load_turns(model))
    knobs = (layout, params.model.decode_precision, params.eval, t, own)
    with partial_work(partial, Path(__file__), *knobs, problems, model) as work:
        validation = list(load_problems(problems / "validation.jsonl").values())
        before = load_predictions(previous) if previous else None
        decoder = TorchDecoder(str(model), params.eval.batch_size, params.model.decode_precision)
        with (
            Progress(f"eval {t}", 0, "completions") as bar,
            Remembering(decoder, work, bar) as m_theta,
        ):
            predictions = evaluate(
                m_theta,
                validation,
                tasks,
                chosen.experts(tasks, params.problems),
                params.eval,
                t,
                own_feedback=own,
                layout=layout,
                watcher=bar,
            )
        write_records(out, predictions)
        write_json(counts, metrics(predictions, before))


if __name__ == "__main__":
    run(main)
