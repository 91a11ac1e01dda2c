"""The experts that `params.yaml` names for a task (`problems.<task>.expert`), as one: each role asked in turn."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from types import MappingProxyType
from typing import NamedTuple, TypeVar, cast

from tripost import registry
from tripost.chat.asking import Asking
from tripost.experts.llm import FAILED, Llm
from tripost.interfaces import CannotImprove, CannotJudge, Expert, Task
from tripost.params_llm import LlmParams
from tripost.params_source import ExpertParams, SourceParams
from tripost.records import Attempt, Feedback, Problem


class Named(NamedTuple):
    """An expert and the name it was chosen by."""

    name: str
    expert: Expert


T = TypeVar("T")
NO_LLMS: Mapping[str, LlmParams] = MappingProxyType({})


class Chosen:
    """FBK is the first that can judge, IMP the first that can improve; where none can, the reasons of all, and the
    flaw of the last. An LLM that got no answer is not passed over: the row is for the next run."""

    def __init__(self, judges: Sequence[Named], menders: Sequence[Named], asker: Asking | None = None) -> None:
        self.judges, self.menders, self.asker = judges, menders, asker

    def feedback(self, problem: Problem, attempt: Attempt) -> Feedback | CannotJudge:
        """FBK."""
        refused: list[CannotJudge] = []
        for judge in self.judges:
            ask = partial(judge.expert.feedback, problem, attempt)
            verdict = self._once(judge, ("feedback", judge.name, attempt.raw), ask)
            if isinstance(verdict, Feedback):
                return verdict
            if verdict.flaw == FAILED:
                return verdict
            refused.append(verdict)
        return CannotJudge(_reasons(self.judges, [said.reason for said in refused]), refused[-1].flaw)

    def improve(self, problem: Problem, attempt: Attempt, feedback: Feedback) -> Attempt | CannotImprove:
        """IMP."""
        refused: list[CannotImprove] = []
        for mender in self.menders:
            ask = partial(mender.expert.improve, problem, attempt, feedback)
            update = self._once(mender, ("improve", mender.name, attempt.raw, feedback.text), ask)
            if isinstance(update, Attempt):
                return update
            if update.flaw == FAILED:
                return update
            refused.append(update)
        reasons = _reasons(self.menders, [said.reason for said in refused])
        flaw = next((said.flaw for said in reversed(refused) if not said.never), refused[-1].flaw)
        return CannotImprove(reasons, never=all(said.never for said in refused), flaw=flaw)

    def _once(self, named: Named, key: tuple[str, ...], ask: Callable[[], T]) -> T:
        """What it says; asked once for each row, however often the row is worked on. An LLM has the log for that."""
        if self.asker is None or isinstance(named.expert, Llm):
            return ask()
        memo = self.asker.memo
        if key not in memo:
            memo[key] = ask()
        return cast(T, memo[key])


def expert(
    task: Task, named: ExpertParams, llms: Mapping[str, LlmParams] = NO_LLMS, asker: Asking | None = None
) -> Chosen:
    """The experts of these names; `asker` answers for LLMs. One that both roles name is made once.

    Raises UnknownNameError.
    """
    made: dict[str, Expert] = {}

    def chosen(role: str, names: Sequence[str]) -> list[Named]:
        for name in names:
            if name not in made:
                own = Llm(task, name, llms[name], asker) if name in llms else None
                made[name] = own or registry.expert(task, name, role)
        return [Named(name, made[name]) for name in names]

    return Chosen(chosen("feedback", named.feedback), chosen("improve", named.improve), asker)


def graded(problems: Mapping[str, SourceParams]) -> set[str]:
    """The tasks whose FBK is the grader alone."""
    return {name for name, source in problems.items() if set(source.expert.feedback) == {"grader"}}


def by_answer(problems: Mapping[str, SourceParams], llms: Mapping[str, LlmParams]) -> set[str]:
    """The tasks whose FBK begins with an LLM, which is asked about wrong answers alone."""
    return {name for name, source in problems.items() if source.expert.feedback[0] in llms}


def experts(
    tasks: Mapping[str, Task],
    problems: Mapping[str, SourceParams],
    llms: Mapping[str, LlmParams] = NO_LLMS,
    asker: Asking | None = None,
) -> dict[str, Expert]:
    """For each task the experts that its params name."""
    return {name: expert(task, problems[name].expert, llms, asker) for name, task in tasks.items()}


def _reasons(asked: Sequence[Named], reasons: Sequence[str]) -> str:
    """One reason as it is; of several, who said it."""
    if len(reasons) == 1:
        return reasons[0]
    return "; ".join(f"{who.name}: {reason}" for who, reason in zip(asked, reasons, strict=True))
