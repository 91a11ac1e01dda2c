"""`make bench`: speed beside what a user would pick instead, as one table.

    python -m bench.speed [rollout train ...] [--pairs 5]

Every comparison is interleaved A B A B after one run of each that does not count; a row is the median of the pairs'
ratios. Each writes bench/results/<name>.json.
"""

import argparse
import sys
from importlib import import_module

from bench.speed.pairs import Row

COMPARISONS = ("rollout", "train", "wide", "data", "run")


def table(rows: list[Row]) -> str:
    """The rows as Markdown."""
    lines = ["| what | against | median | min - max | to reach | |", "|---|---|---|---|---|---|"]
    for row in rows:
        sign = ">=" if row.better == "higher" else "<="
        verdict = "reached" if row.reached else "NOT reached"
        figures = f"{row.value:g}{row.unit} | {row.min:g} - {row.max:g} | {sign} {row.goal:g}{row.unit} | {verdict}"
        lines.append(f"| {row.name} | {row.against} | {figures}; {row.note} |")
    return "\n".join(lines) + "\n"


def main() -> None:
    """Run the comparisons asked for, all of them unless some are named."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", default=COMPARISONS, metavar="NAME")
    parser.add_argument("--pairs", type=int, default=5)
    arguments = parser.parse_args()
    rows: list[Row] = []
    for name in arguments.names:
        sys.stderr.write(f"{name}:\n")
        rows += import_module(f"bench.speed.{name}").main(arguments.pairs)
    sys.stdout.write(table(rows))


if __name__ == "__main__":
    main()
