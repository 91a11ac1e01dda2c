"""Trajectories for the tests of the gate: made by the real generators, scripts and `edit`, and ways to break them."""

import random
from collections.abc import Callable, Sequence
from contextlib import suppress

import msgspec

from bench.planted import arithmetic, words
from tripost.edit import edit
from tripost.filter import flaw
from tripost.interfaces import Scripted
from tripost.layout import PAPER_LAYOUT
from tripost.lengths import with_token_counts
from tripost.params import EditParams
from tripost.records import Attempt, Feedback, Problem, Trajectory, Turn
from tripost.registry import task
from tripost.rollout import trajectory
from tripost.text import ALL_CORRECT, parse_attempt, parse_feedback

CONTEXT = 5_000
MAX_UPDATES = 5
DIFFICULTIES = {"multistep_arithmetic": "length 3, depth [2]", "word_sorting": "5 words"}
PLANT = {"multistep_arithmetic": arithmetic.plant, "word_sorting": words.plant}


def count_tokens(texts: Sequence[str]) -> list[int]:
    """A character is a token, and EOS one more."""
    return [len(text) + 1 for text in texts]


def problems_of(name: str, count: int) -> list[Problem]:
    """The first problems of a task."""
    found = task(name).problems([DIFFICULTIES[name]], seed=7)
    return [next(found) for _ in range(count)]


def edited(problem: Problem, *raws: str) -> Trajectory | None:
    """What edit makes of these attempts of M_theta, each but the last with the script's own feedback; None where
    the filter would drop it."""
    found = task(problem.task)
    assert isinstance(found, Scripted)
    expert = found.script()
    attempts = [parse_attempt(raw, "m_theta") for raw in raws]
    turns = []
    for attempt in attempts:
        feedback = expert.feedback(problem, attempt)
        own = msgspec.structs.replace(feedback, author="m_theta") if isinstance(feedback, Feedback) else None
        turns.append(Turn(attempt=attempt, feedback=own if attempt is not attempts[-1] else None, n_tokens=0))
    row = trajectory(problem, f"{problem.id}/t1/0", 1, tuple(turns))
    done = edit(
        row,
        problem,
        found,
        expert,
        EditParams(max_updates=MAX_UPDATES, check_reason=False, probes=None, salvage=False),
    )
    if not isinstance(done, Trajectory):
        return None
    done = counted(done, problem)
    return done if flaw(done, problem, found, CONTEXT) is None else None


def counted(row: Trajectory, problem: Problem) -> Trajectory:
    """The row with the token counts of its texts."""
    return with_token_counts([row], {problem.id: problem}, count_tokens, PAPER_LAYOUT)[0]


def of_length(problem: Problem, turns: int) -> Trajectory:
    """A kept trajectory with this many turns, the first wrong step of which is not step 1."""
    right = problem.rationale or ""
    for seed in range(500):
        rng = random.Random(seed)
        raws = [right]
        with suppress(ValueError):  # a rationale without a place for the error
            for _ in range(turns - 1):
                raws.insert(0, PLANT[problem.task](problem.question, right, rng).text)
        row = edited(problem, *raws[: max(1, turns - 1)])
        if row and len(row.turns) == turns and (turns == 1 or (_feedback(row, 0).wrong_step or 0) > 1):
            return row
    raise AssertionError(f"no trajectory of {turns} turns for {problem.id}")


def kept() -> tuple[list[Trajectory], dict[str, Problem]]:
    """Kept trajectories of both tasks, of one, two and three turns, and their problems."""
    problems = {problem.id: problem for name in DIFFICULTIES for problem in problems_of(name, 3)}
    rows = [of_length(problem, 1 + n % 3) for n, problem in enumerate(problems.values())]
    return rows, problems


def _feedback(row: Trajectory, i: int) -> Feedback:
    feedback = row.turns[i].feedback
    assert feedback is not None
    return feedback


def with_turn(
    row: Trajectory,
    i: int,
    attempt: Callable[[str], str] = str,
    feedback: Callable[[str], str] = str,
    n_tokens: Callable[[int], int] = int,
) -> Trajectory:
    """The row with turn i written otherwise; the fields of the turn are read anew from its text."""
    turn, turns = row.turns[i], list(row.turns)
    read = parse_attempt(attempt(turn.attempt.raw), turn.attempt.author)
    said = parse_feedback(feedback(_feedback(row, i).text), read, _feedback(row, i).author)
    turns[i] = Turn(attempt=read, feedback=said, n_tokens=n_tokens(turn.n_tokens))
    return msgspec.structs.replace(row, turns=tuple(turns))


def with_fields(
    row: Trajectory, i: int, attempt: Attempt | None = None, feedback: Feedback | None = None
) -> Trajectory:
    """The row with another attempt or feedback at turn i, as it stands."""
    turn, turns = row.turns[i], list(row.turns)
    turns[i] = msgspec.structs.replace(turn, attempt=attempt or turn.attempt, feedback=feedback or turn.feedback)
    return msgspec.structs.replace(row, turns=tuple(turns))


def swap(old: str, new: str) -> Callable[[str], str]:
    def change(text: str) -> str:
        assert old in text
        return text.replace(old, new, 1)

    return change


def kept_line(row: Trajectory) -> Trajectory:
    """The update with the wrong line of the attempt."""
    n = (_feedback(row, 0).wrong_step or 0) - 1
    return with_turn(row, 1, swap(row.turns[1].attempt.raw.split("\n")[n], row.turns[0].attempt.raw.split("\n")[n]))


ROWS, PROBLEMS = kept()
ONE, TWO, THREE = ROWS[:3]
"""Multistep arithmetic of so many turns."""
WRONG = 'In step (2) the part "A" is incorrect. This is because it is not.'
BROKEN: dict[str, tuple[Trajectory, set[str]]] = {
    # A task that is not trained is not the problem's either.
    "another task": (msgspec.structs.replace(ONE, task="x"), {"tasks_known", "question_matches"}),
    "another question": (msgspec.structs.replace(ONE, question_sha256="0" * 64), {"question_matches"}),
    # Without a turn there is no last feedback, no answer and no token either.
    "no turn": (
        msgspec.structs.replace(ONE, turns=()),
        {"turns_bounded", "answers_match", "ends_correct", "tokens_fit"},
    ),
    # Turns that are repeated bring the first mistake back.
    "too many turns": (
        msgspec.structs.replace(THREE, turns=(*THREE.turns[:2] * 3, THREE.turns[2])),
        {"turns_bounded", "steps_kept"},
    ),
    "unreadable attempt": (with_turn(TWO, 0, lambda _: "It is 7."), {"texts_readable"}),
    "unreadable feedback": (with_turn(THREE, 1, feedback=lambda _: "Hm."), {"texts_readable"}),
    # What cannot be read does not say that the first attempt is wrong.
    "unreadable first": (with_turn(TWO, 0, feedback=lambda _: "Hm."), {"texts_readable", "starts_wrong"}),
    "stored answer": (
        with_fields(TWO, 1, msgspec.structs.replace(TWO.turns[1].attempt, final="1")),
        {"fields_match_text"},
    ),
    "special token": (with_turn(TWO, 1, swap("final equation", "<|im_end|>")), {"no_leftovers"}),
    "end of sequence": (with_turn(TWO, 0, feedback=swap("because", "because </s>")), {"no_leftovers"}),
    "undecodable": (with_turn(TWO, 0, feedback=swap("because", "because \ufffd")), {"no_leftovers"}),
    # A line that starts as a segment does makes a feedback unreadable, too.
    "marker": (with_turn(THREE, 1, feedback=lambda f: f + "\n Q: next"), {"no_leftovers", "texts_readable"}),
    "wrong answer": (with_turn(TWO, 1, lambda raw: raw[:-1] + "1."), {"answers_match"}),
    # A first feedback that is right is an early one that is right.
    "starts right": (with_turn(TWO, 0, feedback=lambda _: ALL_CORRECT), {"starts_wrong", "correct_only_last"}),
    # A lone feedback is the first and the last.
    "ends at once": (with_turn(ONE, 0, feedback=lambda _: WRONG), {"starts_wrong", "ends_correct"}),
    # Called salvaged, a row must end in a feedback on a wrong step; its answer is not looked at.
    "salvaged right": (
        msgspec.structs.replace(ONE, salvaged=True),
        {"ends_correct", "starts_wrong"},
    ),
    "salvaged right after an update": (msgspec.structs.replace(TWO, salvaged=True), {"ends_correct"}),
    "ends wrong": (with_turn(TWO, 1, feedback=lambda _: WRONG), {"ends_correct"}),
    "right in between": (with_turn(THREE, 1, feedback=lambda _: ALL_CORRECT), {"correct_only_last"}),
    "no such step": (with_turn(TWO, 0, feedback=swap("step (3)", "step (9)")), {"steps_exist"}),
    "no such part": (with_turn(TWO, 0, feedback=swap('part "', 'part "x')), {"parts_quoted"}),
    "lost step": (with_turn(TWO, 1, swap("Let's calculate A", "Let us calculate A")), {"steps_kept"}),
    "wrong line kept": (kept_line(TWO), {"wrong_line_changed"}),
}
"""How a trajectory is broken -> the broken one, and all checks that have to fail for it."""
SALVAGED = msgspec.structs.replace(THREE, id="salvaged", turns=THREE.turns[:2], salvaged=True)
"""A trajectory whose second update nobody could write; and one whose first."""
SALVAGED_AT_ONCE = msgspec.structs.replace(TWO, id="salvaged at once", turns=TWO.turns[:1], salvaged=True)
FIELDS = {"another task", "another question", "no turn", "stored answer"}
"""Where the token counts stay as they are; elsewhere they are those of the broken text."""


def broken() -> list[Trajectory]:
    """The broken trajectories, each under the name of how it is broken."""
    return [
        msgspec.structs.replace(row if how in FIELDS else counted(row, PROBLEMS[row.problem_id]), id=how)
        for how, (row, _) in BROKEN.items()
    ]
