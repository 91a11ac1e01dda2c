"""How long does hostile text take until it is parsed or refused, and how much memory? Every text x every entry point.

    python -m bench.hostile [--goal 50] [--rows 25]

Time: CPU time, the longest of five runs. Memory: the peak of Python's allocations in a run of its own. Worst first.
"""

import argparse
import sys
import time
import tracemalloc
from collections.abc import Callable, Iterator
from functools import partial
from itertools import islice

import msgspec

from bench import hostile_texts as hostile
from tripost import registry
from tripost.cli.screen import shorten
from tripost.columns import flatten
from tripost.edit import edit
from tripost.errors import DataError
from tripost.filter import flaw
from tripost.layout import PAPER_LAYOUT
from tripost.params import EditParams, ExpertParams, SourceParams
from tripost.parts import find_part
from tripost.problems import check_rationales, collect
from tripost.reading import stands_in
from tripost.records import Attempt, Feedback, Problem, Trajectory, Turn
from tripost.rollout import trajectory
from tripost.tasks.multistep_arithmetic.expression import ExpressionError, evaluate, parse
from tripost.text import parse_attempt, parse_feedback

RUNS = 5
PARAMS = EditParams(max_updates=5, check_reason=True, probes=None, salvage=False)
SCRIPT = ExpertParams(feedback=("script",), improve=("script",))
Case = tuple[str, str, Callable[[], object]]
"""The text, the entry point, what is measured."""


def problem_of(task: str, **changes: object) -> Problem:
    """A large problem of the task."""
    difficulty = {"multistep_arithmetic": "length 4, depth [2,2]", "word_sorting": "20 words"}[task]
    x = next(islice(registry.task(task).problems([difficulty], 7), 1))
    return msgspec.structs.replace(x, **changes)


PROBLEMS = {
    "arithmetic": problem_of("multistep_arithmetic"),
    "words": problem_of(
        "word_sorting",
        question="Sort the following words alphabetically:\nList: " + " ".join(hostile.words()),
        answer=" ".join(sorted(hostile.words())),
        rationale=None,
    ),
}


def expression(text: str) -> object:
    """Read and worked out, or refused."""
    try:
        return evaluate(parse(text))
    except ExpressionError as error:
        return error


def edited(x: Problem, text: str, said: str) -> object:
    """Parsed as rollout does it, judged, improved, filtered: the whole way of a trajectory."""
    y = parse_attempt(text, "m_theta")
    row = trajectory(x, "x/t1/0", 0, (Turn(attempt=y, feedback=parse_feedback(said, y, "m_theta"), n_tokens=1),))
    task = registry.task(x.task)
    found = edit(row, x, task, registry.script(x.task), PARAMS)
    return flaw(found, x, task, 10**6) if isinstance(found, Trajectory) else found


def gate(x: Problem, text: str) -> object:
    """A row that nobody parsed, before the gate and the filter."""
    y = Attempt(steps=(), final="7", final_text=text, raw=text, author="m_theta")
    said = Feedback(text=text, wrong_step=1, wrong_part=text, reason=text, author="m_theta")
    row = trajectory(x, "x/t1/0", 0, (Turn(attempt=y, feedback=said, n_tokens=1),))
    flat = list(flatten([row], {x.id: x}, [], None, layout=PAPER_LAYOUT, sample=0, seed=1))
    return flat, flaw(row, x, registry.task(x.task), 10**6)


def source(x: Problem, text: str, field: str) -> object:
    """A row of a user's own problem file that holds the text as question, answer or rationale."""
    task = registry.task(x.task)
    counts = dict.fromkeys(("train", "validation", "test", "unseen_validation", "unseen_test"), 9)
    asked = SourceParams(module=None, source="jsonl", path="x", expert=SCRIPT, seen=(), unseen=(), **counts)
    try:
        found = collect(task, asked, [("f:1", msgspec.to_builtins(x) | {field: text, "seen": True})], 1)
    except DataError as error:
        return error
    return check_rationales(found.problems, task, registry.script(x.task))


def question(x: Problem, text: str) -> object:
    """FBK and IMP on a hostile question, asked as the task asks."""
    head = x.question.partition("List:")[0] + "List: " if "List:" in x.question else ""
    y = parse_attempt("(1) a\n(Final response) So the answer is 7.", "m_theta")
    asked = msgspec.structs.replace(x, question=head + text)
    said = Feedback(text="", wrong_step=1, wrong_part="", reason="", author="script")
    script = registry.script(x.task)
    return script.feedback(asked, y), script.improve(asked, y, said)


def cases() -> Iterator[Case]:
    """Everything that is measured."""
    y = parse_attempt(str(PROBLEMS["arithmetic"].rationale), "m_theta")
    for name, text in hostile.texts().items():
        wrong = f'In step (1) the part "{text}{hostile.BECAUSE}{text}.'
        yield name, "attempt", partial(parse_attempt, text, "m_theta")
        yield name, "feedback", partial(parse_feedback, text, y, "m_theta")
        yield name, "feedback, quoted", partial(parse_feedback, wrong, y, "m_theta")
        yield name, "expression", partial(expression, text)
        yield name, "screen", partial(shorten, text, 2_000)
        for task, x in PROBLEMS.items():
            yield name, f"gate, {task}", partial(gate, x, text)
            yield name, f"question, {task}", partial(question, x, text)
            for field in ("question", "answer", "rationale"):
                yield name, f"source, {field}, {task}", partial(source, x, text, field)
    for name, text in hostile.attempts().items():
        for task, x in PROBLEMS.items():
            first = text.split("\n")[0].partition(") ")[2][:19_000]
            said = f'In step (1) the part "{first}{hostile.BECAUSE}no.'
            yield name, f"edit, {task}", partial(edited, x, text, said)
            yield name, f"gate, {task}", partial(gate, x, text)
    for name, (part, line) in hostile.PARTS.items():
        yield name, "part", partial(find_part, part, line)
        yield name, "part, gate", partial(stands_in, part, line)


def measure(work: Callable[[], object]) -> tuple[float, float]:
    """Milliseconds (the longest of RUNS) and megabytes (the peak)."""
    longest = 0.0
    for _ in range(RUNS):
        started = time.thread_time()
        work()
        longest = max(longest, time.thread_time() - started)
    tracemalloc.start()
    work()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return 1000 * longest, peak / 1e6


def main() -> None:
    """Measure all cases; print the slowest, and how many are beyond the goal."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--goal", type=float, default=50, help="milliseconds")
    parser.add_argument("--rows", type=int, default=25)
    arguments = parser.parse_args()
    rows = sorted(((*measure(work), entry, name) for name, entry, work in cases()), reverse=True)
    print(f"{'ms':>8} {'MB':>7}  {'goal':4}  {'entry point':28} text")
    for spent, peak, entry, name in rows[: arguments.rows]:
        print(f"{spent:8.1f} {peak:7.1f}  {'ok' if spent <= arguments.goal else 'OVER':4}  {entry:28} {name}")
    beyond = sum(row[0] > arguments.goal for row in rows)
    memory = max(rows, key=lambda row: row[1])
    print(f"{len(rows)} measured, {beyond} beyond {arguments.goal:g} ms")
    print(f"most memory: {memory[1]:.1f} MB ({memory[2]}, {memory[3]})")
    sys.exit(1 if beyond else 0)


if __name__ == "__main__":
    main()
