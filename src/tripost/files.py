"""Files are opened as what they should be: a pipe, a device or a folder under a file's name is refused at once."""

import errno
import os
import stat
from pathlib import Path
from typing import BinaryIO


def open_regular(path: Path, *, follow: bool = True) -> BinaryIO:
    """The file for reading. Raises OSError, also where it is no regular file, or (not `follow`) a link."""
    flags = os.O_RDONLY | os.O_NONBLOCK | (0 if follow else os.O_NOFOLLOW)
    descriptor = os.open(path, flags)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise OSError(errno.EINVAL, "not a regular file", str(path))
    return os.fdopen(descriptor, "rb")


def read_bounded(path: Path, most: int) -> bytes | None:
    """The content of a regular file; None where it has more bytes than `most`. Raises OSError."""
    with open_regular(path) as file:
        content = file.read(most + 1)
    return content if len(content) <= most else None
