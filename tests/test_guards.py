"""rebalance and train refuse data that nobody can show to have passed the gate."""

from pathlib import Path

import pytest

from tests.test_filter import GOOD, X
from tests.toy import toy_params
from tripost.errors import GateError
from tripost.params import Params
from tripost.shell.guards import meta_of, report_of, require_gated, require_rebalanced
from tripost.shell.io import write_json, write_records

BOUNDS = toy_params()


class Gated:
    """A kept file, a passing report for it, examples and their meta."""

    def __init__(self, folder: Path) -> None:
        self.kept, self.report = folder / "t1" / "kept.jsonl", folder / "t1" / "report.json"
        self.examples, self.meta = folder / "t1" / "examples.jsonl", folder / "t1" / "examples.meta.json"
        write_records(self.kept, [GOOD])
        write_records(self.examples, [X])
        self.write_report()
        write_json(self.meta, meta_of(self.examples, self.kept))

    def write_report(self, **changes: object) -> None:
        write_json(self.report, {**report_of(self.kept, {"success": True, "failed": []}, BOUNDS), **changes})

    def check(self, bounds: Params = BOUNDS) -> None:
        require_rebalanced(self.examples, self.meta, self.report, bounds)
        require_gated(self.kept, self.report, bounds)


@pytest.fixture
def gated(tmp_path: Path) -> Gated:
    found = Gated(tmp_path)
    found.check()
    return found


def test_a_missing_report_is_refused(gated: Gated) -> None:
    gated.report.unlink()
    with pytest.raises(GateError, match=r"no report of the gate; run: dvc repro validate@t1"):
        gated.check()


def test_a_failed_report_is_refused(gated: Gated) -> None:
    gated.write_report(success=False, failed=["min_rows"])
    with pytest.raises(GateError, match=r"the gate did not pass \(min_rows\)"):
        gated.check()


def test_a_report_that_contradicts_itself_is_refused(gated: Gated) -> None:
    gated.write_report(success=True, failed=["answers_match"])
    with pytest.raises(GateError, match=r"did not pass \(answers_match\)"):
        gated.check()
    gated.write_report(success=True, failed=5)
    with pytest.raises(GateError, match="unknown"):
        gated.check()


def test_success_must_be_true_and_nothing_like_it(gated: Gated) -> None:
    gated.write_report(success="true")
    with pytest.raises(GateError, match="did not pass"):
        gated.check()


def test_a_report_with_other_bounds_is_refused(gated: Gated) -> None:
    with pytest.raises(GateError, match="other values of `validate`"):
        gated.check(
            toy_params(
                validate={
                    "min_rows": 10_000,
                    "improves_share": (0.0, 1.0),
                    "min_recall": 0.9,
                    "max_false_alarms": 0.05,
                }
            )
        )
    with pytest.raises(GateError, match="`history`"):
        gated.check(toy_params(history="full"))


def test_a_changed_kept_file_is_refused(gated: Gated) -> None:
    write_records(gated.kept, [GOOD, GOOD])
    with pytest.raises(GateError, match="not the file that the gate has seen"):
        require_gated(gated.kept, gated.report, BOUNDS)


def test_changed_examples_are_refused(gated: Gated) -> None:
    write_records(gated.examples, [X, X])
    with pytest.raises(GateError, match="not the file that rebalance wrote"):
        gated.check()


def test_examples_from_other_trajectories_are_refused(gated: Gated) -> None:
    gated.write_report(sha256="0" * 64)
    with pytest.raises(GateError, match="made from other trajectories"):
        require_rebalanced(gated.examples, gated.meta, gated.report, BOUNDS)


def test_missing_meta_is_refused(gated: Gated) -> None:
    gated.meta.unlink()
    with pytest.raises(GateError, match="run: dvc repro rebalance@t1"):
        require_rebalanced(gated.examples, gated.meta, gated.report, BOUNDS)
