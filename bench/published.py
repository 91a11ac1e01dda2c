"""How does the scripted FBK judge the rationales of a published file? Counts by reason, with examples.

    python -m bench.published TASK FILE [--examples 3]

FILE is in the shape of `source: tripost` (docs/data.md). Of a reason, what differs from row to row (quoted names,
labels, numbers) is left out of the count.
"""

import argparse
import re
import sys
from collections import defaultdict
from pathlib import Path

from tripost import registry
from tripost.imported import read_problems
from tripost.interfaces import CannotJudge
from tripost.judge import judge
from tripost.params import SourceParams
from tripost.shell.sources import read_rows
from tripost.text import parse_attempt

_QUOTED = re.compile(r'"[^"]*"')
_LABELS = re.compile(r"\([0-9.]+\)(?:, \([0-9.]+\))*(?: and \([0-9.]+\))?")
_NUMBER = re.compile(r"\b(?:zero|one|two|three|four|five|six|seven|[0-9]+)\b")


def kind_of(reason: str) -> str:
    """The reason without what differs from row to row."""
    for pattern, sign in ((_QUOTED, '".."'), (_LABELS, "(..)"), (_NUMBER, "N")):
        reason = pattern.sub(sign, reason)
    return reason


def judged(name: str, path: Path) -> dict[tuple[str, str], list[str]]:
    """What FBK says of each row: its words, by (verdict, kind of reason)."""
    params = SourceParams(
        source="tripost", path=str(path), seen=(), unseen=(), train=0, validation=0, test=0, unseen_validation=0,
        unseen_test=0,
    )  # fmt: skip
    task, expert = registry.task(name), registry.script(name)
    found: dict[tuple[str, str], list[str]] = defaultdict(list)
    for problem in read_problems(task, "tripost", read_rows(params)):
        verdict = judge(problem, parse_attempt(problem.rationale or "", "dataset"), task, expert)
        if isinstance(verdict, CannotJudge):
            found["cannot judge", kind_of(verdict.reason)].append(verdict.reason)
        elif verdict.says_correct:
            found["right", ""].append(problem.id)
        else:
            found["wrong", kind_of(verdict.reason)].append(verdict.text)
    return found


def main() -> None:
    """Print the counts, and the first examples of each reason."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("task")
    parser.add_argument("file", type=Path)
    parser.add_argument("--examples", type=int, default=3)
    asked = parser.parse_args()
    found = judged(asked.task, asked.file)
    for verdict in ("right", "wrong", "cannot judge"):
        mine = {reason: rows for (said, reason), rows in found.items() if said == verdict}
        sys.stdout.write(f"{verdict}: {sum(map(len, mine.values()))}\n")
        for reason, rows in sorted(mine.items(), key=lambda item: -len(item[1])):
            sys.stdout.write(f"  {len(rows):4} {reason}\n" if reason else "")
            sys.stdout.write("".join(f"         {row}\n" for row in rows[: asked.examples] if reason))


if __name__ == "__main__":
    main()
