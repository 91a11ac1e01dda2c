"""Published and own problem files as rows: JSON lines, or one JSON object with `examples`; bounded."""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec

from tripost.errors import DataError, one_line
from tripost.files import read_bounded
from tripost.params import SourceParams
from tripost.shell.lines import not_json, numbered_lines

IMPORTED = Path("imported")
"""A dep of the stages that read from outside."""
MAX_BYTES = 64 * 1024 * 1024
"""Of a file that is one JSON object, and so is held in memory as a whole."""
MEND = "mend the file, or name another (problems.*.path in params.yaml)"


def read_rows(source: SourceParams) -> list[tuple[str, dict[str, Any]]]:
    """`(file:line, row)` of the file of a source; nothing for generated problems. Raises DataError."""
    if source.source == "generated":
        return []
    path = Path(source.path or "")
    rows = list(each_row(source))
    if not path.resolve().is_relative_to(IMPORTED.resolve()):
        sys.stderr.write(
            f"note: {one_line(str(path))}: DVC does not see when this file changes; in {IMPORTED}/ it would\n"
        )
    return rows


def each_row(source: SourceParams) -> Iterator[tuple[str, dict[str, Any]]]:
    """`(file:line, row)`, as they are read. Raises DataError, also where there are none."""
    path = Path(source.path or "")
    empty = True
    for found in _examples(path) if source.source == "bbh" else _lines(path):
        empty = False
        yield found
    if empty:
        raise DataError(f"{path}: no rows; {MEND}")


def _lines(path: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    for where, line in numbered_lines(path, MEND):
        content = line.removeprefix(b"\xef\xbb\xbf") if where == f"{path}:1" else line
        if content.strip():
            yield where, _object(content, where)


def _examples(path: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    try:
        content = read_bounded(path, MAX_BYTES)
    except OSError as error:
        raise DataError(f"{path}: cannot be read: {error.strerror}; {MEND}") from None
    if content is None:
        raise DataError(f"{path}: more than {MAX_BYTES} bytes; {MEND}")
    examples = _object(content.removeprefix(b"\xef\xbb\xbf"), str(path)).get("examples")
    if not isinstance(examples, list):
        raise DataError(f"{path}: no list `examples`, so not a file of BIG-Bench Hard; {MEND}")
    for k, row in enumerate(examples, start=1):
        if not isinstance(row, dict):
            raise DataError(f"{path}: example {k}: not a JSON object; {MEND}")
        yield f"{path}: example {k}", row


def _object(content: bytes, where: str) -> dict[str, Any]:
    try:
        content.decode()
        return msgspec.json.decode(content, type=dict[str, Any])
    except msgspec.ValidationError:
        raise DataError(f"{where}: not a JSON object; {MEND}") from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise DataError(f"{where}: {not_json(error)}; {MEND}") from None
