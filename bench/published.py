"""What becomes of the published rows? Each row of all four tasks, through `problems` and `edit`.

    python -m bench.published FOLDER [--examples 3]

FOLDER holds `tripost/<task>.jsonl` and `bbh/<file>.json`, as docs/data.md describes them. Counted are, for each file:
rows that cannot be read; rationales by FBK's verdict; labels that the script's own solution contradicts; and, with
the rationale as a model's attempt, what the edit stage makes of it.
"""

import argparse
import re
import sys
from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path

from tripost import registry
from tripost.edit import edit
from tripost.errors import DataError
from tripost.imported import read_problem
from tripost.params import EditParams, ExpertParams, SourceParams
from tripost.problems import check_rationales
from tripost.records import Dropped, Problem, Turn
from tripost.rollout import trajectory
from tripost.shell.sources import each_row
from tripost.text import parse_attempt

FILES = {
    "multistep_arithmetic": ("tripost/multistep_arithmetic.jsonl", "bbh/multistep_arithmetic_two.json"),
    "word_sorting": ("tripost/word_sorting.jsonl", "bbh/word_sorting.json"),
    "date_understanding": ("tripost/date_understanding.jsonl", "bbh/date_understanding.json"),
    "logical_deduction": (
        "tripost/logical_deduction.jsonl",
        "bbh/logical_deduction_three_objects.json",
        "bbh/logical_deduction_five_objects.json",
        "bbh/logical_deduction_seven_objects.json",
    ),
}
WIDTH = 150
_VARIES = (
    (re.compile(r'"[^"]*"'), '".."'),
    (re.compile(r"\([0-9.]+\)(?:, \([0-9.]+\))*(?: and \([0-9.]+\))?"), "(..)"),
    (re.compile(r"\b(?:zero|one|two|three|four|five|six|seven|[0-9]+)\b"), "N"),
)
"""What differs from row to row within a reason, and is left out of its count."""


class Found:
    """Counts and examples of one file."""

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        self.examples: dict[str, list[str]] = defaultdict(list)

    def add(self, kind: str, example: str) -> None:
        """Count one row of this kind."""
        self.counts[kind] += 1
        self.examples[kind].append(" ".join(example.split())[:WIDTH])


def kind_of(reason: str) -> str:
    """The reason without what differs from row to row."""
    for pattern, sign in _VARIES:
        reason = pattern.sub(sign, reason)
    return reason.removeprefix("step (..): ")


def problems_of(task: str, path: Path, found: Found) -> Iterator[Problem]:
    """The rows of a file that can be read."""
    source = SourceParams(
        module=None,
        expert=ExpertParams(feedback=("script",), improve=("script",)),
        source="tripost" if path.suffix == ".jsonl" else "bbh",
        path=str(path),
        seen=(),
        unseen=(),
        train=0,
        validation=0,
        test=0,
        unseen_validation=0,
        unseen_test=0,
    )
    for where, row in each_row(source):
        found.counts["rows"] += 1
        try:
            yield read_problem(registry.task(task), source.source, where, row)
        except DataError as error:
            found.add("not read", str(error))


def look(task: str, path: Path) -> Found:
    """One file."""
    found = Found()
    problems = list(problems_of(task, path, found))
    by_id = {problem.id: problem for problem in problems}
    _, findings = check_rationales(problems, registry.task(task), registry.script(task))
    for finding in findings:
        kind = {"label": "label contradicted", "wrong": "rationale wrong"}.get(finding["verdict"], finding["verdict"])
        kind += f": {kind_of(finding['reason'].rpartition('because ')[2])}"
        found.add(kind[:100], f"{finding['reason']} <- {by_id[finding['id']].question}")
    told = [problem for problem in problems if problem.rationale is not None]
    untrusted = {finding["id"] for finding in findings if finding["verdict"] != "label"}
    found.counts["rationales right"] = sum(problem.id not in untrusted for problem in told)
    for problem in told:
        found.counts[f"edit: {edited(task, problem)}"] += 1
    return found


def edited(task: str, problem: Problem) -> str:
    """What the edit stage makes of the rationale as an attempt."""
    attempt = parse_attempt(problem.rationale or "", "m_theta")
    turn = Turn(attempt=attempt, feedback=None, n_tokens=0)
    row = trajectory(problem, f"{problem.id}/t1/0", 0, (turn,))
    params = EditParams(max_updates=5, check_reason=True, probes=None, salvage=False)
    result = edit(row, problem, registry.task(task), registry.script(task), params)
    if isinstance(result, Dropped):
        return f"dropped, {result.reason}"
    return f"mended in {len(result.turns) - 1}" if result.improves else "right as it is"


def main() -> None:
    """Look at every file and print counts and examples."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--examples", type=int, default=3)
    arguments = parser.parse_args()
    for task, names in FILES.items():
        for name in names:
            found = look(task, arguments.folder / name)
            sys.stdout.write(f"\n{name}\n")
            for kind, count in sorted(found.counts.items()):
                sys.stdout.write(f"  {count:5}  {kind}\n")
                for example in found.examples[kind][: arguments.examples]:
                    sys.stdout.write(f"           {example}\n")


if __name__ == "__main__":
    main()
