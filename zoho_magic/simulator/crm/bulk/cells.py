"""Cells of an uploaded CSV as the values a record's JSON would have."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from ..schema import Field

__all__ = ["DATE", "DATETIME", "cell_value", "pattern_of"]

DATE, DATETIME = "MM/dd/yyyy", "MM/dd/yyyy HH:mm:ss"  # what a mapping without `format` means
MARKS = {"yyyy": "%Y", "yy": "%y", "MMM": "%b", "MM": "%m", "dd": "%d", "HH": "%H", "hh": "%I", "mm": "%M", "ss": "%S",
         "a": "%p", "XXX": "%z", "XX": "%z", "X": "%z", "Z": "%z"}  # fmt: skip
MARK = re.compile("'([^']*)'|" + "|".join(sorted(MARKS, key=len, reverse=True)))


def pattern_of(text: str) -> str:
    """A Java date pattern as one for strptime."""
    return MARK.sub(lambda match: match[1] if match[1] is not None else MARKS[match[0]], text.replace("%", "%%"))


def cell_value(field: Field, text: str, form: str | None, zone: ZoneInfo) -> Any:
    """The JSON value this cell stands for; the text itself where it cannot be read, for the checks to refuse."""
    try:
        return PARSERS.get(field.value_type, _same)(text, form, zone)
    except ValueError:
        return text


def _same(text: str, _form: str | None, _zone: ZoneInfo) -> Any:
    return text


def _whole(text: str, _form: str | None, _zone: ZoneInfo) -> Any:
    return int(text)


def _number(text: str, _form: str | None, _zone: ZoneInfo) -> Any:
    return float(text)


def _flag(text: str, _form: str | None, _zone: ZoneInfo) -> Any:
    return {"true": True, "false": False}.get(text.lower(), text)


def _date(text: str, form: str | None, _zone: ZoneInfo) -> Any:
    found = datetime.strptime(text, pattern_of(form or DATE)).date()
    return found.isoformat()


def _moment(text: str, form: str | None, zone: ZoneInfo) -> Any:
    found = datetime.strptime(text, pattern_of(form or DATETIME))
    return (found if found.tzinfo else found.replace(tzinfo=zone)).isoformat(timespec="seconds")


def _many(text: str, _form: str | None, _zone: ZoneInfo) -> Any:
    return [part.strip() for part in text.split(";") if part.strip()]


def _tags(text: str, _form: str | None, _zone: ZoneInfo) -> Any:
    return [{"name": part.strip()} for part in re.split("[;,]", text) if part.strip()]


def _reference(text: str, _form: str | None, _zone: ZoneInfo) -> Any:
    return {"id": text}


PARSERS: dict[str, Callable[[str, str | None, ZoneInfo], Any]] = {
    "integer": _whole, "double": _number, "currency": _number, "percent": _number, "boolean": _flag, "date": _date,
    "datetime": _moment, "multiselectpicklist": _many, "tags": _tags, "lookup": _reference,
    "ownerlookup": _reference, "userlookup": _reference, "multi_module_lookup": _reference,
}  # fmt: skip
