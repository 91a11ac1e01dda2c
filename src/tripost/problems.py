"""Problems from generators, published files or the user's own, split so that nothing leaks into training.

Splits go by `group_id`. Whatever normalised question or group stands in validation or test leaves train, never the
other way round, and is counted. Unseen difficulties never enter train.
"""

import random
from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import islice
from typing import Any

import msgspec

from tripost.errors import DataError
from tripost.imported import read_problems
from tripost.interfaces import CannotImprove, CannotJudge, Expert, Task
from tripost.judge import judge
from tripost.params import SourceParams
from tripost.questions import normalise
from tripost.records import Feedback, Problem, Split
from tripost.text import LEFTOVERS, MAX_CHARS, parse_attempt, unreadable_attempt

SPLITS: tuple[Split, ...] = ("train", "validation", "test")


class Collected(msgspec.Struct):
    """One task's problems, and what was left out by reason."""

    problems: list[Problem]
    left_out: Counter[str]
    fewer_than_asked: Counter[str]


def collect(task: Task, source: SourceParams, rows: Sequence[tuple[str, dict[str, Any]]], seed: int) -> Collected:
    """All splits of one task. `rows` are (file:line, parsed row) of a published or own file. Raises DataError."""
    left_out: Counter[str] = Counter()
    fewer: Counter[str] = Counter()
    pool = read_problems(task, source.source, rows)
    if source.source == "jsonl":
        chosen = {split: [p for p in pool if p.split == split] for split in ("test", "validation", "train")}
        chosen = {split: problems[: getattr(source, split)] for split, problems in chosen.items()}
    else:
        wanted = [_held_out(p, source) for p in pool if p.difficulty in {*source.seen, *source.unseen}]
        left_out["other difficulty"] = len(pool) - len(wanted)
        chosen = _split(task, source, wanted, seed)
        for split in chosen:
            asked = getattr(source, split) + getattr(source, f"unseen_{split}", 0)
            fewer[split] = max(0, asked - len(chosen[split]))
    held_out: set[str] = set()
    problems: list[Problem] = []
    for split in ("test", "validation", "train"):
        kept, before = [], len(chosen[split])
        own: set[str] = set()
        for problem in chosen[split]:
            names = {normalise(problem.question), f"group {problem.group_id}"}
            if names & held_out or normalise(problem.question) in own:
                continue
            kept.append(problem)
            own |= {normalise(problem.question)}
        for problem in kept:
            held_out |= {normalise(problem.question), f"group {problem.group_id}"}
        left_out[f"{split}: stands in a held-out split, or twice"] = before - len(kept)
        problems += kept
    return Collected(problems=problems, left_out=+left_out, fewer_than_asked=+fewer)


def require_unique(problems: Iterable[Problem]) -> None:
    """Raises DataError where problems of two tasks have one id: trajectories know their problem by it."""
    first: dict[str, str] = {}
    for problem in problems:
        other = first.setdefault(problem.id, problem.task)
        if other != problem.task:
            where = f"params.yaml: problems.{problem.task}.path"
            raise DataError(f"{where}: the id {problem.id!r} is one of {other}, too; give it another")


def check_difficulties(task: Task, source: SourceParams) -> None:
    """Raises DataError for a difficulty that the task does not have, that both lists have, or that is seen here and
    unseen by definition. The other way round is allowed: a run may hold out what the paper trains on.
    """
    for key, difficulties in (("seen", source.seen), ("unseen", source.unseen)):
        for difficulty in difficulties:
            where = f"params.yaml: problems.{task.name}.{key}"
            try:
                seen = task.seen(difficulty)
            except DataError as error:
                raise DataError(f"{where}: {error}; see docs/data.md") from None
            if key == "seen" and not seen:
                raise DataError(f"{where}: {difficulty!r} is unseen by definition; move it to unseen")
            if key == "seen" and difficulty in source.unseen:
                raise DataError(f"{where}: {difficulty!r} stands in unseen, too; remove it from one")


def _split(task: Task, source: SourceParams, pool: Sequence[Problem], seed: int) -> dict[str, list[Problem]]:
    """Counts of `source` for each split: from the file where it has such rows, from the generator otherwise."""
    check_difficulties(task, source)
    chosen: dict[str, list[Problem]] = {"test": [], "validation": [], "train": []}
    for seen, difficulties in ((True, source.seen), (False, source.unseen)):
        counts = {
            "test": source.test if seen else source.unseen_test,
            "validation": source.validation if seen else source.unseen_validation,
            "train": source.train if seen else 0,
        }
        mine = [problem for problem in pool if problem.seen == seen]
        for number, (split, count) in enumerate(counts.items()):
            taken = _take_groups(mine, chosen, count, split, seed)
            chosen[split] += taken
            if difficulties and (not mine or not seen):
                drawn = task.problems(difficulties, seed * 10 + number + (0 if seen else 5))
                stream = (_held_out(problem, source) for problem in drawn)
                chosen[split] += _new(stream, chosen, count - len(taken), split)
    return chosen


def _take_groups(
    pool: Sequence[Problem], chosen: dict[str, list[Problem]], count: int, split: str, seed: int
) -> list[Problem]:
    """At most `count` problems of whole groups that no split has yet, in an order that depends on the seed."""
    used = {problem.group_id for problems in chosen.values() for problem in problems}
    groups: dict[str, list[Problem]] = {}
    for problem in pool:
        if problem.group_id not in used:
            groups.setdefault(problem.group_id, []).append(problem)
    order = sorted(groups)
    random.Random(f"split {seed}").shuffle(order)
    taken: list[Problem] = []
    for group in order:
        if len(taken) + len(groups[group]) <= count:
            taken += groups[group]
    return [_in_split(problem, split) for problem in taken]


def _new(stream: Iterable[Problem], chosen: dict[str, list[Problem]], count: int, split: str) -> list[Problem]:
    """The stream's next `count` problems whose questions no held-out split has."""
    known = {normalise(problem.question) for problems in chosen.values() for problem in problems}
    fresh = (problem for problem in stream if normalise(problem.question) not in known)
    return [_in_split(problem, split) for problem in islice(fresh, count)]


def _held_out(problem: Problem, source: SourceParams) -> Problem:
    """The problem, unseen where this run holds out its difficulty."""
    return msgspec.structs.replace(problem, seen=problem.seen and problem.difficulty not in source.unseen)


def _in_split(problem: Problem, split: str) -> Problem:
    return msgspec.structs.replace(problem, split=split)


def _doubts(problem: Problem, task: Task, expert: Expert) -> list[dict[str, str]]:
    """A finding where the label is doubted: there is no rationale that FBK trusts, and IMP's own solution differs."""
    why = _doubt_label(problem, task, expert)
    return [{"id": problem.id, "verdict": "label", "reason": why}] if why else []


def _doubt_label(problem: Problem, task: Task, expert: Expert) -> str:
    nothing = unreadable_attempt("", "dataset")
    start = Feedback(text="", wrong_step=1, wrong_part="", reason="", author="dataset")
    solved = expert.improve(msgspec.structs.replace(problem, answer=""), nothing, start)
    if isinstance(solved, CannotImprove):
        return "" if solved.never else f"the expert cannot solve it: {solved.reason}"
    return "" if task.is_correct(problem, solved) else f"the expert's answer is {str(solved.final)[:80]}"


def check_rationales(
    problems: Iterable[Problem], task: Task, expert: Expert
) -> tuple[list[Problem], list[dict[str, str]]]:
    """The problems, without rationales that FBK finds wrong or that contradict their label; and which those are."""
    kept: list[Problem] = []
    findings: list[dict[str, str]] = []
    for problem in problems:
        if problem.rationale is None:
            kept.append(problem)
            findings += _doubts(problem, task, expert)
            continue
        attempt = parse_attempt(problem.rationale, "dataset")
        verdict = judge(problem, attempt, task, expert)
        reason = verdict.reason if isinstance(verdict, CannotJudge) else verdict.text
        trusted = not isinstance(verdict, CannotJudge) and verdict.says_correct
        if len(problem.rationale) <= MAX_CHARS and LEFTOVERS.search(problem.rationale):
            trusted, reason = False, "special tokens or control characters stand in it"
        if not trusted:
            kind = "cannot judge" if isinstance(verdict, CannotJudge) else "wrong"
            if kind != "wrong" and not attempt.malformed and not task.is_correct(problem, attempt):
                kind = "contradicts its label"
            findings.append({"id": problem.id, "verdict": kind, "reason": reason})
            findings += _doubts(problem, task, expert)
        kept.append(problem if trusted else msgspec.structs.replace(problem, rationale=None))
    return kept, findings
