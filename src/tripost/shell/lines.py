"""JSON lines as they stand in a file, each with its `file:line`: bounded, and what is wrong with a bad one."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec

from tripost.errors import DataError
from tripost.files import open_regular
from tripost.records import version_flaw

MAX_LINE_BYTES = 8_000_000
AGAIN = "make it anew: dvc repro"
"""What to do about a file of the pipeline that is not as a stage wrote it."""


def numbered_lines(path: Path, mend: str = AGAIN) -> Iterator[tuple[str, bytes]]:
    """`file:line` and the line, its end included. Raises DataError; `mend` is what to do then."""
    try:
        with open_regular(path) as file:
            for number in range(1, 2**62):
                line = file.readline(MAX_LINE_BYTES + 1)
                if not line:
                    return
                if len(line) > MAX_LINE_BYTES:
                    raise DataError(f"{path}:{number}: a line of more than {MAX_LINE_BYTES} bytes; {mend}")
                yield f"{path}:{number}", line
    except OSError as error:
        raise DataError(f"{path}: cannot be read: {error.strerror}; {mend}") from None


def not_json(error: Exception) -> str:
    """What is wrong with bytes that no JSON reader takes."""
    if isinstance(error, UnicodeDecodeError):
        return f"not UTF-8: {error.reason}"
    if isinstance(error, RecursionError):
        return "not JSON: nested without end"
    return f"not JSON: {str(error).removeprefix('JSON is malformed: ')}"


def record_flaw(line: bytes, error: Exception, kind: str) -> str:
    """What is wrong with a line that is no record, and what to do: no JSON, another version, or its fields."""
    try:
        line.decode()
        row = msgspec.json.decode(line, type=dict[str, Any])
    except msgspec.ValidationError:
        row = {}
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as found:
        return f"{not_json(found)}; {AGAIN}"
    inner = row.get("trajectory")
    other = version_flaw(row) or (version_flaw(inner) if isinstance(inner, dict) else None)
    return other or f"not a{'n' * (kind[0] in 'AEIOU')} {kind}: {error}; {AGAIN}"
