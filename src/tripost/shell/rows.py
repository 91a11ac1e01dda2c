"""Records on disk that are used like lists: a row is decoded when it is looked at, so that a million take no memory.

`Rows` are the lines of a file, `Spool` those of one that grows and gets its name when it is complete. Both remember
where each line begins, and nothing more.
"""

import errno
import os
import shutil
import weakref
from abc import abstractmethod
from array import array
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path
from typing import Any, BinaryIO, Generic, TypeVar, overload

import msgspec

from tripost.errors import DataError
from tripost.records import Record
from tripost.shell.lines import AGAIN

R = TypeVar("R", bound=Record)
AT_ONCE = 256
"""Rows that are read from the disk at a time by who goes through all of them."""
ENCODER = msgspec.json.Encoder(order="deterministic")


class Listed(Sequence[R], Generic[R]):
    """Indexed as a list is, by `_at` for the places 0 .. len - 1."""

    @overload
    def __getitem__(self, place: int) -> R: ...
    @overload
    def __getitem__(self, place: slice) -> list[R]: ...
    def __getitem__(self, place: int | slice) -> R | list[R]:
        if isinstance(place, slice):
            return [self[k] for k in range(*place.indices(len(self)))]
        k = place + len(self) if place < 0 else place
        if not 0 <= k < len(self):
            raise IndexError(place)
        return self._at(k)

    @abstractmethod
    def _at(self, place: int) -> R: ...


class Rows(Listed[R]):
    """The records of an open file, which is theirs from now on; `ends[k]`: where line k ends."""

    def __init__(self, path: Path, file: BinaryIO, kind: type[R]) -> None:
        self.path, self.file, self.kind, self.ends = path, file, kind, array("Q")
        self.decoder = msgspec.json.Decoder(kind)
        weakref.finalize(self, file.close)

    def __len__(self) -> int:
        return len(self.ends)

    def _at(self, place: int) -> R:
        return self._read(place, place + 1)[0]

    def __iter__(self) -> Iterator[R]:
        for start in range(0, len(self), AT_ONCE):
            yield from self._read(start, min(start + AT_ONCE, len(self)))

    def _read(self, first: int, end: int) -> list[R]:
        start = self.ends[first - 1] if first else 0
        content = os.pread(self.file.fileno(), self.ends[end - 1] - start, start)
        edges = [start, *self.ends[first:end]]
        try:
            return [self.decoder.decode(content[a - start : b - start]) for a, b in pairwise(edges)]
        except (msgspec.DecodeError, UnicodeDecodeError):  # it was read once before
            raise DataError(f"{self.path}: was changed while it was read; {AGAIN}") from None


class Spool(Rows[R]):
    """Grows by `append`; `keep` makes it the file at `path`. One that is not kept leaves nothing."""

    def __init__(self, path: Path, kind: type[R]) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self.writing = path.with_name(f".{path.name}.writing")
        super().__init__(path, self.writing.open("w+b"), kind)
        self.size = self.flushed = 0

    def append(self, record: R) -> None:
        """One more row."""
        with self._named():
            self.size += self.file.write(ENCODER.encode(record) + b"\n")
        self.ends.append(self.size)

    def keep(self, path: Path | None = None) -> None:
        """The rows so far, complete on the disk, as `path`."""
        self._flush()
        with self._named():
            os.fsync(self.file.fileno())
        to = path or self.path
        to.parent.mkdir(parents=True, exist_ok=True)
        try:
            self.writing.replace(to)
        except OSError as error:
            if error.errno != errno.EXDEV:
                raise
            beside = to.with_name(f".{to.name}.writing")  # on another disk: whole there as well, or not at all
            shutil.copyfile(self.writing, beside)
            beside.replace(to)

    def __enter__(self) -> "Spool[R]":
        return self

    def __exit__(self, *_: object) -> None:
        try:
            with self._named():
                self.file.close()  # what a full disk has refused once it refuses again
        finally:
            self.writing.unlink(missing_ok=True)

    def _read(self, first: int, end: int) -> list[R]:
        if self.flushed < self.ends[end - 1]:
            self._flush()
        return super()._read(first, end)

    def _flush(self) -> None:
        with self._named():
            self.file.flush()
        self.flushed = self.size

    @contextmanager
    def _named(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:  # a full disk says no name
            error.filename = str(self.path)
            raise


class Joined(Listed[R]):
    """Several sequences of rows, one after the other."""

    def __init__(self, *parts: Sequence[R]) -> None:
        self.parts = parts

    def __len__(self) -> int:
        return sum(map(len, self.parts))

    def _at(self, place: int) -> R:
        for part in self.parts:
            if place < len(part):
                return part[place]
            place -= len(part)
        raise AssertionError("a place within")

    def __iter__(self) -> Iterator[R]:
        for part in self.parts:
            yield from part


def sort_into(spools: Sequence[Spool[Any]], records: Iterable[Record]) -> None:
    """Append each record to the spool of its kind."""
    into = {spool.kind: spool for spool in spools}
    for record in records:
        into[type(record)].append(record)
