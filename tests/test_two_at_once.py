"""Two runs at once: a second `dvc repro`, and queued experiments side by side. make test ARGS="-m slow -k two_at"."""

import json
import time
from pathlib import Path

import pytest

from tests.checkout import Checkout
from tests.toy import raw_params

pytestmark = pytest.mark.slow


def toy(folder: Path) -> Checkout:
    raw = raw_params(iterations={"t1": {"prev": "t0"}}, final="t1")
    return Checkout(folder / "checkout", **raw)


@pytest.mark.timeout(900)
def test_a_second_repro_says_why_it_does_not_run_and_harms_nothing(tmp_path: Path) -> None:
    checkout = toy(tmp_path)
    with checkout.start("repro") as first:
        while not (checkout.folder / "data" / "problems.json").exists():
            assert first.poll() is None
            time.sleep(0.1)
        time.sleep(2.0)
        code, said = checkout.dvc("repro")
        out, _ = first.communicate()
    assert first.returncode == 0, out
    assert code != 0
    assert "is busy" in said, said
    assert checkout.repro() == ["plugins"], "all of it is there, and fits"


@pytest.mark.timeout(1500)
def test_experiments_of_a_queue_run_side_by_side(tmp_path: Path) -> None:
    checkout = toy(tmp_path)
    checkout.repro()
    for command in (
        ["git", "add", "dvc.lock"],
        ["git", "-c", "user.name=t", "-c", "user.email=t@t", "commit", "-qm", "run"],
    ):
        checkout.run(*command)
    for rate in ("0.0002", "0.0004"):
        code, said = checkout.dvc("exp", "run", "--queue", "-S", f"train.learning_rate={rate}")
        assert code == 0, said
    code, said = checkout.dvc("exp", "run", "--run-all", "-j", "2")
    assert code == 0, said
    code, said = checkout.dvc("exp", "show", "--json")
    assert code == 0, said
    shown = json.loads(said[said.index("[") :])
    experiments = [e for base in shown for e in base["experiments"] or []]
    rates = {e["revs"][0]["data"]["params"]["params.yaml"]["data"]["train"]["learning_rate"] for e in experiments}
    assert rates == {0.0002, 0.0004}
    first = [e["revs"][0]["data"]["metrics"]["models/t1.json"]["data"]["loss_last"] for e in experiments]
    assert len(set(first)) == 2, "each has its own result"
    assert checkout.repro() == ["plugins"], "the workspace is as it was"
