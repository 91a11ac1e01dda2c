"""A third-party package brings a task, an expert and a prompt set: installed as pip does, found by name, seen by DVC."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

from tests.bad_world import write_params
from tests.toy import ROOT, raw_params
from tripost.records import Problem, Trajectory
from tripost.shell.io import read_json, read_records

SECTION: dict[str, Any] = {
    **raw_params()["problems"]["word_sorting"],
    "expert": {"feedback": "teacher", "improve": "teacher"},
    "seen": ["2 digits"],
    "unseen": ["3 digits"],
    "train": 30,
}
CHAIN = """
import sys
from pathlib import Path

from stages import base_model, edit, plugins, problems, rebalance, validate, warmup
from tripost.params_file import load_params
from tripost.rollout import trajectory
from tripost.records import Turn
from tripost.shell.io import load_problems, write_records
from tripost.text import parse_attempt

params, d, m, t = load_params(Path("params.yaml")), Path("data"), Path("models"), Path("data/t1")
plugins.main(params, out=d / "plugins.json")
base_model.main(params, out=m / "base", embedded=m / "embedded")
problems.main(params, out=d / "problems", counts=d / "problems.json")
warmup.main(params, m / "base", d / "problems", m / "t0", m / "t0.loss.csv", m / "t0.json",
            d / "t0/pool.jsonl", d / "t0/pool.meta.json")
rows = []
for k, x in enumerate(load_problems(d / "problems/train.jsonl").values()):
    said = x.rationale if k % 2 else x.rationale.replace("= ", "= 1", 1)
    turn = Turn(attempt=parse_attempt(said, "m_theta"), feedback=None, n_tokens=0)
    rows.append(trajectory(x, f"{x.id}/t1/0", 0, (turn,)))
write_records(t / "rollout.jsonl", rows)
edit.main(params, d / "problems", t / "rollout.jsonl", m / "base", t / "edited.jsonl", t / "edit.dropped.jsonl",
          t / "probes.jsonl", t / "edit.json", "t1")
validate.main(params, d / "problems", t / "edited.jsonl", t / "probes.jsonl", m / "base", t / "kept.jsonl",
              t / "validate.dropped.jsonl", t / "report.json", t / "report.html", t / "validate.json", Path("quarantine"), "t1")
"""


def python(folder: Path, site: Path, *words: str) -> "subprocess.CompletedProcess[str]":
    path = os.pathsep.join([str(site), str(ROOT / "src"), str(ROOT)])
    environment = {**os.environ, "PYTHONPATH": path, "OMP_NUM_THREADS": "1", "HF_HUB_OFFLINE": "1"}
    command = [sys.executable, *words]
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)


def test_task_expert_and_prompts_of_a_package_are_found_by_name(plugin: Path, tmp_path: Path) -> None:
    write_params(tmp_path, problems={"doubling": SECTION}, warmup="none", **{"model.scratch.drill": None})
    assert python(tmp_path, plugin, "-m", "tripost.cli", "check").stdout == "params.yaml: fine\n"
    done = python(tmp_path, plugin, "-c", CHAIN)
    assert done.returncode == 0, done.stderr
    data = tmp_path / "data"
    assert len(list(read_records(data / "problems" / "train.jsonl", Problem))) == 30
    kept = list(read_records(data / "t1" / "kept.jsonl", Trajectory))
    improved = [row for row in kept if row.improves]
    assert (len(kept), len(improved)) == (30, 15)
    for row in improved:
        said = row.turns[0].feedback
        assert said is not None
        assert (said.author, said.reason) == ("teacher", "it is not twice the number"), "the words of its prompt set"
        assert row.turns[1].attempt.author == "teacher"
    found = read_json(data / "plugins.json")["doubling"]
    (teacher,) = found["feedback"]
    assert (teacher["distribution"], teacher["version"], teacher["name"]) == (
        "tripost-schoolbook",
        "0.3.1",
        "teacher",
    )
    assert found["task"]["value"] == "schoolbook.task:Doubling"
    assert str(plugin) not in json.dumps(found)


def test_without_the_package_the_names_are_unknown(tmp_path: Path) -> None:
    write_params(tmp_path, problems={"doubling": SECTION})
    said = python(tmp_path, tmp_path, "-m", "tripost.cli", "check").stderr.splitlines()
    assert [line.partition(";")[0] for line in said] == [
        "error: params.yaml: problems.doubling.expert.feedback: unknown expert 'teacher'",
        "error: params.yaml: problems.doubling.expert.improve: unknown expert 'teacher'",
        "error: params.yaml: problems.doubling: unknown task",
    ]


def test_a_change_of_its_prompts_is_a_change(plugin: Path, tmp_path: Path) -> None:
    write_params(tmp_path, problems={"doubling": SECTION})
    site = tmp_path / "site"
    shutil.copytree(plugin, site)
    stage = [str(ROOT / "stages" / "plugins.py"), "--out", "plugins.json"]
    seen = []
    for _ in range(2):
        assert python(tmp_path, site, *stage).returncode == 0
        seen.append((tmp_path / "plugins.json").read_bytes())
    assert seen[0] == seen[1]
    with (site / "schoolbook" / "prompts" / "doubling" / "feedback.md").open("a", encoding="utf-8") as file:
        file.write("at all\n")
    assert python(tmp_path, site, *stage).returncode == 0
    assert (tmp_path / "plugins.json").read_bytes() != seen[0]
