"""Published and own problem files as rows: JSON lines, or one JSON object with `examples`; bounded."""

import sys
from pathlib import Path
from typing import Any

import msgspec

from tripost.errors import DataError
from tripost.params import SourceParams

IMPORTED = Path("imported")
"""A dep of the stages that read from outside."""
MAX_BYTES = 512 * 1024 * 1024
MAX_LINE_BYTES = 8_000_000


def read_rows(source: SourceParams) -> list[tuple[str, dict[str, Any]]]:
    """`(file:line, row)` of the file of a source; nothing for generated problems. Raises DataError."""
    if source.source == "generated":
        return []
    path = Path(source.path or "")
    try:
        if path.stat().st_size > MAX_BYTES:
            raise DataError(f"{path}: larger than {MAX_BYTES} bytes")
        content = path.read_bytes().removeprefix(b"\xef\xbb\xbf")
    except OSError as error:
        raise DataError(f"{path}: cannot be read: {error.strerror}; see problems.*.path in params.yaml") from None
    if not path.resolve().is_relative_to(IMPORTED.resolve()):
        sys.stderr.write(f"note: {path}: DVC does not see when this file changes; in {IMPORTED}/ it would\n")
    if source.source == "bbh":
        whole = _object(content, str(path))
        examples = whole.get("examples")
        if not isinstance(examples, list):
            raise DataError(f"{path}: no list `examples`; not a file of BIG-Bench Hard")
        return [(f"{path}: example {k}", row) for k, row in enumerate(examples, start=1)]
    lines = content.split(b"\n")
    rows = [(f"{path}:{k}", _object(line, f"{path}:{k}")) for k, line in enumerate(lines, start=1) if line.strip()]
    if not rows:
        raise DataError(f"{path}: no rows")
    return rows


def _object(content: bytes, where: str) -> dict[str, Any]:
    if len(content) > MAX_LINE_BYTES and not where.endswith(".json"):
        raise DataError(f"{where}: a line of more than {MAX_LINE_BYTES} bytes")
    try:
        return msgspec.json.decode(content, type=dict[str, Any])
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise DataError(f"{where}: not a JSON object: {error}") from None
