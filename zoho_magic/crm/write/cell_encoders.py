"""A cell of a frame as Zoho's JSON takes it. To teach another field type, add one line to `_WRITERS`.

Formats: https://www.zoho.com/crm/developer/docs/api/v8/insert-records.html
"""

from __future__ import annotations

import ast
import io
import json
import re
import tokenize
from collections.abc import Callable, Iterable, Mapping
from datetime import date, datetime, timezone
from decimal import Decimal
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd

from ..metadata import Field
from .input_table import is_empty, shortest_float

__all__ = ["InvalidCellError", "encode", "encoder_for", "record_id"]

_MAX_EXACT_INT = 2**53
"""Whole numbers from here on have no float of their own."""

_MAX_DIGITS = 400
"""Longer texts are not read as whole numbers: Python refuses to from some thousands of digits on."""


class InvalidCellError(ValueError):  # it says what the value is
    """A value that no value of the field can be; its text says what would be."""


def encode(value: Any, field: Field) -> Any:
    """The JSON value for a cell that is not empty.

    Raises:
        InvalidCellError: no value of the field can be this.

    Example::

        >>> encode(5.0, Field("No_of_Employees", data_type="integer"))
        5
    """
    return encoder_for(field)(value)


def encoder_for(field: Field) -> Callable[[Any], Any]:
    """What `encode` does with the cells of one field."""
    write: Callable[[Any], Any] = _WRITERS.get(_encoder_name(field), _text)
    if field.value_type == "multiselectpicklist" and field.picklist_values:
        choices = frozenset(
            (*field.picklist_values, *field.picklist_labels)
        )  # a choice may have a semicolon or brackets
        return lambda value: [value] if type(value) is str and value in choices else _multiselect(_plain(value))
    return lambda value: write(value if type(value) is str else _plain(value))


def _encoder_name(field: Field) -> str:
    if field.json_type == "jsonarray" and field.value_type in ("text", "tag"):
        return "names"
    return (
        "json"
        if field.value_type not in _WRITERS and field.json_type in ("jsonarray", "jsonobject")
        else field.value_type
    )


def record_id(value: Any) -> str:
    """A record id as text, whatever whole number or text it came as.

    Raises:
        InvalidCellError: it is a float, which has lost digits, or no number.

    Example::

        >>> record_id(554023000000527002)
        '554023000000527002'
    """
    value = _plain(value)
    if isinstance(value, dict):
        value = value.get("id")
    if isinstance(value, float):
        raise InvalidCellError("a record id as text: a float has lost its last digits")
    text = str(value).strip()
    if not (text.isascii() and text.isdecimal()):
        raise InvalidCellError("a record id, all digits")
    return text


def _plain(value: Any) -> Any:
    """numpy's and pandas' scalars and arrays as Python's own."""
    if isinstance(value, (pd.Timestamp, np.datetime64)):
        return pd.Timestamp(value).to_pydatetime(warn=False)  # nanoseconds have no place in a CRM
    if isinstance(value, np.timedelta64):
        return pd.Timedelta(value)  # a duration is no number: tolist() gives nanoseconds
    if isinstance(value, np.floating):
        return shortest_float(value)
    if isinstance(value, np.ndarray) and value.dtype.kind == "f":
        return [shortest_float(each) for each in value.ravel()] if value.ndim == 1 else value.tolist()
    if isinstance(value, (np.generic, np.ndarray)):
        return value.tolist()
    # polars gives a nested list as a Series
    return value.to_list() if hasattr(value, "to_list") and not isinstance(value, str) else value


def _text(value: Any) -> str | None:
    if type(value) is str:
        return _check_text(value) or None
    if isinstance(value, float) and abs(value) >= _MAX_EXACT_INT:
        raise InvalidCellError("text: so large a float has lost its last digits")
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, (date, datetime)):
        value = value.isoformat()
    if isinstance(value, bool) or not isinstance(value, (str, int, float, Decimal)):
        raise InvalidCellError("text")
    return _check_text(str(value)) or None


def _check_text(text: str) -> str:
    """The text, unless it holds what JSON or a database refuses: one such text would cost its whole call."""
    if not text.isascii() and any("\ud800" <= letter <= "\udfff" for letter in text):
        raise InvalidCellError("text without halves of characters (lone surrogates)")
    if "\0" in text:
        raise InvalidCellError("text without NUL characters")
    return text


def _bigint(value: Any) -> str | None:
    """A number too long for JSON, as Zoho takes it: text."""
    text = _text(value)
    if text is not None and not (text.isascii() and text.strip().removeprefix("-").isdecimal()):
        raise InvalidCellError("a whole number")
    return text and text.strip()


def _integer(value: Any) -> int:
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    if isinstance(value, str) and value.strip().removeprefix("-").isdecimal():
        return int(value) if len(value) <= _MAX_DIGITS else int(_number(value))
    number = _number(value)
    if number != int(number):
        raise InvalidCellError("a whole number")
    return int(number)


def _number(value: Any) -> float | int:
    if isinstance(value, bool):
        raise InvalidCellError("a number")
    try:
        number = float(value)
    except (TypeError, ValueError, OverflowError):
        raise InvalidCellError("a number") from None
    if number in (float("inf"), float("-inf")) or number != number:
        raise InvalidCellError("a finite number")
    if isinstance(value, (str, Decimal)) and (rounded := Decimal(repr(number))) != Decimal(value):
        raise InvalidCellError(f"a number of at most 15 digits: {value} would be rounded to {rounded}")
    return value if isinstance(value, int) else number


_FLAGS = {"true": True, "false": False, "1": True, "0": False}


def _boolean(value: Any) -> bool:
    found = _FLAGS.get(str(int(value) if isinstance(value, float) and value.is_integer() else value).strip().lower())
    if found is None:
        raise InvalidCellError("true or false")
    return found


def _date(value: Any) -> str:
    if isinstance(value, datetime):
        return value.date().isoformat()
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, (str, pd.Period)):
        found = _read(str(value))
        if found is not None:
            return found.date().isoformat()
    raise InvalidCellError("a date, 2026-01-31")


def _read(text: str) -> datetime | None:
    try:
        return datetime.fromisoformat(text.strip().replace("Z", "+00:00"))
    except ValueError:
        return None


def _datetime(value: Any) -> str:
    found = _read(value) if isinstance(value, str) else value
    if isinstance(value, str) and found is None:
        raise InvalidCellError("a datetime, 2026-01-31T08:00:00+01:00")
    if not isinstance(found, datetime) or found.tzinfo is None:
        raise InvalidCellError("a datetime with its time zone (pandas: tz_localize)")
    offset = found.utcoffset()
    if offset is None or offset.total_seconds() % 60:  # before time zones, places had offsets with seconds
        found = found.astimezone(timezone.utc)
    return found.replace(microsecond=0).isoformat()


def _multiselect(value: Any) -> list[str]:
    return _items(value, re.compile(";"))


def _items(value: Any, separator: re.Pattern[str]) -> list[str]:
    items: Iterable[Any] = value
    if isinstance(value, str):
        found = _list_from_text(value)
        items = separator.split(value) if found is None else found
    if isinstance(items, dict) or not isinstance(items, Iterable):
        raise InvalidCellError("a list of choices")
    return [text for item in items if not is_empty(item) and (text := _check_text(_item(item)))]


def _item(item: Any) -> str:
    if isinstance(item, Mapping) and "name" in item:
        item = item["name"]
    if isinstance(item, bool) or not isinstance(item, (str, int, float, Decimal)):
        raise InvalidCellError(f"a list of choices, each one text, not {type(item).__name__}")
    return str(item).strip()


def _list_from_text(text: str) -> list[Any] | None:
    """The list that a text like `"['VIP', 'Hot']"` or `'["VIP"]'` was, as CSV and Excel files hold it; None for others.

    Raises:
        InvalidCellError: it looks like one and cannot be read.
    """
    text = text.strip()
    if not (text.startswith("[") and text.endswith("]")):
        return None
    for parse in (json.loads, _literal):
        try:
            found = parse(text)
        except (ValueError, SyntaxError, RecursionError, MemoryError):
            continue
        if isinstance(found, list):
            return found
    raise InvalidCellError(f"a list; {text[:60]!r} looks like a list that was saved as text, and cannot be read as one")


def _literal(text: str) -> Any:
    """A Python literal, unless two texts stand side by side: numpy prints arrays so, and Python would join them."""
    kinds = [token.type for token in tokenize.generate_tokens(io.StringIO(text).readline) if token.type != tokenize.NL]
    if any(one == other == tokenize.STRING for one, other in pairwise(kinds)):
        raise ValueError
    return ast.literal_eval(text)


def _names(value: Any) -> list[dict[str, str]]:
    # Zoho's own exports join tags by commas.
    return [{"name": text} for text in _items(value, re.compile("[;,]"))]


def _reference(value: Any) -> dict[str, str]:
    return {"id": record_id(value)}


def _json(value: Any) -> Any:
    """A value of several parts: as it is, or as JSON or Python text; it must be something that JSON can say."""
    try:
        found = _from_text(value) if isinstance(value, str) else value
        found = _plain(found)  # arrays and Series
        found = json.loads(_check_text(json.dumps(found, allow_nan=False, ensure_ascii=False, default=_json_scalar)))
    except InvalidCellError:
        raise
    except (TypeError, ValueError) as error:
        raise InvalidCellError("a list or a dict that JSON can say (no NaN, no dates)") from error
    if not isinstance(found, (list, dict)):
        raise InvalidCellError("a list or a dict")
    return found


def _from_text(text: str) -> Any:
    found = _list_from_text(text)
    return json.loads(text) if found is None else found


def _json_scalar(value: Any) -> Any:
    """numpy's numbers, arrays and truth values inside a list or dict, as Python's own."""
    plain = _plain(value)
    if type(plain) is type(value) or not isinstance(plain, (bool, int, float, str, list)):
        raise TypeError
    return plain


def _recurrence(value: Any) -> Any:
    """A rule as a pull brings it, `FREQ=WEEKLY;COUNT=4`, or as Zoho's object."""
    return {"RRULE": value} if isinstance(value, str) and value.startswith("FREQ=") else _json(value)


_WRITERS: dict[str, Callable[[Any], Any]] = {
    **dict.fromkeys(("text", "textarea", "mediumtext", "website", "email", "phone", "picklist"), _text),
    **dict.fromkeys(("bigint", "long"), _bigint),
    "integer": _integer,
    **dict.fromkeys(("double", "currency", "percent"), _number),
    "boolean": _boolean,
    "RRULE": _recurrence,
    "date": _date,
    "datetime": _datetime,
    "multiselectpicklist": _multiselect,
    "names": _names,
    **dict.fromkeys(("lookup", "multi_module_lookup", "ownerlookup", "userlookup", "layout"), _reference),
    "json": _json,
}
