"""rebalance: turn pairs with weights, a share p of them improvements, from trajectories that passed the gate."""

from pathlib import Path

from tripost import summary
from tripost.models.chat import load_turns
from tripost.params import Params
from tripost.rebalance import rebalance
from tripost.shell.guards import meta_of, pool_meta_of, require_gated, require_pool
from tripost.shell.io import load_problems, load_trajectories, load_wrong_shares, write_json, write_records
from tripost.shell.rows import Joined
from tripost.shell.stage import run


def main(
    params: Params,
    problems: Path,
    kept: Path,
    report: Path,
    model: Path,
    edited: Path,
    out: Path,
    meta: Path,
    dropped: Path,
    pool: Path,
    pool_meta: Path,
    previous_pool_meta: Path,
    counts: Path,
    previous_pool: Path,
    t: str,
) -> None:
    """Write examples, `meta` (what train demands to see), unused trajectories, and the pool for `replay: all`."""
    require_gated(kept, report, params)
    train = load_problems(problems / "train.jsonl")
    rows = load_trajectories(kept, train)
    require_pool(previous_pool, previous_pool_meta)
    replay = params.rebalance.replay == "all"
    older = [load_trajectories(previous_pool, train, may_be_empty=True)] if replay else []
    everything = Joined(*older, rows)
    wrong = load_wrong_shares(edited)
    seed = f"{params.seed} {t}"
    balanced = rebalance(everything, train, params.rebalance, wrong, seed, params.layout(load_turns(model)))
    write_records(out, balanced.examples())
    write_json(meta, meta_of(out, kept))
    write_records(dropped, balanced.dropped())
    write_records(pool, everything)
    write_json(pool_meta, pool_meta_of(pool))
    counted = summary.of_stage(len(everything), balanced.used(), balanced.dropped())
    write_json(counts, {**counted, "reached": balanced.reached})


if __name__ == "__main__":
    run(main)
