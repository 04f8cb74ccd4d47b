"""What became of each row."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ...errors import ApiError, ThrottledError, TransportError, ZohoError
from .rows import Problem, Row

__all__ = [
    "FAILED",
    "SUCCEEDED",
    "UNKNOWN",
    "VALID",
    "Fate",
    "from_error",
    "from_results",
    "refused",
    "unknown",
    "unsent",
]

SUCCEEDED, FAILED, UNKNOWN, VALID = "succeeded", "failed", "unknown", "valid"


@dataclass(frozen=True)
class Fate:
    """What became of one row.

    Attributes:
        status: succeeded, failed, unknown (Zoho may have written it), or valid after a dry run.
        action: what Zoho did: insert, update, delete; "" if nothing.
        id: of the record; "" if there is none.
        code: Zoho's code, or NOT_SENT, OUTCOME_UNKNOWN.
        message: what happened, for people.
        field: the field at fault, if Zoho names one.
    """

    status: str
    action: str = ""
    id: str = ""
    code: str = ""
    message: str = ""
    field: str = ""


def refused(problem: Problem) -> Fate:
    """A row that was not sent because of what is in it."""
    return Fate(FAILED, code=problem.code, message=problem.message, field=problem.field)


def unsent(why: str) -> Fate:
    """A row that was not sent for another reason; it can be sent again as it is."""
    return Fate(FAILED, code="NOT_SENT", message=why)


def unknown(why: str) -> Fate:
    """A row that Zoho may have written or not."""
    return Fate(UNKNOWN, code="OUTCOME_UNKNOWN", message=f"{why} Zoho may have written it; look before you repeat it.")


def from_error(error: ZohoError) -> Fate:
    """The fate of every row of a call that raised."""
    message = str(error.args[0])
    if isinstance(error, TransportError):
        return unknown(message) if error.sent else unsent(message)
    if isinstance(error, ApiError) and error.status >= 500:
        return unknown(message)
    if isinstance(error, ApiError):
        return Fate(FAILED, code=error.code, message=message, field=str(error.details.get("api_name") or ""))
    if isinstance(error, ThrottledError):
        return unsent(message)
    return Fate(FAILED, code=error.code or "NOT_SENT", message=message)


def from_results(results: Sequence[Mapping[str, Any]], rows: Iterable[Row], action: str) -> list[Fate]:
    """Zoho's results, row by row: they stand in the order of the rows."""
    fates = [_from_result(result, action) for result in results]
    missing = len(list(rows)) - len(fates)
    return fates + [unknown("Zoho's answer does not mention this row.")] * missing


def _from_result(result: Mapping[str, Any], action: str) -> Fate:
    raw = result.get("details")
    details: Mapping[str, Any] = raw if isinstance(raw, Mapping) else {}
    code, message = str(result.get("code") or ""), str(result.get("message") or "")
    if result.get("status") == "success":
        did = str(result.get("action") or action)
        return Fate(SUCCEEDED, "insert" if did == "upsert" else did, str(details.get("id") or ""), code, message)
    at_fault = _field(details)
    return Fate(FAILED, "", _found_id(details), code, _told(message, details), at_fault)


def _field(details: Mapping[str, Any]) -> str:
    """The field Zoho blames; `$.data[1].Address.City` says it more exactly than `api_name`."""
    path = str(details.get("json_path") or "")
    inside = path.partition("].")[2]
    return inside or str(details.get("api_name") or details.get("param_name") or "")


def _found_id(details: Mapping[str, Any]) -> str:
    duplicate = details.get("duplicate_record")
    return str((duplicate or {}).get("id") or details.get("id") or "")


_EXPECTATIONS = {
    "expected_data_type": "expected {}",
    "maximum_length": "at most {} characters",
    "supported_values": "one of {}",
}


def _told(message: str, details: Mapping[str, Any]) -> str:
    said = [text.format(details[key]) for key, text in _EXPECTATIONS.items() if details.get(key)]
    several = details.get("errors")
    if isinstance(several, list):
        said += [str(error.get("message") or error.get("code")) for error in several if isinstance(error, Mapping)]
    return message + (f" ({'; '.join(said)})" if said else "")
