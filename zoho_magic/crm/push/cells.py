"""A cell of a frame as Zoho's JSON takes it. To teach another field type, add one line to `_WRITERS`.

Formats: https://www.zoho.com/crm/developer/docs/api/v8/insert-records.html
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from ..metadata import Field

__all__ = ["Unfit", "record_id", "written"]


class Unfit(ValueError):  # noqa: N818  # it says what the value is
    """A value that no value of the field can be; its text says what would be."""


def written(value: Any, field: Field) -> Any:
    """The JSON value for a cell that is not empty. Raises Unfit.

    Example::

        >>> written(5.0, Field("No_of_Employees", data_type="integer"))
        5
    """
    writer = _WRITERS.get("names" if field.json_type == "jsonarray" and field.kind == "text" else field.kind, _json)
    return writer(_plain(value))


def record_id(value: Any) -> str:
    """A record id as text, whatever whole number or text it came as. Raises Unfit for a float: it has lost digits.

    Example::

        >>> record_id(554023000000527002)
        '554023000000527002'
    """
    value = _plain(value)
    if isinstance(value, dict):
        value = value.get("id")
    if isinstance(value, float):
        raise Unfit("a record id as text: a float has lost its last digits")
    text = str(value).strip()
    if not text.isdigit():
        raise Unfit("a record id, all digits")
    return text


def _plain(value: Any) -> Any:
    """numpy's and pandas' scalars as Python's own."""
    for method in ("to_pydatetime", "item"):
        if hasattr(value, method) and not hasattr(value, "__len__"):
            return getattr(value, method)()
    return value.tolist() if hasattr(value, "tolist") and hasattr(value, "__len__") else value


def _text(value: Any) -> str:
    if isinstance(value, (str, int, Decimal)) and not isinstance(value, bool):
        return str(value)
    if isinstance(value, (date, datetime)):
        return value.isoformat()
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() else str(value)
    raise Unfit("text")


def _whole(value: Any) -> int:
    number = _number(value)
    if number != int(number):
        raise Unfit("a whole number")
    return int(value) if isinstance(value, (int, str)) else int(number)


def _number(value: Any) -> float | int:
    if isinstance(value, bool):
        raise Unfit("a number")
    try:
        number = float(value)
    except (TypeError, ValueError):
        raise Unfit("a number") from None
    if number in (float("inf"), float("-inf")) or number != number:
        raise Unfit("a finite number")
    return value if isinstance(value, int) else number


_FLAGS = {"true": True, "false": False, "1": True, "0": False}


def _flag(value: Any) -> bool:
    found = _FLAGS.get(str(int(value) if isinstance(value, float) and value.is_integer() else value).lower())
    if found is None:
        raise Unfit("true or false")
    return found


def _date(value: Any) -> str:
    if isinstance(value, datetime):
        return value.date().isoformat()
    if isinstance(value, date):
        return value.isoformat()
    try:
        return date.fromisoformat(str(value).strip()[:10]).isoformat()
    except ValueError:
        raise Unfit("a date, 2026-01-31") from None


def _moment(value: Any) -> str:
    if isinstance(value, str):
        try:
            value = datetime.fromisoformat(value.strip().replace("Z", "+00:00"))
        except ValueError:
            raise Unfit("a datetime, 2026-01-31T08:00:00+01:00") from None
    if not isinstance(value, datetime) or value.tzinfo is None:
        raise Unfit("a datetime with its time zone (pandas: tz_localize)")
    return value.replace(microsecond=0).isoformat()


def _many(value: Any) -> list[str]:
    items: Iterable[Any] = value.split(";") if isinstance(value, str) else value
    if isinstance(items, dict) or not isinstance(items, Iterable):
        raise Unfit("a list of choices")
    return [text for item in items if (text := str(item).strip())]


def _names(value: Any) -> list[dict[str, str]]:
    return [{"name": text} for text in _many(value)]


def _reference(value: Any) -> dict[str, str]:
    return {"id": record_id(value)}


def _json(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    try:
        return json.loads(value)
    except ValueError:
        return value


_WRITERS: dict[str, Callable[[Any], Any]] = {
    **dict.fromkeys(("text", "textarea", "mediumtext", "website", "email", "phone", "picklist", "bigint"), _text),
    "integer": _whole,
    **dict.fromkeys(("double", "currency", "percent"), _number),
    "boolean": _flag,
    "date": _date,
    "datetime": _moment,
    "multiselectpicklist": _many,
    "names": _names,
    **dict.fromkeys(("lookup", "multi_module_lookup", "ownerlookup", "userlookup", "layout"), _reference),
}
