"""All targets: `bytes -> None`, one for each way in which hostile text comes in. A target asserts what must hold.

Without atheris every seed and finding is run through its target by `tests/test_fuzz.py`.
"""

from collections.abc import Callable
from pathlib import Path

from tests.fuzz import file_targets, task_targets, text_targets

HERE = Path(__file__).parent
CORPUS = HERE / "corpus"
FINDINGS = HERE / "findings"

TARGETS: dict[str, Callable[[bytes], None]] = {
    "attempts": text_targets.attempts,
    "feedbacks": text_targets.feedbacks,
    "parts": text_targets.parts,
    "expressions": task_targets.expressions,
    "lines": task_targets.lines,
    "arithmetic": task_targets.arithmetic,
    "words": task_targets.words,
    "edits": task_targets.edits,
    "rows": file_targets.rows,
    "records": file_targets.records,
    "params": file_targets.params,
    "sources": file_targets.sources,
    "screen": file_targets.screen,
    "dates": task_targets.dates,
    "deduction": task_targets.deduction,
}
NAMES = tuple(TARGETS)


def files(folder: Path) -> list[Path]:
    """Seeds or findings, below a folder for each target."""
    return sorted(path for path in folder.glob("*/*") if path.parent.name in TARGETS)


def dispatch(data: bytes) -> tuple[str, bytes]:
    """The target that the first byte names, and the rest: one fuzzer for all targets."""
    return NAMES[data[0] % len(NAMES)] if data else NAMES[0], data[1:]
