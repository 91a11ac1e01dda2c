"""What a base and the models made of it can do, on new problems: skills, attempts by subtask, updates.

    python -m bench.base tokens models/embedded
    python -m bench.base skills models/embedded [--pages 60]
    python -m bench.base pairs models/embedded [--count 100]
    python -m bench.base attempts models/t0 [--count 100] [--difficulties "word_sorting=4 words;5 words" ...]
    python -m bench.base updates models/t1 [--count 100]

`attempts`: how many first attempts are right (the answer, and every step), greedy and at temperature 1.
`updates`: of the wrong ones at temperature 1, how many updates are right given the script's feedback: what the method
stands on. And with its own feedback: how often it flags, finds the step, and is right in the end.
"""

import argparse
import sys
from collections import Counter
from collections.abc import Callable
from itertools import islice
from pathlib import Path
from random import Random

from tripost import registry
from tripost.interfaces import CannotJudge, Completion, Sampling
from tripost.judge import judge
from tripost.models.decoder import TorchDecoder
from tripost.models.encode import count_tokens, load_model, load_tokenizer
from tripost.params_file import load_params
from tripost.pretrain.pages import numbers
from tripost.pretrain.pages.days import said, step
from tripost.pretrain.skills import measure
from tripost.records import Attempt, Feedback, Problem, Turn
from tripost.rollout import derive_seed
from tripost.text import (
    ATTEMPT_STOPS,
    FEEDBACK_STOPS,
    Layout,
    attempt_prompt,
    feedback_prompt,
    parse_attempt,
    read_feedback,
    unreadable_feedback,
    update_prompt,
)

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


def show_attempts(folder: str, difficulties: dict[str, list[str]], count: int) -> None:
    """One line a subtask."""
    model = TorchDecoder(folder, 64)
    sys.stdout.write("task, difficulty: answer right / steps and answer right, of n; greedy | at temperature 1\n")
    for task, wanted in difficulties.items():
        family = registry.task(task)
        for difficulty in wanted:
            problems = fresh(task, difficulty, count)
            cells = []
            for temperature in (0.0, 1.0):
                written = attempts(model, task, problems, temperature)
                answers = sum(family.is_correct(x, y) for x, y in zip(problems, written, strict=True))
                steps = sum(map(is_right, verdicts(task, problems, written)))
                unreadable = sum(y.malformed for y in written)
                cells.append(f"{answers} / {steps} of {count} ({unreadable} unreadable)")
            sys.stdout.write(f"{task}, {difficulty}: {' | '.join(cells)}\n")
            sys.stdout.flush()


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
    found = verdicts(task, problems, written)
    wrong = [k for k, f in enumerate(found) if isinstance(f, Feedback) and not f.says_correct]
    right = [k for k, f in enumerate(found) if is_right(f)]
    given = [Turn(attempt=written[k], feedback=found[k], n_tokens=0) for k in wrong]  # type: ignore[arg-type]  # Feedback
    mended = _updated(model, task, [problems[k] for k in wrong], given, layout)
    own = _own_feedback(
        model, [problems[k] for k in (*wrong, *right)], [written[k] for k in (*wrong, *right)], layout
    )
    flags: Counter[str] = Counter()
    alarmed: list[tuple[Problem, Turn]] = []
    for k, told in zip((*wrong, *right), own, strict=True):
        kind = "wrong" if k in set(wrong) else "right"
        flags[f"{kind} unreadable"] += told.malformed
        flags[f"{kind} flagged"] += told.wrong_step is not None
        truth = found[k]
        assert isinstance(truth, Feedback)
        flags[f"{kind} located"] += told.wrong_step is not None and told.wrong_step == truth.wrong_step
        if told.wrong_step is not None:
            alarmed.append((problems[k], Turn(attempt=written[k], feedback=told, n_tokens=0)))
    ended = _updated(model, task, [x for x, _ in alarmed], [turn for _, turn in alarmed], layout)
    was = [turn.attempt for _, turn in alarmed]
    before = [is_right(f) for f in verdicts(task, [x for x, _ in alarmed], was)]
    fixed = sum(after and not first for first, after in zip(before, ended, strict=True))
    broken = sum(first and not after for first, after in zip(before, ended, strict=True))
    sys.stdout.write(
        f"{task}, temperature {temperature:g}: {len(right)} right, {len(wrong)} wrong of {len(problems)}; "
        f"given the script's feedback {sum(mended)} of {len(wrong)} mended; own feedback: flags "
        f"{flags['wrong flagged']} of {len(wrong)} wrong, {flags['right flagged']} of {len(right)} right, "
        f"names the step {flags['wrong located']}, "
        f"unreadable {flags['wrong unreadable']} + {flags['right unreadable']}; fixed {fixed}, broken {broken}\n"
    )
    sys.stdout.flush()


def _own_feedback(
    model: TorchDecoder, problems: list[Problem], written: list[Attempt], layout: Layout
) -> list[Feedback]:
    prompts = [feedback_prompt(x.question, [], y, layout) for x, y in zip(problems, written, strict=True)]
    said = complete(model, prompts, "feedback", 0.0)
    return [
        read_feedback(c.text, y, "m_theta", layout) if c.finished else unreadable_feedback(c.text, "m_theta")
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


def show_skills(folder: str, pages: int) -> None:
    """One line a kind of page."""
    model = load_model(folder).eval()
    for skill in measure(model, load_tokenizer(folder), count=pages):
        told = f", wrong lines found {skill.found} of {skill.wrong}, right ones passed {skill.passed} of {skill.fine}"
        sys.stdout.write(
            f"{skill.kind:20} {skill.right:5} of {skill.pieces:5} whole right "
            f"({100 * skill.right / skill.pieces:5.1f} %), {skill.nats / max(1, skill.tokens):.3f} nats a token"
            f"{told if skill.wrong else ''}\n"
        )


def show_pairs(folder: str, count: int) -> None:
    """The model's own wrong results (temperature 1) beside the right ones: does it tell them apart, line by line?"""
    model = TorchDecoder(folder, 64)
    makers: dict[str, Callable[[Random], tuple[str, str]]] = {
        "operations": lambda rng: ((made := numbers.operation(rng))[0], f"= {made[1]}"),
        "calendar steps": lambda rng: ((made := step(rng))[0], said(made[1])),
    }
    for kind, make in makers.items():
        asked = [make(Random(f"{SEED} {kind} {k}")) for k in range(count)]
        own = complete(model, [given for given, _ in asked], "line", 1.0)
        values = [one.text.strip().removesuffix(".") for one in own]
        wrong = [
            (given, right, value)
            for (given, right), value in zip(asked, values, strict=True)
            if value and right != value != right.partition(", that is")[0]
        ]
        lines = [f"{given} {value}" for given, *both in wrong for value in both]
        told = complete(model, [f"Check each line.\n(1) {line}" for line in lines], "verdict", 0.0)
        says_wrong = ["incorrect" in one.text for one in told]
        passed = [not flag for flag in says_wrong[::2]]
        both = sum(a and b for a, b in zip(passed, says_wrong[1::2], strict=True))
        n = len(wrong)
        sys.stdout.write(
            f"{kind}: {n} own wrong results of {count} at temperature 1; right line passed {sum(passed)}, "
            f"own wrong line found {sum(says_wrong[1::2])}, both {both} of {n}\n"
        )
        sys.stdout.flush()


def show_tokens(folder: str, difficulties: dict[str, list[str]], count: int) -> None:
    """How long questions and rationales are, on average."""
    tokenizer = load_tokenizer(folder)
    for task, wanted in difficulties.items():
        for difficulty in wanted:
            problems = fresh(task, difficulty, count)
            asked = sum(count_tokens(tokenizer, [attempt_prompt(x.question) for x in problems])) / count
            said = sum(count_tokens(tokenizer, [str(x.rationale) for x in problems])) / count
            sys.stdout.write(f"{task}, {difficulty}: question {asked:.0f}, rationale {said:.0f}\n")


def main() -> None:
    """Read the arguments and measure."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=("tokens", "skills", "pairs", "attempts", "updates"))
    parser.add_argument("model")
    parser.add_argument("--count", type=int, default=100, help="problems a subtask (attempts) or a task (updates)")
    parser.add_argument("--pages", type=int, default=60)
    parser.add_argument("--feedback", choices=("verdict", "walk"), help="else as params.yaml has it")
    parser.add_argument("--difficulties", nargs="*", default=[], metavar="TASK=D;D", help="else those of params.yaml")
    arguments = parser.parse_args()
    if arguments.what == "skills":
        show_skills(arguments.model, arguments.pages)
        return
    if arguments.what == "pairs":
        show_pairs(arguments.model, arguments.count)
        return
    params = load_params(Path("params.yaml"))
    chosen = {name: [*source.seen, *source.unseen] for name, source in params.problems.items()}
    if arguments.what == "updates":
        chosen = {name: list(source.seen) for name, source in params.problems.items()}
    if arguments.difficulties:
        chosen = {task: wanted.split(";") for task, _, wanted in (d.partition("=") for d in arguments.difficulties)}
    if arguments.what == "tokens":
        show_tokens(arguments.model, chosen, arguments.count)
    elif arguments.what == "attempts":
        show_attempts(arguments.model, chosen, arguments.count)
    else:
        feedback = arguments.feedback or params.feedback
        show_updates(arguments.model, chosen, arguments.count, Layout(history=params.history, feedback=feedback))


if __name__ == "__main__":
    main()
