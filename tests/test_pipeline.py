"""`dvc.yaml` against the code: deps are the real imports, paths are declared, iterations form the chain."""

import re
from typing import Any

import pytest
from ruamel.yaml import YAML

from tests.pipeline_deps import CARRIERS, EXPERTS, ROOT, TASKS, USES_TASKS, code_deps
from tripost.params import Params
from tripost.params_file import load_params
from tripost.registry import EXPERTS as REGISTERED_EXPERTS
from tripost.registry import TASKS as REGISTERED

PIPELINE: dict[str, Any] = YAML(typ="safe", pure=True).load((ROOT / "dvc.yaml").read_text(encoding="utf-8"))
STAGES: dict[str, Any] = {name: stage.get("do", stage) for name, stage in PIPELINE["stages"].items()}
GUARDS = {"train": {"data/${key}/report.json"}, "track": {"data", "models", "dvc.lock"}}
"""Paths that a stage reads without declaring them. train: the gate's report, which must be able to stop it but not to
repeat it. track: what eval's results come from; it runs whenever those change."""


def paths(entries: list[Any]) -> list[str]:
    return [next(iter(entry)) if isinstance(entry, dict) else entry for entry in entries]


def script(stage: dict[str, Any]) -> str:
    found = re.search(r"stages/(\w+)\.py", stage["cmd"])
    assert found
    return found[1]


@pytest.mark.parametrize("name", STAGES)
def test_code_deps_are_the_real_import_closure(name: str) -> None:
    stage = STAGES[name]
    listed = {path for path in paths(stage["deps"]) if path.startswith(("src/", "stages/"))}
    assert listed == code_deps(script(stage)), "print what must be listed: python -m tests.pipeline_deps"


@pytest.mark.parametrize("name", STAGES)
def test_every_path_of_a_command_is_declared(name: str) -> None:
    stage = STAGES[name]
    given = set(re.findall(r"--[a-z-]+ ((?:data|models|eval|runs|dvc\.lock)\S*)", stage["cmd"]))
    declared = set(paths(stage["deps"]) + paths([*stage["outs"], *stage.get("metrics", []), *stage.get("plots", [])]))
    assert given - declared == GUARDS.get(script(stage), set())
    used = {path for path in declared if not path.startswith(("src/", "stages/"))}
    assert used - given <= {"imported", "data/plugins.json"}


@pytest.mark.parametrize("name", STAGES)
def test_params_of_a_stage_are_the_sections_it_reads(name: str) -> None:
    stage = STAGES[name]
    code = (ROOT / "stages" / f"{script(stage)}.py").read_text(encoding="utf-8")
    read = {key.rstrip("_") for key in re.findall(r"params\.(\w+)", code)}
    read = (read - {"layout"}) | ({"history", "feedback"} if "layout" in read else set())
    guard = {"validate"} if script(stage) in {"rebalance", "train"} else set()
    listed = {key.partition(".")[0] for key in stage["params"]}
    # track publishes all params; of problems, edit, validate and eval read what data/plugins.json carries.
    fixed = {"problems"} if script(stage) in {"edit", "validate", "eval"} else set()
    # They want to know which names are LLMs', and ask none.
    fixed |= {"llms"} if script(stage) in {"plugins", "base_model", "problems"} else set()
    if script(stage) == "track":
        assert listed == {f.alias or name for name, f in Params.model_fields.items()}
    else:
        assert listed == read - guard - fixed


def test_a_command_is_one_simple_command() -> None:
    """A shell between DVC and the stage would survive as an orphan."""
    for stage in STAGES.values():
        assert re.fullmatch(r"python stages/\w+\.py( --[a-z-]+ [\w./@${}-]+)+", stage["cmd"].strip())


def test_iterations_are_the_chain_of_the_params() -> None:
    params: Params = load_params(ROOT / "params.yaml")
    looped = [name for name, stage in PIPELINE["stages"].items() if "foreach" in stage]
    assert looped == ["rollout", "edit", "validate", "rebalance", "train", "eval"]
    assert all(PIPELINE["stages"][name]["foreach"] == "${iterations}" for name in looped)
    assert [it.prev for it in params.iterations.values()] == ["t0", "t1", "t2"]


def test_artifacts_follow_the_iteration_that_counts() -> None:
    assert {artifact["path"] for artifact in PIPELINE["artifacts"].values()} == {
        "models/${final}",
        "data/${final}/kept.jsonl",
    }


def test_registered_tasks_are_deps_of_the_stages_that_ask_for_them() -> None:
    assert {module.partition(":")[0] for module in REGISTERED.values()} == set(TASKS)
    assert {module.partition(":")[0] for module in REGISTERED_EXPERTS.values()} == set(EXPERTS)


def test_plugins_are_looked_at_every_time_and_seen_by_the_stages_that_use_them() -> None:
    assert STAGES["plugins"]["always_changed"] is True
    for name, stage in STAGES.items():
        assert ("data/plugins.json" in paths(stage["deps"])) == (script(stage) in USES_TASKS), name


def test_modules_called_carriers_exist_and_do_not_compute() -> None:
    for module in CARRIERS:
        path = ROOT / "src" / module.replace(".", "/")
        assert path.with_suffix(".py").exists() or (path / "__init__.py").exists()
        code = path.with_suffix(".py") if path.with_suffix(".py").exists() else path / "__init__.py"
        assert not re.search(r"import (torch|random|numpy)", code.read_text(encoding="utf-8"))


def test_stages_are_thin() -> None:
    for path in (ROOT / "stages").glob("*.py"):
        code = path.read_text(encoding="utf-8")
        assert len(code.splitlines()) <= 75, path
        assert not re.search(r"^\s*(while|import math|import torch)", code, re.M), path
