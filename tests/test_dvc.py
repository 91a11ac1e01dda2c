"""The real pipeline under the real DVC, with toy sizes: what a change runs again, what comes from the cache, and
that nothing gets round the gate. Several minutes: make test ARGS="-m slow -k dvc"."""

import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.checkout import Checkout, ran
from tests.toy import raw_params

pytestmark = pytest.mark.slow
LOOP = ["rollout", "edit", "validate", "rebalance", "train", "eval"]
Change = Callable[[dict[str, Any]], None]


def of(iteration: str, first: str = "rollout") -> set[str]:
    return {f"{stage}@{iteration}" for stage in LOOP[LOOP.index(first) :]}


@pytest.mark.timeout(1500)
def test_the_pipeline_under_dvc(tmp_path: Path) -> None:
    checkout = Checkout(tmp_path / "checkout")
    everything = checkout.repro()
    assert set(everything) == {
        "plugins",
        "base_model",
        "problems",
        "warmup",
        "eval_t0",
        *of("t1"),
        *of("t2"),
        "track",
    }
    first = checkout.evaluation()
    assert checkout.repro() == ["plugins"], "it looks every time; nothing follows from what it finds unchanged"

    # The toy has so few rows that another p may take the same ones; then DVC rightly stops at equal examples.
    checkout.raw["rebalance"]["p"] = 0.6
    checkout.raw["rebalance"]["weights"]["attempt"] = 0.9
    checkout.write()
    again = set(checkout.repro())
    assert again - {"plugins", "track"} <= of("t1", "rebalance") | of("t2")
    assert {"rebalance@t1", "train@t1"} <= again
    assert not again & {"rollout@t1", "edit@t1", "validate@t1", "warmup", "base_model"}

    checkout.raw["iterations"]["t3"] = {"prev": "t2"}
    checkout.write()
    assert set(checkout.repro()) == of("t3") | {"plugins", "track"}
    del checkout.raw["iterations"]["t3"]

    checkout.raw["rebalance"]["p"] = 0.43
    checkout.raw["rebalance"]["weights"]["attempt"] = 1.0
    checkout.write()
    assert set(checkout.repro()) <= {"plugins", "track"}, "a state that was there before comes from the cache"
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


@pytest.mark.timeout(1500)
def test_another_code_of_a_plugin_runs_again_what_uses_it_and_nothing_else(tmp_path: Path, plugin: Path) -> None:
    site = tmp_path / "site"
    shutil.copytree(plugin, site)
    raw = raw_params()
    asked = {"expert": {"feedback": ["teacher"], "improve": "teacher"}, "seen": ["1 digits"], "unseen": ["3 digits"]}
    checkout = Checkout(
        tmp_path / "checkout",
        site=site,
        problems={"doubling": {**raw["problems"]["word_sorting"], **asked}},
        iterations={"t1": {"prev": "t0"}},
        final="t1",
        model={**raw["model"], "scratch": {**raw["model"]["scratch"], "drill": None}},
        warmup={**raw["warmup"], "epochs": 200},
    )
    checkout.repro()
    assert checkout.repro() == ["plugins"]
    with (site / "schoolbook" / "expert.py").open("a", encoding="utf-8") as file:
        file.write("# says the same in the end\n")
    again = {"plugins", "base_model", "problems", "eval_t0", "edit@t1", "validate@t1", "eval@t1"}
    assert set(checkout.repro()) == again, "their outputs are the same, so that nothing is trained anew"
    assert checkout.repro() == ["plugins"]
    checkout.raw["problems"]["doubling"]["expert"]["feedback"] = ["grader", "teacher"]
    checkout.write()
    assert {"edit@t1", "eval@t1"} <= set(checkout.repro())


@pytest.mark.timeout(1500)
def test_the_example_runs_to_its_table_and_leaves_the_checkout_alone(tmp_path: Path) -> None:
    checkout = Checkout(tmp_path / "checkout")
    environment = {**checkout.environment(), "HF_HUB_OFFLINE": "1"}
    command = ["sh", "examples/addition/run.sh"]
    for _ in range(2):
        done = subprocess.run(
            command, cwd=checkout.folder, env=environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        assert "\naddition\n" in done.stdout
        assert "  seen    t0" in done.stdout
        assert "          t1" in done.stdout
    assert "train t1" not in done.stderr, "the second run has nothing to do"
    status = subprocess.run(["git", "status", "--porcelain"], cwd=checkout.folder, capture_output=True, check=True)
    assert status.stdout == b""
    assert not (checkout.folder / "data").exists()
