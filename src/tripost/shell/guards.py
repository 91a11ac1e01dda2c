"""What rebalance and train demand to see before they touch data, also under `dvc repro --single-item`.

The gate's report must be there, must have passed, must be for exactly this file, and must have been made with the
bounds that `params.yaml` has now.
"""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tripost.errors import GateError
from tripost.params import Params
from tripost.shell.expectations import GateResult
from tripost.shell.io import file_sha256, read_json, write_json


@contextmanager
def settle(
    result: GateResult, kept: Path, report: Path, page: Path, quarantine: Path, params: Params
) -> Iterator[Path]:
    """The folder that takes the gated files: the report's own, or `quarantine` where the gate failed.

    The report is written last, and in both cases at its place, so that later stages see a failure. Raises GateError
    after a failure: which expectations, how many rows, three ids, where the page is.
    """
    shutil.rmtree(quarantine, ignore_errors=True)
    folder = report.parent if result.success else quarantine
    yield folder
    failed = [finding.name for finding in result.findings if finding.severity == "critical" and not finding.success]
    content = {"success": result.success, "failed": failed, "findings": result.findings}
    write_json(report, report_of(folder / kept.name, content, params))
    if not result.success:
        explained = (f"  {line}" for line in result.lines())
        raise GateError(f"{report}: the gate did not pass; look at {quarantine / page.name}", *explained)


def conditions(params: Params) -> dict[str, Any]:
    """What a report holds under."""
    return {
        "validate": params.validate_.model_dump(mode="json"),
        "history": params.history,
        "feedback": params.feedback,
        "max_updates": params.edit.max_updates,
        "probes": params.edit.probes is not None,
        "tasks": sorted(params.problems),
    }


def report_of(kept: Path, content: dict[str, Any], params: Params) -> dict[str, Any]:
    """What stands in the report about a file that was gated."""
    return {**content, "sha256": file_sha256(kept), "conditions": conditions(params)}


def require_passed(report_path: Path, params: Params) -> dict[str, Any]:
    """The gate's report. Raises GateError where it is missing, failed, or was made with other bounds."""
    again = "run: dvc repro " + f"validate@{report_path.parent.name}"
    if not report_path.exists():
        raise GateError(f"{report_path}: no report of the gate; {again}")
    report = read_json(report_path)
    if report.get("success") is not True or report.get("failed") != []:
        failed = ", ".join(map(str, report["failed"])) if isinstance(report.get("failed"), list) else "unknown"
        raise GateError(f"{report_path}: the gate did not pass ({failed}); nothing is trained on this data; {again}")
    if report.get("conditions") != conditions(params):
        raise GateError(
            f"{report_path}: made with other values of `validate`, `history`, `feedback`, `edit.max_updates` or "
            f"`edit.probes`, or other tasks, than params.yaml has now; {again}"
        )
    return report


def require_gated(kept: Path, report_path: Path, params: Params) -> None:
    """Raises GateError unless the passing report is for exactly this file."""
    report = require_passed(report_path, params)
    if report.get("sha256") != file_sha256(kept):
        again = f"run: dvc repro validate@{kept.parent.name}"
        raise GateError(f"{kept}: not the file that the gate has seen (sha256 differs from {report_path}); {again}")


def meta_of(examples: Path, kept: Path) -> dict[str, str]:
    """What rebalance says of its output: the sha256 of the examples and of the trajectories behind them."""
    return {"examples_sha256": file_sha256(examples), "kept_sha256": file_sha256(kept)}


def pool_meta_of(pool: Path) -> dict[str, str]:
    """What is said of the trajectories that all iterations up to here have gated."""
    return {"pool_sha256": file_sha256(pool)}


def require_pool(pool: Path, meta_path: Path) -> None:
    """Raises GateError unless the pool is what the iteration before wrote: gated rows, unchanged."""
    if not meta_path.exists() or read_json(meta_path) != pool_meta_of(pool):
        why = f"not the file of gated trajectories that was written (sha256 differs from {meta_path})"
        raise GateError(f"{pool}: {why}; run: dvc repro")


def require_rebalanced(examples: Path, meta_path: Path, report_path: Path, params: Params) -> None:
    """Raises GateError unless these examples come from trajectories that have passed the gate."""
    report = require_passed(report_path, params)
    t = examples.parent.name
    again = f"run: dvc repro rebalance@{t}"
    if not meta_path.exists():
        raise GateError(f"{meta_path}: missing; {again}")
    meta = read_json(meta_path)
    if meta.get("examples_sha256") != file_sha256(examples):
        raise GateError(f"{examples}: not the file that rebalance wrote (sha256 differs from {meta_path}); {again}")
    if not examples.stat().st_size:
        raise GateError(f"{examples}: empty, nothing to learn from; {again}")
    if meta.get("kept_sha256") != report.get("sha256"):
        raise GateError(f"{examples}: made from other trajectories than the gate passed; {again}")
