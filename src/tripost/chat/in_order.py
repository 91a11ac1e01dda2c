"""Work on rows that wait for answers: many at once, finished ones in their order."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Generic, TypeVar

from tripost.chat.asking import Asking, UnansweredError

T = TypeVar("T")
MOST_FINISHED = 20_000
"""Rows that may be finished before an earlier one that still waits."""


class _Job(Generic[T]):
    __slots__ = ("done", "memo", "result", "work")

    def __init__(self, work: Callable[[], T]) -> None:
        self.work = work
        self.done = False
        self.memo: dict[tuple[str, ...], Any] = {}
        self.result: T | None = None


def in_order(works: Iterable[Callable[[], T]], asker: Asking | None) -> Iterator[T]:
    """The result of each piece of work, in their order.

    A piece that raises UnansweredError is done again from its start when the answer is there, so it must change
    nothing but what it returns.
    """
    if asker is None:
        for work in works:
            yield work()
        return
    coming, order = iter(works), deque[_Job[T]]()
    waiting: dict[str, list[_Job[T]]] = {}
    unfinished, more, most = 0, True, max(MOST_FINISHED, asker.at_once)

    def go_on(job: _Job[T]) -> bool:
        assert asker is not None
        asker.begin(job.memo)
        try:
            job.result = job.work()
        except UnansweredError as need:
            key = need.request.key
            if key not in waiting:
                waiting[key] = []
                asker.submit(need.request)
            waiting[key].append(job)
            return False
        asker.end()
        job.done = True
        return True

    while more or order:
        while more and unfinished < asker.at_once and len(order) < most:
            try:
                job = _Job(next(coming))
            except StopIteration:
                more = False
                break
            order.append(job)
            unfinished += not go_on(job)
            if order[0].done:
                break
        while order and order[0].done:
            finished = order.popleft().result
            yield finished  # type: ignore[misc]  # a finished job has its result, which may be None
        if unfinished and (not more or unfinished >= asker.at_once or len(order) >= most):
            for key in asker.wait():
                for job in waiting.pop(key, ()):
                    unfinished -= go_on(job)
