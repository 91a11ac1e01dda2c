"""The gate of stage `validate`: runs the suite with Great Expectations, whose only home is here.

An ephemeral context, nothing written, nothing sent. The verdict is made of the severities of the results: a
check counts as met only if every one of its rules came back, without an exception, and as a success.
"""

import logging
import os
import warnings
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import islice
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import msgspec

from tripost.columns import COLUMNS, Row, TaskCount, task_counts
from tripost.params import ValidateParams
from tripost.recall import Figures
from tripost.shell.suite import Check, Severity, expert_checks, row_checks, task_checks

if TYPE_CHECKING:
    from great_expectations.core import ExpectationValidationResult
    from great_expectations.data_context.data_context.ephemeral_data_context import EphemeralDataContext
    from great_expectations.expectations.expectation_configuration import ExpectationConfiguration
    from pandas import DataFrame

AT_ONCE = 20_000
"""Rows that are dicts at a time, before they are a table."""
SHOWN = 3
"""How many ids and values of a failing check are shown."""


class Finding(msgspec.Struct, frozen=True):
    """What became of a check. `ids`: up to three of the `unexpected` trajectories (`unit` row) or tasks."""

    name: str
    meaning: str
    severity: Severity
    success: bool
    unexpected: int
    ids: tuple[str, ...]
    detail: str
    unit: str
    remedy: str = ""

    @property
    def count(self) -> str:
        """`3 rows`, `1 task`; empty where the table as a whole is meant."""
        return f"{self.unexpected} {self.unit}{'s' * (self.unexpected != 1)}" if self.unexpected else ""


class GateResult(msgspec.Struct, frozen=True):
    """The verdict: `success` where no critical check failed."""

    success: bool
    rows: int
    tasks: tuple[TaskCount, ...]
    findings: tuple[Finding, ...]

    def lines(self) -> list[str]:
        """One line for each critical check that failed."""
        failed = [f for f in self.findings if not f.success and f.severity == "critical"]
        found = [f"{f.count} (ids {', '.join(f.ids)})" if f.ids else f.count or f.detail for f in failed]
        ends = [f"{f.meaning}; {f.remedy}" if f.remedy else f.meaning for f in failed]
        return [f"{f.name}: {what}: {end}" for f, what, end in zip(failed, found, ends, strict=True)]


def gate(
    rows: Iterable[Row],
    *,
    params: ValidateParams,
    tasks: Sequence[str],
    max_turns: int,
    context: int,
    expert: Mapping[str, Figures] = MappingProxyType({}),
) -> GateResult:
    """Hold the rows against the suite. `max_turns`: attempts in the longest trajectory that may be.

    `expert`: how good each task's expert was; empty where that is not measured.
    """
    left = iter(rows)
    with _quiet():
        import great_expectations as gx
        import pandas as pd
        from great_expectations.data_context.types.base import ProgressBarsConfig

        runner = gx.get_context(mode="ephemeral")
        runner.variables.progress_bars = ProgressBarsConfig(globally=False)
        parts = [pd.DataFrame(part) for part in iter(lambda: list(islice(left, AT_ONCE)), [])]
        table = pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=list(COLUMNS))
        del parts
        count = len(table)
        findings = _run(runner, row_checks(tasks, max_turns, context), table, _column(table, "id"), "row")
        counts = task_counts(zip(_column(table, "task"), _column(table, "improves"), strict=True), tasks)
        table = pd.DataFrame(
            [msgspec.structs.asdict(count) for count in counts], columns=list(TaskCount.__struct_fields__)
        )
        findings += _run(runner, task_checks(params, count), table, [c.task for c in counts], "task")
        if expert:
            table = pd.DataFrame([found.bounds() for found in expert.values()])
            labels = [f"{name} ({found.shown})" for name, found in expert.items()]
            findings += _run(runner, expert_checks(params), table, labels, "expert")
    success = all(f.success for f in findings if f.severity != "warning")
    return GateResult(success=success, rows=count, tasks=tuple(counts), findings=tuple(findings))


@contextmanager
def _quiet() -> Iterator[None]:
    """No analytics, no log lines, no warnings of the library on the terminal."""
    os.environ["GX_ANALYTICS_ENABLED"] = "false"
    logger, nowhere = logging.getLogger("great_expectations"), logging.NullHandler()
    logger.addHandler(nowhere)
    propagate, logger.propagate = logger.propagate, False
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logger.propagate = propagate
        logger.removeHandler(nowhere)


def _column(table: "DataFrame", name: str) -> list[Any]:
    """Its values; as many blanks where the table has no such column, which a check says."""
    return table[name].tolist() if name in table.columns else [None] * len(table)


def _run(
    runner: "EphemeralDataContext", checks: Sequence[Check], table: "DataFrame", ids: Sequence[str], unit: str
) -> list[Finding]:
    """All checks on one table, in one pass."""
    from great_expectations import ExpectationSuite, expectations

    rules = [
        getattr(expectations, rule.kind)(**rule.arguments, severity=check.severity, meta={"check": check.name})
        for check in checks
        for rule in check.rules
    ]
    batch = (
        runner.data_sources.add_pandas(unit)
        .add_dataframe_asset(unit)
        .add_batch_definition_whole_dataframe(unit)
        .get_batch({"dataframe": table})
    )
    asked = {
        "result_format": "COMPLETE",
        "return_unexpected_index_query": False,
        "partial_unexpected_count": SHOWN,
    }
    results: dict[str, list[ExpectationValidationResult]] = {}
    for result in batch.validate(ExpectationSuite(name=unit, expectations=rules), result_format=asked).results:
        results.setdefault(_config(result).meta["check"], []).append(result)
    return [_finding(check, results.get(check.name, []), ids, unit) for check in checks]


def _finding(
    check: Check, results: Sequence["ExpectationValidationResult"], ids: Sequence[str], unit: str
) -> Finding:
    """The results of a check's rules as one. A rule that did not come back, or broke, has failed."""
    failed = [result for result in results if not result.success or _exceptions(result)]
    details = [_detail(result) for result in failed]
    if len(results) != len(check.rules):
        details.append(f"{len(check.rules) - len(results)} of {len(check.rules)} rules were not evaluated")
    unexpected = sorted({n for result in failed for n in _row_numbers(result)})
    severities = {_config(result).severity.value for result in results}
    return Finding(
        name=check.name,
        meaning=check.meaning,
        severity="warning" if severities == {"warning"} else "critical",
        success=not details,
        unexpected=len(unexpected),
        ids=tuple(dict.fromkeys(str(ids[n]) for n in unexpected[: 10 * SHOWN]))[:SHOWN],
        detail="; ".join(details),
        unit=unit,
        remedy=check.remedy,
    )


def _config(result: "ExpectationValidationResult") -> "ExpectationConfiguration":
    if result.expectation_config is None:
        raise TypeError("Great Expectations returned a result without its expectation")
    return result.expectation_config


def _row_numbers(result: "ExpectationValidationResult") -> list[int]:
    return [int(number) for number in result.result.get("unexpected_index_list") or []]


def _exceptions(result: "ExpectationValidationResult") -> list[str]:
    """The messages in `exception_info`: either one report or one for each metric."""
    info: Mapping[str, Any] = result.exception_info or {}
    reports = [info] if "raised_exception" in info else list(info.values())
    messages = [str(report.get("exception_message")) for report in reports if report.get("raised_exception")]
    return sorted({" ".join(message.split())[:300].removeprefix("Error: ").rstrip(".") for message in messages})


def _detail(result: "ExpectationValidationResult") -> str:
    """What was found instead: the exception, a few values, or what was observed of the whole table."""
    arguments = _config(result).kwargs
    columns = [str(arguments[key]) for key in ("column", "column_A", "column_B") if key in arguments]
    what = "".join(f"{' and '.join(columns)}: " if columns else "")
    if errors := _exceptions(result):
        return f"{what}{', '.join(errors)}"
    if values := result.result.get("partial_unexpected_list"):
        return what + ", ".join(dict.fromkeys(_plain(value) for value in values[:SHOWN]))
    mismatched = result.result.get("details", {}).get("mismatched", {})
    if mismatched:
        return "; ".join(f"{kind} {', '.join(map(str, names))}" for kind, names in sorted(mismatched.items()))
    return f"{what}observed {_plain(result.result.get('observed_value'))}"


def _plain(value: Any) -> str:
    """A value without the types of numpy; text in quotes and with its control characters escaped."""
    if isinstance(value, tuple | list):
        return " and ".join(_plain(item) for item in value)
    return repr(value)[:80] if isinstance(value, str) else str(value)[:80]
