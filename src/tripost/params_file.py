"""`params.yaml` -> params, with every error at once, by its key, and a hint where a key looks misspelt."""

import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from tripost import registry
from tripost.chain import chain_flaws
from tripost.credentials import holds_credentials
from tripost.errors import ParamsError
from tripost.params import Params, Section
from tripost.params_yaml import read_yaml
from tripost.registry import did_you_mean

SEE = "see docs/params.md"
BOOLEANS = {"on", "off", "yes", "no", "y", "n", "true", "false"}


def load_params(path: Path) -> Params:
    """Read and check a params file (YAML 1.2, as DVC reads it). Raises ParamsError with every finding."""
    return check_params(read_yaml(path), path.name)


def check_params(raw: Any, name: str = "params.yaml") -> Params:
    """The params of a plain mapping. Raises ParamsError with every finding."""
    params = None
    try:
        plain = _tuples(raw)
        found = {*_secrets(plain), *_unknown_names(plain), *_chain(plain)}
        hidden = {finding.split(": ")[0] for finding in _secrets(plain)}
        params = Params.model_validate(plain, strict=True)
    except RecursionError:
        raise ParamsError(f"{name}: nested without end; write the values out") from None
    except ValidationError as error:
        for item in _one_a_key(error.errors()):
            found |= {_finding(line, item, hidden) for line in item["msg"].splitlines()}
    if found or params is None:
        raise ParamsError(*(f"{name}: {finding}" for finding in sorted(found)))
    return params


def _tuples(value: Any) -> Any:
    """YAML has lists where the frozen params hold tuples."""
    if isinstance(value, dict):
        return {key: _tuples(item) for key, item in value.items()}
    return tuple(_tuples(item) for item in value) if isinstance(value, list) else value


def _secrets(value: Any, key: str = "") -> Iterator[str]:
    """Where something stands that must not be committed: the key, never the value."""
    if isinstance(value, dict):
        for name, item in value.items():
            yield from _secrets(item, f"{key}.{name}" if key else f"{name}")
    elif isinstance(value, tuple):
        for item in value:
            yield from _secrets(item, key)
    elif isinstance(value, str) and holds_credentials(value):
        if key == "track.tracking_uri":
            variables = "MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD"
            yield f"{key}: holds credentials; credentials belong in {variables}"
        else:
            yield f"{key}: holds credentials; take them out, params.yaml is committed and published"


def _unknown_names(raw: Any) -> Iterator[str]:
    """Keys of `problems` that are no task, and experts that nobody registered."""
    problems = raw.get("problems") if isinstance(raw, dict) else None
    if not isinstance(problems, dict):
        return
    llms = raw.get("llms")
    named_llms = [name for name in llms if isinstance(name, str)] if isinstance(llms, dict) else []
    tasks, experts = registry.task_names(), [*registry.expert_names(), *named_llms]
    for name, source in problems.items():
        section = source if isinstance(source, dict) else {}
        if isinstance(name, str) and name not in tasks and section.get("module") is None:
            yield f"problems.{name}: unknown task; {did_you_mean(name, tasks)}"
        chosen = section.get("expert")
        named = chosen if isinstance(chosen, dict) else {}
        for role in registry.ROLES:
            asked = named.get(role)
            for expert in asked if isinstance(asked, tuple) else (asked,):
                if isinstance(expert, str) and expert not in experts:
                    hint = did_you_mean(expert, experts)
                    yield f"problems.{name}.expert.{role}: unknown expert {expert[:80]!r}; {hint}"


def _chain(raw: Any) -> list[str]:
    """Findings about the iterations, also where other sections do not fit."""
    iterations, final = (raw.get("iterations"), raw.get("final")) if isinstance(raw, dict) else (None, None)
    if not isinstance(iterations, Mapping) or not isinstance(final, str):
        return []
    named = {t: it.get("prev") for t, it in iterations.items() if isinstance(it, dict)}
    prev = {t: before for t, before in named.items() if isinstance(t, str) and isinstance(before, str)}
    return chain_flaws(prev, final) if len(prev) == len(iterations) else []


def _where(item: Any) -> list[str]:
    unknown = item["type"] == "extra_forbidden"  # then the last part is what somebody wrote, whatever it is
    return [
        part
        for number, part in enumerate(map(str, item["loc"]), start=1)
        if (unknown and number == len(item["loc"]))
        or not (
            part.startswith(("constrained-", "literal[", "function-", "tuple["))
            or part in {"int", "float", "str", "WeightParams", "TrainParams", "LoraParams", "[key]"}
        )
    ]


def _one_a_key(items: Iterable[Any]) -> Iterator[Any]:
    """Where a number or a word may stand, both complain: for text the word counts, for anything else the number.

    Where a section or a word may stand, a section that is wrong is not told to be the word.
    """
    found: dict[tuple[str, ...], Any] = {}
    items = list(items)
    for item in items:
        path = _where(item)
        below = (other for other in items if other is not item and _where(other)[: len(path)] == path)
        if item["type"] == "literal_error" and isinstance(item["input"], dict) and any(below):
            continue
        where = (*_where(item), item["msg"] if item["type"] == "value_error" else "")
        literal = item["type"] == "literal_error"
        if where not in found or literal == isinstance(item["input"], str):
            found[where] = item
    yield from found.values()


def _finding(line: str, item: Any, hidden: set[str]) -> str:
    where = _where(item)
    key = ".".join(where)
    if item["type"] == "extra_forbidden":
        odd = next((f"; {c!r} in it is {unicodedata.name(c, ascii(c))}" for c in where[-1] if not c.isascii()), "")
        return f"{key}: unknown key{odd}; {did_you_mean(where[-1], _known(where[:-1]))}"
    message = line.removeprefix("Value error, ")
    if not where:
        return message if item["type"] == "value_error" else "not a mapping of sections; restore it from git"
    message = f"{key}: {message[0].lower()}{message[1:]}"
    if item["type"] == "missing":
        return f"{message}; add it, {SEE}"
    if item["type"] == "value_error":
        return message
    if item["type"] == "string_pattern_mismatch":
        return f"{key}: not the name of an iteration; write t and a number, such as t1"
    shown = "a secret" if key in hidden else _shown(item["input"])
    return f"{message} (found {shown}){_remedy(item)}"


def _remedy(item: Any) -> str:
    """What to do about a value of the wrong kind."""
    kind, value = item["type"], item["input"]
    if kind == "bool_type" and isinstance(value, str) and value.lower() in BOOLEANS:
        return "; write true or false"
    if kind in {"float_type", "int_type"} and isinstance(value, str) and re.fullmatch(r"[-+.\deE]+", value):
        return "; write it without quotes"
    if kind == "int_type" and isinstance(value, float) and value.is_integer():
        return f"; write {value:.0f}"
    return f"; {SEE}"


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
        if section is None:  # a knob: nothing stands below it
            return []
    return [field.alias or name for name, field in section.model_fields.items()]


def _section_of(annotation: Any) -> Any:
    if isinstance(annotation, type) and issubclass(annotation, Section):
        return annotation
    found = [_section_of(inner) for inner in getattr(annotation, "__args__", ())]
    return next((section for section in found if section is not None), None)
