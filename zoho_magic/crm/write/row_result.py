"""What became of each row."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from ...error_catalog import error_for
from ...errors import ThrottledError, TransportError, ZohoError
from .row_messages import is_data_error, message_for, other_module, retry_hint
from .rows import Row, RowError

__all__ = [
    "FAILED",
    "SKIPPED",
    "SUCCEEDED",
    "UNCHANGED",
    "UNKNOWN",
    "VALID",
    "RowResult",
    "aborted",
    "blamed_row",
    "error_in_body",
    "from_error",
    "from_results",
    "merge_with_lost_answer",
    "not_sent",
    "rejected",
    "unknown",
]

SUCCEEDED, FAILED, UNKNOWN, VALID = "succeeded", "failed", "unknown", "valid"
UNCHANGED, SKIPPED = "unchanged", "skipped"


@dataclass(frozen=True)
class RowResult:
    """What became of one row.

    Attributes:
        status: succeeded, failed, unknown (Zoho may have written it), or valid after a dry run.
        action: what Zoho did: insert, update, delete; "" if nothing.
        id: of the record; "" if there is none.
        code: Zoho's code, or NOT_SENT, OUTCOME_UNKNOWN.
        message: what happened, for people.
        field: the field at fault, if Zoho names one.
        modified: the record's Modified_Time after it, if Zoho tells; it is not in reports.
    """

    status: str
    action: str = ""
    id: str = ""
    code: str = ""
    message: str = ""
    field: str = ""
    modified: str = ""


def rejected(problem: RowError) -> RowResult:
    """A row that was not sent because of what is in it."""
    return RowResult(FAILED, code=problem.code, message=problem.message, field=problem.field)


def not_sent(why: str) -> RowResult:
    """A row that was not sent for another reason; it can be sent again as it is."""
    return RowResult(FAILED, code="NOT_SENT", message=why)


def unknown(why: str) -> RowResult:
    """A row that Zoho may have written or not."""
    return RowResult(
        UNKNOWN, code="OUTCOME_UNKNOWN", message=f"{why} Zoho may have written it; look before you repeat it."
    )


# A whole call


def error_in_body(answer: Mapping[str, Any], doing: str) -> ZohoError | None:
    """The refusal in an answer that HTTP calls a success, as Zoho's upload server gives it; None where there is none.

    https://www.zoho.com/crm/developer/docs/api/v8/bulk-write/upload-file.html
    """
    if answer.get("status") != "error" or "data" in answer:
        return None
    details = answer.get("details")
    error = error_for(
        str(answer.get("code") or ""), operation=doing, zoho_message=f"{answer.get('message') or ''} {details or ''}"
    )
    error.status, error.details = 400, details if isinstance(details, dict) else {}
    return error


def from_error(error: ZohoError) -> RowResult:
    """The result of every row of a call that raised."""
    message = " ".join(filter(None, (str(error.args[0]), retry_hint(error.hint or ""))))
    if isinstance(error, TransportError):
        return unknown(str(error.args[0])) if error.may_have_been_sent else not_sent(message)
    if error.status >= 500 or error.code == "INTERNAL_ERROR":
        return unknown(str(error.args[0]))
    if isinstance(error, ThrottledError) or not error.code:
        return not_sent(message)
    return RowResult(FAILED, code=error.code, message=message, field=_field(error.details))


def aborted(error: ZohoError) -> RowResult:
    """The result of rows that wait for something that failed before any of them was sent."""
    result = from_error(error)
    return not_sent(str(error.args[0])) if result.status == UNKNOWN else result


_ROW = re.compile(r"\$\.data\[(\d+)\]")


def blamed_row(error: ZohoError, rows: int) -> int | None:
    """The place of the one row for which Zoho refused the whole call; None where it blames none."""
    found = _ROW.match(str(error.details.get("json_path") or ""))
    return int(found[1]) if found and 400 <= error.status < 500 and int(found[1]) < rows else None


def merge_with_lost_answer(result: RowResult, action: str) -> RowResult:
    """What an answer says about a row that had been sent before, when that answer was lost."""
    if result.status == SUCCEEDED:
        return replace(result, message=f"{result.message} (sent twice: the first answer was lost)")
    # An upsert may meet, in the way of its value, the very record that its first try has made.
    settled = is_data_error(result.code) or (action == "update" and result.code == "DUPLICATE_DATA")
    if result.status == UNKNOWN or (settled and action != "delete"):
        return result
    if action == "delete" and result.code != "NOT_SENT":
        return unknown("The first answer was lost, and now there is no such record: it was deleted, or never there.")
    return unknown(f"The first answer was lost, and then: {result.code} {result.message.rstrip('.')}.")


# Row by row


def from_results(results: Any, rows: Iterable[Row], action: str, module: str = "") -> list[RowResult]:
    """Zoho's results, row by row: they stand in the order of the rows of this module."""
    expected = len(list(rows))
    found = [
        _from_result(result, action, module) for result in (results if isinstance(results, list) else [])[:expected]
    ]
    return found + [unknown("Zoho's answer does not mention this row.")] * (expected - len(found))


def _from_result(result: Any, action: str, module: str) -> RowResult:
    if not isinstance(result, Mapping) or result.get("status") not in ("success", "error"):
        return unknown("Zoho's answer about this row cannot be read.")
    raw = result.get("details")
    details: Mapping[str, Any] = raw if isinstance(raw, Mapping) else {}
    code, message = str(result.get("code") or ""), str(result.get("message") or "")
    if result["status"] == "success":
        did = str(result.get("action") or action)
        did = "insert" if did == "upsert" else did
        time = str(details.get("Modified_Time") or "")
        return RowResult(SUCCEEDED, did, str(details.get("id") or ""), code, message, modified=time)
    several = [error for error in details.get("errors") or () if isinstance(error, Mapping)]
    if several:
        return _from_several(code, several, module)
    field = _field(details)
    told = message_for(code, message, details, field=field, module=module)
    return RowResult(
        FAILED, "", "" if other_module(code, details, module)[0] else _found_id(details), code, told, field
    )


def _from_several(code: str, errors: Sequence[Mapping[str, Any]], module: str) -> RowResult:
    found = [_from_result({"status": "error", **error}, "", module) for error in errors]
    codes = [one.code for one in found]
    message = "; ".join(f"{one.field}: {one.message}" for one in found)
    fields = ", ".join(dict.fromkeys(one.field for one in found if one.field))
    known = next((one.id for one in found if one.id), "")
    # Of several faults one in the values settles it: Zoho refuses the row at any try.
    return RowResult(FAILED, "", known, next(filter(is_data_error, codes), code), message, fields)


def _field(details: Mapping[str, Any]) -> str:
    """The field Zoho blames; `$.data[1].Address.City` says it more exactly than `api_name`."""
    path = str(details.get("json_path") or "")
    inside = path.partition("].")[2]
    return inside or str(details.get("api_name") or details.get("param_name") or "")


def _found_id(details: Mapping[str, Any]) -> str:
    duplicate = details.get("duplicate_record")
    return str((duplicate if isinstance(duplicate, Mapping) else {}).get("id") or details.get("id") or "")
