"""edit: FBK and IMP take over at M_theta's first mistake."""

from pathlib import Path

from tripost import registry, summary
from tripost.edit import edit_all, wrong_share
from tripost.experts import chosen
from tripost.models.encode import TokenCounter
from tripost.params import Params
from tripost.shell.io import load_problems, load_trajectories, write_json, write_records
from tripost.shell.progress import Progress
from tripost.shell.stage import run


def main(
    params: Params, problems: Path, rollout: Path, model: Path, out: Path, dropped: Path, counts: Path, t: str
) -> None:
    """Write the edited trajectories, those the experts could not edit, and counts."""
    train = load_problems(problems / "train.jsonl")
    rows = load_trajectories(rollout, train)
    counter = TokenCounter(str(model))
    tasks = registry.tasks_of(params.problems)
    with Progress(f"edit {t}", len(rows), "trajectories") as bar:
        edited, lost = edit_all(
            rows,
            train,
            tasks,
            chosen.experts(tasks, params.problems),
            params.edit,
            counter.count_tokens,
            params.history,
            bar.advance,
        )
    write_records(out, edited)
    write_records(dropped, lost)
    counted = summary.of_stage(len(rows), edited, lost)
    write_json(counts, {**counted, "wrong_first_attempts": wrong_share(edited, lost, train, tasks)})


if __name__ == "__main__":
    run(main)
