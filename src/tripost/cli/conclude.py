"""What the evaluation allows one to say, computed from it: nobody should have to read p values off a table."""

from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

from tripost.evaluate import final
from tripost.rates import Paired, Rate, paired
from tripost.records import Prediction
from tripost.shell.io import read_records

ALPHA = 0.05


class Measured(Protocol):
    """The measures that are spoken of."""

    @property
    def n(self) -> int: ...
    @property
    def final(self) -> Rate: ...
    @property
    def revised(self) -> Rate: ...
    @property
    def fixed(self) -> Rate: ...
    @property
    def broken(self) -> Rate: ...
    @property
    def final_against_direct(self) -> Paired: ...
    @property
    def final_against_previous(self) -> Paired | None: ...


def conclusions(folder: Path, results: Mapping[str, Mapping[str, Mapping[str, Measured]]]) -> dict[str, list[str]]:
    """task -> what the last iteration shows over all problems: against the first one, and of self-correction."""
    first, last = next(iter(results)), list(results)[-1]
    said: dict[str, list[str]] = {}
    for task, subsets in sorted(results[last].items()):
        if "total" not in subsets:
            continue
        now = subsets["total"]
        before = results[first].get(task, {}).get("total")
        if first == last or before is None:
            said[task] = [f"Only {last} has been evaluated: nothing to compare it with yet."]
        else:
            said[task] = [_change(before, now, first, last, _test(folder, task, list(results), now))]
        said[task].append(_correcting(now, last))
    return said


def _change(before: Measured, now: Measured, first: str, last: str, test: Paired | None) -> str:
    """How final accuracy went from the first to the last iteration."""
    old, new = 100 * (before.final.value or 0), 100 * (now.final.value or 0)
    said = f"Final accuracy went from {old:.1f} to {new:.1f} ({first} -> {last})"
    if before.n != now.n:
        return f"{said}, but on other problems ({before.n} and {now.n}): not to be compared."
    if test is None:
        if _overlap(before.final, now.final):
            verdict = f"the intervals overlap: this run shows no difference{_blur(now)}"
        else:
            verdict = "the intervals do not overlap: more than chance on these problems"
        return f"{said}; {verdict}. (Paired by problem one sees more; that takes eval/*/predictions.jsonl.)"
    counted = f"{test.only_after} problems gained, {test.only_before} lost, {_p(test)}"
    if test.p_value >= ALPHA:
        return f"{said}; {counted}: this run shows no difference{_blur(now)}."
    return f"{said}; {counted}: {'better' if new > old else 'worse'}, by more than chance on these problems."


def _correcting(now: Measured, last: str) -> str:
    """What own feedback and updates did to the first attempts."""
    if now.revised.k == 0:
        return f"At {last} the model never updated an attempt: final is direct."
    test = now.final_against_direct
    counted = f"Correcting itself at {last} fixed {now.fixed.k} and broke {now.broken.k}, {_p(test)}"
    if test.p_value >= ALPHA:
        return f"{counted}: this run does not show that it helps or harms."
    return f"{counted}: it {'helps' if now.fixed.k > now.broken.k else 'harms'}, by more than chance."


def _test(folder: Path, task: str, iterations: list[str], now: Measured) -> Paired | None:
    """First against last, problem by problem: by the metrics if they are neighbours, else by the predictions."""
    neighbours = [int(t[1:]) for t in iterations]
    if len(iterations) == 2 and neighbours[1] - neighbours[0] == 1 and now.final_against_previous is not None:
        return now.final_against_previous
    paths = [folder / t / "predictions.jsonl" for t in (iterations[0], iterations[-1])]
    if not all(path.is_file() for path in paths):
        return None
    old, new = (
        {row.problem_id: final(row) for row in read_records(path, Prediction) if row.task == task} for path in paths
    )
    return paired([old[key] for key in new], list(new.values())) if old.keys() == new.keys() else None


def _overlap(a: Rate, b: Rate) -> bool:
    if a.low is None or a.high is None or b.low is None or b.high is None:
        return True
    return a.low <= b.high and b.low <= a.high


def _blur(now: Measured) -> str:
    if now.final.low is None or now.final.high is None:
        return ""
    return (
        f" (with {now.n} problems an accuracy is known to within {50 * (now.final.high - now.final.low):.1f} points)"
    )


def _p(test: Paired) -> str:
    return "p < 0.001" if test.p_value < 0.001 else f"p = {test.p_value:.2g}"
