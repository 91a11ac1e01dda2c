"""What `params.yaml` says of one task: where its problems come from, whose code it is, who judges and who mends."""

import re
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

Count = Annotated[int, Field(ge=0, le=10_000_000)]
Name = Annotated[str, Field(min_length=1, max_length=200)]
_MODULE = re.compile(r"[^:\x00-\x1f]{1,400}\.py:[A-Za-z_][A-Za-z0-9_]{0,200}")


class Section(BaseModel):
    """Base of all sections."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)


class ExpertParams(Section):
    """Who is FBK (`feedback`) and who is IMP (`improve`): a name, or several, asked in turn until one can."""

    feedback: Annotated[tuple[Name, ...], Field(min_length=1)]
    improve: Annotated[tuple[Name, ...], Field(min_length=1)]

    @field_validator("feedback", "improve", mode="before")
    @classmethod
    def _listed(cls, value: Any) -> Any:
        return (value,) if isinstance(value, str) else value


class SourceParams(Section):
    """Where one task's problems come from. `path` is read by every source but `generated`.

    `module`: `path/to/file.py:Class` of a task that is one file of the user's own; null for a registered one.
    """

    module: str | None
    source: Literal["generated", "tripost", "bbh", "jsonl"]
    path: str | None
    expert: ExpertParams
    seen: tuple[str, ...]
    unseen: tuple[str, ...]
    train: Count
    validation: Count
    test: Count
    unseen_validation: Count
    unseen_test: Count

    @model_validator(mode="after")
    def _has_path(self) -> "SourceParams":
        if self.source != "generated" and not self.path:
            raise ValueError(f"source: {self.source} needs a path; name the file")
        if self.source == "generated" and not self.seen:
            raise ValueError("source: generated needs at least one seen difficulty; see docs/data.md")
        return self

    @model_validator(mode="after")
    def _names_a_class(self) -> "SourceParams":
        if self.module is not None and not _MODULE.fullmatch(self.module):
            raise ValueError(f"module: {self.module[:80]!r} names no class in a file; write path/to/file.py:Class")
        return self
