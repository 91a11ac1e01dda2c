"""The log of replies: what has been answered is never asked, and never paid, a second time.

One JSON object a line, appended and never changed, each line on its own: a process that is killed while it writes
loses that line and no other, and the next writer cuts the torn end off. Several processes write to one log under a
lock, and see each other's lines. In memory stay the keys and where their lines begin.
"""

import os
import threading
import time
import weakref
from array import array
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import BinaryIO

import msgspec
from filelock import FileLock

from tripost.chat.request import Reply, Request
from tripost.chat.torn import cut_torn, to_its_end, write_whole
from tripost.errors import DataError
from tripost.files import open_regular

MAX_LINE = 16_000_000
SYNC_SECONDS = 1.0
"""A process that is killed loses nothing that it has written; a machine that loses power loses this much."""


class Known(msgspec.Struct):
    """What the index reads of a line."""

    key: str
    llm: str = ""
    cost: float = 0.0


class ReplyLog:
    """Replies by key. Open it once a process; its threads may share it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.lock = FileLock(path.with_name(f"{path.name}.lock"), thread_local=False)
        self.decoder, self.peek = msgspec.json.Decoder(Reply), msgspec.json.Decoder(Known)
        self.encoder = msgspec.json.Encoder(order="deterministic")
        self.file: BinaryIO | None = None
        self.mine = threading.RLock()
        self.read_to = self.opened = 0
        self._forget()
        self.synced = 0.0
        path.parent.mkdir(parents=True, exist_ok=True)
        self.refresh()

    def __len__(self) -> int:
        return len(self.index)

    def get(self, key: str) -> Reply | None:
        """The reply with this key, by whichever process it was written. Raises DataError for a line that changed."""
        with self.mine:
            place = self.index.get(key)
            if place is None:
                self.refresh()
                place = self.index.get(key)
            return None if place is None else self._read(place)

    def append(self, reply: Reply) -> None:
        """Write a line; on return it outlives this process. Raises OSError, with the path."""
        self._append(self.encoder.encode(reply) + b"\n")

    def _append(self, line: bytes) -> None:
        try:
            with self.mine, self.lock, self._to_append() as file:
                end = cut_torn(file)
                write_whole(file, line, end)
                if end == self.read_to and self._is_open(os.fstat(file.fileno())):
                    self._note(line, self.peek.decode(line))
                sync = time.monotonic() - self.synced > SYNC_SECONDS
                if sync:
                    self.synced = time.monotonic()
                    os.fsync(file.fileno())
        except OSError as error:
            error.filename = str(self.path)
            raise

    def refresh(self) -> None:
        """Read what has been written since, be it by others; all of it where the file was made anew."""
        with self.mine:
            try:
                found = os.stat(self.path)
            except FileNotFoundError:
                self._forget()
                return
            if not self._is_open(found) or found.st_size < self.read_to:
                self._forget()
                self.file = open_regular(self.path, follow=False)
                weakref.finalize(self, self.file.close)
                self.opened = os.fstat(self.file.fileno()).st_ino
            if self.file is not None and found.st_size > self.read_to:
                self._read_on(self.file)

    def replies(self) -> Iterator[Reply]:
        """All of them, in the order of their lines, each key once."""
        self.refresh()
        for place in range(len(self.starts)):
            yield self._read(place)

    def charge(self, request: Request, outcome: str, cost: float) -> None:
        """A call that was charged and brought no reply: a line without a key, for the sum."""
        line = {"key": "", "cost": cost, "llm": request.llm, "model": request.model, "task": request.task}
        self._append(self.encoder.encode({**line, "purpose": request.purpose, "outcome": outcome}) + b"\n")

    def total(self) -> float:
        """What all lines cost, those of other processes too."""
        self.refresh()
        return self.total_cost

    def unreadable(self) -> set[str]:
        """Keys whose lines are no replies."""
        found = set()
        for key, place in self.index.items():
            try:
                self._read(place)
            except DataError:
                found.add(key)
        return found

    def drop(self, keys: Collection[str]) -> int:
        """Write the log anew without these replies, and without lines that are none; returns how many replies went.

        Others that have it open see it; what they write meanwhile stays.
        """
        with self.mine, self.lock:
            self.refresh()
            gone = sum(key in self.index for key in keys)
            writing = self.path.with_name(f".{self.path.name}.writing")
            with os.fdopen(os.open(writing, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
                for line in self._lines():
                    known = self._peek(line)
                    if known is not None and known.key not in keys:
                        file.write(line)
                file.flush()
                os.fsync(file.fileno())
            writing.replace(self.path)
        self.refresh()
        return gone

    def close(self) -> None:
        """Make everything outlive the machine, and let go of the file."""
        if self.file is not None:
            os.fsync(self.file.fileno())
            self.file.close()
            self.file = None

    def _forget(self) -> None:
        if self.file is not None:
            self.file.close()
            self.file = None
        self.index: dict[str, int] = {}
        self.starts, self.lengths = array("Q"), array("L")
        self.read_to = self.opened = 0
        self.broken = self.charges = 0
        self.total_cost = self.charged = 0.0
        self.llms: set[str] = set()

    def _read_on(self, file: BinaryIO) -> None:
        """Lines that end; of two with one key the first counts, what it cost counts for both."""
        file.seek(self.read_to)
        while line := file.readline(MAX_LINE):
            if not line.endswith(b"\n"):
                length = to_its_end(file, len(line))
                if length is None:
                    return  # it is being written, or was torn
                self.broken += 1
                self.read_to += length
                continue
            known = self._peek(line)
            if known is None:
                self.broken += 1
                self.read_to += len(line)
            else:
                self._note(line, known)

    def _peek(self, line: bytes) -> Known | None:
        try:
            return self.peek.decode(line)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return None

    def _lines(self) -> Iterator[bytes]:
        """All whole lines that have been read."""
        if self.file is not None:
            self.file.seek(0)
            while self.file.tell() < self.read_to:
                yield self.file.readline()

    def _note(self, line: bytes, known: Known) -> None:
        """The line that begins where we have read to."""
        cost = known.cost if known.cost > 0 else 0.0  # nobody gets money back
        self.total_cost += cost
        self.llms.add(known.llm)
        if not known.key:
            self.charges += 1
            self.charged += cost
        elif known.key not in self.index:
            self.index[known.key] = len(self.starts)
            self.starts.append(self.read_to)
            self.lengths.append(len(line))
        self.read_to += len(line)

    def _is_open(self, found: os.stat_result) -> bool:
        """Whether the file that we read is this one."""
        return self.file is not None and self.opened == found.st_ino

    def _line(self, place: int) -> bytes:
        assert self.file is not None
        return os.pread(self.file.fileno(), self.lengths[place], self.starts[place])

    def _read(self, place: int) -> Reply:
        try:
            return self.decoder.decode(self._line(place))
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            what = f"{self.path}: the line at byte {self.starts[place]} is no reply ({error})"
            raise DataError(f"{what}; take it out: tripost replies prune --broken --yes") from None

    def _to_append(self) -> BinaryIO:
        flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK
        return os.fdopen(os.open(self.path, flags, 0o600), "r+b", buffering=0)
