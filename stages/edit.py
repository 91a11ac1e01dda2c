"""edit: FBK and IMP take over at M_theta's first mistake."""

from pathlib import Path

from tripost import registry, summary
from tripost.edit import edit_all, wrong_share
from tripost.experts import chosen
from tripost.models.chat import load_turns
from tripost.models.encode import TokenCounter
from tripost.params import Params
from tripost.probes import make_probes, places
from tripost.recall import figures
from tripost.records import Dropped, Probe, Trajectory
from tripost.shell.asking import asker_of, calls_used
from tripost.shell.io import load_problems, load_trajectories, write_json
from tripost.shell.progress import Progress
from tripost.shell.rows import Spool, sort_into
from tripost.shell.stage import run


def main(
    params: Params,
    problems: Path,
    rollout: Path,
    model: Path,
    out: Path,
    dropped: Path,
    probes: Path,
    counts: Path,
    t: str,
) -> None:
    """Write the edited trajectories, those the experts could not edit, judged probes, and counts."""
    train = load_problems(problems / "train.jsonl")
    rows = load_trajectories(rollout, train)
    counter = TokenCounter(str(model))
    tasks = registry.tasks_of(params.problems)
    graded = chosen.graded(params.problems)
    by_answer = chosen.by_answer(params.problems, params.llms)
    made = make_probes(rows, train, tasks, params.edit.probes, params.seed, t, graded, by_answer)
    with (
        asker_of(params, f"edit {t}") as asker,
        Progress(f"edit {t}", len(rows), "trajectories") as bar,
        Spool(out, Trajectory) as edited,
        Spool(dropped, Dropped) as lost,
        Spool(probes, Probe) as judged,
    ):
        found = edit_all(
            rows,
            train,
            tasks,
            chosen.experts(tasks, params.problems, params.llms, asker),
            params.edit,
            counter.count_tokens,
            params.layout(load_turns(model)),
            lambda rows: bar.advance(rows, note=asker.status if asker else ""),
            places(made, len(rows), f"{params.seed} {t}"),
            asker,
        )
        sort_into((edited, lost, judged), found)
        counted = summary.of_stage(len(rows), edited, lost)
        shares = {"wrong_first_attempts": wrong_share(edited, lost, train, tasks)}
        expert = figures(judged, sorted(tasks) if params.edit.probes else [])
        for spool in (edited, lost, judged):
            spool.keep()
    write_json(counts, {**counted, **shares, "expert": expert, **calls_used(asker)})


if __name__ == "__main__":
    run(main)
