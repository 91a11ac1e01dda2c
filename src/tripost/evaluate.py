"""Oracle-free self-correction, and what an honest evaluation reports of it.

Greedy: attempt -> own feedback -> own update, until the feedback says correct, cannot be read, or `max_turns`. FBK
judges afterwards. Rates carry 95 % Wilson intervals; comparisons of the same problems are exact McNemar tests.
"""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from tripost.chat.asking import Asking
from tripost.chat.in_order import in_order
from tripost.interfaces import CannotJudge, Decoder, Expert, Task, Watcher
from tripost.judge import judge
from tripost.layout import PAPER_LAYOUT, Layout
from tripost.lengths import with_token_counts
from tripost.params import EvalParams
from tripost.rates import paired, rate
from tripost.records import Prediction, Problem
from tripost.rollout import NOBODY, converse, derive_seed, trajectory

CANNOT_JUDGE = -1


def evaluate(
    m_theta: Decoder,
    problems: Sequence[Problem],
    tasks: Mapping[str, Task],
    experts: Mapping[str, Expert],
    params: EvalParams,
    t: str,
    *,
    own_feedback: bool,
    layout: Layout = PAPER_LAYOUT,
    watcher: Watcher = NOBODY,
    asker: Asking | None = None,
) -> list[Prediction]:
    """What M_theta makes of each problem. Without `own_feedback` (M_0) the first attempt alone.

    `asker`: has FBK's questions to LLMs answered, about many problems at once.
    """
    written = converse(
        m_theta,
        problems,
        temperature=0.0,
        limits=params.max_new_tokens,
        max_turns=params.max_turns if own_feedback else 0,
        seeds=[derive_seed(0, problem.id) for problem in problems],
        layout=layout,
        watcher=watcher,
    )
    rows = [
        trajectory(problem, f"{problem.id}/{t}/greedy", 0, turns)
        for problem, turns in zip(problems, written, strict=True)
    ]
    counted = with_token_counts(rows, {p.id: p for p in problems}, m_theta.count_tokens, layout)
    works = (
        partial(_prediction, problem, row, tasks[problem.task], experts[problem.task])
        for problem, row in zip(problems, counted, strict=True)
    )
    return list(in_order(works, asker))


def _prediction(problem: Problem, row: Any, task: Task, expert: Expert) -> Prediction:
    attempts = [turn.attempt for turn in row.turns]
    verdicts: list[int] = []
    for attempt in attempts:
        verdict = judge(problem, attempt, task, expert)
        verdicts.append(CANNOT_JUDGE if isinstance(verdict, CannotJudge) else verdict.wrong_step or 0)
    return Prediction(
        problem_id=problem.id,
        task=problem.task,
        seen=problem.seen,
        group_id=problem.group_id,
        difficulty=problem.difficulty,
        trajectory=row,
        right=tuple(task.is_correct(problem, attempt) for attempt in attempts),
        verdicts=tuple(verdicts),
    )


def direct(prediction: Prediction) -> bool:
    """Whether the first attempt's answer is right."""
    return prediction.right[0]


def final(prediction: Prediction) -> bool:
    """Whether the answer of the last attempt that parses is right."""
    turns = prediction.trajectory.turns
    readable = [k for k, turn in enumerate(turns) if not turn.attempt.malformed]
    return prediction.right[readable[-1]] if readable else False


def metrics(
    predictions: Sequence[Prediction], previous: Sequence[Prediction] | None = None
) -> dict[str, dict[str, dict[str, Any]]]:
    """task -> seen | unseen | total -> measure; `previous`: the same problems' predictions at t-1."""
    before = {prediction.problem_id: prediction for prediction in previous or ()}
    table: dict[str, dict[str, dict[str, Any]]] = {}
    for task in sorted({prediction.task for prediction in predictions}):
        mine = [prediction for prediction in predictions if prediction.task == task]
        subsets = {
            "seen": [p for p in mine if p.seen],
            "unseen": [p for p in mine if not p.seen],
            "total": mine,
        }
        table[task] = {name: _measures(rows, before) for name, rows in subsets.items() if rows}
    return table


def _measures(rows: Sequence[Prediction], before: Mapping[str, Prediction]) -> dict[str, Any]:
    """Feedback measures look at the first feedback: flagged = it names a wrong step; wrong = FBK names one, or the
    answer is wrong; located = the same step as FBK's. Right answers that FBK cannot judge are `unjudged`."""
    spoke = [p for p in rows if p.trajectory.turns[0].feedback is not None]
    wrong = [p for p in spoke if p.verdicts[0] > 0 or not p.right[0]]
    right = [p for p in spoke if p.verdicts[0] == 0]
    flagged = [p for p in wrong if _flag(p) and p.verdicts[0] != CANNOT_JUDGE]
    found: dict[str, Any] = {
        "n": len(rows),
        "direct": rate(direct(p) for p in rows),
        "final": rate(final(p) for p in rows),
        "revised": rate(len(p.trajectory.turns) > 1 for p in rows),
        "fixed": rate(final(p) and not direct(p) for p in rows),
        "broken": rate(direct(p) and not final(p) for p in rows),
        "flagged_wrong": rate(_flag(p) > 0 for p in wrong),
        "located": rate(_flag(p) == p.verdicts[0] for p in flagged),
        "flagged_right": rate(_flag(p) > 0 for p in right),
        "unjudged": rate(p.verdicts[0] == CANNOT_JUDGE and p.right[0] for p in rows),
        "malformed": rate(malformed(p) for p in rows),
        "final_against_direct": paired([direct(p) for p in rows], [final(p) for p in rows]),
    }
    if all(p.problem_id in before for p in rows) and before:
        found["final_against_previous"] = paired(
            [final(before[p.problem_id]) for p in rows], [final(p) for p in rows]
        )
    return found


def _flag(prediction: Prediction) -> int:
    """The step that M_theta's first feedback calls wrong; 0 for none or an unreadable feedback."""
    feedback = prediction.trajectory.turns[0].feedback
    return 0 if feedback is None or feedback.malformed else feedback.wrong_step or 0


def malformed(prediction: Prediction) -> bool:
    """Whether an attempt or a feedback could not be read."""
    return any(
        turn.attempt.malformed or (turn.feedback is not None and turn.feedback.malformed)
        for turn in prediction.trajectory.turns
    )
