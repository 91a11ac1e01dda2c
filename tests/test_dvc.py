"""The real pipeline under the real DVC, with toy sizes: what a change runs again, what comes from the cache, and
that nothing gets round the gate. Several minutes: make test ARGS="-m slow -k dvc"."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.checkout import Checkout, ran

pytestmark = pytest.mark.slow
LOOP = ["rollout", "edit", "validate", "rebalance", "train", "eval"]
Change = Callable[[dict[str, Any]], None]


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
