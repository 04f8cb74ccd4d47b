"""What a synchronisation asks of Zoho."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta, timezone
from email.utils import parsedate_to_datetime
from typing import Any

import pyarrow as pa

from ..crm.api_version import API
from ..crm.coql.parser import build_query
from ..crm.deleted import CREDITS_A_PAGE
from ..crm.listing import iter_entries
from ..crm.metadata import Field
from ..crm.progress import Progress
from ..crm.read import arrow as frames
from ..crm.read import coql, pull, records
from ..crm.read.record_query import CallCounter, RecordQuery
from ..crm.read.stream import CrmReader, RecordStream, with_people
from ..crm.users import list_users
from ..errors import ApiError, AuthError, QueryError, TransportError, ZohoError
from ..http.responses import parse_json

__all__ = ["LOOKBACK", "Source", "zoho_time"]

LOOKBACK = timedelta(minutes=10)
"""What was changed so long before the cursor is read again: Zoho shows changes with a delay."""
FEW_ROWS = 2_000


@dataclass
class Source:
    """One module at Zoho, during one run.

    Attributes:
        home: the session's client.
        api: counts calls and credits of the run.
        module: API name.
        where: the filter, as the user wrote it; "" for none.
        via: auto, records, coql or bulk.
        progress: the progress bar.
        fields: of the copy, as the module has them now.
        warnings: what the user should know.
        api_used: the API that brought the last rows.
    """

    home: CrmReader
    api: CallCounter
    module: str
    where: str
    via: str
    progress: Progress
    fields: tuple[Field, ...] = ()
    warnings: list[str] = field(default_factory=list)
    api_used: str = ""

    @property
    def has_modified_time(self) -> bool:
        """Whether the module tells when a record was changed."""
        return "Modified_Time" in self.home.metadata.fields(self.module)

    def describe(self, names: Sequence[str] | None = None, *, where: str | None = None) -> RecordQuery:
        """The reading of every record: converted ones too, for a conversion must not look like a deletion."""
        chosen = [each.name for each in self.fields] if names is None else names
        converted = "both" if "Converted__s" in self.home.metadata.fields(self.module) else "false"
        wanted = self.where if where is None else where
        reading, _ = pull.build_record_query(
            self.home.metadata, self.module, fields=chosen, where=wanted or None, converted=converted
        )
        return reading

    def open(self, reading: RecordQuery) -> RecordStream:
        """The rows of a reading as they arrive, by ascending id."""
        found = pull.make_plan(self.home, reading, self.via, self.api)
        self.progress.expect(found.rows)
        counter = CallCounter(self.api, self.progress.add)
        return RecordStream(self.home, counter, reading, found, [], "id asc", self.progress)

    def rows(self, reading: RecordQuery) -> Iterator[pa.Table]:
        """The rows of a reading."""
        with self.open(reading) as arriving:
            self.api_used = arriving.plan.api
            yield from arriving
        self.warn(arriving.warnings)

    def warn(self, sentences: Iterable[str]) -> None:
        """Keep them for the report, each once."""
        self.warnings += [text for text in sentences if text not in self.warnings]

    def changed(self, reading: RecordQuery, since: datetime) -> list[pa.Table]:
        """Records modified at or after a moment: one call where they are few, else by what is cheapest."""
        narrowed = replace(reading, since=since)
        found = list(self.rows(replace(narrowed, limit=FEW_ROWS)))
        if sum(map(len, found)) >= FEW_ROWS:
            found = list(self.rows(narrowed))
        return [*found, *self._left_out(narrowed, found)] if self.api_used == "bulk" else found

    def _left_out(self, narrowed: RecordQuery, found: Sequence[pa.Table]) -> list[pa.Table]:
        """The changed records that bulk read left out, as it may where a column behind an empty lookup is asked for."""
        if len(narrowed.fields) == 1:
            return []
        arrived = {key for rows in found for key in rows.column("id").to_pylist()}
        listed = list(self.rows(replace(narrowed, fields=narrowed.fields[:1])))
        left = [key for rows in listed for key in rows.column("id").to_pylist() if key not in arrived]
        return [self.by_id(left)] if left else []

    def by_id(self, ids: Sequence[str]) -> pa.Table:
        """The records of these ids, by the Records API, which serves every module and leaves none out."""
        reading = self.describe(where="")
        rows = records.read_selected(self.api, reading, ids, self.home.max_concurrency())
        rows, notes = with_people(self.home.known_users, rows, reading.fields, always=False)
        self.warn(notes)
        return rows

    def deleted(self, since: datetime) -> Iterator[tuple[str, datetime]]:
        """Ids and moments of deletions. Raises ApiError, QueryError where the module has no such list."""
        headers = {"If-Modified-Since": since.isoformat(timespec="seconds")}
        path = f"{API}/{self.module}/deleted"
        for row in iter_entries(self.api, path, "data", {"type": "all"}, headers=headers, credits=CREDITS_A_PAGE):
            yield str(row["id"]), datetime.fromisoformat(str(row["deleted_time"]).replace("Z", "+00:00"))

    def count(self) -> int | None:
        """How many records there are now; None where Zoho does not say."""
        try:
            return coql.count(self.api, build_query(self.module, ["id"], self.describe(["id"]).criteria))
        except (ApiError, QueryError, AuthError) as error:
            if isinstance(error, AuthError) and error.code != "OAUTH_SCOPE_MISMATCH":
                raise
            return self._listed_count(error)

    def _listed_count(self, problem: ZohoError) -> int | None:
        """The count of the Records API, where COQL does not count: it may be some minutes old, and knows no filter."""
        params = {"converted": "both"} if "Converted__s" in self.home.metadata.fields(self.module) else {}
        try:
            if not self.where:
                path = f"{API}/{self.module}/actions/count"
                return int(parse_json(self.api.request("GET", path, params=params))["count"])
        except (ApiError, QueryError, AuthError, KeyError, TypeError, ValueError):
            pass
        self.warn([f"The number of records could not be checked ({problem.code or problem.args[0]})."])
        return None

    def users(self) -> pa.Table | None:
        """Id, name and address of every user; None where they may not be asked for."""
        found, errors = list_users(self.api, ("AllUsers",))
        self.warn(f"Names of users are as they were: {error.args[0]} {error.hint}".strip() for error in errors[:1])
        if not found:
            return None
        rows: Mapping[str, Any] = {
            "id": list(found),
            "name": [name for name, _ in found.values()],
            "email": [email for _, email in found.values()],
        }
        return pa.table({name: pa.array(values, pa.string()) for name, values in rows.items()})

    @property
    def user_fields(self) -> list[str]:
        """Names of the fields that point to users."""
        return [each.name for each in self.fields if frames.is_user_lookup(each)]

    @property
    def unmarked_fields(self) -> list[Field]:
        """Fields that change without moving Modified_Time: formulas, roll-ups, names of records that lookups show."""
        return [
            each for each in self.fields if each.data_type in ("formula", "rollup_summary") or frames.is_lookup(each)
        ]


def zoho_time(response: Any) -> datetime:
    """Zoho's clock, by the Date header of an answer. Raises TransportError where it has none."""
    problem: ZohoError | None = None
    try:
        return parsedate_to_datetime(response.headers.get("Date", "")).astimezone(timezone.utc)
    except (TypeError, ValueError, IndexError):
        problem = TransportError(
            "Zoho's answer has no Date header, so nobody knows as of when the copy would be.",
            hint="A proxy in between may remove it.",
        )
    raise problem
