"""The org's modules and fields, as the CRM describes them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

from ..errors import QueryError
from .answers import Api, content

__all__ = ["Field", "fields", "named", "nearest"]


@dataclass(frozen=True)
class Field:
    """A field of a module.

    Attributes:
        name: API name.
        label: what the CRM's pages show.
        data_type: Zoho's name for the kind of field (`text`, `lookup`, `currency`, ...).
        json_type: what a record carries (`string`, `jsonobject`, `jsonarray`, `integer`, `double`, `boolean`).
        returns: for a formula or a rollup summary, the kind of its result.
    """

    name: str
    label: str
    data_type: str
    json_type: str
    returns: str = ""

    @property
    def kind(self) -> str:
        """The data type that decides how a value is read: a formula's is that of its result."""
        return self.returns or self.data_type


def fields(api: Api, module: str) -> dict[str, Field]:
    """The fields of a module by API name, `id` first; from `GET /settings/fields` (ZohoCRM.settings.fields.READ).

    https://www.zoho.com/crm/developer/docs/api/v8/field-meta.html

    Raises:
        QueryError: the CRM has no such module.
    """
    answer = content(api.request("GET", "/crm/v8/settings/fields", params={"module": module}))
    found = {entry["api_name"]: _field(entry) for entry in answer.get("fields", [])}
    return {"id": Field("id", "Record Id", "bigint", "string"), **found}


def _field(entry: Mapping[str, Any]) -> Field:
    computed = entry.get("formula") or entry.get("rollup_summary") or {}
    return Field(
        name=entry["api_name"],
        label=str(entry.get("display_label") or entry.get("field_label") or ""),
        data_type=str(entry.get("data_type") or ""),
        json_type=str(entry.get("json_type") or ""),
        returns=str(computed.get("return_type") or ""),
    )


def named(wanted: Sequence[str], known: Mapping[str, Field], module: str) -> list[Field]:
    """The fields of these names, in this order. Raises QueryError naming the first unknown one and the nearest."""
    for name in wanted:
        if name not in known:
            raise QueryError(f"{module} has no field {name!r}.{nearest(name, known.values())}", hint=_FIELDS_HINT)
    return [known[name] for name in dict.fromkeys(wanted)]


_FIELDS_HINT = "Use the field's API name; TAB completes it, and Zoho lists them under Setup > Developer Hub > APIs."


def nearest(name: str, known: Iterable[Field]) -> str:
    """ " Did you mean X?" for a name, by API name or label; "" where nothing is near.

    Example::

        >>> nearest("Last Nam", [Field("Last_Name", "Last Name", "text", "string")])
        ' Did you mean Last_Name?'
    """
    by_word = {word.lower(): field.name for field in known for word in (field.name, field.label)}
    close = get_close_matches(name.lower(), by_word, n=1, cutoff=0.6)
    return f" Did you mean {by_word[close[0]]}?" if close else ""
