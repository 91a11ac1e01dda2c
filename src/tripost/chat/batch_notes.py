"""Notes of batches that are under way, one file each: whoever is killed leaves behind what the next run must await.

A note is written before anything is sent, again with the id of the uploaded file before the batch is made from it,
and again with the batch's id. One without a file was never sent; one with a file and no batch is looked up at the
endpoint. It goes when all answers of its batch are in the log. Its lock is held while the batch is made, and read.
"""

import asyncio
import os
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from hashlib import blake2b
from pathlib import Path
from typing import Annotated

import msgspec
from filelock import FileLock, Timeout

from tripost.errors import DataError
from tripost.files import read_bounded

LARGEST_NOTE = 16_000_000
LOOK_AGAIN = 0.2


class Note(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """A batch: whose it is, what is in it, what it costs at most, and how far it got.

    `name`: the hash of the sorted keys, `draw` tells it from others of the same name; both are in the batch's
    metadata. `schema`: whether its rows ask for one. `made`: when it was last asked for, in seconds of the epoch.
    """

    name: str
    draw: str
    llm: str
    address: str
    keys: list[str]
    schema: bool
    dearest: Annotated[float, msgspec.Meta(ge=0)]
    file: str = ""
    batch: str = ""
    made: float = 0.0


def name_of(keys: Iterable[str]) -> str:
    """The hash of the sorted keys."""
    return blake2b("\n".join(sorted(keys)).encode(), digest_size=16).hexdigest()


class Notes:
    """The folder of notes. `lock`: while it is held, nobody else can lay claim to a request."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self.lock = FileLock(folder / "claims.lock", thread_local=False)

    def all(self) -> list[Note]:
        """Every note, by name. Raises DataError for a file that is none."""
        found = (self.read(path.stem) for path in sorted(self.folder.glob("*.json")))
        return [note for note in found if note is not None]

    def path(self, name: str) -> Path:
        """Where a note lies."""
        return self.folder / f"{name}.json"

    def read(self, name: str) -> Note | None:
        """The note as it is now; None where it is gone."""
        path = self.path(name)
        try:
            content = read_bounded(path, LARGEST_NOTE)
            if content is None:
                raise ValueError("too large")
            note = msgspec.json.decode(content, type=Note)
            if note.name != name:
                raise ValueError("another's name")
        except FileNotFoundError:
            return None
        except (ValueError, RecursionError) as error:
            raise DataError(
                f"{path}: no note of a batch ({error}); remove it: its answers may be paid again"
            ) from None
        return note

    def write(self, note: Note) -> None:
        """On return it outlives the machine."""
        writing = self.folder / f".{note.name}.writing"
        with writing.open("wb") as file:
            file.write(msgspec.json.encode(note))
            file.flush()
            os.fsync(file.fileno())
        writing.replace(self.path(note.name))
        folder = os.open(self.folder, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)

    def remove(self, note: Note) -> None:
        """Under its lock, whose file goes as well (who waits for it notices, and takes a new one)."""
        now = self.read(note.name)
        if now is not None and now.draw != note.draw:
            return  # the same requests, in a later batch
        self.path(note.name).unlink(missing_ok=True)
        self._lock_path(note.name).unlink(missing_ok=True)

    def held(self, name: str) -> FileLock | None:
        """The note's lock, acquired; None where another has it."""
        lock = FileLock(self._lock_path(name), thread_local=False)
        try:
            lock.acquire(timeout=0)
        except Timeout:
            return None
        return lock

    @asynccontextmanager
    async def hold(self, name: str) -> AsyncIterator[None]:
        """Wait for the note's lock."""
        while (lock := self.held(name)) is None:
            await asyncio.sleep(LOOK_AGAIN)
        try:
            yield
        finally:
            lock.release()

    def _lock_path(self, name: str) -> Path:
        return self.folder / f"{name}.lock"
