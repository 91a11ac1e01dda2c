"""Who has a request answered: this run by a new batch, or whoever has it in one already; and the money for it."""

import secrets
import sys
import time
from collections.abc import Callable
from typing import NamedTuple

from filelock import FileLock

from tripost.chat.batch_answers import HALF, Outcomes
from tripost.chat.batch_notes import Note, Notes, name_of
from tripost.chat.batch_rows import line_of
from tripost.chat.client import Endpoint
from tripost.chat.money import Purse
from tripost.chat.reply_log import ReplyLog
from tripost.chat.request import Request
from tripost.chat.till import out_of_money
from tripost.credentials import masked_address
from tripost.errors import EndpointError, one_line

MOST_ROWS, MOST_BYTES = 50_000, 190_000_000
"""Of one batch."""


class Part(NamedTuple):
    """A batch, and what we want of it."""

    note: Note
    wanted: dict[str, Request]


class Fresh(NamedTuple):
    """One that is not sent yet: its file, and the lock of its note."""

    part: Part
    content: bytearray
    lock: FileLock


class OutOfMoneyError(Exception):
    """Not one request more can be paid, as long as all that is under way costs the most it can."""


class Claims:
    """Of one run. `awaited`: batches that it waits for, and how many requests of theirs; `tell` is given answers."""

    def __init__(
        self,
        notes: Notes,
        endpoint_of: Callable[[str], Endpoint],
        log: ReplyLog,
        purse: Purse,
        tell: Callable[[Outcomes], None],
    ) -> None:
        self.notes, self.endpoint_of, self.log, self.purse, self.tell = notes, endpoint_of, log, purse, tell
        self.reserved: dict[str, float] = {}
        self.awaited: dict[str, int] = {}

    def take(self, left: dict[str, Request], parts: list[Part]) -> Fresh | None:
        """Take out of `left` what is answered, what is in a batch already (into `parts`), and one batch more."""
        with self.notes.lock:
            notes = self.notes.all()  # before the log is read: a note goes when its answers are there
            self.log.refresh()
            self._count(notes)
            answered: Outcomes = {}
            for key in [key for key in left if key in self.log.index]:
                del left[key]
                if reply := self.log.get(key):
                    answered[key] = reply
            for note in notes:
                wanted = {key: left.pop(key) for key in note.keys if key in left}
                if wanted:
                    parts.append(Part(note, wanted))
                    self.awaited[note.name] = len(wanted)
                    say(f"{note.llm}: a batch of {len(note.keys)} requests is under way already; waiting for it")
                elif note.name not in self.awaited:
                    self._sweep(note)
            if answered:
                self.tell(answered)
            return self._fresh(left) if left else None

    def _fresh(self, left: dict[str, Request]) -> Fresh:
        """As much as fits into one batch, and can be paid; its note is written."""
        llm = next(iter(left.values())).llm
        endpoint = self.endpoint_of(llm)
        with_schema = endpoint.takes_schema is not False
        content, wanted, dearest = bytearray(), dict[str, Request](), 0.0
        for key, request in left.items():
            line = line_of(request, endpoint.params, with_schema)
            if wanted and (len(wanted) >= MOST_ROWS or len(content) + len(line) > MOST_BYTES):
                break
            worst = endpoint.till.dearest(request, HALF)
            if not self.purse.reserve(worst):
                break
            content += line
            wanted[key] = request
            dearest += worst
        if not wanted:
            raise OutOfMoneyError
        for key in wanted:
            del left[key]
        note = Note(
            name=name_of(wanted),
            draw=secrets.token_hex(8),
            llm=llm,
            address=masked_address(endpoint.params.base_url),
            keys=[*wanted],
            schema=with_schema,
            dearest=dearest,
        )
        while (lock := self.notes.held(note.name)) is None:
            time.sleep(0.01)  # whoever has it finds that there is no such note, and lets go
        self.notes.write(note)
        self.reserved[note.name], self.awaited[note.name] = dearest, len(wanted)
        return Fresh(Part(note, wanted), content, lock)

    def out_of_money(self) -> EndpointError:
        """What the user is told."""
        idle = sum(amount for name, amount in self.reserved.items() if name not in self.awaited)
        others = f" ({idle:.4f} for batches that this run does not ask for: {self.notes.folder})" * (idle > 0)
        return EndpointError(out_of_money(self.purse) + others)

    def _count(self, notes: list[Note]) -> None:
        """The money for every batch under way is reserved, whoever sent it."""
        for note in notes:
            if note.name not in self.reserved:
                self.reserved[note.name] = note.dearest
                self.purse.reserved += note.dearest
        for name in self.reserved.keys() - {note.name for note in notes} - self.awaited.keys():
            self.purse.settle(self.reserved.pop(name), 0.0)

    def done(self, note: Note) -> None:
        """It is no longer waited for."""
        self.awaited.pop(note.name, None)
        self.purse.settle(self.reserved.pop(note.name, 0.0), 0.0)

    def _sweep(self, note: Note) -> None:
        """A note whose answers are all in the log is of no use."""
        if all(key in self.log.index for key in note.keys) and (lock := self.notes.held(note.name)):
            self.notes.remove(note)
            lock.release()


def say(text: str) -> None:
    """A line for whoever waits."""
    sys.stderr.write(one_line(text) + "\n")
