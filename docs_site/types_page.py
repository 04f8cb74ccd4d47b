"""The page of the field types, made from the table that reads them."""

from __future__ import annotations

from .markdown import escaped, table

HEAD = """\
# Field types

A column's type comes from the CRM's field metadata, never from its values: an empty column has its type too, and a frame
is the same whichever API brought the rows. `%zoho_fields MODULE` shows what the fields of a module become.
"""
TAIL = """\
A formula or rollup summary has the type that it returns. A type that is not in the table comes as the JSON text that Zoho
sent, in a column of text.

- Ids are text: they have 18 or 19 digits, and a float would lose the last ones.
- Datetimes are in UTC, whatever the time zone of the user; dates have no zone.
- With `frame="polars"` and `frame="arrow"` (`--frame`) the columns are the same with the types of Polars or Arrow.
- `frame.attrs["warnings"]` names what could not be read as its type.
"""


def make() -> str:
    """Zoho's type -> columns and dtypes."""
    rows = [(f"`{name}`", *described) for name, described in sorted(_types().items())]
    return f"{HEAD}\n{table(('Type in the CRM', 'Columns of a field X', 'pandas', 'Arrow'), rows)}\n{TAIL}"


def _types() -> dict[str, tuple[str, str, str]]:
    from zoho_magic.crm.metadata import Field
    from zoho_magic.crm.read import arrow

    def described(field: Field) -> tuple[str, str, str]:
        schema = arrow.arrow_schema([field])
        columns = "<br>".join(f"`{name}`" for name in schema.names)
        dtypes = [part.partition(" ")[2] for part in arrow.describe_columns(field).split(", X")]
        return columns, "<br>".join(map(escaped, dtypes)), "<br>".join(escaped(str(each)) for each in schema.types)

    known = {name: described(Field("X", data_type=name)) for name in arrow._KINDS}
    tags = described(Field("X", data_type="text", json_type="jsonarray"))
    return {**known, "text (Tag)": tags, "any other": described(Field("X", data_type="something else"))}
