"""Answers as an expert would: the task's script where it can judge, else the reference rationale.

The problems are those of the JSON lines file that the environment variable TRIPOST_ANSWERS names.
"""

import functools
import os
import re
from pathlib import Path

import msgspec

from tests.llm_server.config import Body
from tripost import registry
from tripost.interfaces import Expert
from tripost.records import Attempt, Feedback, Problem
from tripost.text import parse_attempt, parse_feedback

_SECTION = re.compile(r"^### (Question|Reference answer|Attempt|Feedback|Kept steps)\n", re.MULTILINE)


@functools.cache
def problems() -> dict[str, Problem]:
    """By their question."""
    lines = Path(os.environ["TRIPOST_ANSWERS"]).read_bytes().splitlines()
    return {row.question: row for row in (msgspec.json.decode(line, type=Problem) for line in lines)}


@functools.cache
def script(task: str) -> Expert:
    """The script of a task of ours."""
    return registry.script(task)


def answer(body: Body) -> str:
    """FBK's reply where the case has a reference answer, else IMP's."""
    case = next(said["content"] for said in body["messages"] if said["role"] == "user" and _is_case(said, body))
    _, *found = _SECTION.split(case)
    told = {name: text.strip() for name, text in zip(found[::2], found[1::2], strict=True)}
    problem, attempt = problems()[told["Question"]], parse_attempt(told["Attempt"], "m_theta")
    if "Reference answer" in told:
        step, part, reason = _verdict(problem, attempt)
        return msgspec.json.encode({"step": step, "part": part, "reason": reason}).decode()
    return _update(problem, attempt, parse_feedback(told["Feedback"], attempt, "script"))


def _is_case(said: dict[str, str], body: Body) -> bool:
    """Whether this message is the case, not an example: its question is one of ours."""
    question = _SECTION.split(said["content"])[2:3]
    return bool(question) and question[0].strip() in problems()


def _verdict(problem: Problem, attempt: Attempt) -> tuple[str, str, str]:
    said = script(problem.task).feedback(problem, attempt)
    if isinstance(said, Feedback) and said.wrong_step is not None:
        return _label(attempt, said.wrong_step), said.wrong_part, said.reason
    right = parse_attempt(problem.rationale or "", "dataset")
    for number in range(1, len(attempt.steps) + 2):
        other = right.line(number) if number <= len(right.steps) + 1 and not right.malformed else ""
        if attempt.line(number) != other:
            return _label(attempt, number), attempt.line(number), "it does not follow from what is given"
    return "none", "", ""


def _label(attempt: Attempt, number: int) -> str:
    return attempt.steps[number - 1].label if number <= len(attempt.steps) else "final"


def _update(problem: Problem, attempt: Attempt, feedback: Feedback) -> str:
    said = script(problem.task).improve(problem, attempt, feedback)
    step = feedback.wrong_step or 1
    if isinstance(said, Attempt):
        return "\n".join(said.raw.split("\n")[step - 1 :])
    lines = (problem.rationale or "").strip().split("\n")
    return "\n".join(lines[step - 1 :] or lines[-1:])
