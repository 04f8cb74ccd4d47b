"""Zoho's codes for one row, in words that say what to do. To explain another code, add one line to `_MESSAGES`.

Codes: https://www.zoho.com/crm/developer/docs/api/v8/insert-records.html, .../upsert-records.html,
.../bulk-write/download-result.html
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from ...error_catalog import CATALOGUE
from ...errors import AuthError, ThrottledError

__all__ = ["is_data_error", "is_transient", "message_for", "other_module", "retry_hint", "unknown_reference"]

_MESSAGES = {
    "MANDATORY_NOT_FOUND": "the field is required, and this row has no value for it",
    "INVALID_DATA": "the value does not fit the field",
    "DUPLICATE_DATA": "another record has this value, and the field allows it once; an upsert on it changes that one",
    "DEPENDENT_FIELD_MISSING": "the field needs another one beside it",
    "MAPPING_MISMATCH": "the value does not go with another field's value (a stage with its pipeline, say)",
    "LIMIT_EXCEEDED": "that is more than Zoho takes here",
    "NOT_SUPPORTED": "Zoho does not take this field here",
    "NO_PERMISSION": "your CRM profile does not allow this; ask your administrator",
    "CANNOT_PROCESS": "Zoho cannot process this row",
    "CONVERTED_RECORD": "the lead is converted, and Zoho does not change converted leads",
    "RECORD_LOCKED": "the record is locked; unlock it in the CRM, then report.retry()",
    "BLOCKED_RECORD": "the record is blocked in the CRM",
    "NOT_APPROVED": "the record waits for an approval, and until then Zoho does not change it",
    "RECORD_IN_BLUEPRINT": "the record is in a blueprint, which alone may change this field",
    "RESOURCE_NOT_FOUND": "there is no such record, or you may not see it",
    "ALREADY_MODIFIED": "somebody changed the record meanwhile; pull it again",
    "INTERNAL_ERROR": "Zoho had an error of its own; report.retry() sends the row again",
    "UNPROCESSED": "Zoho did not get to this row; report.retry() sends it again",
    "SKIPPED": "Zoho skipped this row and does not say why",
}

_TRANSIENT = frozenset(
    {
        "NOT_SENT",
        "JOB_FAILED",
        "RECORD_LOCKED",
        "INTERNAL_ERROR",
        "TOO_MANY_REQUESTS",
        "UNPROCESSED",
        "ALREADY_MODIFIED",
    }
)
_DATA_ERRORS = frozenset(
    {"INVALID_DATA", "MANDATORY_NOT_FOUND", "DEPENDENT_FIELD_MISSING", "MAPPING_MISMATCH", "LIMIT_EXCEEDED"}
)

_PARTICULARS = {
    "expected_data_type": "Zoho expects {}",
    "maximum_length": "{} characters or digits at most",
    "supported_values": "one of {}",
    "limit": "{} at most",
}
_DELETED_MESSAGE = "record not deleted"
_ID_MESSAGE = "the id given seems to be invalid"
_PROCESSING = "zia_vision_processing"


def message_for(
    code: str, message: str = "", details: Mapping[str, Any] | None = None, *, field: str = "", module: str = ""
) -> str:
    """What happened to a row, for people; Zoho's own words for a code that is not in the table.

    Args:
        code: Zoho's code.
        message: Zoho's words.
        details: what Zoho adds.
        field: the field at fault, with what is inside it (`Owner.id`).
        module: the module that is written.

    Example::

        >>> message_for("INVALID_DATA", "invalid data", {"expected_data_type": "integer"})
        'the value does not fit the field: Zoho expects integer'
    """
    found = details or {}
    special = _unknown_id(message, field) or _duplicate_elsewhere(code, found, module) or _locked(code, found)
    if special:
        return special
    told = [text.format(_listed(found[key])) for key, text in _PARTICULARS.items() if found.get(key) not in (None, "")]
    beside = found.get("dependee")
    if isinstance(beside, Mapping):
        told.append(f"a column {beside.get('api_name')}")
    base = _MESSAGES.get(code, message)
    return (base or code) + (f": {'; '.join(told)}" if told else "")


def unknown_reference(name: str, is_user: bool = False) -> str:
    """What is wrong with a lookup that names no record, or an owner who is no active user.

    Example::

        >>> unknown_reference("Account_Name")
        'no record has the id in Account_Name, or you may not see it'
    """
    if name in ("", "id"):
        return "there is no such record, or you may not change it"
    if is_user or name == "Owner":
        return f"no active user has the id in {name}: the user may be deactivated or deleted"
    return f"no record has the id in {name}, or you may not see it"


def _unknown_id(message: str, field: str) -> str:
    if message not in (_ID_MESSAGE, _DELETED_MESSAGE):
        return ""
    return unknown_reference(field.removesuffix(".id") if message == _ID_MESSAGE else "")


def _duplicate_elsewhere(code: str, details: Mapping[str, Any], module: str) -> str:
    other, record = other_module(code, details, module)
    known = f" (id {record})" if record else ""
    return (
        f"a record of {other}{known} has this value, and the field allows it once in both modules; "
        f"an upsert of {module} does not change it"
        if other
        else ""
    )


def other_module(code: str, details: Mapping[str, Any], module: str) -> tuple[str, str]:
    """The module and the id of a duplicate that is not in the module that is written; "", "" for every other error."""
    duplicate = details.get("duplicate_record") if code == "DUPLICATE_DATA" else None
    if not isinstance(duplicate, Mapping) or not isinstance(duplicate.get("module"), Mapping):
        return "", ""
    name = str(duplicate["module"].get("api_name") or "")
    return (name, str(duplicate.get("id") or "")) if module and name not in ("", module) else ("", "")


def _locked(code: str, details: Mapping[str, Any]) -> str:
    if code != "RECORD_LOCKED" or details.get("action") != _PROCESSING:
        return ""
    return "Zoho is still processing an image of the record, which ends by itself; call report.retry() in a minute"


def retry_hint(hint: str) -> str:
    """A hint of the error catalogue for somebody who has a report: running the cell again would push all rows again.

    Example::

        >>> retry_hint("Check your connection and proxy, then run it again.")
        'Check your connection and proxy, then call report.retry().'
    """
    hint = re.sub(r"\brun (it|the cell) again\b|\btry again\b", "call report.retry()", hint)
    return re.sub(r"\bRun it again\b", "Call report.retry()", hint)


def _listed(value: Any) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)


def is_transient(code: str) -> bool:
    """Whether a row that failed so may be sent again as it is: what stood in the way was not in the row."""
    entry = CATALOGUE.get(code)
    return code in _TRANSIENT or (entry is not None and entry.error_class in (AuthError, ThrottledError))


def is_data_error(code: str) -> bool:
    """Whether Zoho refuses the row for what is in it, and would have done so at any try."""
    return code in _DATA_ERRORS
