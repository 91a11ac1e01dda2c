"""What a base and the models made of it can do, on new problems: skills, attempts by subtask, updates.

    python -m bench.base tokens models/embedded
    python -m bench.base skills models/embedded [--pages 60]
    python -m bench.base pairs models/embedded [--count 100]
    python -m bench.base attempts models/t0 [--count 100] [--difficulties "word_sorting=4 words;5 words" ...]
    python -m bench.base updates models/t1 [--count 100]

`tokens`: how long questions and rationales are. `skills`: what of pages like those of the corpus is whole right.
`pairs`: whether it tells its own wrong results from the right ones. `attempts`: how many first attempts are right
(the answer, and every step), greedy and at temperature 1. `updates`: of the wrong ones, greedy and at temperature
1, how many updates are right given the script's feedback: what the method stands on. And with its own feedback: how
often it flags, finds the step, and is right in the end.
"""

import argparse
import sys
from collections.abc import Callable
from pathlib import Path
from random import Random

from bench.answers import SEED, attempts, complete, fresh, is_right, verdicts
from bench.updates import show_updates
from tripost import registry
from tripost.layout import Layout
from tripost.models.decoder import TorchDecoder
from tripost.models.encode import count_tokens
from tripost.models.load import load_model, load_tokenizer
from tripost.params_file import load_params
from tripost.pretrain.page import INCORRECT
from tripost.pretrain.pages import numbers
from tripost.pretrain.pages.days import said, step
from tripost.pretrain.skills import measure
from tripost.prompts import attempt_prompt


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
        told = complete(model, [f"Check each line.\n(1) {line}\nStep (1)" for line in lines], "verdict", 0.0)
        says_wrong = [one.text.startswith(INCORRECT) for one in told]
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
