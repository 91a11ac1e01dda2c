"""Are generated questions right? Dates and deductions, read and solved a second time by other code.

    python -m bench.generated [--count 10000] [--seed 5] [--task logical_deduction]

The readers and solvers (`bench.planted.date_facts`, `bench.planted.clues`) were written from looking at questions:
dates by the standard library's calendar, deductions over all arrangements of the objects. A disagreement is a
sentence that is not read, an answer that is not the one found, an order that is not certain, not exactly one true
option, a reference rationale with a line that does not follow, or a question that comes twice; any makes the exit
code 1.
Arguable: by days of months or years that are counted backwards, another option would be true too.
"""

import argparse
import random
import re
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from itertools import islice

from scipy.special import chdtrc

from bench.fbk import TASKS
from bench.planted import NotApplicableError, clues, date_facts
from bench.planted.calendar_days import DATE, MONTH, NTH, NUMBER, WEEKDAYS, read_date
from bench.planted.date_forms import NAMES
from tripost import registry
from tripost.records import Problem

EXAMPLES = 3


def date_letter(question: str) -> str:
    """The letter that follows from a date question."""
    told = date_facts.read_question(question)
    if told.unread:
        raise ValueError(f"not read: {told.unread[0]}")
    return date_facts.right_letter(told)


def deduction_letter(question: str) -> str:
    """The letter that follows from a deduction question."""
    return clues.right_letter(clues.read_puzzle(question))


def date_wording(question: str) -> str:
    """A date question without its options, with all that varies masked."""
    told = date_facts.read_question(question)
    text = question.partition("\nOptions:\n")[0]
    masks = [
        (DATE, "DATE"),
        (rf"\d{{1,2}}/\d{{1,2}}(?:/\d+)?|{MONTH} \d{{1,2}}(?:st|nd|rd|th)?(?!\d)", "DAY"),
        (r"\d+:\d+ [ap]m", "TIME"),
        (rf"\b(?:{'|'.join(WEEKDAYS)})\b", "WEEKDAY"),
        (rf"\b{MONTH}(?!\w)", "MONTH"),
        (rf"\b{NTH}\b", "NTH"),
        (rf"\b{NUMBER}\b", "N"),
        (rf"\b(?:{'|'.join(NAMES)})\b", "NAME"),
        (r"\b(day|week|month|year)s\b", r"\1"),
        *((rf"\b{fact.subject}\b", "EVENT") for fact in told.facts if fact.subject != "today"),
    ]
    for pattern, word in masks:
        text = re.sub(pattern, word, text)
    return text


def deduction_wording(question: str) -> str:
    """A deduction question without its options, with the objects and the numbers masked."""
    puzzle = clues.read_puzzle(question)
    text = question.partition("\nOptions:\n")[0]
    scene, _, told = text.partition(": ")
    _, _, told = told.partition(". ")
    for name in sorted(puzzle.names, key=len, reverse=True):
        told = re.sub(rf"\b{name}\b", "THING", told)
    return re.sub(rf"\b(?:{'|'.join([*clues.NUMBERS, *clues.NTHS])})\b", "N", f"{scene}: THINGS. {told}")


SOLVERS: dict[str, tuple[Callable[[str], str], Callable[[str], str]]] = {
    "date_understanding": (date_letter, date_wording),
    "logical_deduction": (deduction_letter, deduction_wording),
}


@dataclass
class Found:
    """What was found in one task's questions."""

    task: str
    count: int = 0
    right: int = 0
    disagreements: list[tuple[str, Problem]] = field(default_factory=list)
    arguable: list[Problem] = field(default_factory=list)
    letters: dict[int, Counter[str]] = field(default_factory=dict)
    wordings: Counter[str] = field(default_factory=Counter)
    sentences: Counter[str] = field(default_factory=Counter)
    needless: int = 0
    """Deductions that do without one of their clues."""
    uncombined: int = 0
    """Deductions whose rationale never writes the whole order out."""


def check(task: str, problems: Iterable[Problem]) -> Found:
    """Read and solve every question anew."""
    solve, wording = SOLVERS[task]
    planter = TASKS[task][0]
    found = Found(task)
    texts: set[str] = set()
    stems: set[str] = set()
    for problem in problems:
        found.count += 1
        stem, _, options = problem.question.partition("\nOptions:\n")
        if problem.question in texts or stem in stems:
            found.disagreements.append(("asked twice", problem))
        texts.add(problem.question)
        stems.add(stem)
        size = options.count("\n") + 1
        found.letters.setdefault(size, Counter())[problem.answer] += 1
        try:
            letter = solve(problem.question)
            if f"({letter})" == problem.answer:
                found.right += 1
            else:
                found.disagreements.append((f"the answer is ({letter})", problem))
            planter.rewrite(problem.question, problem.rationale, random.Random(0))
        except NotApplicableError:
            pass
        except ValueError as error:
            found.disagreements.append((str(error), problem))
            continue
        masked = wording(problem.question)
        found.wordings[masked] += 1
        found.sentences.update(re.split(r"(?<=[.?]) ", masked))
        if task == "date_understanding":
            told = date_facts.read_question(problem.question)
            if sum(read_date(text) in told.answers() for text in told.options.values()) > 1:
                found.arguable.append(problem)
        else:
            found.uncombined += "Combining" not in str(problem.rationale)
            found.needless += clues.needless(clues.read_puzzle(problem.question)) > 0
    return found


def evenness(counts: Sequence[int]) -> float:
    """The p-value of the chi-square test that all are equally likely."""
    mean = sum(counts) / len(counts)
    return float(chdtrc(len(counts) - 1, sum((count - mean) ** 2 for count in counts) / mean))


def report(found: Found) -> str:
    """A small table, and examples of what is not as it should be."""
    kinds = Counter(re.sub(r"[:(].*", "", reason).strip() for reason, _ in found.disagreements)
    rows = [
        ("questions", found.count),
        ("answer found again", found.right),
        ("disagreements", len(found.disagreements)),
        *((f"  {kind}", count) for kind, count in kinds.most_common()),
        ("distinct wordings", len(found.wordings)),
        ("  the most frequent one", max(found.wordings.values(), default=0)),
        ("distinct sentences", len(found.sentences)),
    ]
    if found.task == "date_understanding":
        rows.append(("arguable", len(found.arguable)))
    else:
        rows += [("with a needless clue", found.needless), ("with nothing to combine", found.uncombined)]
    lines = [found.task, *(f"  {name:32} {value:>7}" for name, value in rows)]
    for size, letters in sorted(found.letters.items()):
        counts = [letters[f"({letter})"] for letter in "ABCDEFGHIJKLMNOPQRSTUVWXYZ"[:size]]
        lines.append(f"  letters of {size} options: {counts}, chi-square p = {evenness(counts):.3f}")
    arguable = [("arguable", problem) for problem in found.arguable]
    for reason, problem in [*found.disagreements[:EXAMPLES], *arguable[:EXAMPLES]]:
        lines += ["", f"  {problem.id}: {reason}", problem.question, problem.answer, str(problem.rationale)]
    return "\n".join(lines) + "\n"


def main() -> None:
    """Check the tasks; exit with 1 where anything is not as it should be."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=10_000, help="questions of each task")
    parser.add_argument("--seed", type=int, default=5)
    parser.add_argument("--task", action="append", choices=list(SOLVERS), help="only this task (may be repeated)")
    arguments = parser.parse_args()
    failed = False
    for task in arguments.task or SOLVERS:
        problems = registry.task(task).problems(TASKS[task][1], arguments.seed)
        found = check(task, islice(problems, arguments.count))
        sys.stdout.write(report(found) + "\n")
        failed |= bool(found.disagreements) or found.count < arguments.count
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
