"""What came of a batch: its rows as replies in the log, failures, and requests for another batch."""

from collections.abc import Mapping
from typing import NamedTuple

from tripost.chat.batch_api import State
from tripost.chat.batch_notes import Note
from tripost.chat.batch_rows import Row, read_row
from tripost.chat.client import Endpoint
from tripost.chat.outcomes import CallError, shown
from tripost.chat.request import Failure, Reply, Request

HALF = 0.5
ROUNDS = 3
"""Batches that a request may be in until it counts as failed."""
NO_ROW = {
    "completed": ("missing", "the batch ended without a word on this row", True),
    "expired": ("expired", "the batch expired before this row was done", True),
    "cancelled": ("cancelled", "the batch was cancelled at the endpoint", False),
    "failed": ("batch_failed", "the endpoint refused the batch", False),
}
"""What became of a row that is in no file of its batch: outcome, detail, whether it is asked again."""
Outcomes = dict[str, Reply | Failure]


class Came(NamedTuple):
    """What came of a batch. `stop`: why no call can succeed, "" where some can; whatever met it is nowhere else."""

    outcomes: Outcomes
    again: list[Request]
    stop: str


class Answers:
    """Takes the lines of a batch's files; of a row that is there twice, the first counts."""

    def __init__(self, endpoint: Endpoint, note: Note, wanted: Mapping[str, Request]) -> None:
        self.endpoint, self.note, self.wanted = endpoint, note, wanted
        self.keys = frozenset(note.keys)
        self.found: dict[str, Reply | CallError] = {}
        self.unread: set[str] = set()
        """Answers that somebody else has to read: nobody here has asked for them yet."""
        self.unknown = 0

    def take(self, line: bytes) -> None:
        """A line; its reply is in the log on return."""
        row = read_row(line)
        if row is None or row.custom_id in self.found:
            return
        request = self.wanted.get(row.custom_id)
        if request is not None:
            self.found[row.custom_id] = self._read(row, request)
        elif row.custom_id not in self.keys:
            self.unknown += 1
        elif row.response is not None and row.response.status_code == 200 and row.custom_id not in self._logged():
            self.unread.add(row.custom_id)

    def came(self, state: State, tries: int) -> Came:
        """All of it, when every line is read."""
        endpoint = self.endpoint
        answered = [key for key, came in self.found.items() if isinstance(came, Reply)]
        endpoint.answered += len(answered)
        self._learn_schema(answered)
        came = Came({}, [], "")
        for key, request in self.wanted.items():
            found = self.found.get(key) or _no_row(state)
            if isinstance(found, Reply):
                came.outcomes[key] = found
                continue
            detail = shown(found, endpoint.key)
            asked_wrongly = (
                found.outcome == "bad_request" and self._with_schema(request) and not endpoint.takes_schema
            )
            if found.fatal or (found.outcome == "bad_request" and not asked_wrongly and not endpoint.proven):
                came = came._replace(stop=came.stop or endpoint.stop_line(request, found.outcome, detail))
            elif (found.again or asked_wrongly) and tries < ROUNDS:
                came.again.append(request)
            else:
                came.outcomes[key] = Failure(found.outcome, detail, tries)
        return came

    def _read(self, row: Row, request: Request) -> Reply | CallError:
        purse = self.endpoint.purse
        if row.custom_id in self._logged() and (known := self.endpoint.log.get(row.custom_id)):
            return known  # another process has read this batch, too
        try:
            reply = self.endpoint.till.keep(request, row.answer(request), HALF)
        except CallError as trouble:
            if trouble.usage is not None:
                self.endpoint.till.charge(request, trouble, HALF)
            return trouble
        purse.settle(0.0, reply.cost)
        return reply

    def _logged(self) -> Mapping[str, int]:
        return self.endpoint.log.index

    def _with_schema(self, request: Request) -> bool:
        return self.note.schema and bool(request.schema)

    def _learn_schema(self, answered: list[str]) -> None:
        """Not every endpoint takes a schema: where all rows with one are refused, they are asked without."""
        if any(self._with_schema(self.wanted[key]) for key in answered):
            self.endpoint.takes_schema = True
        elif self.endpoint.takes_schema is None:
            troubles = [(key, came) for key, came in self.found.items() if isinstance(came, CallError)]
            if any(came.outcome == "bad_request" and self._with_schema(self.wanted[key]) for key, came in troubles):
                self.endpoint.takes_schema = False


def _no_row(state: State) -> CallError:
    outcome, detail, again = NO_ROW.get(state.status, NO_ROW["completed"])
    return CallError(outcome, f"{state.id}: {detail}" + f" ({state.trouble})" * bool(state.trouble), again=again)
