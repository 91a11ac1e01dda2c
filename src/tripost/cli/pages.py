"""What all pages of `tripost show` share: a heading, a trajectory, and how many more there are."""

from collections.abc import Sequence
from hashlib import sha256

from rich.console import Console
from rich.rule import Rule
from rich.text import Text

from tripost.cli.screen import shorten
from tripost.cli.transcript import print_transcript
from tripost.records import Problem, Trajectory

KINDS = {
    "broken": "right at first, wrong in the end",
    "fixed": "wrong at first, right in the end",
    "malformed": "something in it cannot be read",
}


def heading(out: Console, title: str, facts: Text) -> None:
    """A line across, with a title; then what is to be known of the row."""
    out.print()
    out.print(Rule(Text(shorten(title, 200), style="bold"), align="left", style="dim"))
    out.print(facts)
    out.print()


def show_trajectory(
    out: Console, trajectory: Trajectory, problem: Problem | None, judged: Sequence[str] = ()
) -> None:
    """The turns, below the question they answer."""
    question, answer = "(this problem is not at hand)", "(not at hand)"
    if problem is not None:
        question, answer = problem.question, problem.answer
        if sha256(question.encode()).hexdigest() != trajectory.question_sha256:
            out.print(Text("The question has changed since this row was written: run dvc repro.", style="yellow"))
    print_transcript(out, trajectory, question, answer, judged)


def ending(out: Console, shown: int, total: int, what: str, seed: int) -> None:
    """How many there are more, and how to see them."""
    others = f"; --seed {seed + 1} shows others, -n {total} all" if 0 < shown < total else ""
    out.print(Text(f"\n{shown} of {total} {what}{others}", style="dim"))
