"""The part of the params about an endpoint that decodes for M_theta; `params.py` has the whole of them."""

import re
import shlex
from typing import Annotated

from pydantic import Field, field_validator, model_validator

from tripost.params_llm import is_address
from tripost.params_source import Section

Address = Annotated[str, Field(min_length=1, max_length=400)]
Seconds = Annotated[float, Field(gt=0, le=86_400)]
PLACES = ("model", "port", "host", "dtype")
"""What a command may name in braces."""
PLACE = re.compile(r"\{([a-z_]+)\}")


class ServeParams(Section):
    """Where M_theta is decoded with `model.backend: openai`. Changes no result, so it repeats nothing.

    `base_url`: a server that runs already; `command`: one that the stage starts on the model's folder, its places
    (`PLACES`) filled in; with both, `base_url` is where the command's server answers.
    `served_as`: the model's name there. `key`: the environment variable that holds the API key, null for none.
    """

    base_url: Address | None
    served_as: Address | None
    key: Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]{0,99}$")] | None
    command: Annotated[str, Field(min_length=1, max_length=4_000)] | None
    wait_s: Seconds
    concurrency: Annotated[int, Field(ge=1, le=10_000)]
    timeout_s: Seconds
    deadline_s: Seconds

    @field_validator("base_url")
    @classmethod
    def _is_an_address(cls, value: str | None) -> str | None:
        if value is not None and not is_address(value):
            raise ValueError(f"{value[:80]!r} is no address; write http://host:8000/v1, or null")
        return value

    @field_validator("command")
    @classmethod
    def _can_be_split(cls, value: str | None) -> str | None:
        """It is split as a shell would, and run by none."""
        try:
            words = shlex.split(value) if value is not None else ["none"]
        except ValueError as error:
            raise ValueError(f"cannot be split into words ({error}); mend its quotes") from None
        if not words:
            raise ValueError("names no program; write one, or null")
        return value

    @model_validator(mode="after")
    def _fits_together(self) -> "ServeParams":
        if self.deadline_s < self.timeout_s:
            raise ValueError("deadline_s: shorter than timeout_s, which it includes; make it longer")
        if self.command is None:
            return self
        named = set(PLACE.findall(self.command))
        if unknown := sorted(named - set(PLACES)):
            raise ValueError(f"command: no such place: {{{unknown[0]}}}; there are {', '.join(map(braced, PLACES))}")
        if "model" not in named:
            raise ValueError("command: it must name {model}, or it serves something else; add it")
        if "port" not in named and self.base_url is None:
            raise ValueError("command: it must name {port}, where it is asked; add it, or set base_url")
        return self

    def words(self, places: dict[str, str]) -> list[str]:
        """The command as a list of words, its places filled in."""
        return [PLACE.sub(lambda match: places[match[1]], word) for word in shlex.split(self.command or "")]


def braced(name: str) -> str:
    """As it stands in a command."""
    return "{" + name + "}"
