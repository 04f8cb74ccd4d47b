"""From values in Zoho's JSON to values in the tables, one kind of field at a time."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from datetime import date
from typing import Any

from ...options import Options
from .. import datetimes
from ..schema import Field
from ..store import MANY

__all__ = ["InvalidValueError", "column_value"]

EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s.]+")
DATE = re.compile(r"\d{4}-\d{2}-\d{2}")
DATETIME = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(Z|[+-]\d{2}:\d{2})")  # no fractions
ID_DIGITS = 19


class InvalidValueError(Exception):
    """The value is not one for this field; `details` is what Zoho says about it, `inside` where in the value."""

    def __init__(
        self, inside: str = "", message: str = "invalid data", code: str = "INVALID_DATA", **details: Any
    ) -> None:
        super().__init__(message)
        self.inside, self.message, self.code, self.details = inside, message, code, details


def column_value(field: Field, value: Any, options: Options) -> Any:
    """What the table keeps for this value; `InvalidValueError` when the field cannot have it."""
    if field.kind == "picklist" and isinstance(value, str) and value != "-None-":
        value = field.actual_value(value, options.picklist_accepts, options.picklist_display_differs)
    convert: Callable[[Field, Any], Any] = CONVERT.get(field.value_type, _text)
    return convert(field, value)


def _text(field: Field, value: Any) -> str:
    if not isinstance(value, str):
        raise InvalidValueError(
            expected_data_type=field.kind if field.kind in ("email", "phone", "website") else "string"
        )
    if len(value) > field.size:
        raise InvalidValueError(maximum_length=field.size)
    return value


def _email(field: Field, value: Any) -> str:
    text = _text(field, value)
    if not EMAIL.fullmatch(text):
        raise InvalidValueError(expected_data_type="email")
    return text


def _picklist(field: Field, value: Any) -> str | None:
    if value == "-None-":
        return None
    if not isinstance(value, str) or value not in field.values:
        raise InvalidValueError(expected_data_type="picklist")
    return value


def _integer(field: Field, value: Any) -> int:
    if not isinstance(value, int) or isinstance(value, bool):
        raise InvalidValueError(expected_data_type="integer")
    if len(str(abs(value))) > field.size:
        raise InvalidValueError(maximum_length=field.size)
    return value


def _bigint(field: Field, value: Any) -> int:
    if isinstance(value, str) and value.removeprefix("-").isdecimal():
        value = int(value)
    if not isinstance(value, int) or isinstance(value, bool):
        raise InvalidValueError(expected_data_type="bigint")
    if len(str(abs(value))) > field.size:
        raise InvalidValueError(maximum_length=field.size)
    return value


def _double(_field: Field, value: Any) -> float:
    if not isinstance(value, (int, float)) or isinstance(value, bool):
        raise InvalidValueError(expected_data_type="double")
    return float(value)


def _boolean(_field: Field, value: Any) -> int:
    if not isinstance(value, bool):
        raise InvalidValueError(expected_data_type="boolean")
    return int(value)


def _date(_field: Field, value: Any) -> str:
    try:
        return date.fromisoformat(value if DATE.fullmatch(value) else "").isoformat()
    except (ValueError, TypeError):
        raise InvalidValueError(expected_data_type="date") from None


def _datetime(_field: Field, value: Any) -> int:
    try:
        return datetimes.parse(value if DATETIME.fullmatch(value) else "")
    except (ValueError, TypeError, OverflowError):
        raise InvalidValueError(expected_data_type="datetime") from None


def _reference(_field: Field, value: Any) -> int:
    """`{"id": "..."}`; that the record exists is for the caller to see."""
    if not isinstance(value, dict):
        raise InvalidValueError(expected_data_type="jsonobject")
    text = str(value.get("id", ""))
    if not text.isdecimal() or len(text) > ID_DIGITS:
        raise InvalidValueError(inside=".id", message="the id given seems to be invalid")
    return int(text)


def _many(field: Field, value: Any) -> str | None:
    if not isinstance(value, list):
        raise InvalidValueError(expected_data_type="jsonarray")
    for place, each in enumerate(value):
        if not isinstance(each, str) or each not in field.values:
            raise InvalidValueError(inside=f"[{place}]", expected_data_type="picklist")
    return MANY.join(value) or None


def _tags(_field: Field, value: Any) -> str | None:
    if not isinstance(value, list):
        raise InvalidValueError(expected_data_type="jsonarray")
    names = [each.get("name") if isinstance(each, dict) else None for each in value]
    for place, name in enumerate(names):
        if not isinstance(name, str) or not name:
            raise InvalidValueError(inside=f"[{place}]", expected_data_type="jsonobject")
    return MANY.join(str(name) for name in names) or None


def _files(_field: Field, value: Any) -> str | None:
    if not isinstance(value, list) or not all(isinstance(each, dict) for each in value):
        raise InvalidValueError(expected_data_type="jsonarray")
    return json.dumps(value) if value else None


def _recurrence(_field: Field, value: Any) -> str:
    rule = value.get("RRULE") if isinstance(value, dict) else None
    if not isinstance(rule, str) or not rule.startswith("FREQ="):
        raise InvalidValueError(expected_data_type="jsonobject")
    return rule


CONVERT: dict[str, Callable[[Field, Any], Any]] = {
    "email": _email, "picklist": _picklist, "integer": _integer, "bigint": _bigint, "double": _double,
    "currency": _double, "percent": _double, "boolean": _boolean, "date": _date, "datetime": _datetime,
    "lookup": _reference, "ownerlookup": _reference, "userlookup": _reference, "multi_module_lookup": _reference,
    "multiselectpicklist": _many, "tags": _tags, "fileupload": _files,
    "RRULE": _recurrence,
}  # fmt: skip
