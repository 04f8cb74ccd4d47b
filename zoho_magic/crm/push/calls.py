"""The records road for writing: 100 rows a call, calls side by side.

https://www.zoho.com/crm/developer/docs/api/v8/insert-records.html, .../upsert-records.html
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from functools import partial
from typing import Any

from ...errors import AuthError, ThrottledError, ZohoError
from ...progress import Progress
from ..answers import Api, content
from .checks import key_of
from .fates import Fate, from_error, from_results, unknown, unsent
from .rows import Order, Row

__all__ = ["CREDITS_A_ROW", "ROWS_A_CALL", "write"]

ROWS_A_CALL = 100
CREDITS_A_ROW = 0.1
PATIENCE_SECONDS = 30.0

Batch = list[Row]
Fates = dict[int, Fate]


def write(api: Api, rows: Sequence[Row], order: Order, width: int, progress: Progress, fates: Fates) -> None:
    """Write the rows, keeping `fates` true at every moment: not sent, unknown while a call is on its way, then known.

    Two rows for the same record are written one after the other, in the order of the frame.

    Raises:
        KeyboardInterrupt: after what was on its way has come back, or 30 s.
    """
    stopped: list[str] = []
    for wave in _waves(rows, order):
        calls = [partial(_sent, api, batch, order, progress, fates, stopped) for batch in wave]
        _side_by_side(calls, width, stopped)


def _waves(rows: Sequence[Row], order: Order) -> Iterator[list[Batch]]:
    waves: list[list[Row]] = []
    times: defaultdict[Any, int] = defaultdict(int)
    for row in rows:
        key = key_of(row, order)
        turn = times[key] if key is not None else 0
        times[key] += 1
        if turn == len(waves):
            waves.append([])
        waves[turn].append(row)
    for wave in waves:
        yield list(_batches(wave, order))


def _batches(rows: Sequence[Row], order: Order) -> Iterator[Batch]:
    # An upsert without a value to be found by inserts: it must not share a call that may be repeated.
    keyed = [row for row in rows if _is_repeatable(row, order)]
    others = [row for row in rows if not _is_repeatable(row, order)]
    for part in (keyed, others):
        yield from (list(part[i : i + ROWS_A_CALL]) for i in range(0, len(part), ROWS_A_CALL))


def _is_repeatable(row: Row, order: Order) -> bool:
    """Whether writing the row twice has the same effect as once. A deletion has, but its second answer is an error."""
    return order.action == "update" or (order.action == "upsert" and key_of(row, order) is not None)


def _side_by_side(calls: Sequence[Callable[[], None]], width: int, stopped: list[str]) -> None:
    pool = ThreadPoolExecutor(max_workers=max(1, width), thread_name_prefix="zoho_magic")
    running = [pool.submit(call) for call in calls]
    try:
        for future in running:
            future.result()
    except KeyboardInterrupt:
        # What has not begun will not; what is on its way is waited for, because its fate is worth knowing.
        stopped.append("Interrupted before it was sent.")
        wait(running, timeout=PATIENCE_SECONDS)
        raise
    finally:
        pool.shutdown(wait=False, cancel_futures=True)


def _sent(api: Api, batch: Batch, order: Order, progress: Progress, fates: Fates, stopped: list[str]) -> None:
    if stopped:
        fates.update({row.place: unsent(stopped[0]) for row in batch})
        return
    fates.update({row.place: unknown("Interrupted while it was being written.") for row in batch})
    found = _called(api, batch, order, stopped)
    fates.update({row.place: fate for row, fate in zip(batch, found, strict=True)})
    progress.add(len(batch))


def _called(api: Api, batch: Batch, order: Order, stopped: list[str]) -> list[Fate]:
    try:
        answer = content(_CALLS[order.action](api, batch, order))
    except ZohoError as error:
        if isinstance(error, (AuthError, ThrottledError)):
            stopped.append(str(error.args[0]))  # the next call would meet the same
        return [from_error(error) for _ in batch]
    return from_results(answer.get("data", []), batch, order.action)


def _body(batch: Batch, order: Order) -> dict[str, Any]:
    body: dict[str, Any] = {"data": [row.data for row in batch]}
    if order.triggers is not None:
        body["trigger"] = list(order.triggers)
    return body


def _insert(api: Api, batch: Batch, order: Order) -> Any:
    return api.request("POST", f"/crm/v8/{order.module}", json=_body(batch, order), repeat=False)


def _update(api: Api, batch: Batch, order: Order) -> Any:
    return api.request("PUT", f"/crm/v8/{order.module}", json=_body(batch, order), repeat=True)


def _upsert(api: Api, batch: Batch, order: Order) -> Any:
    body = _body(batch, order) | ({"duplicate_check_fields": list(order.on)} if order.on else {})
    repeat = all(_is_repeatable(row, order) for row in batch)
    return api.request("POST", f"/crm/v8/{order.module}/upsert", json=body, repeat=repeat)


def _delete(api: Api, batch: Batch, order: Order) -> Any:
    params = {"ids": ",".join(row.data["id"] for row in batch)}
    if order.triggers is not None:
        params["wf_trigger"] = "true" if order.triggers else "false"
    return api.request("DELETE", f"/crm/v8/{order.module}", params=params, repeat=False)


_CALLS: dict[str, Callable[[Api, Batch, Order], Any]] = {
    "insert": _insert,
    "update": _update,
    "upsert": _upsert,
    "delete": _delete,
}
