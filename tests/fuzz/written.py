"""Problems, attempts, feedbacks and trajectories as a hostile model, or a hostile problem file, would write them."""

from functools import lru_cache
from itertools import islice

import msgspec

from tests.fakes import ARITHMETIC, DATES, DEDUCTION, WORDS, problems
from tests.fuzz.bytes_reader import BytesReader
from tripost import registry
from tripost.records import Attempt, Feedback, Problem, Trajectory, Turn
from tripost.rollout import trajectory
from tripost.tasks.multistep_arithmetic.derive import derive as derive_value
from tripost.tasks.word_sorting.derive import derive as derive_order
from tripost.text import ALL_CORRECT, parse_attempt, parse_feedback, write_attempt

LETTERS = "abcz'.-A\u00e9?[\"0"


@lru_cache
def known(task: str) -> tuple[Problem, ...]:
    """Problems of the task's generator, small and large ones."""
    more = {
        ARITHMETIC: ["length 4, depth [2,2,2]"],
        DATES: ["6 steps"],
        DEDUCTION: ["7 objects"],
        WORDS: ["20 words"],
    }
    return (*problems(task, 6), *islice(registry.task(task).problems(more[task], 5), 1))


def expression(reader: BytesReader, depth: int = 4) -> str:
    """An expression, mostly as questions have it."""
    if depth == 0 or reader.number(3) == 0:
        return reader.choice(("1", "2", "-3", "9", "12", "A", "9" * 40, "0", reader.words()[:8]))
    terms = [expression(reader, depth - 1) for _ in range(1 + reader.number(4))]
    joined = reader.choice((" + ", " - ", " * ", "*")).join(terms)
    return f"({joined})" if reader.number(4) else joined


def question(reader: BytesReader, task: str) -> str:
    """A question of the task that nobody would ask."""
    if reader.number(8) == 0:
        return reader.text()
    if task == ARITHMETIC:
        return f"{expression(reader)} ="
    if task in (DATES, DEDUCTION):
        return reader.changed(reader.choice(known(task)).question)
    words = ["".join(reader.choice(LETTERS) for _ in range(1 + reader.number(5))) for _ in range(reader.number(9))]
    if reader.number(6) == 0:
        words += [f"{reader.piece()}{n}" for n in range(reader.choice((3, 30, 199, 202)))]
    return f"Sort the following words alphabetically:\nList: {' '.join(words)}"


def problem(reader: BytesReader, task: str) -> Problem:
    """A generated problem; or a hostile question, with the answer and rationale that IMP's own code gives it (for dates
    and deduction without a rationale)."""
    x = reader.choice(known(task))
    if reader.number(3):
        return x
    asked = question(reader, task)
    if task in (DATES, DEDUCTION):
        return msgspec.structs.replace(x, question=asked, rationale=None)
    try:
        steps, final_text = derive_value(asked) if task == ARITHMETIC else derive_order(asked)
    except ValueError:
        return msgspec.structs.replace(x, question=asked, answer=reader.choice(("7", "a b", x.answer)))
    y = write_attempt(steps, final_text, "dataset")
    return msgspec.structs.replace(x, question=asked, answer=y.final or "7", rationale=y.raw)


def attempt_text(reader: BytesReader, x: Problem) -> str:
    """A rationale with a few changes; or pieces; or bytes."""
    kind = reader.number(8)
    if kind == 0:
        return reader.text()
    if kind == 1:
        return reader.raw().decode("utf-8", "replace")
    if kind == 2:
        lines = [f"({n}) {reader.text(8)}" for n in range(1, 2 + reader.number(8))]
        return "\n".join([*lines, f"(Final response) {reader.text(8)}"])
    return reader.changed(x.rationale or known(x.task)[0].rationale or "")


def feedback_text(reader: BytesReader, y: Attempt) -> str:
    """A claim that all is correct, a part of a line of the attempt, or anything."""
    kind = reader.number(5)
    if kind == 0:
        return ALL_CORRECT
    if kind == 1:
        return reader.text()
    number = 1 + reader.number(len(y.steps) + 2)
    line = y.line(number)
    start = reader.number(min(len(line), 65_535) + 1)
    part = line[start : start + reader.number(200)] if reader.flag() else reader.text(4)
    where = f"step ({y.steps[number - 1].label})" if number <= len(y.steps) else "(Final response)"
    said = f'In {where} the part "{part}" is incorrect. This is because {reader.text(4) or "no"}.'
    return said if kind < 4 else reader.changed(said)


def feedback(reader: BytesReader, y: Attempt) -> Feedback:
    """Feedback of M_theta on an attempt."""
    return parse_feedback(feedback_text(reader, y), y, "m_theta")


def own_words(reader: BytesReader, x: Problem) -> Trajectory:
    """What rollout would write of a hostile model: up to three turns, each read as rollout reads it."""
    turns: list[Turn] = []
    for _ in range(1 + reader.number(3)):
        y = parse_attempt(attempt_text(reader, x), "m_theta")
        said = feedback(reader, y) if reader.number(4) else None
        turns.append(Turn(attempt=y, feedback=said, n_tokens=reader.number(300)))
    return trajectory(x, f"{x.id}/t1/0", 0, tuple(turns))


def forged(reader: BytesReader, row: Trajectory) -> Trajectory:
    """The row with fields that its texts do not say."""
    turns = list(row.turns)
    number = reader.number(len(turns))
    turn, replace = turns[number], msgspec.structs.replace
    said = turn.feedback or Feedback(text="", wrong_step=None, wrong_part="", reason="", author="m_theta")
    turns[number] = reader.choice(
        (
            replace(turn, attempt=replace(turn.attempt, raw=reader.text())),
            replace(turn, attempt=replace(turn.attempt, final=reader.piece())),
            replace(turn, attempt=replace(turn.attempt, steps=turn.attempt.steps[1:])),
            replace(turn, feedback=replace(said, wrong_step=reader.choice((None, -1, 0, 1, 999)))),
            replace(turn, feedback=replace(said, wrong_part=reader.piece())),
            replace(turn, feedback=replace(said, text=reader.text(), malformed=reader.flag())),
            replace(turn, n_tokens=reader.choice((-1, 0, 10**30))),
        )
    )
    return replace(row, turns=tuple(turns))
