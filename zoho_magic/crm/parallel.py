"""Several calls at once, their results in order."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future
from contextvars import copy_context
from functools import partial
from typing import TypeVar

__all__ = ["map_parallel", "submit"]

T = TypeVar("T")


def map_parallel(tasks: Iterable[Callable[[], T]], max_workers: int) -> Iterator[T]:
    """The results of the tasks in their order, at most `max_workers` of them running at a time.

    A failure, Ctrl-C, or a caller that stops listening drops what has not begun; what runs is not waited for, not even
    by an interpreter that ends (the threads of `concurrent.futures` would be).

    Example::

        >>> list(map_parallel([lambda: 1, lambda: 2], max_workers=2))
        [1, 2]
    """
    # Each in the caller's context: one budget of waiting holds for all calls of a pull.
    waiting = deque((partial(copy_context().run, task), Future[T]()) for task in tasks)
    promised = [future for _, future in waiting]
    for number in range(min(max(1, max_workers), len(waiting))):
        threading.Thread(target=_work, args=(waiting,), name=f"zoho_magic {number}", daemon=True).start()
    try:
        for future in promised:
            yield future.result()
    finally:
        waiting.clear()


def submit(task: Callable[[], T]) -> Future[T]:
    """The promise of a task that runs beside the caller; not waited for by an interpreter that ends."""
    promised, bound = Future[T](), partial(copy_context().run, task)
    threading.Thread(target=_work, args=(deque([(bound, promised)]),), name="zoho_magic ahead", daemon=True).start()
    return promised


def _work(waiting: deque[tuple[Callable[[], T], Future[T]]]) -> None:
    while True:
        try:
            task, future = waiting.popleft()
        except IndexError:
            return
        try:
            future.set_result(task())
        except BaseException as error:  # noqa: BLE001  # whoever waits for the result raises it
            waiting.clear()
            future.set_exception(error)
