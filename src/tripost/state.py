"""The state of the pipeline, as it is published: params, and for each iteration metrics, loss and what was written.

A state is known by its content: `key` is a hash over params, metrics and the digests of all outputs. Digests are
DVC's (md5, for a folder the md5 of its list), read from `dvc.lock` or, where that is missing or older than the
output, computed the same way: the key is the same with and without DVC.
"""

import json
import math
import re
from collections.abc import Mapping, Sequence
from hashlib import file_digest, md5, sha256
from pathlib import Path
from typing import Any, Literal

import msgspec
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from tripost.credentials import masked
from tripost.errors import DataError
from tripost.evaluate import final
from tripost.rates import paired
from tripost.records import Prediction

SIGNIFICANT = 0.05
NO_RESULT = ("track", "calls", "serve")
LONGEST_NAME, LONGEST_VALUE = 250, 500


class Output(msgspec.Struct, frozen=True):
    """A file or folder of the pipeline. `by`: who says what its digest is. `rows`: records of a data set."""

    path: str
    digest: str
    by: Literal["dvc.lock", "file"]
    rows: int | None = None


class IterationState(msgspec.Struct, frozen=True):
    """`metrics`: evaluation, training, and each stage's counts, such as `dropped.validate.<reason>`."""

    t: str
    metrics: dict[str, float]
    losses: tuple[tuple[int, float], ...]
    outputs: tuple[Output, ...]
    data_sets: tuple[Output, ...]


class PipelineState(msgspec.Struct, frozen=True):
    """`best` and `reason`: see best_iteration. `tags` (git, DVC) say where a state was published, not what it is."""

    params: dict[str, str]
    iterations: tuple[IterationState, ...]
    final: str
    best: str
    reason: str
    tags: dict[str, str]

    @property
    def key(self) -> str:
        """The sha256 of the content."""
        outputs = [out for it in self.iterations for out in (*it.outputs, *it.data_sets)]
        metrics = {it.t: it.metrics for it in self.iterations}
        content = [self.params, metrics, [[out.path, out.digest] for out in outputs]]
        return sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()

    @property
    def warning(self) -> str | None:
        """What to say where `final` is not the best iteration."""
        if self.final == self.best:
            return None
        found = f"final: {self.final}, but {self.best} is best on validation ({self.reason})"
        return f"{found}; set final: {self.best} in params.yaml"


def iteration_metrics(summaries: Mapping[str, Mapping[str, Any]]) -> dict[str, float]:
    """From the plain contents of the stages' files, by stage: `eval` (its names come first) and any other."""
    table: dict[str, float] = {}
    for stage, summary in summaries.items():
        for name, value in measures(summary).items():
            parts = name.split(".")
            path = [stage, *(part for part in parts if part != "dropped")]
            kind = ["dropped"] if "dropped" in parts else []
            table[clean(name if stage == "eval" else ".".join(kind + path))] = value
    return table


def measures(found: Any, name: str = "") -> dict[str, float]:
    """All finite numbers of a nested mapping by dotted name; a rate counts as its value."""
    if isinstance(found, Mapping):
        if {"value", "k", "n"} <= set(found):
            return measures(found["value"], name)
        table: dict[str, float] = {}
        for key in sorted(found, key=str):
            table |= measures(found[key], f"{name}.{key}" if name else str(key))
        return table
    return {name: float(found)} if isinstance(found, int | float) and math.isfinite(found) else {}


def flat_params(params: Mapping[str, Any], name: str = "") -> dict[str, str]:
    """Dotted names and text. What shapes no result is left out: where results are published, how LLMs are called."""
    table: dict[str, str] = {}
    for key in sorted(params, key=str):
        value, path = params[key], f"{name}.{key}" if name else str(key)
        if isinstance(value, Mapping) and value:
            table |= {} if path in NO_RESULT else flat_params(value, path)
        else:
            text = value if isinstance(value, str) else json.dumps(value)
            table[clean(path)] = shortened(masked(text), LONGEST_VALUE)
    return table


def clean(name: str) -> str:
    """A name that MLflow takes."""
    return shortened(re.sub(r"[^\w. -]", "_", name), LONGEST_NAME)


def shortened(text: str, limit: int) -> str:
    """At most `limit` characters; of a longer text the beginning and its hash."""
    return text if len(text) <= limit else f"{text[: limit - 18]}..{sha256(text.encode()).hexdigest()[:16]}"


def number(t: str) -> int:
    """The 3 of t3."""
    return int(t.removeprefix("t"))


def best_iteration(predictions: Mapping[str, Sequence[Prediction]]) -> tuple[str, str]:
    """The earliest iteration that the most accurate one does not significantly surpass, and why (one sentence).

    Final answers on the problems that all iterations answered, all tasks together; exact McNemar tests.
    """
    rows = {t: {p.problem_id: final(p) for p in predictions[t]} for t in sorted(predictions, key=number)}
    if not rows:
        raise DataError("eval: no iteration has been evaluated; run dvc repro")
    common = sorted(set.intersection(*map(set, rows.values())))
    right = {t: [table[identity] for identity in common] for t, table in rows.items()}
    shares = {t: f"{100 * sum(flags) / max(1, len(common)):.1f} %" for t, flags in right.items()}
    top = max(right, key=lambda t: (sum(right[t]), -number(t)))
    leads = f"{top} has the highest final accuracy on validation, {shares[top]} of {len(common)} problems"
    earlier = {t: paired(right[t], right[top]).p_value for t in right if number(t) < number(top)}
    if not earlier:
        return top, f"{leads}, and no later one surpasses it"
    for t, p in earlier.items():
        if p >= SIGNIFICANT:
            return t, f"{leads}, but not significantly more than the earlier {t} with {shares[t]} (p = {p:.3f})"
    return top, f"{leads}, significantly more than every earlier one (p <= {max(earlier.values()):.2g})"


class Digests:
    """What `dvc.lock` says of each output, as long as the output is no newer than the lock and has its size."""

    def __init__(self, repo: Path, dvc_lock: Path) -> None:
        self.repo, self.known, self.time = repo, dict[str, tuple[str, int]](), 0.0
        try:
            self.time = (repo / dvc_lock).stat().st_mtime
            content = YAML(typ="safe", pure=True).load((repo / dvc_lock).read_text(encoding="utf-8"))
            outs = [out for stage in content["stages"].values() for out in stage.get("outs", ())]
            self.known = {out["path"]: (out["md5"], out["size"]) for out in outs if "md5" in out and "size" in out}
        except FileNotFoundError:
            pass
        except (OSError, UnicodeDecodeError, YAMLError, AttributeError, TypeError, KeyError) as error:
            why = " ".join(str(error).split())[:200]
            raise DataError(f"{dvc_lock}: cannot be read: {why}; restore it or run dvc repro") from None

    def outputs(self, *names: Path, rows: bool = False) -> tuple[Output, ...]:
        """The outputs at paths relative to the repository, without those that neither disk nor lock has."""
        found = [self._output(name.as_posix(), rows) for name in names]
        return tuple(output for output in found if output)

    def _output(self, name: str, rows: bool) -> Output | None:
        path = self.repo / name
        digest, size = self.known.get(name, ("", -1))
        if not path.exists():
            return Output(name, digest, "dvc.lock") if digest else None
        lines = path.read_bytes().count(b"\n") if rows else None
        states = [file.stat() for file in _files(path)]
        if sum(s.st_size for s in states) == size and all(s.st_mtime <= self.time for s in states):
            return Output(name, digest, "dvc.lock", lines)
        return Output(name, digest_of(path), "file", lines)


def digest_of(path: Path) -> str:
    """The digest that DVC gives to a file or folder."""
    if not path.is_dir():
        with path.open("rb") as file:
            return file_digest(file, lambda: md5(usedforsecurity=False)).hexdigest()
    table = [{"md5": digest_of(file), "relpath": file.relative_to(path).as_posix()} for file in _files(path)]
    listing = json.dumps(sorted(table, key=lambda row: row["relpath"]), sort_keys=True)
    return md5(listing.encode(), usedforsecurity=False).hexdigest() + ".dir"


def _files(path: Path) -> list[Path]:
    return [file for file in path.rglob("*") if file.is_file()] if path.is_dir() else [path]
