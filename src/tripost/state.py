"""The state of the pipeline, as it is published: params, and for each iteration metrics, loss and what was written.

A state is known by its content: `key` is a hash over params, metrics and the digests of all outputs. Digests are DVC's
(md5, for a folder the md5 of its list), read from `dvc.lock` or, where that is missing or older than the output,
computed the same way: the key is the same with and without DVC.
"""

import json
import math
import re
from collections.abc import Iterable, Mapping, Sequence
from hashlib import md5, sha256
from pathlib import Path
from typing import Any, Literal

import msgspec
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from tripost.errors import DataError
from tripost.evaluate import final, paired
from tripost.records import Prediction

SIGNIFICANT = 0.05
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
    loss: tuple[tuple[int, float], ...]
    outputs: tuple[Output, ...]
    data_sets: tuple[Output, ...]


class PipelineState(msgspec.Struct, frozen=True):
    """`shared`: outputs of no single iteration, such as the problems. `best` and `reason`: see best_iteration."""

    params: dict[str, str]
    iterations: tuple[IterationState, ...]
    shared: tuple[Output, ...]
    final: str
    best: str
    reason: str

    @property
    def key(self) -> str:
        """The sha256 of the content."""
        iterations = [
            [it.t, it.metrics, [[out.path, out.digest] for out in (*it.outputs, *it.data_sets)]]
            for it in self.iterations
        ]
        content = [self.params, iterations, [[out.path, out.digest] for out in self.shared]]
        return sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()

    @property
    def warning(self) -> str | None:
        """What to say where `final` is not the best iteration."""
        if self.final == self.best:
            return None
        return (
            f"final: {self.final}, but {self.best} is best on validation ({self.reason}); "
            f"set final: {self.best} in params.yaml"
        )


def iteration_state(
    t: str,
    *,
    metrics: Mapping[str, Any],
    training: Mapping[str, Any],
    stages: Mapping[str, Mapping[str, Any]],
    loss: Iterable[tuple[int, float]],
    outputs: Iterable[Output],
    data_sets: Iterable[Output],
) -> IterationState:
    """From the files' plain contents; `stages`: the summaries of rollout, edit, validate and rebalance."""
    table = dict(measures(metrics))
    table |= {clean(f"train.{name}"): value for name, value in measures(training).items()}
    for stage, summary in stages.items():
        for name, value in measures(summary).items():
            parts = name.split(".")
            kind = "dropped." if "dropped" in parts else ""
            table[clean(f"{kind}{stage}." + ".".join(part for part in parts if part != "dropped"))] = value
    return IterationState(t, table, tuple(loss), tuple(outputs), tuple(data_sets))


def measures(found: Any, name: str = "") -> dict[str, float]:
    """All finite numbers of a nested mapping by dotted name; a rate counts as its value."""
    if isinstance(found, Mapping):
        if {"value", "k", "n"} <= set(found):
            return measures(found["value"], name)
        table: dict[str, float] = {}
        for key in sorted(found, key=str):
            table |= measures(found[key], f"{name}.{key}" if name else str(key))
        return table
    if isinstance(found, int | float) and math.isfinite(found):
        return {clean(name): float(found)}
    return {}


def flat_params(params: Mapping[str, Any]) -> dict[str, str]:
    """Dotted names and text. Where results are published shapes no result: `track` is left out."""
    table: dict[str, str] = {}

    def add(name: str, value: Any) -> None:
        if isinstance(value, Mapping) and value:
            for key in sorted(value, key=str):
                add(f"{name}.{key}" if name else str(key), value[key])
        else:
            text = value if isinstance(value, str) else json.dumps(value)
            table[clean(name)] = shortened(masked(text), LONGEST_VALUE)

    add("", {key: value for key, value in params.items() if key != "track"})
    return table


def masked(text: str, secrets: Iterable[str] = ()) -> str:
    """The text without what stands before the @ of an address, and without the secrets."""
    text = re.sub(r"(?<!sqlite)(?<!file)://\S*@", "://***@", text)
    for secret in sorted((secret for secret in secrets if len(secret) > 3), key=len, reverse=True):
        text = text.replace(secret, "***")
    return text


def clean(name: str) -> str:
    """A name that MLflow takes."""
    return shortened(re.sub(r"[^\w. -]", "_", name), LONGEST_NAME)


def shortened(text: str, limit: int) -> str:
    """At most `limit` characters; of a longer text the beginning and its hash."""
    return text if len(text) <= limit else f"{text[: limit - 18]}..{sha256(text.encode()).hexdigest()[:16]}"


def best_iteration(predictions: Mapping[str, Sequence[Prediction]]) -> tuple[str, str]:
    """The earliest iteration that the most accurate one does not significantly surpass, and why (one sentence).

    Final answers on the problems that all iterations answered, all tasks together; exact McNemar tests.
    """
    rows = {t: {p.problem_id: final(p) for p in predictions[t]} for t in sorted(predictions, key=number)}
    if not rows:
        raise DataError("eval: no iteration has been evaluated; run dvc repro")
    common = sorted(set.intersection(*map(set, rows.values())))
    right = {t: [table[identity] for identity in common] for t, table in rows.items()}
    order = list(right)
    top = max(order, key=lambda t: (sum(right[t]), -number(t)))

    def share(t: str) -> str:
        return f"{100 * sum(right[t]) / max(1, len(common)):.1f} %"

    leads = f"{top} has the highest final accuracy on validation, {share(top)} of {len(common)} problems"
    if top == order[0]:
        return top, f"{leads}, and no later one surpasses it" if len(order) > 1 else f"{leads}, and is the only one"
    largest = 0.0
    for t in order[: order.index(top)]:
        p = paired(right[t], right[top]).p_value
        if p >= SIGNIFICANT:
            return t, f"{leads}, but not significantly more than the earlier {t} with {share(t)} (p = {p:.3f})"
        largest = max(largest, p)
    return top, f"{leads}, significantly more than every earlier one (p <= {largest:.2g})"


def number(t: str) -> int:
    """The 3 of t3."""
    return int(t.removeprefix("t"))


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

    def output(self, name: str, *, count_rows: bool = False) -> Output | None:
        """The output at a path relative to the repository; None where neither disk nor lock has it."""
        path = self.repo / name
        digest, size = self.known.get(name, ("", -1))
        if not path.exists():
            return Output(name, digest, "dvc.lock") if digest else None
        states = [file.stat() for file in files_of(path)]
        if sum(s.st_size for s in states) != size or any(s.st_mtime > self.time for s in states):
            digest, size = digest_of(path), -1
        rows = sum(1 for _ in path.open("rb")) if count_rows else None
        return Output(name, digest, "dvc.lock" if size >= 0 else "file", rows)


def files_of(path: Path) -> list[Path]:
    """The files in a folder; of a file, itself."""
    return [file for file in path.rglob("*") if file.is_file()] if path.is_dir() else [path]


def digest_of(path: Path) -> str:
    """The digest that DVC gives to a file or folder."""
    if path.is_dir():
        table = [{"md5": digest_of(file), "relpath": file.relative_to(path).as_posix()} for file in files_of(path)]
        listing = json.dumps(sorted(table, key=lambda row: row["relpath"]), sort_keys=True)
        return md5(listing.encode(), usedforsecurity=False).hexdigest() + ".dir"
    digest = md5(usedforsecurity=False)
    with path.open("rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()
