"""Probes: attempts whose verdict is known, judged by FBK among M_theta's and never trained on, to measure FBK.

As M_theta gets better its mistakes get harder to see, and an expert that was good enough may no longer be. So its
recall and its false alarms are measured anew in every iteration, on this iteration's problems (others of train where
these are too few), and the gate stops an expert that falls short.

What a verdict is known from, if not from the expert that is being measured:
- *clean* (nothing is wrong): reference rationales alone. An attempt of M_theta with the right answer may hold a wrong
  step, and only the expert could tell. A rationale of our generators is right by construction; one from a file was
  held against the task's expert at stage `problems`, and that expert's false alarms show on it only where it
  contradicts itself.
- *planted* (one error at a known step): made from M_theta's own attempt of this rollout where its answer is right and
  the task's planter has itself seen every claim in it to hold; else from the rationale. Certain, since the planter
  changed a claim that it can reckon. For a task without a planter the final response of a rationale gets another
  problem's answer, which `is_correct` refuses.
Problems are drawn by chance, not those that M_theta can solve: or the probes were easier than what is judged.
"""

import random
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from hashlib import sha256
from typing import Any

import msgspec

from tripost.errors import DataError
from tripost.interfaces import CannotJudge, Expert, Planted, PlantedError, Task
from tripost.judge import judge
from tripost.params import ProbeParams
from tripost.records import Attempt, Probe, Problem, Trajectory
from tripost.tasks.planted import rewrite, with_answer
from tripost.text import parse_attempt

CLEAN = "clean"
OTHER_ANSWER = "other-answer"
TRIES = 20
"""Other problems whose answers are tried; a task with two answers in all needs a few."""


def make_probes(
    rows: Sequence[Trajectory],
    problems: Mapping[str, Problem],
    tasks: Mapping[str, Task],
    params: ProbeParams | None,
    seed: int,
    t: str,
    graded: Collection[str] = (),
    by_answer: Collection[str] = (),
) -> list[Probe]:
    """The probes of iteration t for each task, one a problem at most; none where `params` is None.

    For tasks in `graded` clean ones alone: their FBK knows right answers, and says of nothing that it is wrong. For
    those in `by_answer` errors with a wrong answer alone: their FBK calls every right answer right, as LLMs do.
    """
    if params is None:
        return []
    clean = params.model_copy(update={"planted": 0.0})
    counts = Counter[str]()
    own: dict[str, tuple[int, int] | None] = {}  # problem -> number of the row and turn where M_theta is first right
    for number, row in enumerate(rows):
        counts[row.task] += 1
        if row.task in tasks and own.get(row.problem_id) is None:
            own[row.problem_id] = _right_turn(number, row, problems[row.problem_id], tasks[row.task])
    found: list[Probe] = []
    for name in sorted(tasks):
        asked = clean if name in graded else params
        strict = name in by_answer
        found += _of_task(rows, own, counts[name], problems, tasks[name], asked, seed, t, wrong_answers=strict)
    return found


def places(probes: Sequence[Probe], rows: int, seed: str) -> dict[int, list[Probe]]:
    """Number of a row -> the probes that are judged before it: all at random places, in random order."""
    rng = random.Random(f"places {seed}")
    found: dict[int, list[Probe]] = {}
    for probe in rng.sample(probes, len(probes)):
        found.setdefault(rng.randrange(rows), []).append(probe)
    return found


def ask(probe: Probe, problem: Problem, task: Task, expert: Expert) -> Probe:
    """The probe with FBK's verdict. FBK sees what it sees of a trajectory: an attempt of M_theta."""
    verdict = judge(problem, msgspec.structs.replace(probe.attempt, author="m_theta"), task, expert)
    if isinstance(verdict, CannotJudge):
        return msgspec.structs.replace(probe, cannot_judge=verdict.reason)
    return msgspec.structs.replace(probe, feedback=verdict)


def _of_task(
    rows: Sequence[Trajectory],
    own: Mapping[str, tuple[int, int] | None],
    count: int,
    problems: Mapping[str, Problem],
    task: Task,
    params: ProbeParams,
    seed: int,
    t: str,
    *,
    wrong_answers: bool,
) -> list[Probe]:
    """`own`: the problems of this rollout. `count`: rows of the task."""
    pool = [problem for problem in problems.values() if problem.task == task.name]
    usable = [problem for problem in pool if problem.rationale is not None or own.get(problem.id)]
    rng = random.Random(f"probes {seed} {t} {task.name}")
    order = sorted(rng.sample(usable, len(usable)), key=lambda problem: problem.id not in own)
    wanted = min(len(order), max(params.minimum, round(params.share * count)))
    to_plant = round(params.planted * wanted)
    found: list[Probe] = []
    for problem in order:
        if len(found) == wanted:
            break
        made = None
        if to_plant:
            place = own.get(problem.id)
            attempt = rows[place[0]].turns[place[1]].attempt if place else None
            rng = random.Random(f"plant {seed} {t} {problem.id}")
            made = _planted(problem, attempt, task, pool, rng, wrong_answers=wrong_answers)
            to_plant -= made is not None
        if made is None and wanted - len(found) > to_plant:
            made = _clean(problem, task)
        if made is not None:
            found.append(msgspec.structs.replace(made, id=f"{problem.id}/{t}/probe"))
    return found


def _right_turn(number: int, row: Trajectory, problem: Problem, task: Task) -> tuple[int, int] | None:
    """The row's number and that of its first turn with the right answer."""
    right = (k for k, turn in enumerate(row.turns) if task.is_correct(problem, turn.attempt))
    return next(((number, k) for k in right), None)


def _rationale(problem: Problem, task: Task) -> Attempt | None:
    attempt = parse_attempt(problem.rationale or "", "dataset")
    return attempt if not attempt.malformed and task.is_correct(problem, attempt) else None


def _clean(problem: Problem, task: Task) -> Probe | None:
    attempt = _rationale(problem, task)
    return _probe(problem, "rationale", CLEAN, attempt, None) if attempt else None


def _planted(
    problem: Problem,
    own: Attempt | None,
    task: Task,
    pool: Sequence[Problem],
    rng: random.Random,
    *,
    wrong_answers: bool,
) -> Probe | None:
    rationale = _rationale(problem, task)
    if isinstance(task, Planted):
        for source, base in (("attempt", own), ("rationale", rationale)):
            error = task.plant(problem, base, rng) if base else None
            for _ in range(TRIES if base and wrong_answers else 0):
                if error is None or not task.is_correct(problem, error.attempt):
                    break
                error = task.plant(problem, base, rng) if base else None
            if error and wrong_answers and task.is_correct(problem, error.attempt):
                error = None
            if base and error:
                _require_sound(base, error, task)
                return _probe(problem, source, error.kind, error.attempt, error.step)
    error = _other_answer(problem, rationale, task, pool, rng) if rationale else None
    return _probe(problem, "rationale", error.kind, error.attempt, error.step) if error else None


def _other_answer(
    problem: Problem, base: Attempt, task: Task, pool: Sequence[Problem], rng: random.Random
) -> PlantedError | None:
    """The error that every task knows: a final response with another problem's answer."""
    last = len(base.steps) + 1
    for other in rng.sample(pool, min(TRIES, len(pool))):
        changed = rewrite(base, {last: with_answer(base, other.answer)})
        if not changed.malformed and changed.steps == base.steps and not task.is_correct(problem, changed):
            return PlantedError(changed, last, OTHER_ANSWER)
    return None


def _require_sound(base: Attempt, error: PlantedError, task: Task) -> None:
    """Raises DataError where a planter's word cannot be taken: another attempt than the one it was given."""
    n, changed = error.step, error.attempt
    there = 1 <= n <= min(len(base.steps), len(changed.steps)) + 1 and not changed.malformed
    if not there or changed.steps[: n - 1] != base.steps[: n - 1] or changed.line(n) == base.line(n):
        where = f"params.yaml: problems.{task.name}"
        raise DataError(f"{where}: its plant() did not change line {n} first, as it says; mend it, docs/extending.md")


def _probe(problem: Problem, source: Any, kind: str, attempt: Attempt, step: int | None) -> Probe:
    return Probe(
        id="",
        task=problem.task,
        problem_id=problem.id,
        question_sha256=sha256(problem.question.encode()).hexdigest(),
        source=source,
        kind=kind,
        attempt=attempt,
        planted_step=step,
    )
