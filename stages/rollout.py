"""rollout: M_theta (the model of iteration `prev`) answers training problems in its own words."""

from pathlib import Path

from tripost import summary
from tripost.models.chat import load_turns
from tripost.params import Params
from tripost.rollout import knows_feedback, rollout
from tripost.shell.decoding import decoder_of
from tripost.shell.io import load_problems, write_json, write_records
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
    prev: str,
    partial: Path | None = None,
) -> None:
    """Write one trajectory a problem and sample of this iteration's window."""
    own = knows_feedback(prev, params.model)
    layout = params.layout(load_turns(model))
    how = (params.model.backend, params.model.decode_precision)
    knobs = (params.seed, layout, how, params.rollout, t, prev, own)
    with partial_work(partial, Path(__file__), *knobs, problems, model) as work:
        train = list(load_problems(problems / "train.jsonl").values())
        with (
            decoder_of(params, layout, model, params.rollout.batch_size, f"rollout {t}") as decoder,
            Progress(f"rollout {t}", 0, "completions") as bar,
            Remembering(decoder, work, bar) as m_theta,
        ):
            rows = rollout(
                m_theta,
                train,
                params.rollout,
                t,
                seed=params.seed,
                own_feedback=own,
                layout=layout,
                watcher=bar,
            )
        write_records(out, rows)
        write_json(counts, summary.of_rollout(rows))


if __name__ == "__main__":
    run(main)
