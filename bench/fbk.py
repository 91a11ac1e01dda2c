"""How well does the scripted FBK judge? 2,000 planted errors and 500 valid rewrites a task.

    python -m bench.fbk [--errors 2000] [--rewrites 500] [--task date_understanding] [--retold]

The planters and rewriters (`bench.planted`) are written from the text format alone, without the checkers' code.
Recall: planted errors that are called wrong. Step: the planted step is named as the first wrong one (of all planted).
Precision: of everything called wrong, the share that was planted (valid rewrites called wrong count against it).
With --retold the errors are planted in rewritten rationales.
"""

import argparse
import json
import random
import sys
from collections import Counter
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

from bench.planted import NotApplicableError, Planted, arithmetic, dates, deduction, words
from tripost import registry
from tripost.interfaces import CannotJudge
from tripost.parts import find_part
from tripost.records import Problem
from tripost.text import parse_attempt

TASKS: dict[str, tuple[Any, list[str]]] = {
    "multistep_arithmetic": (
        arithmetic,
        ["length 3, depth [2]", "length 4, depth [2]", "length 3, depth [2,2]", "length 4, depth [2,2]"],
    ),
    "word_sorting": (words, [f"{n} words" for n in range(2, 8)]),
    "date_understanding": (dates, ["1 step", "2 steps", "3 steps", "4 steps"]),
    "logical_deduction": (deduction, ["3 objects", "5 objects", "7 objects"]),
}
"""Each task's planter and the difficulties of its problems."""
EXAMPLES = 3


@dataclass
class Tally:
    """Counts by kind, and the first few texts of each kind."""

    counts: Counter[str] = field(default_factory=Counter)
    examples: dict[str, list[dict[str, object]]] = field(default_factory=dict)

    def add(self, kind: str, problem: Problem, text: str, said: object, **more: object) -> None:
        """One more of a kind."""
        self.counts[kind] += 1
        if self.counts[kind] <= EXAMPLES:
            example = {"question": problem.question, "rationale": text, "fbk": getattr(said, "text", str(said))}
            self.examples.setdefault(kind, []).append({**example, **more})


def measure(name: str, errors: int, rewrites: int, retold: bool = False) -> dict[str, Any]:
    """Counts for one task."""
    expert, (planter, difficulties) = registry.script(name), TASKS[name]
    given = list(islice(registry.task(name).problems(difficulties, 77), 500))
    refused = {problem.id: reason for problem in given if (reason := _refusal(planter, problem))}
    problems = [problem for problem in given if problem.id not in refused]
    missed, elsewhere, unjudged, flagged = Tally(), Tally(), Tally(), Tally()
    planted_kinds: Counter[str] = Counter()
    quoted = ended = 0
    for k in range(errors):
        problem = problems[k % len(problems)]
        planted = _plant(planter, problem, k, retold)
        planted_kinds[planted.kind] += 1
        attempt = parse_attempt(planted.text, "dataset")
        verdict = expert.feedback(problem, attempt)
        more = {"step": planted.step, "part": planted.part}
        if isinstance(verdict, CannotJudge):
            unjudged.add(planted.kind, problem, planted.text, verdict, **more)
        elif verdict.says_correct:
            missed.add(planted.kind, problem, planted.text, verdict, **more)
        elif verdict.wrong_step != planted.step:
            elsewhere.add(planted.kind, problem, planted.text, verdict, **more)
        else:
            quoted += find_part(verdict.wrong_part, attempt.line(planted.step)) is not None
            improved = expert.improve(problem, attempt, verdict)
            ended += not hasattr(improved, "reason") and _right(expert, problem, improved)
    for k in range(rewrites):
        problem = problems[k % len(problems)]
        text = planter.rewrite(problem.question, problem.rationale, random.Random(f"rewrite {k}"))
        verdict = expert.feedback(problem, parse_attempt(text, "dataset"))
        if isinstance(verdict, CannotJudge) or not verdict.says_correct:
            flagged.add("rewrite", problem, text, verdict)
    caught = errors - missed.counts.total() - unjudged.counts.total()
    return {
        "task": name,
        "errors": errors,
        "recall": caught / errors,
        "step": (caught - elsewhere.counts.total()) / errors,
        "precision": caught / max(caught + flagged.counts.total(), 1),
        "part_quoted": quoted,
        "improved_to_correct": ended,
        "rewrites": rewrites,
        "rewrites_flagged": flagged.counts.total(),
        "cannot_judge": unjudged.counts.total(),
        "references_refused": len(refused),
        "missed": dict(missed.counts),
        "named_elsewhere": dict(elsewhere.counts),
        "unjudged": dict(unjudged.counts),
        "kinds": dict(planted_kinds),
        "flagged_examples": [example["fbk"] for example in flagged.examples.get("rewrite", [])],
        "examples": {
            "missed": missed.examples,
            "named_elsewhere": elsewhere.examples,
            "cannot_judge": unjudged.examples,
            "flagged": flagged.examples,
            "references_refused": list(refused.items())[:EXAMPLES],
        },
    }


def _refusal(planter: Any, problem: Problem) -> str:
    """Why the planter takes a reference rationale for wrong, or nothing."""
    try:
        planter.rewrite(problem.question, problem.rationale, random.Random(0))
    except NotApplicableError:
        return ""
    except ValueError as error:
        return str(error)
    return ""


def _plant(planter: Any, problem: Problem, k: int, retold: bool) -> Planted:
    text = problem.rationale
    if retold:
        for seed in range(2):
            try:
                text = planter.rewrite(problem.question, text, random.Random(f"retell {k} {seed}"))
            except NotApplicableError:
                break
    planted: Planted = planter.plant(problem.question, text, random.Random(f"plant {k}"))
    return planted


def _right(expert: Any, problem: Problem, attempt: Any) -> bool:
    verdict = expert.feedback(problem, attempt)
    return not isinstance(verdict, CannotJudge) and verdict.says_correct


def main() -> None:
    """Measure the tasks and print one JSON object a task."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--errors", type=int, default=2000)
    parser.add_argument("--rewrites", type=int, default=500)
    parser.add_argument("--task", action="append", choices=list(TASKS), help="only this task (may be repeated)")
    parser.add_argument("--retold", action="store_true", help="plant the errors in rewritten rationales")
    parser.add_argument("--out", type=Path, help="also write the results to this file")
    arguments = parser.parse_args()
    names = arguments.task or list(TASKS)
    results = [measure(name, arguments.errors, arguments.rewrites, arguments.retold) for name in names]
    text = json.dumps(results, indent=2)
    sys.stdout.write(text + "\n")
    if arguments.out:
        arguments.out.write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
