"""The Protocols that tasks, experts and models implement. Everything above talks to these."""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from random import Random
from typing import Protocol, runtime_checkable

import msgspec

from tripost.records import Attempt, Example, Feedback, Problem


class CannotJudge(msgspec.Struct, frozen=True):
    """FBK's answer where it cannot tell whether the attempt is right: why, in a few words.

    `flaw`: the reason that the row is dropped with.
    """

    reason: str
    flaw: str = "cannot_judge"


class CannotImprove(msgspec.Struct, frozen=True):
    """IMP's answer where it cannot continue the attempt: why, in a few words.

    `never`: it improves nothing at all, so that this says nothing about the problem.
    """

    reason: str
    never: bool = False
    flaw: str = "cannot_improve"


class Expert(Protocol):
    """The paper's FBK and IMP. One may be all that an expert can: the other then always answers that it cannot."""

    def feedback(self, problem: Problem, attempt: Attempt) -> Feedback | CannotJudge:
        """FBK: the first wrong step of a readable attempt, the wrong part of it, and why; or all correct."""
        ...

    def improve(self, problem: Problem, attempt: Attempt, feedback: Feedback) -> Attempt | CannotImprove:
        """IMP: keep the steps before the wrong one and continue from there. Must not use `problem.answer`."""
        ...


class Task(Protocol):
    """A family of problems: where they come from and when an answer is right."""

    name: str

    def problems(self, difficulties: Sequence[str], seed: int) -> Iterator[Problem]:
        """Endless, reproducible problems without repetition; the n-th is the same however many are taken."""
        ...

    def is_correct(self, problem: Problem, attempt: Attempt) -> bool:
        """Whether the attempt's final answer is the reference answer (its steps are FBK's matter)."""
        ...

    def seen(self, difficulty: str) -> bool:
        """Whether problems of this difficulty count as seen; raises DataError for one that does not exist."""
        ...


@runtime_checkable
class Scripted(Protocol):
    """A task that brings its own script as expert."""

    def script(self) -> Expert:
        """The scripted FBK and IMP."""
        ...


@runtime_checkable
class Published(Protocol):
    """A task that can read the shapes in which its problems were published."""

    def difficulty(self, question: str) -> str:
        """The difficulty of a published question; raises DataError where it is not one of this task's."""
        ...


@runtime_checkable
class Grouped(Protocol):
    """A task whose questions share something that must not be torn apart between train and test."""

    def shared(self, question: str) -> str:
        """What a question shares with others: its paragraph, or the question without its options."""
        ...


@runtime_checkable
class Drilled(Protocol):
    """A task that knows the small skills it stands on, such as single operations."""

    def drill(self, rng: Random) -> tuple[str, str]:
        """One exercise (what is given, what is to be said), not a question of the task."""
        ...


class PlantedError(msgspec.Struct, frozen=True):
    """An attempt with one error: `step` is the first wrong one (n+1: the final response), `kind` a word for it."""

    attempt: Attempt
    step: int
    kind: str


@runtime_checkable
class Planted(Protocol):
    """A task that can make a right attempt wrong at a known place, to measure its expert."""

    def plant(self, problem: Problem, attempt: Attempt, rng: Random) -> PlantedError | None:
        """The attempt with an error in it, surely wrong and surely not before `step`.

        None where the attempt does not allow it, or where its steps are not all seen to be right: only their answer
        is known to be.
        """
        ...


class Sampling(msgspec.Struct, frozen=True):
    """How to decode: `temperature` 0 is greedy; at most `max_new_tokens`; cut before any of `stops`."""

    temperature: float
    max_new_tokens: int
    stops: tuple[str, ...] = ()


class Completion(msgspec.Struct, frozen=True):
    """What a model wrote: `text` without EOS and stop; `finished` is False where it ran into the limit."""

    text: str
    n_tokens: int
    finished: bool


class Watcher(Protocol):
    """Somebody who wants to know how far long work has come; the text-mode one is `shell.progress.Progress`."""

    def expect(self, rows: int) -> None:
        """So many more rows are about to be worked on."""
        ...

    def advance(self, rows: int, tokens: int = 0) -> None:
        """So many rows are finished, so many tokens were written."""
        ...


class Nobody:
    """A watcher who does not look."""

    def expect(self, rows: int) -> None:
        """Nothing."""

    def advance(self, rows: int, tokens: int = 0) -> None:
        """Nothing."""


class Decoder(Protocol):
    """M_theta, writing. A prompt's completion depends on prompt, sampling and seed alone, not on its neighbours.

    `device`: the kind of device, by name, whose rounding is in what it writes.
    """

    device: str

    def complete(
        self,
        prompts: Sequence[str],
        sampling: Sampling,
        seeds: Sequence[int],
        on_tokens: Callable[[int, int], None] = lambda rows, tokens: None,
        on_row: Callable[[int, Completion], None] = lambda row, completion: None,
    ) -> list[Completion]:
        """Complete every prompt; `on_tokens(rows finished, tokens written)` reports progress in steps, `on_row` each
        completion that took work, with its place among the prompts, as soon as it is there."""
        ...

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        """Tokens of each text as a training example, EOS included."""
        ...


class Learned(msgspec.Struct, frozen=True):
    """What training did: optimiser steps, tokens with weight that were seen, loss a step."""

    steps: int
    target_tokens: int
    losses: tuple[float, ...]


class Learner(Protocol):
    """M_theta, learning."""

    def fit(
        self,
        examples: Sequence[Example],
        seed: int,
        on_step: Callable[[int, int, float, int], None] = lambda step, steps, loss, tokens: None,
        partial: Path | None = None,
    ) -> Learned:
        """Weighted supervised learning; `on_step(step, steps, loss, tokens)` reports progress.

        `partial`: a folder for checkpoints. Where one stands there, training goes on from it, to the same losses and
        weights as without the interruption.
        """
        ...

    def save(self, folder: Path) -> None:
        """Write weights (safetensors), config and tokenizer; the folder appears whole or not at all."""
        ...
