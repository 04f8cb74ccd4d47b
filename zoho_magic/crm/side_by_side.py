"""Several calls at once, their results in order."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import islice
from typing import TypeVar

__all__ = ["side_by_side"]

T = TypeVar("T")


def side_by_side(tasks: Iterable[Callable[[], T]], width: int) -> Iterator[T]:
    """The results of the tasks in their order, at most `width` of them running at a time.

    A failure, Ctrl-C, or a caller that stops listening cancels what has not begun; what runs is not waited for.

    Example::

        >>> list(side_by_side([lambda: 1, lambda: 2], width=2))
        [1, 2]
    """
    pool = ThreadPoolExecutor(max_workers=max(1, width), thread_name_prefix="zoho_magic")
    waiting = iter(tasks)
    try:
        running: deque[Future[T]] = deque(pool.submit(task) for task in islice(waiting, 2 * width))
        while running:
            result = running.popleft().result()
            running.extend(pool.submit(task) for task in islice(waiting, 1))
            yield result
    finally:
        pool.shutdown(wait=False, cancel_futures=True)
