"""A small checkout in which every stage could run: params, problems, rows, models and evaluations, all of them right."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
from ruamel.yaml import YAML

from tests.fakes import ARITHMETIC, WORDS, balanced, problems
from tests.test_filter import GOOD, X
from tests.toy import ROOT, raw_params, toy_params
from tripost import registry
from tripost.probes import ask, make_probes
from tripost.records import Prediction, Probe
from tripost.shell.guards import meta_of, pool_meta_of, report_of
from tripost.shell.io import load_trajectories, write_json, write_records, write_text


class Case(NamedTuple):
    """A bad input: what is bad, the stage that meets it, and how to make it."""

    what: str
    stage: str
    spoil: Callable[[Path], object]


Spoil = Callable[[Path], object]
PIPELINE: dict[str, Any] = YAML(typ="safe", pure=True).load((ROOT / "dvc.yaml").read_text(encoding="utf-8"))
OWN = Path("imported/own.jsonl")


def command(stage: str) -> list[str]:
    """The words behind `python` with which DVC runs a stage, of t1 where it is one of an iteration's."""
    if stage == "check":
        return ["-m", "tripost.cli", "check"]
    entry = PIPELINE["stages"][stage]
    words = entry.get("do", entry)["cmd"].replace("${key}", "t1").replace("${item.prev}", "t0").split()
    return [str(ROOT / words[1]), *words[2:]]


def make_world(root: Path) -> None:
    """Write the checkout to the folder `root`."""
    from tripost.models.base import scratch_base

    write_params(root)
    write_text(root / "README", "not empty")
    held_out = {split: problems(ARITHMETIC, 3, seed) for split, seed in (("validation", 6), ("test", 7))}
    write_records(root / "data/problems/train.jsonl", [X, *problems(WORDS, 2)])
    for split, rows in held_out.items():
        in_split = [msgspec.structs.replace(row, split=split) for row in rows]
        write_records(root / f"data/problems/{split}.jsonl", in_split)
    write_records(root / OWN, problems(WORDS, 4))
    for name in ("rollout", "edited", "kept", "pool"):
        write_records(root / f"data/t1/{name}.jsonl", [GOOD])
    write_records(root / "data/t0/pool.jsonl", [GOOD])
    write_records(root / "data/t1/probes.jsonl", probed())
    write_json(root / "data/t1/edit.json", {"wrong_first_attempts": {ARITHMETIC: 0.5}})
    sign(root)
    prediction = Prediction(
        problem_id=X.id, task=ARITHMETIC, seen=True, group_id="g", difficulty="d", trajectory=GOOD,
        right=(False, False, True), verdicts=(2, 4, 0),
    )  # fmt: skip
    for t in ("t0", "t1"):
        write_records(root / f"eval/{t}/predictions.jsonl", [prediction])
        write_json(root / f"eval/{t}/metrics.json", {"all": {"n": 1}})
        write_text(root / f"models/{t}.loss.csv", "step,loss\n1,2.5\n")
    base = toy_params().model.scratch.model_copy(update={"layers": 1, "width": 32, "heads": 2, "context": 1024})
    scratch_base([X.question + str(X.rationale)], base, 1, root / "models/base")
    for name in ("t0", "t1"):
        shutil.copytree(root / "models/base", root / "models" / name)
    (root / "stray").mkdir()


def probed() -> list[Probe]:
    """Judged probes of the world's own problem."""
    params, tasks = toy_params().edit.probes, registry.tasks([ARITHMETIC])
    expert = registry.script(ARITHMETIC)
    return [ask(p, X, tasks[ARITHMETIC], expert) for p in make_probes([GOOD], {X.id: X}, tasks, params, 1, "t1")]


def sign(root: Path) -> None:
    """Examples from what was kept, where it can be read, and the report and hashes that later stages demand."""
    folder = root / "data/t1"
    write_json(
        folder / "report.json", report_of(folder / "kept.jsonl", {"success": True, "failed": []}, toy_params())
    )
    if not (folder / "examples.jsonl").exists():
        rows = load_trajectories(folder / "kept.jsonl", {X.id: X})
        examples, *_ = balanced(rows, {X.id: X}, toy_params().rebalance.model_copy(update={"p": "none"}), {}, "1 t1")
        write_records(folder / "examples.jsonl", examples)
    write_json(folder / "examples.meta.json", meta_of(folder / "examples.jsonl", folder / "kept.jsonl"))
    for t in ("t0", "t1"):
        write_json(root / f"data/{t}/pool.meta.json", pool_meta_of(root / f"data/{t}/pool.jsonl"))


def write_params(root: Path, **changes: Any) -> None:
    """The toy params, as JSON, which is YAML; `changes` are values by dotted key, ... takes the key out."""
    raw = json.loads(json.dumps(raw_params()))
    for key, value in changes.items():
        *parents, last = key.split(".")
        section = raw
        for parent in parents:
            section = section[parent]
        if value is ...:
            del section[last]
        else:
            section[last] = value
    write_text(root / "params.yaml", json.dumps(raw, indent=1))


def params(**changes: Any) -> Spoil:
    """Other params; the keys are dotted."""
    return lambda root: write_params(root, **changes)


def text(path: str, content: str | bytes) -> Spoil:
    """Another content of a file."""
    return lambda root: (root / path).write_bytes(content.encode() if isinstance(content, str) else content)


def swap(path: str, old: str, new: str, *more: Spoil) -> Spoil:
    """Another word at its first place in a file; then `more`."""

    def spoil(root: Path) -> None:
        content = (root / path).read_text(encoding="utf-8")
        assert old in content, (path, old, content[:500])
        (root / path).write_text(content.replace(old, new, 1), encoding="utf-8")
        for then in more:
            then(root)

    return spoil


def gone(path: str) -> Spoil:
    """No such file."""
    return lambda root: (root / path).unlink()


def fields(path: str, **changes: Any) -> Spoil:
    """Other fields of a JSON file; None takes one out."""

    def spoil(root: Path) -> None:
        content = {**json.loads((root / path).read_text(encoding="utf-8")), **changes}
        kept = {key: value for key, value in content.items() if value is not None}
        (root / path).write_text(json.dumps(kept), encoding="utf-8")

    return spoil


def both(*steps: Spoil) -> Spoil:
    """One after the other."""

    def spoil(root: Path) -> None:
        for step in steps:
            step(root)

    return spoil
