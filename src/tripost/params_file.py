"""`params.yaml` -> params, with every error at once, by its key, and a hint where a key looks misspelt."""

from pathlib import Path
from typing import Any

from pydantic import ValidationError
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from tripost.errors import ParamsError
from tripost.params import Params, Section
from tripost.registry import did_you_mean


def load_params(path: Path) -> Params:
    """Read and check a params file (YAML 1.2, as DVC reads it). Raises ParamsError with every finding."""
    try:
        raw = YAML(typ="safe", pure=True).load(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ParamsError(f"{path.name}: not here; run from the top of the repository") from None
    except (OSError, ValueError, YAMLError, RecursionError, LookupError, TypeError, AttributeError) as error:
        raise ParamsError(f"{path.name}: cannot be read: {_printable(' '.join(str(error).split()))}") from None
    return check_params(raw, path.name)


def check_params(raw: Any, name: str = "params.yaml") -> Params:
    """The params of a plain mapping. Raises ParamsError with every finding."""
    try:
        return Params.model_validate(_tuples(raw), strict=True)
    except RecursionError:
        raise ParamsError(f"{name}: nested without end") from None
    except ValidationError as error:
        lines = [f"{name}: {_printable(line)}" for line in sorted({_finding(item) for item in error.errors()})]
        raise ParamsError("\n".join(lines)) from None


def _printable(line: str) -> str:
    return "".join(c if c.isprintable() else repr(c)[1:-1] for c in line)


def _tuples(value: Any) -> Any:
    """YAML has lists where the frozen params hold tuples."""
    if isinstance(value, dict):
        return {key: _tuples(item) for key, item in value.items()}
    return tuple(_tuples(item) for item in value) if isinstance(value, list) else value


def _finding(item: Any) -> str:
    unknown = item["type"] == "extra_forbidden"  # then the last part is what somebody wrote, whatever it is
    where = [
        part
        for number, part in enumerate(map(str, item["loc"]), start=1)
        if (unknown and number == len(item["loc"]))
        or not (
            part.startswith(("constrained-", "literal[", "function-"))
            or part in {"int", "float", "str", "WeightParams", "[key]"}
        )
    ]
    key = ".".join(where) or "params"
    if unknown:
        return f"{key}: unknown key; {did_you_mean(where[-1], _known(where[:-1]))}"
    message = item["msg"].removeprefix("Value error, ")
    got = f" (found {_shown(item['input'])})" if item["type"] not in {"missing", "value_error"} else ""
    return f"{key}: {message[0].lower()}{message[1:]}{got}" if where else message


def _shown(value: Any) -> str:
    try:
        return repr(value)[:60]
    except ValueError:  # an integer of thousands of digits
        return f"a very long {type(value).__name__}"


def _known(path: list[str]) -> list[str]:
    """The keys that may stand below `path`."""
    section: Any = Params
    for part in path:
        field = next((f for n, f in section.model_fields.items() if part in {n, f.alias}), None)
        if field is None:  # a task's or an iteration's own name
            continue
        section = _section_of(field.annotation)
    return [field.alias or name for name, field in section.model_fields.items()]


def _section_of(annotation: Any) -> Any:
    if isinstance(annotation, type) and issubclass(annotation, Section):
        return annotation
    found = [_section_of(inner) for inner in getattr(annotation, "__args__", ())]
    return next((section for section in found if section is not None), None)
