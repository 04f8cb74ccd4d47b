"""Writing by the Records API: 100 rows a call, calls side by side.

https://www.zoho.com/crm/developer/docs/api/v8/insert-records.html, .../upsert-records.html
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextvars import copy_context
from typing import Any

from ...errors import ZohoError
from ...http.responses import CrmApi, parse_json
from .. import limits
from ..api_version import API
from . import push_state as shared
from .operation import WriteOperation
from .push_state import PushState
from .record_keys import is_repeatable, record_keys
from .row_result import UNKNOWN, RowResult, blamed_row, error_in_body, from_error, from_results, unknown
from .rows import Row

__all__ = ["credits_of", "write"]

TIMEOUT_SECONDS = 30.0

Batch = list[Row]


def credits_of(rows: int) -> int:
    """API credits of writing so many rows by calls.

    Example::

        >>> credits_of(250)
        25
    """
    return -(-rows // limits.WRITE_ROWS_PER_CREDIT)


def write(state: PushState, rows: Sequence[Row], width: int) -> None:
    """Write the rows, keeping their results true: not sent, unknown while a call is on its way, then known.

    Two rows for the same record are written one after the other, in the order of the frame.

    Raises:
        KeyboardInterrupt: after what was on its way has come back, or 30 s.
    """
    for wave in _conflict_free_waves(rows, state.operation):
        _side_by_side(state, list(_batches(state.without_conflicts(wave), state.operation)), width)


def _conflict_free_waves(rows: Sequence[Row], operation: WriteOperation) -> list[list[Row]]:
    waves: list[list[Row]] = []
    turns: defaultdict[Any, int] = defaultdict(int)
    for row in rows:
        keys = record_keys(row, operation)
        turn = max((turns[key] for key in keys), default=0)
        turns.update(dict.fromkeys(keys, turn + 1))
        if turn == len(waves):
            waves.append([])
        waves[turn].append(row)
    return waves


def _batches(rows: Sequence[Row], operation: WriteOperation) -> Iterator[Batch]:
    # A row that may not be sent twice would take that right from every row of its call.
    parts: tuple[Batch, Batch] = ([], [])
    for row in rows:
        parts[is_repeatable(row, operation)].append(row)
    for part in parts:
        yield from (part[i : i + limits.WRITE_ROWS_PER_CALL] for i in range(0, len(part), limits.WRITE_ROWS_PER_CALL))


def _side_by_side(state: PushState, batches: Sequence[Batch], width: int) -> None:
    pool = ThreadPoolExecutor(max_workers=max(1, width), thread_name_prefix="zoho_magic")
    running: list[Future[None]] = []
    try:
        for batch in batches:
            running.append(pool.submit(copy_context().run, _send, state, batch))  # they share one wait budget
        while wait(running, timeout=1.0).not_done:
            pass  # in slices, because Windows does not hear Ctrl-C during an endless wait
    except KeyboardInterrupt:
        # What has not begun will not; what is on its way is waited for, because its result is worth knowing.
        state.halt("Interrupted before it was sent: report.retry() sends it.")
        wait(running, timeout=TIMEOUT_SECONDS)
        raise
    finally:
        pool.shutdown(wait=False, cancel_futures=True)


def _send(state: PushState, batch: Batch) -> None:
    # Unknown first: a report asked for in between must not promise that a call will not be made.
    state.mark(batch, unknown("Interrupted while it was being written."))
    if state.halted.is_set():
        state.mark(batch, state.not_sent())
        return
    try:
        found = _called(state, batch)
    except Exception as error:  # noqa: BLE001  # the report on all other rows is worth more than this error
        state.halt(f"Not sent, after an unforeseen {type(error).__name__}: {error}")
        found = [unknown(f"Unforeseen {type(error).__name__}: {error}.")] * len(batch)
    state.settle(batch, found)


def _called(state: PushState, batch: Batch) -> list[RowResult]:
    """The results of a batch; it is sent again after a lost answer, if twice is as good as once."""
    repeats = all(is_repeatable(row, state.operation) for row in batch)
    for pause in (*(shared.BACKOFF_SECONDS if repeats else ()), None):
        found = _tried(state, batch)
        if pause is None or any(result.status != UNKNOWN for result in found):
            break
        state.mark_lost(batch)
        if not state.sleep(pause):
            break
    return found


def _tried(state: PushState, batch: Batch) -> list[RowResult]:
    operation = state.operation
    try:
        answer = parse_json(_CALLS[operation.action](state.api, batch, operation))
        error = error_in_body(answer, f"{operation.action} {operation.module}")
    except ZohoError as met:
        answer, error = {}, met
    if error is None:
        return from_results(answer.get("data"), batch, operation.action, operation.module)
    if len(batch) > limits.IDS_PER_CALL and error.details.get("param_name") == "ids":
        # A deletion names its records in the address, whose `ids` Zoho may take up to 1,024 characters of.
        half = len(batch) // 2
        return [*_called(state, batch[:half]), *_called(state, batch[half:])]
    if (place := blamed_row(error, len(batch))) is not None and len(batch) > 1:
        rest = _called(state, batch[:place] + batch[place + 1 :])
        return [*rest[:place], from_error(error), *rest[place:]]
    state.on_error(error)
    return [from_error(error)] * len(batch)


def _body(batch: Batch, operation: WriteOperation) -> dict[str, Any]:
    body: dict[str, Any] = {"data": [row.data for row in batch]}
    if operation.triggers is not None:
        body["trigger"] = list(operation.triggers)
    return body


# `retry=False` throughout: whether a call may be made again, and what its second answer means, is decided above, where
# it is known that there was a first.


def _insert(api: CrmApi, batch: Batch, operation: WriteOperation) -> Any:
    return _put(api, "POST", f"{API}/{operation.module}", batch, json=_body(batch, operation))


def _update(api: CrmApi, batch: Batch, operation: WriteOperation) -> Any:
    return _put(api, "PUT", f"{API}/{operation.module}", batch, json=_body(batch, operation))


def _upsert(api: CrmApi, batch: Batch, operation: WriteOperation) -> Any:
    body = _body(batch, operation) | (
        {"duplicate_check_fields": list(operation.match_fields)} if operation.match_fields else {}
    )
    return _put(api, "POST", f"{API}/{operation.module}/upsert", batch, json=body)


def _delete(api: CrmApi, batch: Batch, operation: WriteOperation) -> Any:
    params = {"ids": ",".join(row.data["id"] for row in batch)}
    if operation.triggers is not None:
        params["wf_trigger"] = "true" if operation.triggers else "false"
    return _put(api, "DELETE", f"{API}/{operation.module}", batch, params=params)


def _put(api: CrmApi, method: str, path: str, batch: Batch, **options: Any) -> Any:
    return api.request(method, path, retry=False, credits=credits_of(len(batch)), **options)


_CALLS: dict[str, Callable[[CrmApi, Batch, WriteOperation], Any]] = {
    "insert": _insert,
    "update": _update,
    "upsert": _upsert,
    "delete": _delete,
}
