"""The real pipeline under the real DVC, with toy sizes: what a change runs again, what comes from the cache, and
that nothing gets round the gate. Several minutes: make test ARGS="-m slow -k dvc"."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from tests.toy import ROOT, raw_params

pytestmark = pytest.mark.slow
LOOP = ["rollout", "edit", "validate", "rebalance", "train", "eval"]
Change = Callable[[dict[str, Any]], None]


class Checkout:
    """A copy of the working tree as a git repository of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        tracked = subprocess.run(["git", "ls-files"], cwd=ROOT, check=True, capture_output=True, text=True).stdout
        for name in tracked.splitlines():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, folder / name)
        self.raw = raw_params()
        self.write()
        for command in ("git init -q", "git add -A", "git -c user.name=t -c user.email=t@t commit -qm toy"):
            subprocess.run(command.split(), cwd=folder, check=True)

    def write(self) -> None:
        """Write the params."""
        with (self.folder / "params.yaml").open("w", encoding="utf-8") as file:
            YAML(typ="safe", pure=True).dump(self.raw, file)

    def dvc(self, *arguments: str) -> tuple[int, str]:
        """Run dvc; its exit code and all that was printed."""
        path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
        environment = {**os.environ, "PATH": path, "PYTHONPATH": str(self.folder / "src"), "OMP_NUM_THREADS": "1"}
        command = [sys.executable, "-m", "dvc", *arguments]
        done = subprocess.run(command, cwd=self.folder, env=environment, capture_output=True, text=True, check=False)
        return done.returncode, done.stdout + done.stderr

    def repro(self) -> list[str]:
        """`dvc repro`; the stages whose commands were run, in order."""
        code, said = self.dvc("repro")
        assert code == 0, said
        return ran(said)

    def evaluation(self) -> str:
        """All metrics of the evaluation as text."""
        return "".join(path.read_text() for path in sorted((self.folder / "eval").glob("*/metrics.json")))


def ran(said: str) -> list[str]:
    return re.findall(r"^Running stage '(.+)':", said, re.M)


def of(iteration: str, first: str = "rollout") -> set[str]:
    return {f"{stage}@{iteration}" for stage in LOOP[LOOP.index(first) :]}


@pytest.mark.timeout(1500)
def test_the_pipeline_under_dvc(tmp_path: Path) -> None:
    checkout = Checkout(tmp_path / "checkout")
    everything = checkout.repro()
    assert set(everything) == {"base_model", "problems", "warmup", "eval_t0", *of("t1"), *of("t2"), "track"}
    first = checkout.evaluation()
    assert checkout.repro() == []

    # The toy has so few rows that another p may take the same ones; then DVC rightly stops at equal examples.
    checkout.raw["rebalance"]["p"] = 0.6
    checkout.raw["rebalance"]["weights"]["attempt"] = 0.9
    checkout.write()
    again = set(checkout.repro())
    assert again - {"track"} <= of("t1", "rebalance") | of("t2")
    assert {"rebalance@t1", "train@t1"} <= again
    assert not again & {"rollout@t1", "edit@t1", "validate@t1", "warmup", "base_model"}

    checkout.raw["iterations"]["t3"] = {"prev": "t2"}
    checkout.write()
    assert set(checkout.repro()) == of("t3") | {"track"}
    del checkout.raw["iterations"]["t3"]

    checkout.raw["rebalance"]["p"] = 0.43
    checkout.raw["rebalance"]["weights"]["attempt"] = 1.0
    checkout.write()
    assert set(checkout.repro()) <= {"track"}, "a state that was there before comes from the cache"
    shutil.rmtree(checkout.folder / "eval" / "t3", ignore_errors=True)
    assert checkout.evaluation() == first

    checkout.raw["validate"]["min_rows"] = 100_000
    checkout.write()
    before = (checkout.folder / "models" / "t1" / "model.safetensors").read_bytes()
    code, said = checkout.dvc("repro", "-s", "-f", "train@t1")
    assert code != 0, "train alone must see that the bounds have changed"
    assert "other values of `validate`" in said
    code, said = checkout.dvc("repro")
    assert code != 0
    assert "rows_per_task" in said
    assert not [stage for stage in ran(said) if stage.startswith(("rebalance", "train"))]
    code, said = checkout.dvc("repro", "-s", "-f", "train@t1")
    assert code != 0
    assert "the gate did not pass" in said
    assert not (checkout.folder / "models" / "t1").exists() or (
        (checkout.folder / "models" / "t1" / "model.safetensors").read_bytes() == before
    )
