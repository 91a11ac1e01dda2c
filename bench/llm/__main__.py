"""`make bench ARGS=llm`: asking LLMs in bulk, as one table.

    python -m bench.llm [rate limits kills peers] [--pairs 5] [--count N]

All against tests/llm_server on this machine. Each writes bench/results/llm_<name>.json.
"""

import argparse
import sys
from importlib import import_module

from bench.speed.__main__ import table
from bench.speed.pairs import Row

MEASUREMENTS = {"rate": 10_000, "limits": 9_000, "kills": 3_000, "peers": 2_000, "iteration": 100}
"""And how many requests of each."""


def main() -> None:
    """Run the measurements asked for, all of them unless some are named."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "names", nargs="*", default=[name for name in MEASUREMENTS if name != "iteration"], metavar="NAME"
    )
    parser.add_argument("--pairs", type=int, default=5)
    parser.add_argument("--count", type=int)
    arguments = parser.parse_args()
    rows: list[Row] = []
    for name in arguments.names:
        sys.stderr.write(f"{name}:\n")
        rows += import_module(f"bench.llm.{name}").main(arguments.pairs, arguments.count or MEASUREMENTS[name])
    sys.stdout.write(table(rows))


if __name__ == "__main__":
    main()
