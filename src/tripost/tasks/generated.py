"""What all generators share: difficulties in turn, no question twice, ids that stay when more are asked for."""

import random
from collections.abc import Callable, Iterator, Sequence

from tripost.interfaces import Grouped, Task
from tripost.questions import digest, shared_text
from tripost.records import Problem

MAX_TRIES = 1_000


def generate(
    task: Task,
    difficulties: Sequence[str],
    seed: int,
    make: Callable[[str, random.Random], tuple[str, str, str | None]],
) -> Iterator[Problem]:
    """Problems from `make(difficulty, rng) -> (question, answer, rationale or None)`.

    Of questions that share what must not be split (a paragraph, or all but the options) only the first is given.

    The n-th problem depends on the seed and on the questions before it, never on how many are taken. Ends when
    a difficulty has no new question left to give.
    """
    known: set[str] = set()
    number = 0
    while difficulties:
        difficulty = difficulties[number % len(difficulties)]
        rng = random.Random(f"{task.name} {seed} {number}")
        for _ in range(MAX_TRIES):
            question, answer, rationale = make(difficulty, rng)
            shared = shared_text(task, question)
            if shared not in known:
                break
        else:
            return
        known.add(shared)
        identity = f"{task.name}-g{seed}-{number}"
        yield Problem(
            id=identity,
            task=task.name,
            question=question,
            answer=answer,
            rationale=rationale,
            difficulty=difficulty,
            seen=task.seen(difficulty),
            split="train",
            group_id=digest(shared) if isinstance(task, Grouped) else identity,
            source="generated",
            licence="Apache-2.0",
        )
        number += 1
