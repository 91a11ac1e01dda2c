"""How often a model mends what it is told, and what it says of its own attempts: `base updates`."""

import sys
from collections import Counter

from bench.answers import attempts, complete, fresh, is_right, verdicts
from tripost.layout import Layout
from tripost.models.decoder import TorchDecoder
from tripost.prompts import feedback_prompt, update_prompt
from tripost.records import Attempt, Feedback, Problem, Turn
from tripost.text import parse_attempt, read_written_feedback, unreadable_feedback


def show_updates(folder: str, difficulties: dict[str, list[str]], count: int, layout: Layout) -> None:
    """One line a task and temperature of the first attempt."""
    model = TorchDecoder(folder, 64)
    for task, wanted in difficulties.items():
        problems = [x for difficulty in wanted for x in fresh(task, difficulty, count // len(wanted))]
        for temperature in (0.0, 1.0):
            _show_updates(model, task, problems, layout, temperature)


def _show_updates(
    model: TorchDecoder, task: str, problems: list[Problem], layout: Layout, temperature: float
) -> None:
    written = attempts(model, task, problems, temperature)
    found = {k: f for k, f in enumerate(verdicts(task, problems, written)) if isinstance(f, Feedback)}
    wrong = [k for k, f in found.items() if not f.says_correct]
    right = [k for k, f in found.items() if f.says_correct]
    given = [Turn(attempt=written[k], feedback=found[k], n_tokens=0) for k in wrong]
    mended = _updated(model, task, [problems[k] for k in wrong], given, layout)
    own = _own_feedback(
        model, [problems[k] for k in (*wrong, *right)], [written[k] for k in (*wrong, *right)], layout
    )
    is_wrong = set(wrong)
    flags: Counter[str] = Counter()
    alarmed: list[tuple[int, Turn]] = []
    for k, told in zip((*wrong, *right), own, strict=True):
        kind = "wrong" if k in is_wrong else "right"
        flags[f"{kind} unreadable"] += told.malformed
        flags[f"{kind} flagged"] += told.wrong_step is not None
        flags["located"] += k in is_wrong and told.wrong_step == found[k].wrong_step
        if told.wrong_step is not None:
            alarmed.append((k, Turn(attempt=written[k], feedback=told, n_tokens=0)))
    ended = _updated(model, task, [problems[k] for k, _ in alarmed], [turn for _, turn in alarmed], layout)
    before = [found[k].says_correct for k, _ in alarmed]
    fixed = sum(after and not first for first, after in zip(before, ended, strict=True))
    broken = sum(first and not after for first, after in zip(before, ended, strict=True))
    sys.stdout.write(
        f"{task}, temperature {temperature:g}: {len(right)} right, {len(wrong)} wrong of {len(problems)}, "
        f"{len(problems) - len(found)} not to be judged; "
        f"given the script's feedback {sum(mended)} of {len(wrong)} mended; own feedback: flags "
        f"{flags['wrong flagged']} of {len(wrong)} wrong, {flags['right flagged']} of {len(right)} right, "
        f"names the step {flags['located']}, "
        f"unreadable {flags['wrong unreadable']} + {flags['right unreadable']}; fixed {fixed}, broken {broken}\n"
    )
    sys.stdout.flush()


def _own_feedback(
    model: TorchDecoder, problems: list[Problem], written: list[Attempt], layout: Layout
) -> list[Feedback]:
    prompts = [feedback_prompt(x.question, [], y, layout) for x, y in zip(problems, written, strict=True)]
    said = complete(model, prompts, "feedback", 0.0)
    return [
        read_written_feedback(c.text, y, "m_theta", layout) if c.finished else unreadable_feedback(c.text, "m_theta")
        for c, y in zip(said, written, strict=True)
    ]


def _updated(
    model: TorchDecoder, task: str, problems: list[Problem], turns: list[Turn], layout: Layout
) -> list[bool]:
    """Whether the update that follows each turn is right."""
    prompts = [update_prompt(x.question, [], turn, layout) for x, turn in zip(problems, turns, strict=True)]
    said = complete(model, prompts, "attempt", 0.0)
    updates = [parse_attempt(c.text if c.finished else "", "m_theta") for c in said]
    return [is_right(verdict) for verdict in verdicts(task, problems, updates)]
