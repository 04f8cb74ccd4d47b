"""Lookups and users in a frame: columns that name one record in several ways become the record's id, or an error.

A lookup X may stand as `X.id` (the id), `X` (id or name) and `X.FIELD`, where FIELD is unique in the module that X
points to; a user also as `X.email`. Names are looked up by COQL, 100 to a call.
"""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Protocol

from ...errors import QueryError, ZohoError
from .. import limits
from ..metadata import Field, Metadata, display_field
from ..read.arrow import attrs_of
from .cell_encoders import InvalidCellError, record_id
from .input_table import Table, is_blank
from .user_directory import Directory

__all__ = [
    "REFERENCES",
    "USERS",
    "LookupClient",
    "LookupCounter",
    "is_reference_column",
    "resolve_references",
    "split_column",
]

REFERENCES = ("lookup", "multi_module_lookup", "ownerlookup", "userlookup", "layout")
USERS = ("ownerlookup", "userlookup")
MAX_CHECKED_IDS = 2_000
"""Ids of one lookup whose names are compared with the frame's; above it the id alone decides."""

ROWS_OF_ONE_CREDIT = 200

Column = list[Any]


class LookupClient(Protocol):
    """What it takes to look names up."""

    @property
    def metadata(self) -> Metadata: ...

    def coql(self, query: str, *, params: Mapping[str, Any], frame: Any, show: bool) -> Any: ...

    def users(self) -> Mapping[str, tuple[str, str]]: ...


class LookupCounter:
    """A `LookupClient` that counts the calls and credits of its queries."""

    def __init__(self, client: LookupClient) -> None:
        self._client, self.metadata, self.users = client, client.metadata, client.users
        self._lock = threading.Lock()
        self.calls = self.credits = 0

    def coql(self, query: str, *, params: Mapping[str, Any], frame: Any, show: bool) -> Any:
        """The rows of a query, as an Arrow table."""
        found = self._client.coql(query, params=params, frame=frame, show=show)
        attrs = attrs_of(found)
        with self._lock:
            self.calls, self.credits = self.calls + attrs["calls"], self.credits + attrs["credits"]
        return found


def split_column(name: str, known: Mapping[str, Field]) -> tuple[Field, str] | None:
    """The lookup that a column names, and the part after the dot; None for every other column.

    Example::

        >>> owner = Field("Owner", data_type="ownerlookup")
        >>> split_column("Owner.email", {"Owner": owner})[1]
        'email'
    """
    base, _, part = (name, "", "") if name in known else name.rpartition(".")
    field = known.get(base)
    if field is None or field.value_type not in REFERENCES or field.read_only:
        return None
    allowed = part in ("", "id") or (part == "email" and field.value_type in USERS)
    return (field, part) if allowed or field.value_type == "lookup" else None


def is_reference_column(name: str, known: Mapping[str, Field], client: LookupClient) -> bool:
    """Whether a column names the record of a lookup or a user: by `X`, `X.id`, `X.email` or a unique field `X.FIELD`.

    Example::

        >>> is_reference_column("Owner.email", {"Owner": Field("Owner", data_type="ownerlookup")}, None)
        True
    """
    split = split_column(name, known)
    return split is not None and _is_usable(*split, client)


def resolve_references(table: Table, known: Mapping[str, Field], client: LookupClient) -> tuple[Table, list[str]]:
    """The table with one column `X` of ids for each lookup X, and warnings about columns that were not looked at.

    Args:
        table: the frame.
        known: the module's fields.
        client: looks names up, and knows the users.

    Returns:
        A cell that names no record, or several, or contradicts its neighbour, is an `InvalidCellError` that says so.
    """
    groups: defaultdict[str, dict[str, str]] = defaultdict(dict)
    for name in table.columns:
        split = split_column(name, known)
        if split is not None and _is_usable(*split, client):
            groups[split[0].name][split[1]] = name
    columns, warnings = dict(table.columns), []
    for base, parts in groups.items():
        cells, told = _resolve(known[base], {part: columns.pop(name) for part, name in parts.items()}, client)
        columns[base] = cells
        warnings += told
    return Table(columns, table.index), warnings


def _is_usable(field: Field, part: str, client: LookupClient) -> bool:
    if part in ("", "id") or field.value_type in USERS:
        return True
    there = _target_fields(field, client).get(part)
    return there is not None and (there.unique or part == display_field(field.lookup_module))


def _target_fields(field: Field, client: LookupClient) -> Mapping[str, Field]:
    try:
        return client.metadata.fields(field.lookup_module) if field.lookup_module else {}
    except ZohoError:  # a module that the API does not describe
        return {}


def _resolve(field: Field, parts: Mapping[str, Column], client: LookupClient) -> tuple[Column, list[str]]:
    """The ids that the columns of one lookup mean, and a warning about columns that were not looked at."""
    finder: _Finder = _UserFinder(client) if field.value_type in USERS else _RecordFinder(field, client)
    texts = [part for part in dict.fromkeys(("email", *parts)) if part in parts and part != "id"]
    found = {part: finder.ids(part, parts[part], parts.get("id")) for part in texts}
    by_rank = [*([parts["id"]] if "id" in parts else []), *(found[part] for part in texts)]
    cells: Column = [next((cell for cell in row if not is_blank(cell)), row[0]) for row in zip(*by_rank, strict=True)]
    if "id" in parts:
        skipped = [part for part in texts if not _compare(field, part, parts[part], cells, finder)]
    else:
        skipped = texts[1:]  # the address of a user decides, or the first unique field
    decides, *others = (f"{field.name}.{part}".rstrip(".") for part in ("id" if "id" in parts else texts[0], *skipped))
    told = f"{decides} decides: {', '.join(others)} could not be compared with it and was not looked at."
    return cells, [told] if others else []


def _compare(field: Field, part: str, said: Column, cells: Column, finder: _Finder) -> bool:
    """Put an error in each cell whose record is not the one that `said` names; whether all could be compared."""
    described = finder.describe(part, cells)
    if described is None:
        return False
    is_complete = True
    for place, (cell, text) in enumerate(zip(cells, said, strict=True)):
        if isinstance(cell, InvalidCellError) or is_blank(text):
            continue
        shown = described.get(_id_text(cell))
        is_complete = is_complete and shown is not None
        if shown is not None and _key(text) not in (_key(shown), _id_text(cell)):
            column = f"{field.name}.{part}".rstrip(".")
            cells[place] = InvalidCellError(
                f"columns that name the same record: {field.name}.id is {shown!r}, and {column} is {text!r}; "
                "drop the column that is not right"
            )
    return is_complete


def _key(value: Any) -> str:
    return " ".join(str(value).split()).casefold()


def _id_text(cell: Any) -> str:
    try:
        return record_id(cell)
    except InvalidCellError:
        return ""


class _Finder(Protocol):
    def ids(self, part: str, cells: Column, given: Column | None, /) -> Column: ...

    def describe(self, part: str, ids: Column, /) -> Mapping[str, str] | None: ...


class _UserFinder:
    """Finds users by address, id or full name."""

    def __init__(self, client: LookupClient) -> None:
        self._client, self._directory = client, Directory(client.users)

    def ids(self, _part: str, cells: Column, given: Column | None) -> Column:
        """An id or an error for each cell that has no id beside it."""
        return [
            cell if given is not None and not is_blank(given[place]) else self._id(cell)
            for place, cell in enumerate(cells)
        ]

    def _id(self, cell: Any) -> Any:
        if not isinstance(cell, str) or not cell.strip():
            return cell
        try:
            return self._directory.id_of(cell)
        except InvalidCellError as error:
            return error

    def describe(self, part: str, _ids: Column) -> Mapping[str, str] | None:
        """User id -> full name or address; None where the users cannot be listed."""
        try:
            users = self._client.users()
        except ZohoError:
            return None
        return {user: shown[part == "email"] for user, shown in users.items() if shown[part == "email"]}


class _RecordFinder:
    """Finds records of the module that a lookup points to."""

    def __init__(self, field: Field, client: LookupClient) -> None:
        self._field, self._client = field, client
        self._module = field.lookup_module

    def ids(self, part: str, cells: Column, given: Column | None) -> Column:
        """An id or an error for each text that has no id beside it; anything else as it is."""
        wanted = [
            place
            for place, cell in enumerate(cells)
            if isinstance(cell, str)
            and cell.strip()
            and (part or not _id_text(cell))
            and (given is None or is_blank(given[place]))
        ]
        find = self._lookup(part, {cells[place].strip() for place in wanted})
        found = list(cells)
        for place in wanted:
            found[place] = find(cells[place])
        return found

    def _lookup(self, part: str, names: set[str]) -> Callable[[str], Any]:
        name_field = part or display_field(self._module)
        if not names:
            return lambda text: text
        if name_field not in _target_fields(self._field, self._client):
            return lambda _: InvalidCellError("a record id, all digits: it cannot be looked up by name")
        by_name: defaultdict[str, list[str]] = defaultdict(list)
        try:
            for record, name in self._select(name_field, name_field, names):
                by_name[_key(name)].append(record)
        except ZohoError as error:
            reason = f"a record id, all digits: {name_field} could not be looked up ({str(error.args[0]).rstrip('.')})"
            return lambda _: InvalidCellError(reason)
        return lambda name: self._only(name, name_field, by_name.get(_key(name), []))

    def _only(self, name: str, name_field: str, ids: Sequence[str]) -> Any:
        if len(ids) == 1:
            return ids[0]
        where = f"{self._module} with {name_field} {name!r}"
        if not ids:
            return InvalidCellError(f"a record id, or the name of one record; there is no record in {where}")
        return InvalidCellError(
            f"a record id, because there are {len(ids)} records in {where}: {', '.join(sorted(ids)[:3])}"
        )

    def describe(self, part: str, ids: Column) -> Mapping[str, str] | None:
        """Id -> name; None where names cannot be looked up, or there are too many."""
        name_field = part or display_field(self._module)
        wanted = {text for cell in ids if (text := _id_text(cell))}
        if name_field not in _target_fields(self._field, self._client) or len(wanted) > MAX_CHECKED_IDS:
            return None
        try:
            return dict(self._select(name_field, "id", wanted))
        except ZohoError:
            return None

    def _select(self, name_field: str, by: str, values: Iterable[str]) -> Iterable[tuple[str, str]]:
        wanted = sorted(values)
        query = f"select id, {name_field} from {self._module} where {by} in $values"  # noqa: S608  # names from metadata
        for start in range(0, len(wanted), limits.COQL_VALUES_PER_IN):
            params = {"values": wanted[start : start + limits.COQL_VALUES_PER_IN]}
            found = self._rows(f"{query} limit {ROWS_OF_ONE_CREDIT}", params, name_field)
            if len(found) == ROWS_OF_ONE_CREDIT:  # several records have one name
                found = self._rows(query, params, name_field)
            yield from ((row["id"], row[name_field] or "") for row in found)

    def _rows(self, query: str, params: Mapping[str, Any], name_field: str) -> list[dict[str, Any]]:
        found = self._client.coql(query, params=params, frame="arrow", show=False)
        if name_field not in found.column_names:
            raise QueryError(f"COQL does not return {name_field}.")
        rows: list[dict[str, Any]] = found.select(["id", name_field]).to_pylist()
        return rows
