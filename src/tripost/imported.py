"""Rows of published files and of the user's own -> problems. Every error says which row, and what to do about it."""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from tripost.errors import DataError
from tripost.interfaces import Published, Task
from tripost.questions import digest, shared_text
from tripost.records import Problem, version_flaw
from tripost.text import LEFTOVERS, MAX_CHARS, has_marker, parse_attempt

LICENCES = {"tripost": "none stated", "bbh": "MIT"}


def read_problem(task: Task, source: str, where: str, row: dict[str, Any]) -> Problem:
    """The problem of one row of a file of this source. Raises DataError."""
    return _own(task, where, row) if source == "jsonl" else _published(task, source, where, row)


def read_problems(task: Task, source: str, rows: Sequence[tuple[str, dict[str, Any]]]) -> list[Problem]:
    """The problems of all (file:line, row). Raises DataError, also where two rows of an own file have one id."""
    first: dict[str, str] = {}
    pool: list[Problem] = []
    for where, row in rows:
        problem = read_problem(task, source, where, row)
        if source == "jsonl" and first.setdefault(problem.id, where) != where:
            raise DataError(f"{where}: the id {problem.id!r} stands at {first[problem.id]}, too; give it another")
        pool.append(problem)
    return pool


def _published(task: Task, source: str, where: str, row: dict[str, Any]) -> Problem:
    """A row in the shape of the authors' or of BIG-Bench Hard's files."""
    if not isinstance(task, Published):
        raise DataError(f"{where}: task {task.name!r} has no published shape; use source: jsonl")
    try:
        content = row.get("meta_data", row) if source == "tripost" else row
        question = content["question" if source == "tripost" else "input"]
        answer = content["answer" if source == "tripost" else "target"]
        rationale = content["rationale"] if source == "tripost" else None
        question, answer = _with_options(question, answer, content) if source == "tripost" else (question, answer)
    except (AttributeError, KeyError, TypeError):
        raise DataError(f"{where}: not in the shape of source: {source}; see docs/data.md") from None
    if isinstance(answer, list):
        answer = " ".join(map(str, answer))
    if not all(isinstance(value, str) for value in (question, answer, rationale or "")):
        raise DataError(f"{where}: question, answer and rationale must be text; mend the row")
    question = question.replace("\r\n", "\n")
    try:
        difficulty = task.difficulty(question)
    except DataError as error:
        raise DataError(f"{where}: {error}; mend the row or take it out") from None
    return _checked(
        task,
        where,
        Problem(
            id=f"{task.name}-{source}-{digest(question)}",
            task=task.name,
            question=question,
            answer=answer,
            rationale=rationale,
            difficulty=difficulty,
            seen=task.seen(difficulty),
            split="train",
            group_id=digest(shared_text(task, question)),
            source=source,
            licence=LICENCES[source],
        ),
    )


def _with_options(question: Any, answer: Any, content: Mapping[str, Any]) -> tuple[Any, Any]:
    """The authors keep lettered options beside the question, and their answer is a bare letter."""
    options = content.get("formatted_choices")
    if not all(isinstance(value, str) for value in (question, answer, options)):
        return question, answer
    return f"{question}\nOptions:\n{options}", f"({answer})"


def _own(task: Task, where: str, row: dict[str, Any]) -> Problem:
    try:
        problem = msgspec.convert(row, Problem)
    except msgspec.ValidationError as error:
        why = version_flaw(row, "write it anew as docs/data.md has it") or f"not a Problem: {error}; see docs/data.md"
        raise DataError(f"{where}: {why}") from None
    if problem.task != task.name:
        raise DataError(f"{where}: task {problem.task!r} instead of {task.name!r}; move the row to a file of its own")
    if problem.split == "train" and not problem.seen:
        raise DataError(f"{where}: an unseen problem in train; unseen problems belong to validation or test")
    return _checked(task, where, problem)


def _checked(task: Task, where: str, problem: Problem) -> Problem:
    rationale = problem.rationale
    problem = msgspec.structs.replace(
        problem,
        question=problem.question.replace("\r\n", "\n"),
        rationale=None if rationale is None else rationale.replace("\r\n", "\n"),
    )
    if not (problem.id.strip() and problem.question.strip() and problem.answer.strip()):
        raise DataError(f"{where}: id, question or answer is empty; mend the row or take it out")
    answered = parse_attempt(f"(Final response) So the answer is {problem.answer}.", "dataset")
    if not task.is_correct(problem, answered):
        said = f"the answer {problem.answer[:40]!r} is none that {task.name} can be held against"
        raise DataError(f"{where}: {said}; mend the row or take it out")
    if len(problem.question) > MAX_CHARS:
        raise DataError(f"{where}: a question of more than {MAX_CHARS} characters; shorten it or take the row out")
    if LEFTOVERS.search(problem.question):
        raise DataError(f"{where}: special tokens or control characters stand in the question; take them out")
    if has_marker(problem.question):
        raise DataError(f"{where}: a line of the question starts like a turn (Q:, Answer:, Feedback: ...); reword it")
    return problem
