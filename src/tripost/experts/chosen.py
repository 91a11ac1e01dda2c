"""The experts that `params.yaml` names for a task (`problems.<task>.expert`), as one: each role asked in turn."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from tripost import registry
from tripost.interfaces import CannotImprove, CannotJudge, Expert, Task
from tripost.params_source import ExpertParams, SourceParams
from tripost.records import Attempt, Feedback, Problem


class Named(NamedTuple):
    """An expert and the name it was chosen by."""

    name: str
    expert: Expert


class Chosen:
    """FBK is the first that can judge, IMP the first that can improve; where none can, the reasons of all."""

    def __init__(self, judges: Sequence[Named], menders: Sequence[Named]) -> None:
        self.judges, self.menders = judges, menders

    def feedback(self, problem: Problem, attempt: Attempt) -> Feedback | CannotJudge:
        """FBK."""
        refused: list[CannotJudge] = []
        for judge in self.judges:
            verdict = judge.expert.feedback(problem, attempt)
            if isinstance(verdict, Feedback):
                return verdict
            refused.append(verdict)
        return CannotJudge(_reasons(self.judges, [said.reason for said in refused]))

    def improve(self, problem: Problem, attempt: Attempt, feedback: Feedback) -> Attempt | CannotImprove:
        """IMP."""
        refused: list[CannotImprove] = []
        for mender in self.menders:
            update = mender.expert.improve(problem, attempt, feedback)
            if isinstance(update, Attempt):
                return update
            refused.append(update)
        reasons = _reasons(self.menders, [said.reason for said in refused])
        return CannotImprove(reasons, never=all(said.never for said in refused))


def expert(task: Task, named: ExpertParams) -> Chosen:
    """The experts of these names. One that both roles name is made once. Raises UnknownNameError."""
    made: dict[str, Expert] = {}

    def chosen(role: str, names: Sequence[str]) -> list[Named]:
        for name in names:
            if name not in made:
                made[name] = registry.expert(task, name, role)
        return [Named(name, made[name]) for name in names]

    return Chosen(chosen("feedback", named.feedback), chosen("improve", named.improve))


def graded(problems: Mapping[str, SourceParams]) -> set[str]:
    """The tasks whose FBK is the grader alone."""
    return {name for name, source in problems.items() if set(source.expert.feedback) == {"grader"}}


def experts(tasks: Mapping[str, Task], problems: Mapping[str, SourceParams]) -> dict[str, Expert]:
    """For each task the experts that its params name."""
    return {name: expert(task, problems[name].expert) for name, task in tasks.items()}


def _reasons(asked: Sequence[Named], reasons: Sequence[str]) -> str:
    """One reason as it is; of several, who said it."""
    if len(reasons) == 1:
        return reasons[0]
    return "; ".join(f"{who.name}: {reason}" for who, reason in zip(asked, reasons, strict=True))
