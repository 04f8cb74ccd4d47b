"""The state of a synchronised copy. It lies in the copy: a table of the database, or the footer of the Parquet file."""

from __future__ import annotations

import contextlib
import json
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

from ..errors import ConfigurationError

__all__ = ["FOOTER_KEY", "STATE_TABLE", "StoredField", "SyncState", "has_footer", "read_footer"]

STATE_TABLE = "_zoho_sync"
FOOTER_KEY = "zoho_sync"


@dataclass(frozen=True)
class StoredField:
    """A field of the module when the copy was last written.

    Attributes:
        id: Zoho's id of the field, which stays when it is renamed.
        name: API name.
        data_type: the type that decides how its values are stored.
        columns: names of its columns in the copy.
        types: their Arrow types.
        removed: whether the module no longer has it; its columns stay until `prune`.
    """

    id: str
    name: str
    data_type: str
    columns: tuple[str, ...]
    types: tuple[str, ...]
    removed: bool = False


@dataclass(frozen=True)
class SyncState:
    """What a copy is of, and as of when. It holds no secret.

    Attributes:
        module: API name.
        org: id of the organisation.
        data_centre: us, eu, in, ...
        fields: of the copy, in the order of its columns.
        chosen: the field list that was asked for; None for every field.
        where: the filter that was asked for.
        cursor: Zoho's clock when the last run began, ISO 8601 in UTC; "" before the first run has ended.
        formulas_at: when formulas, roll-ups and names of lookups were last read as a whole.
        swept_at: when the ids were last compared as a whole.
        stage: of a first run that has not ended: started, query, token of the next page, made.
        history: whether earlier versions of rows are kept.
        from_bulk: whether the first read came by bulk read, whose CSV cannot tell empty text from null.
        version: of this state's form.
    """

    module: str
    org: str
    data_centre: str
    fields: tuple[StoredField, ...]
    chosen: tuple[str, ...] | None = None
    where: str = ""
    cursor: str = ""
    formulas_at: str = ""
    swept_at: str = ""
    stage: dict[str, str] = field(default_factory=dict)
    history: bool = False
    from_bulk: bool = False
    version: str = ""

    def to_json(self) -> str:
        """As text."""
        return json.dumps(asdict(self))

    @staticmethod
    def from_json(text: str) -> SyncState:
        """From `to_json`. Raises ConfigurationError for the state of another version that this one cannot read."""
        with contextlib.suppress(ValueError, TypeError, KeyError):
            found: dict[str, Any] = json.loads(text)
            known = {each.name for each in fields(SyncState)}
            found["fields"] = tuple(_stored_field(each) for each in found["fields"])
            found["chosen"] = None if found["chosen"] is None else tuple(found["chosen"])
            return SyncState(**{name: value for name, value in found.items() if name in known})
        raise ConfigurationError(
            "The copy's state cannot be read.", hint="Write the copy anew with full=True (--full)."
        )


def _stored_field(found: dict[str, Any]) -> StoredField:
    return StoredField(**{**found, "columns": tuple(found["columns"]), "types": tuple(found["types"])})


def has_footer(path: Path) -> bool:
    """Whether a file is a Parquet file that `sync` has written, in whatever version."""
    import pyarrow as pa

    try:
        return _footer(path)[0] is not None
    except (pa.ArrowInvalid, OSError):
        return False


def read_footer(path: Path) -> tuple[SyncState | None, int]:
    """The state in a Parquet file (None for a file that `sync` has not written), and its number of rows."""
    text, rows = _footer(path)
    return (SyncState.from_json(text.decode()) if text else None), rows


def _footer(path: Path) -> tuple[bytes | None, int]:
    import pyarrow.parquet as pq

    found = pq.read_metadata(path)
    return (found.metadata or {}).get(FOOTER_KEY.encode()), found.num_rows
