"""The words in which mistakes are named, without the attempts that they are about: a form to be filled in."""

import random

from tripost import registry
from tripost.interfaces import Planted
from tripost.phrases import slip
from tripost.pretrain.page import GIVEN, SAID, Page
from tripost.records import Feedback, Problem
from tripost.text import ALL_CORRECT, FEEDBACK, parse_attempt

_DIFFICULTIES = {
    "date_understanding": "1 step",
    "logical_deduction": "3 objects",
    "multistep_arithmetic": "length 4, depth [2]",
    "word_sorting": "3 words",
}


def remarks(rng: random.Random) -> Page:
    """Where, which part and why are given; the sentence is learned. Nothing here has to be judged."""
    page: Page = []
    for _ in range(4):
        given, said = ("Nothing is wrong.", ALL_CORRECT) if rng.random() < 0.3 else _remark(rng)
        page += [(f"{given}{FEEDBACK}", GIVEN), (f" {said}\n", SAID)]
    return page


def _remark(rng: random.Random) -> tuple[str, str]:
    """Its fields, and the sentence."""
    while True:
        name = rng.choice(sorted(_DIFFICULTIES))
        problem = next(registry.task(name).problems((_DIFFICULTIES[name],), rng.randrange(2**32)))
        feedback = (
            _planted(name, problem, rng) if rng.random() < 0.7 else slip(problem, registry.script(name), rng)[1]
        )
        if feedback is None or feedback.wrong_step is None:
            continue
        if "read" not in feedback.reason or rng.random() < 0.1:  # most random slips leave no readable step
            place = feedback.text.removeprefix("In ").partition(" the part")[0]
            return f'{place}, "{feedback.wrong_part}": {feedback.reason}', feedback.text


def _planted(name: str, problem: Problem, rng: random.Random) -> Feedback | None:
    """What the script says of an error that the task makes itself."""
    task = registry.task(name)
    assert isinstance(task, Planted)
    planted = task.plant(problem, parse_attempt(problem.rationale or "", "dataset"), rng)
    said = None if planted is None else registry.script(name).feedback(problem, planted.attempt)
    return said if isinstance(said, Feedback) else None
