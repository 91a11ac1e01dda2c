"""The records of TriPosT: frozen, typed, one JSON object a line, unknown fields refused.

Glossary (paper, section 3; the paper's symbol first)
    x         Problem       a question with its reference answer and, where there is one, a reference rationale
    y_i       Attempt       numbered steps and a final response
    f_i       Feedback      the first wrong step, the wrong part of it, and why; or that all is correct
    (y_i,f_i) Turn          an attempt and what was said about it
    tau       Trajectory    x, y_0, f_0, y_1, f_1, ..., y_n, f_n (x by its id)
              Dropped       a trajectory that leaves the pipeline, with the stage, the reason and the detail
              Example       what the model is trained on: segments of text, each with a weight
              Probe         an attempt of known verdict that the expert judges among the others, to be measured
    author    whose words:  `m_theta` (the model being taught), `script`, `grader`, `llm:<model>`,
                            `dataset`, or `probe` (an attempt with a planted error)

Offsets: `Feedback.wrong_step` counts the attempt's steps from 1; n+1 is the final response.
"""

from collections.abc import Mapping
from typing import Annotated, Literal

import msgspec

SCHEMA_VERSION = 1

Split = Literal["train", "validation", "test"]
ExampleKind = Literal["improvement", "correct", "ground_truth", "feedback"]
Part = Literal["question", "attempt", "wrong_attempt", "feedback", "update"]


def version_flaw(row: Mapping[str, object], mend: str = "make it anew: dvc repro") -> str | None:
    """Why a row of another `schema_version` cannot be read, and what to do; None where that is not the reason."""
    found = row.get("schema_version", SCHEMA_VERSION)
    if not isinstance(found, int) or isinstance(found, bool) or found == SCHEMA_VERSION:
        return None
    if found < SCHEMA_VERSION:
        return f"made by an older version (schema_version {found}); {mend}"
    return f"made by a newer version (schema_version {str(found)[:20]}); update tripost"


class Record(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Base of all records: immutable, compared by value, strict when read."""


class Problem(Record, frozen=True, kw_only=True):
    """x. `group_id` names what must not be split between train and test (such as a shared paragraph)."""

    schema_version: Literal[1] = 1
    id: str
    task: str
    question: str
    answer: str
    rationale: str | None
    difficulty: str
    seen: bool
    split: Split
    group_id: str
    source: str
    licence: str


class Step(Record, frozen=True, kw_only=True):
    """One numbered step. `label` is what stands in the brackets (`3`, `3.1`), `text` the rest of the line."""

    label: str
    text: str


class Attempt(Record, frozen=True, kw_only=True):
    """y_i. `raw` is the text as written; `steps` and `final` are its one parse.

    Malformed text has no steps and no final response (`final is None`) and counts as wrong.
    `final_text` is the whole last line after its label, `final` the answer in it.
    """

    steps: tuple[Step, ...]
    final: str | None
    final_text: str
    raw: str
    author: str

    @property
    def malformed(self) -> bool:
        """Whether the text could not be read as numbered steps and a final response."""
        return self.final is None

    def line(self, wrong_step: int) -> str:
        """The text of step `wrong_step` (1..n), or of the final response (n+1)."""
        return self.steps[wrong_step - 1].text if wrong_step <= len(self.steps) else self.final_text


class Feedback(Record, frozen=True, kw_only=True):
    """f_i. `wrong_step` is None where all steps and the final response are said to be correct.

    `malformed` feedback of M_theta keeps its text and says nothing.
    """

    text: str
    wrong_step: int | None
    wrong_part: str
    reason: str
    author: str
    malformed: bool = False

    @property
    def says_correct(self) -> bool:
        """Whether this feedback says that everything is correct."""
        return not self.malformed and self.wrong_step is None


class Turn(Record, frozen=True, kw_only=True):
    """(y_i, f_i). `n_tokens`: tokens of the longest training text that ends in this turn, EOS included."""

    attempt: Attempt
    feedback: Feedback | None
    n_tokens: int


class Trajectory(Record, frozen=True, kw_only=True):
    """x, y_0, f_0, ..., y_n, f_n. The problem is joined by id and checked by `question_sha256`.

    `salvaged`: it had no right end to come to, and stops at a verified feedback that names a wrong step.
    """

    schema_version: Literal[1] = 1
    id: str
    task: str
    problem_id: str
    question_sha256: str
    seed: int
    turns: tuple[Turn, ...]
    salvaged: bool = False

    @property
    def improves(self) -> bool:
        """Whether an attempt was found wrong and then updated."""
        return len(self.turns) > 1

    @property
    def final_attempt(self) -> Attempt:
        """The last attempt that can be read; where none can, the first one."""
        readable = [turn.attempt for turn in self.turns if not turn.attempt.malformed]
        return readable[-1] if readable else self.turns[0].attempt


class Dropped(Record, frozen=True, kw_only=True):
    """A trajectory that leaves the pipeline at `stage`. Rows in = kept + dropped, at every stage."""

    schema_version: Literal[1] = 1
    trajectory: Trajectory
    stage: Literal["edit", "validate", "rebalance"]
    reason: str
    detail: str


class Probe(Record, frozen=True, kw_only=True):
    """An attempt of known verdict, and what FBK said of it: `feedback`, or why it `cannot_judge`.

    `planted_step` is the first wrong step (n+1: the final response), None where all is right. `source`: what it was
    made from; `kind`: which kind of error, or `clean`. Never trained on.
    """

    schema_version: Literal[1] = 1
    id: str
    task: str
    problem_id: str
    question_sha256: str
    source: Literal["rationale", "attempt"]
    kind: str
    attempt: Attempt
    planted_step: int | None
    feedback: Feedback | None = None
    cannot_judge: str | None = None

    @property
    def called_wrong(self) -> bool:
        """Whether FBK named a wrong step."""
        return self.feedback is not None and self.feedback.wrong_step is not None

    @property
    def located(self) -> bool:
        """Whether FBK named the step that is the first wrong one; of a clean one, whether it was silent."""
        said = self.feedback
        return said is not None and not said.malformed and said.wrong_step == self.planted_step


class Segment(Record, frozen=True, kw_only=True):
    """A piece of an example's text and the weight of its target tokens in the loss."""

    part: Part
    text: str
    weight: Annotated[float, msgspec.Meta(ge=0, le=100)]


class Example(Record, frozen=True, kw_only=True):
    """One text to train on: the segments joined without anything between them, then EOS."""

    schema_version: Literal[1] = 1
    id: str
    kind: ExampleKind
    task: str
    problem_id: str
    segments: tuple[Segment, ...]


class Prediction(Record, frozen=True, kw_only=True):
    """What M_theta makes of one evaluation problem, greedy and without an oracle, and what FBK says of it.

    `verdicts[i]` is the wrong step that FBK finds in attempt i (0 = correct, -1 = cannot judge).
    """

    schema_version: Literal[1] = 1
    problem_id: str
    task: str
    seen: bool
    group_id: str
    difficulty: str
    trajectory: Trajectory
    right: tuple[bool, ...]
    verdicts: tuple[int, ...]
