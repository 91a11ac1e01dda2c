"""`tripost show`: read what the model wrote, what the expert made of it, and why rows were dropped.

tripost show t2                     rows that were kept, those that improve first
tripost show t2 --reason too_long   rows that were dropped for this reason
tripost show t2 --stage rollout     the model's own words, before anything was edited
tripost show t2 --id ID             one row or problem, at every stage
tripost show t2 --probes            what the expert said of attempts whose verdict is known
tripost show t2 --eval --broken     evaluation: right at first, wrong in the end
"""

import argparse
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.table import Table
from rich.text import Text

from tripost.cli.pages import KINDS, ending, heading, show_trajectory
from tripost.cli.rows import (
    DROPPED,
    MEANINGS,
    WRITTEN,
    Row,
    Wanted,
    at_hand,
    choose,
    iteration,
    of_task,
    read_rows,
    shuffled,
)
from tripost.cli.screen import clean, console, shorten
from tripost.cli.show_probes import print_figures, read_probes, show_probes
from tripost.cli.transcript import MAX_LABEL, MAX_TEXT
from tripost.errors import DataError
from tripost.records import Problem

FILES = {
    "rollout": "as the model wrote them",
    "edited": "continued by the expert from the first mistake on",
    "kept": "passed the filter",
}


def main(argv: Sequence[str]) -> int | None:
    """Show rows of the data, or of the evaluation."""
    given = _arguments(argv)
    out = console()
    if given.eval:
        from tripost.cli.show_eval import show_predictions

        show_predictions(out, given)
        return None
    if given.probes:
        show_probes(out, given)
        return None
    t0 = "t0 learns from rationales alone; see `tripost show t0 --eval`"
    folder = iteration(given.data, given.t, [*WRITTEN.values(), *DROPPED.values()], t0)
    rows = of_task(list(read_rows(folder)), given.task)
    if not rows:
        raise DataError(f"{folder}: there are no rows yet; `make run` runs the whole pipeline")
    chosen, what = choose(rows, Wanted(given.stage, given.reason, given.id))
    if given.id is None:
        chosen = shuffled(chosen, given.seed, improving_first=given.stage in {None, "kept"})
    _counts(out, given.t, rows)
    print_figures(out, [probe for probe in read_probes(folder) if given.task in {None, probe.task}])
    problems = at_hand(given.data / "problems" / "train.jsonl")
    for number, row in enumerate(chosen[: given.n], start=1):
        problem = problems.get(row.trajectory.problem_id)
        heading(out, f"{number}  {row.trajectory.id}", _facts(row, problem))
        show_trajectory(out, row.trajectory, problem)
    ending(out, min(given.n, len(chosen)), len(chosen), what, given.seed)
    return None


def _arguments(argv: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="tripost show", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("t", help="the iteration: t1, t2, ...")
    stages = "rollout, edited, kept: all rows of that stage; edit, validate, rebalance: those it dropped"
    parser.add_argument("--stage", choices=[*WRITTEN, *DROPPED], help=f"{stages} (default: kept)")
    parser.add_argument("--reason", help="rows that were dropped for this reason")
    parser.add_argument("--task", help="rows of this task alone")
    parser.add_argument("--id", help="the id of a row or of a problem")
    parser.add_argument("-n", type=_count, default=10, help="how many rows (default: 10; 0: the counts alone)")
    parser.add_argument("--seed", type=int, default=0, help="another seed, other rows (default: 0)")
    parser.add_argument("--data", type=Path, default=Path("data"), metavar="FOLDER", help="default: data")
    parser.add_argument("--probes", action="store_true", help="what measures the expert: its mistakes come first")
    parser.add_argument("--eval", action="store_true", help="what the model made of the validation problems")
    parser.add_argument("--eval-folder", type=Path, default=Path("eval"), metavar="FOLDER", help="default: eval")
    kinds = parser.add_mutually_exclusive_group()
    for kind, does in KINDS.items():
        kinds.add_argument(f"--{kind}", dest="kind", action="store_const", const=kind, help=f"--eval, {does}")
    given = parser.parse_args(argv)
    given.eval = given.eval or given.kind is not None
    if (given.eval or given.probes) and (given.stage or given.reason):
        parser.error("--stage and --reason choose rows of the data, not of the evaluation or the probes")
    if given.eval and given.probes:
        parser.error("--probes belong to the data, not to the evaluation")
    return given


def _count(text: str) -> int:
    if not text.isascii() or not text.isdigit():
        raise argparse.ArgumentTypeError(f"{text!r} is no number of rows")
    return int(text)


def _counts(out: Console, t: str, rows: list[Row]) -> None:
    """How many rows came how far, and why the others did not."""
    files = Table.grid(padding=(0, 2))
    files.add_column(style="bold")
    files.add_column(justify="right")
    files.add_column(justify="right")
    files.add_row(t, "rows", "improve", "", style="bold")
    for stage, meaning in FILES.items():
        mine = [row.trajectory.improves for row in rows if row.stage == stage]
        files.add_row(stage, str(len(mine)), str(sum(mine)), Text(meaning, style="dim"))
    out.print(files)
    out.print()
    dropped = Counter((row.stage, row.reason) for row in rows if row.reason)
    reasons = Table.grid(padding=(0, 2))
    if dropped:
        reasons.add_row("dropped at", "for", "rows", "", style="bold")
    for (at, reason), n in sorted(dropped.items(), key=lambda item: ([*DROPPED].index(item[0][0]), -item[1])):
        why = Text(MEANINGS.get(reason, ""), style="dim")
        reasons.add_row(at, Text(shorten(reason, MAX_LABEL)), Text(str(n), justify="right"), why)
    out.print(reasons)
    tally = Counter(row.stage for row in rows)
    judged = tally["edited"] + tally["edit"]
    if tally["edited"] and tally["rollout"] != judged:
        warning = f"{tally['rollout']} rows were written, but {judged} were edited or dropped: run dvc repro"
        out.print(Text(warning, style="yellow"))


def _facts(row: Row, problem: Problem | None) -> Text:
    facts = [row.stage] if not row.reason else []
    facts += ["salvaged"] if row.trajectory.salvaged else []
    if problem is not None:
        facts += [problem.difficulty, "seen" if problem.seen else "unseen"]
    facts.append(f"{max((turn.n_tokens for turn in row.trajectory.turns), default=0)} tokens")
    text = Text(clean(", ".join(facts)), style="dim")
    if not row.reason:
        return text
    meaning = MEANINGS.get(row.reason, "")
    why = f"dropped at {row.stage}: {shorten(row.reason, MAX_LABEL)}" + (f" ({meaning})" if meaning else "")
    detail = shorten(row.detail, MAX_TEXT).replace("\n", "\\n")
    return Text.assemble((why, "red"), f"\n  {detail}" if detail else "", "\n", text)
