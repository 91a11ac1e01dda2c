"""Examples as an iteration has them, without a model: planted mistakes, edited by the scripts, balanced."""

import random
from itertools import islice
from pathlib import Path

from tripost import registry
from tripost.edit import apart, edit_all
from tripost.experts import chosen
from tripost.interfaces import Planted, Task
from tripost.models.encode import TokenCounter
from tripost.params import Params
from tripost.params_file import load_params
from tripost.rebalance import rebalance
from tripost.records import Example, Problem, Trajectory, Turn
from tripost.rollout import M_THETA, trajectory
from tripost.text import parse_attempt


def first_attempts(params: Params, count: int, wrong: float) -> tuple[dict[str, Problem], list[Trajectory]]:
    """`count` problems a task and an attempt at each: its rationale, a share `wrong` with a planted mistake."""
    rng = random.Random("speed")
    problems: dict[str, Problem] = {}
    rows: list[Trajectory] = []
    for name, source in params.problems.items():
        task = registry.task(name)
        for problem in islice(task.problems(source.seen, 11), count):
            problems[problem.id] = problem
            rows.append(trajectory(problem, f"{problem.id}/t1/0", 0, (attempt_at(problem, task, wrong, rng),)))
    return problems, rows


def attempt_at(problem: Problem, task: Task, wrong: float, rng: random.Random) -> Turn:
    """The problem's rationale as an attempt of M_theta, with the probability `wrong` with a planted mistake."""
    attempt = parse_attempt(problem.rationale or "", M_THETA)
    if rng.random() < wrong and isinstance(task, Planted):
        planted = task.plant(problem, attempt, rng)
        attempt = parse_attempt(planted.attempt.raw, M_THETA) if planted else attempt
    return Turn(attempt=attempt, feedback=None, n_tokens=0)


def examples(count: int) -> list[Example]:
    """What stage `rebalance` would write for `count` problems a task."""
    params = load_params(Path("params.yaml"))
    problems, rows = first_attempts(params, count, 0.7)
    tasks = registry.tasks_of(params.problems)
    counter = TokenCounter("models/embedded")
    experts = chosen.experts(tasks, params.problems)
    found = edit_all(rows, problems, tasks, experts, params.edit, counter.count_tokens, params.layout())
    edited, *_ = apart(found)
    return list(rebalance(edited, problems, params.rebalance, {}, "1 t1", params.layout()).examples())
