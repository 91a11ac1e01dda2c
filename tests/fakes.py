"""Stand-ins for what is outside: a model that writes what it is told, and problems with known rationales."""

from collections.abc import Callable, Sequence
from itertools import islice
from typing import Any

from tripost import registry
from tripost.columns import Row, flatten
from tripost.interfaces import Completion, Sampling
from tripost.params import ExpertParams
from tripost.rebalance import Reached, rebalance
from tripost.records import Attempt, Dropped, Example, Feedback, Problem, Trajectory, Turn
from tripost.rollout import trajectory
from tripost.text import parse_attempt

ARITHMETIC = "multistep_arithmetic"
WORDS = "word_sorting"
SCRIPT = ExpertParams(feedback=("script",), improve=("script",))
DATES = "date_understanding"
DEDUCTION = "logical_deduction"
DIFFICULTIES = {
    ARITHMETIC: ["length 3, depth [2]"],
    DATES: ["1 step", "2 steps"],
    DEDUCTION: ["3 objects", "5 objects"],
    WORDS: ["3 words", "5 words"],
}


class ScriptedModel:
    """A Decoder that answers each prompt by a function of (prompt, seed), and keeps what it was asked."""

    device = ""

    def __init__(self, answer: Callable[[str, int], str]) -> None:
        self.answer = answer
        self.asked: list[tuple[str, Sampling, int]] = []

    def complete(
        self,
        prompts: Sequence[str],
        sampling: Sampling,
        seeds: Sequence[int],
        on_tokens: Callable[[int, int], None] = lambda rows, tokens: None,
        on_row: Callable[[int, Completion], None] = lambda row, completion: None,
    ) -> list[Completion]:
        """The function's text, cut before the first stop, as a real decoder does."""
        done = []
        for prompt, seed in zip(prompts, seeds, strict=True):
            self.asked.append((prompt, sampling, seed))
            text = self.answer(prompt, seed)
            cuts = [text.find(stop) for stop in sampling.stops if stop in text]
            text = text[: min(cuts)] if cuts else text
            done.append(Completion(text=text, n_tokens=len(text), finished=True))
            on_row(len(done) - 1, done[-1])
        on_tokens(len(prompts), 0)
        return done

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        """A token a character, and EOS."""
        return [len(text) + 1 for text in texts]


def problems(task: str, count: int, seed: int = 5) -> list[Problem]:
    """The first problems of the task's generator."""
    return list(islice(registry.task(task).problems(DIFFICULTIES[task], seed), count))


def arithmetic_problem() -> Problem:
    """((1 - 2 + 3) - (4 * 2 - 1)) = -5, with its rationale."""
    return Problem(
        id="x1",
        task=ARITHMETIC,
        question="((1 - 2 + 3) - (4 * 2 - 1)) =",
        answer="-5",
        rationale=(
            '(1) This equation can be written as "(A - B)", where A = (1 - 2 + 3) and B = (4 * 2 - 1).\n'
            "(2) Let's calculate A = (1 - 2 + 3) = ((1 - 2) + 3) = (-1 + 3) = 2.\n"
            "(3) Let's calculate B = (4 * 2 - 1) = ((4 * 2) - 1) = (8 - 1) = 7.\n"
            "(4) Then, the final equation is (A - B) = (2 - 7) = -5.\n"
            "(Final response) So the answer is -5."
        ),
        difficulty="length 3, depth [2]",
        seen=True,
        split="train",
        group_id="x1",
        source="generated",
        licence="Apache-2.0",
    )


def attempt(text: str, author: str = "m_theta") -> Attempt:
    """An attempt as rollout would parse it."""
    return parse_attempt(text, author)


def attempts_of(problem: Problem, *turns: tuple[str, Feedback | None]) -> Trajectory:
    """A trajectory of M_theta's (attempt text, feedback) turns."""
    written = tuple(Turn(attempt=attempt(text), feedback=said, n_tokens=1) for text, said in turns)
    return trajectory(problem, f"{problem.id}/t1/0", 0, written)


def balanced(*arguments: Any, **more: Any) -> tuple[list[Example], list[Dropped], dict[str, Reached]]:
    """All that `rebalance` comes to."""
    found = rebalance(*arguments, **more)
    return list(found.examples()), list(found.dropped()), found.reached


def flat_rows(*arguments: Any, **more: Any) -> list[Row]:
    """The rows of `flatten`."""
    return list(flatten(*arguments, **more))
