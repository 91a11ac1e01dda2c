"""problems: x of every task, split into train, validation and test so that nothing leaks into training."""

from pathlib import Path

from tripost import registry, summary
from tripost.experts import chosen
from tripost.params import Params
from tripost.problems import SPLITS, check_rationales, collect, require_unique
from tripost.shell.io import write_json, write_records
from tripost.shell.sources import read_rows
from tripost.shell.stage import run


def main(params: Params, out: Path, counts: Path) -> None:
    """Write `train.jsonl`, `validation.jsonl` and `test.jsonl` to the folder `out`, and counts."""
    everything, left_out, fewer, rationales = [], {}, {}, {}
    for name, source in sorted(params.problems.items()):
        task = registry.task(name, source.module)
        rows = read_rows(source)
        collected = collect(task, source, rows, params.seed)
        checked, rationales[name] = check_rationales(
            collected.problems, task, chosen.expert(task, source.expert, params.llms)
        )
        everything += checked
        left_out[name], fewer[name] = dict(collected.left_out), dict(collected.fewer_than_asked)
    require_unique(everything)
    for split in SPLITS:
        write_records(out / f"{split}.jsonl", (problem for problem in everything if problem.split == split))
    report = {"rationales_not_trusted": rationales, "left_out": left_out, "fewer_than_asked": fewer}
    write_json(counts, {"problems": summary.of_problems(everything), **report})


if __name__ == "__main__":
    run(main)
