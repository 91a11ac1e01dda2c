"""Records and summaries on disk: JSON lines and JSON, the same bytes for the same content, whole or not at all."""

import os
from collections.abc import Iterable, Iterator, Mapping
from hashlib import sha256
from pathlib import Path
from typing import Annotated, Any, TypeVar

import msgspec

from tripost.errors import DataError
from tripost.files import open_regular, read_bounded
from tripost.records import Prediction, Probe, Problem, Record, Trajectory
from tripost.shell.lines import AGAIN, not_json, numbered_lines, record_flaw
from tripost.shell.rows import ENCODER, Rows

R = TypeVar("R", bound=Record)
T = TypeVar("T")
MAX_JSON_BYTES = 64_000_000


def read_records(path: Path, kind: type[R]) -> Iterator[R]:
    """The records of a JSON lines file. Raises DataError with `file:line`."""
    for _, _, record in _lines(path, kind):
        yield record


def _lines(path: Path, kind: type[R]) -> Iterator[tuple[str, int, R]]:
    """`file:line`, the line's length in bytes, and its record. Raises DataError."""
    decoder = msgspec.json.Decoder(kind)
    for where, line in numbered_lines(path):
        if not line.endswith(b"\n"):
            raise DataError(f"{where}: the last line is not complete, the file was cut off; {AGAIN}")
        try:
            record = decoder.decode(line)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise DataError(f"{where}: {record_flaw(line, error, kind.__name__)}") from None
        yield where, len(line), record


def write_records(path: Path, records: Iterable[Record]) -> int:
    """Write JSON lines; returns how many. The file appears when it is complete."""
    count = 0
    with _Whole(path) as file:
        for record in records:
            file.write(ENCODER.encode(record) + b"\n")
            count += 1
    return count


def read_json(path: Path) -> dict[str, Any]:
    """A JSON object. Raises DataError."""
    return _read_object(path, dict[str, Any])


def _read_object(path: Path, kind: type[T]) -> T:
    try:
        content = read_bounded(path, MAX_JSON_BYTES)
        if content is None:
            raise DataError(f"{path}: more than {MAX_JSON_BYTES} bytes; {AGAIN}")
        content.decode()
        return msgspec.json.decode(content, type=kind)
    except OSError as error:
        raise DataError(f"{path}: cannot be read: {error.strerror}; {AGAIN}") from None
    except msgspec.ValidationError as error:
        raise DataError(f"{path}: not as it was written: {error}; {AGAIN}") from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise DataError(f"{path}: {not_json(error)}; {AGAIN}") from None


def write_json(path: Path, content: Mapping[str, Any]) -> None:
    """Write a JSON object: sorted keys, floats rounded to six places, so that equal results are equal bytes."""
    with _Whole(path) as file:
        plain = msgspec.to_builtins(content)
        file.write(msgspec.json.format(ENCODER.encode(_rounded(plain)), indent=2) + b"\n")


def write_text(path: Path, text: str) -> None:
    """Write UTF-8 text."""
    with _Whole(path) as file:
        file.write(text.encode())


def file_sha256(path: Path) -> str:
    """The sha256 of a file's bytes. Raises DataError."""
    digest = sha256()
    try:
        with open_regular(path) as file:
            while block := file.read(1 << 20):
                digest.update(block)
    except OSError as error:
        raise DataError(f"{path}: cannot be read: {error.strerror}; {AGAIN}") from None
    return digest.hexdigest()


def load_problems(path: Path, *, may_be_empty: bool = False) -> dict[str, Problem]:
    """Problems by id, in the order of the file. Raises DataError for none, or an id that stands there twice."""
    problems: dict[str, Problem] = {}
    for number, problem in enumerate(read_records(path, Problem), start=1):
        if problem.id in problems:
            raise DataError(f"{path}:{number}: the id {problem.id!r} stands in an earlier line, too; {AGAIN}")
        problems[problem.id] = problem
    if not problems and not may_be_empty:
        raise DataError(f"{path}: empty; ask for some (problems.*.{path.stem} in params.yaml), then run: dvc repro")
    return problems


def load_trajectories(path: Path, problems: Mapping[str, Problem], *, may_be_empty: bool = False) -> Rows[Trajectory]:
    """Trajectories, each held against its problem; they stay on the disk until they are looked at.

    Raises DataError for none, or where the question is another one.
    """
    found = None
    ids: set[str] = set()
    size = 0
    for where, length, row in _lines(path, Trajectory):
        _require_problem(where, row, problems)
        if not row.turns:
            raise DataError(f"{where}: a trajectory without turns; {AGAIN}")
        if row.id in ids:
            raise DataError(f"{where}: the id {row.id!r} stands in an earlier line, too; {AGAIN}")
        ids.add(row.id)
        found = found or Rows(path, open_regular(path), Trajectory)
        size += length
        found.ends.append(size)
    if found is None and not may_be_empty:
        raise DataError(f"{path}: empty; see what was dropped on the way (*.dropped.jsonl beside it), or {AGAIN}")
    return found or Rows(path, open_regular(path), Trajectory)


def load_probes(path: Path, problems: Mapping[str, Problem]) -> list[Probe]:
    """The probes of an iteration, each joined to its problem and judged. Raises DataError."""
    rows: dict[str, Probe] = {}
    for number, row in enumerate(read_records(path, Probe), start=1):
        _require_problem(f"{path}:{number}", row, problems)
        if (row.feedback is None) == (row.cannot_judge is None):
            raise DataError(f"{path}:{number}: neither judged nor `cannot_judge`, or both; {AGAIN}")
        if row.id in rows:
            raise DataError(f"{path}:{number}: the id {row.id!r} stands in an earlier line, too; {AGAIN}")
        rows[row.id] = row
    return list(rows.values())


def _require_problem(where: str, row: Trajectory | Probe, problems: Mapping[str, Problem]) -> None:
    problem = problems.get(row.problem_id)
    if problem is None:
        raise DataError(f"{where}: no problem has the id {row.problem_id!r}; {AGAIN}")
    if sha256(problem.question.encode()).hexdigest() != row.question_sha256:
        raise DataError(f"{where}: the question of {row.problem_id!r} has changed; {AGAIN}")
    if row.task != problem.task:
        raise DataError(f"{where}: task {row.task!r}, but its problem is of {problem.task!r}; {AGAIN}")


def load_predictions(path: Path) -> list[Prediction]:
    """The predictions of an iteration. Raises DataError where there are none."""
    rows = list(read_records(path, Prediction))
    if not rows:
        raise DataError(f"{path}: empty; {AGAIN}")
    return rows


class Edited(msgspec.Struct):
    """What others read of the counts of `edit`: the share of wrong first attempts by task."""

    wrong_first_attempts: dict[str, Annotated[float, msgspec.Meta(ge=0, le=1)]]


def load_wrong_shares(path: Path) -> dict[str, float]:
    """The share of wrong first attempts of M_{t-1} for each task, as `edit` counted it. Raises DataError."""
    return _read_object(path, Edited).wrong_first_attempts


def _rounded(value: Any) -> Any:
    if isinstance(value, dict):
        return {str(key): _rounded(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_rounded(item) for item in value]
    return round(value, 6) if isinstance(value, float) else value


class _Whole:
    """A file that appears under its name when it is complete, and not at all after an error."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.writing = path.with_name(f".{path.name}.writing")

    def __enter__(self) -> Any:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self.file = self.writing.open("wb")
        return self.file

    def __exit__(self, kind: object, *_: object) -> None:
        try:
            with self.file:
                self.file.flush()
                os.fsync(self.file.fileno())
            if kind is None:
                self.writing.replace(self.path)
        except OSError as error:  # a full disk says no name
            error.filename = str(self.path)
            raise
        finally:
            self.writing.unlink(missing_ok=True)
