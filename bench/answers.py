"""What a model answers to new problems, and what the script says of it."""

from itertools import islice

from tripost import registry
from tripost.interfaces import CannotJudge, Completion, Sampling
from tripost.judge import judge
from tripost.models.decoder import TorchDecoder
from tripost.prompts import attempt_prompt
from tripost.records import Attempt, Feedback, Problem
from tripost.rollout import derive_seed
from tripost.text import ATTEMPT_STOPS, FEEDBACK_STOPS, parse_attempt

SEED = 4_711
LIMITS = {"attempt": 700, "feedback": 200, "line": 60, "verdict": 3}


def fresh(task: str, difficulty: str, count: int) -> list[Problem]:
    """New problems: a seed that no run has."""
    return list(islice(registry.task(task).problems((difficulty,), SEED), count))


def complete(model: TorchDecoder, prompts: list[str], what: str, temperature: float) -> list[Completion]:
    """Of each prompt one completion."""
    stops = {"attempt": ATTEMPT_STOPS, "verdict": ()}.get(what, FEEDBACK_STOPS)
    sampling = Sampling(temperature=temperature, max_new_tokens=LIMITS[what], stops=stops)
    seeds = [derive_seed(SEED, what, str(k)) for k in range(len(prompts))]
    return model.complete(prompts, sampling, seeds)


def verdicts(task: str, problems: list[Problem], attempts: list[Attempt]) -> list[Feedback | CannotJudge]:
    """The script's, held against the answer."""
    expert, family = registry.script(task), registry.task(task)
    return [judge(x, y, family, expert) for x, y in zip(problems, attempts, strict=True)]


def is_right(verdict: Feedback | CannotJudge) -> bool:
    """Answer and steps."""
    return isinstance(verdict, Feedback) and verdict.says_correct


def attempts(model: TorchDecoder, task: str, problems: list[Problem], temperature: float) -> list[Attempt]:
    """First attempts."""
    said = complete(model, [attempt_prompt(x.question) for x in problems], "attempt", temperature)
    return [parse_attempt(c.text if c.finished else "", "m_theta") for c in said]
