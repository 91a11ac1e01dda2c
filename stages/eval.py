"""eval: oracle-free self-correction of the model of iteration `t` on the validation split."""

from pathlib import Path

from tripost import registry
from tripost.evaluate import evaluate, metrics
from tripost.experts import chosen
from tripost.models.chat import load_turns
from tripost.params import Params
from tripost.rollout import knows_feedback
from tripost.shell.asking import asker_of, with_calls
from tripost.shell.decoding import decoder_of
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
    how = (params.model.backend, params.model.decode_precision)
    knobs = (layout, how, params.eval, t, own)
    with partial_work(partial, Path(__file__), *knobs, problems, model) as work:
        validation = list(load_problems(problems / "validation.jsonl").values())
        before = load_predictions(previous) if previous else None
        with (
            decoder_of(params, layout, model, params.eval.batch_size, f"eval {t}") as decoder,
            asker_of(params, f"eval {t}") as asker,
            Progress(f"eval {t}", 0, "completions") as bar,
            Remembering(decoder, work, bar) as m_theta,
        ):
            predictions = evaluate(
                m_theta,
                validation,
                tasks,
                chosen.experts(tasks, params.problems, params.llms, asker),
                params.eval,
                t,
                own_feedback=own,
                layout=layout,
                watcher=bar,
                asker=asker,
            )
        write_records(out, predictions)
        write_json(counts, with_calls(metrics(predictions, before), asker))


if __name__ == "__main__":
    run(main)
