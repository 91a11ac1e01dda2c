"""Which requests are being asked, by this process or another: a locked byte for each, of a file beside the log.

The system takes the locks back from a process that dies.
"""

import fcntl
import os
import threading
import weakref
from pathlib import Path


class Claims:
    """Open it once a process: closing any copy of a file gives all of its locks back."""

    def __init__(self, log: Path) -> None:
        self.path = log.with_name(f"{log.name}.claims")
        self.file: int | None = None
        self.mine = threading.Lock()

    def claim(self, key: str) -> bool:
        """Whether no other process is asking this; it is ours then, until `release` or this process ends."""
        return self._lock(key, fcntl.LOCK_EX | fcntl.LOCK_NB)

    def release(self, key: str) -> None:
        """We are asking it no longer."""
        self._lock(key, fcntl.LOCK_UN)

    def _lock(self, key: str, how: int) -> bool:
        with self.mine:
            if self.file is None:
                self.file = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
                weakref.finalize(self, os.close, self.file)
        try:
            fcntl.lockf(self.file, how, 1, int(key[:14], 16))
        except BlockingIOError:
            return False
        return True
