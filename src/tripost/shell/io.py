"""Records and summaries on disk: JSON lines and JSON, the same bytes for the same content, whole or not at all."""

import os
from collections.abc import Iterable, Iterator, Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from tripost.errors import DataError
from tripost.records import SCHEMA_VERSION, Problem, Record, Trajectory

R = TypeVar("R", bound=Record)
MAX_LINE_BYTES = 8_000_000
_ENCODER = msgspec.json.Encoder(order="deterministic")


def read_records(path: Path, kind: type[R]) -> Iterator[R]:
    """The records of a JSON lines file. Raises DataError with `file:line`."""
    decoder = msgspec.json.Decoder(kind)
    try:
        with path.open("rb") as file:
            for number in range(1, 2**62):
                line = file.readline(MAX_LINE_BYTES + 1)
                if not line:
                    return
                where = f"{path}:{number}"
                if len(line) > MAX_LINE_BYTES:
                    raise DataError(f"{where}: a line of more than {MAX_LINE_BYTES} bytes; no record is that long")
                if not line.endswith(b"\n"):
                    raise DataError(f"{where}: the last line is not complete; the file was cut off, make it anew")
                yield _decode(decoder, line, where, kind)
    except OSError as error:
        raise DataError(f"{path}: cannot be read: {error.strerror}") from None


def _decode(decoder: "msgspec.json.Decoder[R]", line: bytes, where: str, kind: type[R]) -> R:
    try:
        return decoder.decode(line)
    except msgspec.ValidationError as error:
        if "schema_version" in str(error):
            raise DataError(f"{where}: {error}; this program reads schema_version {SCHEMA_VERSION}") from None
        raise DataError(f"{where}: not a {kind.__name__}: {error}") from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise DataError(f"{where}: not JSON: {error}") from None


def write_records(path: Path, records: Iterable[Record]) -> int:
    """Write JSON lines; returns how many. The file appears when it is complete."""
    count = 0
    with _Whole(path) as file:
        for record in records:
            file.write(_ENCODER.encode(record) + b"\n")
            count += 1
    return count


def read_json(path: Path) -> dict[str, Any]:
    """A JSON object. Raises DataError."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=dict[str, Any])
    except OSError as error:
        raise DataError(f"{path}: cannot be read: {error.strerror}") from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise DataError(f"{path}: not a JSON object: {error}") from None


def write_json(path: Path, content: Mapping[str, Any]) -> None:
    """Write a JSON object: sorted keys, floats rounded to six places, so that equal results are equal bytes."""
    with _Whole(path) as file:
        plain = msgspec.to_builtins(content)
        file.write(msgspec.json.format(_ENCODER.encode(_rounded(plain)), indent=2) + b"\n")


def write_text(path: Path, text: str) -> None:
    """Write UTF-8 text."""
    with _Whole(path) as file:
        file.write(text.encode())


def file_sha256(path: Path) -> str:
    """The sha256 of a file's bytes. Raises DataError."""
    digest = sha256()
    try:
        with path.open("rb") as file:
            while block := file.read(1 << 20):
                digest.update(block)
    except OSError as error:
        raise DataError(f"{path}: cannot be read: {error.strerror}") from None
    return digest.hexdigest()


def load_problems(path: Path) -> dict[str, Problem]:
    """Problems by id, in the order of the file. Raises DataError for an id that stands there twice."""
    problems: dict[str, Problem] = {}
    for number, problem in enumerate(read_records(path, Problem), start=1):
        if problem.id in problems:
            raise DataError(f"{path}:{number}: the id {problem.id!r} stands in an earlier line, too")
        problems[problem.id] = problem
    return problems


def load_trajectories(path: Path, problems: Mapping[str, Problem]) -> list[Trajectory]:
    """Trajectories, each joined to its problem. Raises DataError where the question is another one."""
    rows: list[Trajectory] = []
    for number, row in enumerate(read_records(path, Trajectory), start=1):
        problem = problems.get(row.problem_id)
        if problem is None:
            raise DataError(f"{path}:{number}: no problem has the id {row.problem_id!r}; run dvc repro")
        if sha256(problem.question.encode()).hexdigest() != row.question_sha256:
            raise DataError(f"{path}:{number}: the question of {row.problem_id!r} has changed; run dvc repro")
        if not row.turns:
            raise DataError(f"{path}:{number}: a trajectory without turns")
        rows.append(row)
    return rows


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
