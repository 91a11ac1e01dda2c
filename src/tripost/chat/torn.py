"""Lines of a file that is only ever appended to, and may end in the midst of one."""

import os
from typing import BinaryIO

MAX_PIECE = 16_000_000


def to_its_end(file: BinaryIO, length: int) -> int | None:
    """The length of a line that has no end yet after so many bytes; None where the file ends first."""
    while piece := file.readline(MAX_PIECE):
        length += len(piece)
        if piece.endswith(b"\n"):
            return length
    return None


def cut_torn(file: BinaryIO) -> int:
    """Cut off a last line that was not written to its end; returns where the file ends."""
    end = file.seek(0, os.SEEK_END)
    whole = end
    while whole:
        start = max(0, whole - 65_536)
        block = os.pread(file.fileno(), whole - start, start)
        if block.endswith(b"\n"):
            break
        newline = block.rfind(b"\n")
        whole = start + newline + 1
        if newline >= 0:
            break
    if whole != end:
        os.truncate(file.fileno(), whole)
    return whole


def write_whole(file: BinaryIO, line: bytes, at: int) -> None:
    """All of it, or nothing where the disk is full."""
    file.seek(at)
    rest = memoryview(line)
    try:
        while rest:
            rest = rest[file.write(rest) :]
    except OSError:
        os.truncate(file.fileno(), at)
        raise
