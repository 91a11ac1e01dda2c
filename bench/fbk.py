"""How well does the scripted FBK judge? 2,000 planted errors and 500 valid rewrites a task.

    python -m bench.fbk [--errors 2000] [--rewrites 500]

The planter and the rewriter (`bench.planted`) are written from the text format alone, without the checker's code.
Recall: planted errors that are called wrong. Step: the planted step is named as the first wrong one (of all planted).
Precision: of everything called wrong, the share that was planted (valid rewrites called wrong count against it).
"""

import argparse
import json
import random
import sys
from collections import Counter
from itertools import islice
from pathlib import Path
from typing import Any

from bench.planted import arithmetic, words
from tripost import registry
from tripost.interfaces import CannotJudge
from tripost.parts import find_part
from tripost.records import Problem
from tripost.text import parse_attempt

PLANTERS: dict[str, Any] = {"multistep_arithmetic": arithmetic, "word_sorting": words}
DIFFICULTIES = {
    "multistep_arithmetic": [
        "length 3, depth [2]",
        "length 4, depth [2]",
        "length 3, depth [2,2]",
        "length 4, depth [2,2]",
    ],
    "word_sorting": [f"{n} words" for n in range(2, 8)],
}


def measure(name: str, errors: int, rewrites: int) -> dict[str, Any]:
    """Counts for one task."""
    expert, planter = registry.script(name), PLANTERS[name]
    problems = list(islice(registry.task(name).problems(DIFFICULTIES[name], 77), 500))
    missed: Counter[str] = Counter()
    elsewhere: Counter[str] = Counter()
    planted_kinds: Counter[str] = Counter()
    unjudged = quoted = ended = 0
    for k in range(errors):
        problem = problems[k % len(problems)]
        rng = random.Random(f"plant {k}")
        planted = planter.plant(problem.question, problem.rationale, rng)
        planted_kinds[planted.kind] += 1
        attempt = parse_attempt(planted.text, "dataset")
        verdict = expert.feedback(problem, attempt)
        if isinstance(verdict, CannotJudge):
            unjudged += 1
        elif verdict.says_correct:
            missed[planted.kind] += 1
        elif verdict.wrong_step != planted.step:
            elsewhere[planted.kind] += 1
        else:
            quoted += find_part(verdict.wrong_part, attempt.line(planted.step)) is not None
            improved = expert.improve(problem, attempt, verdict)
            ended += not hasattr(improved, "reason") and _right(expert, problem, improved)
    flagged: list[str] = []
    for k in range(rewrites):
        problem = problems[k % len(problems)]
        text = planter.rewrite(problem.question, problem.rationale, random.Random(f"rewrite {k}"))
        verdict = expert.feedback(problem, parse_attempt(text, "dataset"))
        if isinstance(verdict, CannotJudge) or not verdict.says_correct:
            flagged.append(str(getattr(verdict, "text", verdict)))
    caught = errors - sum(missed.values()) - unjudged
    return {
        "task": name,
        "errors": errors,
        "recall": caught / errors,
        "step": (caught - sum(elsewhere.values())) / errors,
        "precision": caught / (caught + len(flagged)),
        "part_quoted": quoted,
        "improved_to_correct": ended,
        "rewrites": rewrites,
        "rewrites_flagged": len(flagged),
        "cannot_judge": unjudged,
        "missed": dict(missed),
        "named_elsewhere": dict(elsewhere),
        "kinds": dict(planted_kinds),
        "flagged_examples": flagged[:3],
    }


def _right(expert: Any, problem: Problem, attempt: Any) -> bool:
    verdict = expert.feedback(problem, attempt)
    return not isinstance(verdict, CannotJudge) and verdict.says_correct


def main() -> None:
    """Measure both tasks and print one JSON object a task."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--errors", type=int, default=2000)
    parser.add_argument("--rewrites", type=int, default=500)
    parser.add_argument("--out", type=Path, help="also write the results to this file")
    arguments = parser.parse_args()
    results = [measure(name, arguments.errors, arguments.rewrites) for name in PLANTERS]
    text = json.dumps(results, indent=2)
    sys.stdout.write(text + "\n")
    if arguments.out:
        arguments.out.write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
