"""validate: filter, then gate. Every drop has a reason and is kept; a critical finding stops the pipeline."""

from pathlib import Path

from tripost import registry, summary
from tripost.columns import flatten
from tripost.experts import chosen
from tripost.filter import filter_all
from tripost.models.chat import load_turns
from tripost.models.encode import TokenCounter
from tripost.models.load import load_context_length
from tripost.params import Params
from tripost.recall import figures
from tripost.records import Dropped, Trajectory
from tripost.shell.expectations import gate
from tripost.shell.guards import settle
from tripost.shell.held_out import load_held_out
from tripost.shell.io import load_probes, load_problems, load_trajectories, write_json
from tripost.shell.page import write_page
from tripost.shell.rows import Spool, sort_into
from tripost.shell.stage import run

SAMPLE = 200
"""Rows whose token counts are counted again."""


def main(
    params: Params,
    problems: Path,
    edited: Path,
    probes: Path,
    model: Path,
    out: Path,
    dropped: Path,
    report: Path,
    page: Path,
    counts: Path,
    quarantine: Path,
    t: str,
) -> None:
    """Write kept and dropped trajectories, the gate's report and page; where it fails, to `quarantine`."""
    train = load_problems(problems / "train.jsonl")
    rows = load_trajectories(edited, train)
    held_out = load_held_out(problems, train)
    names, context = sorted(params.problems), load_context_length(model)
    counter, seed = TokenCounter(str(model)), f"{params.seed} {t}"
    layout, limit = params.layout(load_turns(model)), params.edit.max_updates + 1
    judged = load_probes(probes, train)
    # A grader alone has nothing planted for it: there is nothing to warn of, and nothing that would help.
    measured = set(names) - chosen.graded(params.problems)
    expert = figures(judged, measured) if params.edit.probes else {}
    with Spool(out, Trajectory) as kept, Spool(dropped, Dropped) as lost:
        sort_into((kept, lost), filter_all(rows, train, registry.tasks_of(params.problems), context))
        table = flatten(kept, train, held_out, counter.count_tokens, layout=layout, sample=SAMPLE, seed=seed)
        result = gate(table, params=params.validate_, tasks=names, max_turns=limit, context=context, expert=expert)
        with settle(result, out, report, page, quarantine, params) as folder:
            kept.keep(folder / out.name)
            lost.keep(folder / dropped.name)
            write_page(folder / page.name, f"validate {t}", result, kept, train)
            write_json(folder / counts.name, summary.of_stage(len(rows), kept, lost))


if __name__ == "__main__":
    run(main)
