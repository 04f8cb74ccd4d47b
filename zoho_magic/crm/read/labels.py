"""Picklists as people see them: labels instead of the values that records carry, and categories in the CRM's order.

https://www.zoho.com/crm/developer/docs/api/v8/field-meta.html
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import pyarrow as pa

from ..metadata import Field

__all__ = ["to_categories", "to_labels"]

_PICKLISTS = ("picklist", "multiselectpicklist")


def to_labels(rows: pa.Table, fields: Iterable[Field]) -> tuple[pa.Table, list[str]]:
    """The rows with labels in place of picklist values, and a warning for each field where that is not one to one."""
    warnings = []
    for field in fields:
        if field.value_type not in _PICKLISTS or field.name not in rows.schema.names:
            continue
        labels = dict(zip(field.picklist_values, field.picklist_labels, strict=True))
        values = rows.column(field.name).to_pylist()
        warnings += _doubts(field, labels, values)
        place = rows.schema.get_field_index(field.name)
        labelled = pa.array([_label(value, labels) for value in values], rows.schema.field(place).type)
        rows = rows.set_column(place, rows.schema.field(place), labelled)
    return rows, warnings


def _label(value: Any, labels: Mapping[str, str]) -> Any:
    if isinstance(value, list):
        return [labels.get(each, each) for each in value]
    return labels.get(value, value)


def _doubts(field: Field, labels: Mapping[str, str], values: Sequence[Any]) -> list[str]:
    flat = {each for value in values if value is not None for each in (value if isinstance(value, list) else [value])}
    told = []
    if unknown := sorted(flat - {*labels}):
        told.append(f"{field.name}: Zoho has no label for {_shown(unknown)}; the values stay.")
    known = [labels[value] for value in flat & {*labels}]
    if doubled := sorted({label for label in known if known.count(label) > 1}):
        told.append(f"{field.name}: several values have the label {_shown(doubled)}.")
    return told


def _shown(names: Sequence[str]) -> str:
    return ", ".join(map(repr, names[:3])) + (f" and {len(names) - 3} more" if len(names) > 3 else "")


def to_categories(frame: Any, fields: Iterable[Field], labels: bool) -> Any:
    """A pandas frame whose picklists of one value are ordered categories, in the CRM's order.

    A value that is no choice any more comes after the choices, with a warning in `attrs`: it would be lost otherwise.
    """
    import pandas as pd

    for field in fields:
        if field.value_type != "picklist" or field.name not in frame.columns:
            continue
        choices = list(dict.fromkeys(field.picklist_labels if labels else field.picklist_values))
        others = sorted({*frame[field.name].dropna()} - {*choices})
        if others:
            note = f"{field.name}: {_shown(others)} is not among the choices, and comes last in their order."
            frame.attrs["warnings"] = [*frame.attrs["warnings"], note]
        frame[field.name] = pd.Categorical(frame[field.name], [*choices, *others], ordered=True)
    return frame
