"""What a person wants to read, and what an API returned."""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable, Iterable, Sequence
from concurrent.futures import CancelledError, Future
from dataclasses import dataclass, field, replace
from datetime import datetime, timezone
from types import TracebackType
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from ...errors import TransportError
from ...fork_safety import renew_after_fork
from ...http.call_log import charged
from ...http.responses import CrmApi, unexpected
from ..metadata import Field
from ..parallel import submit
from . import arrow as frames

if TYPE_CHECKING:
    import requests

__all__ = [
    "CONVERTED",
    "SINGLE_RECORD_TYPES",
    "CallCounter",
    "QueryResult",
    "RecordQuery",
    "coql_credits",
    "parse_page",
]

# No API but the single record carries these.
SINGLE_RECORD_TYPES = frozenset(
    {"subform", "multiselectlookup", "multiuserlookup", "linetax", "fileupload", "imageupload", "consent_lookup"}
)
CONVERTED = "Converted__s"
"""Whether a lead is converted; COQL and bulk read hide converted leads unless a query names this field."""


@dataclass(frozen=True)
class RecordQuery:
    """Records of one module.

    Attributes:
        module: API name.
        fields: what to bring, `id` first.
        where: COQL criteria, nested in pairs; "" for all.
        order: COQL's `order by` list; "" for newest first.
        limit: at most so many rows; None for all.
        since: only records modified at or after this moment, which has a time zone.
        converted: whether converted records count: "false", "true" or "both"; "" where the module has none, or where
            the criteria say it themselves.
        ids: only these records; None for all.
        is_full: complete records, one call each, with the fields that no list of records carries.
        has_converted: whether the module has converted records at all.
        view: id of a custom view; "" for none. It has criteria and an order of its own.
        bulk_unsupported_reason: why bulk read would bring other records than COQL; "" where it would not.
    """

    module: str
    fields: tuple[Field, ...]
    where: str = ""
    order: str = ""
    limit: int | None = None
    since: datetime | None = None
    converted: str = ""
    bulk_unsupported_reason: str = ""
    has_converted: bool = False
    ids: tuple[str, ...] | None = None
    is_full: bool = False
    view: str = ""

    @property
    def listed(self) -> RecordQuery:
        """The query without the fields that no list of records carries."""
        return replace(self, fields=tuple(each for each in self.fields if each.data_type not in SINGLE_RECORD_TYPES))

    @property
    def since_text(self) -> str:
        """`since` as Zoho writes a moment: whole seconds with an offset."""
        return self.since.replace(microsecond=0).isoformat() if self.since else ""

    @property
    def criteria(self) -> str:
        """Everything that narrows it, as one COQL clause; "" when nothing does."""
        parts = [self.where] if self.where else []
        if self.since is not None:
            parts.append(f"Modified_Time >= '{self.since_text}'")
        if self.converted:
            parts.append(_CONVERTED[self.converted])
        while len(parts) > 1:
            parts[:2] = [f"({parts[0]} and {parts[1]})"]
        return "".join(parts)


# Whether a query that does not name the field sees converted records is not documented: it is always named.
_CONVERTED = {
    "false": "Converted__s = false",
    "true": "Converted__s = true",
    "both": "(Converted__s = true or Converted__s = false)",
}


@dataclass
class QueryResult:
    """Rows, and what a person should know about how they came."""

    rows: pa.Table
    query: str = ""
    warnings: list[str] = field(default_factory=list)


def coql_credits(limit: int) -> int:
    """Credits of one COQL call: 1 up to a limit of 200, 2 up to 1,000, 3 up to 2,000.

    https://www.zoho.com/crm/developer/docs/api/v8/api-limits.html
    """
    return 1 if limit <= 200 else 2 if limit <= 1000 else 3


def _are_ids(ids: pa.ChunkedArray) -> bool:
    """Whether these are numbers of up to 19 digits, by which records are put in order."""
    try:
        ids.cast(pa.int64())
    except pa.ArrowInvalid:
        return False
    return True


def parse_page(response: requests.Response, fields: Sequence[Field]) -> frames.Page:
    """The rows of an answer. Raises TransportError for anything but Zoho's JSON and its empty answers."""
    if response.status_code in (204, 304):
        return frames.Page(frames.empty_table(fields))
    if not response.content:
        raise TransportError("The CRM's answer came without its body.", hint="Run it again in a minute.")
    try:
        page = frames.from_json(response.content, fields)
    except (RecursionError, AttributeError, TypeError, KeyError, pa.ArrowException) as error:
        raise unexpected("records") from error
    if any(field.name == "id" for field in fields) and not _are_ids(page.rows.column("id")):
        raise unexpected("record ids")
    if any(field.name == "id" for field in fields) and page.rows.column("id").null_count:
        raise TransportError(
            "The CRM's answer has records without an id, so it answers another question.", hint="Run it again."
        )
    return page


class CallCounter:
    """An `Api` that counts the calls and credits of one pull, and tells how many rows have arrived.

    Once its `with` block ends it makes no more calls: threads that a failure or Ctrl-C left behind end at their next.

    Args:
        api: the session.
        arrived: called with the number of rows of every answer, for a progress bar.
    """

    def __init__(self, api: CrmApi, arrived: Callable[[int], None] = lambda _: None) -> None:
        self._api = api
        self._lock = threading.Lock()
        self._closed = False
        self.on_rows = arrived
        self.on_state: Callable[[str], None] = lambda _: None
        self.calls = 0
        self.credits = 0
        self.warnings: list[str] = []
        self._absent: set[str] = set()
        self._present: set[str] = set()
        renew_after_fork(self, _lock=threading.Lock)
        self._begun: dict[Hashable, Future[Any]] = {}

    def begin(self, key: Hashable, task: Callable[[], Any]) -> None:
        """Run a task beside others, because what it asks is likely to be needed; `take` hands it out, once."""
        self._begun[key] = submit(task)

    def take(self, key: Hashable) -> Future[Any] | None:
        """The task begun under this key; None where there is none."""
        return self._begun.pop(key, None)

    @property
    def cost(self) -> dict[str, Any]:
        """What `attrs` of a frame say of its calls: how many, their credits, and the moment, which is now."""
        now = datetime.now(timezone.utc).isoformat(timespec="seconds")
        return {"calls": self.calls, "credits": self.credits, "pulled_at": now}

    def __enter__(self) -> CallCounter:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._closed = True

    @property
    def absent(self) -> frozenset[str]:
        """Names of the fields whose key was in no row of any answer."""
        return frozenset(self._absent - self._present)

    def mark_absent(self, names: Iterable[str]) -> None:
        """Remember fields that this API does not bring."""
        with self._lock:
            self._absent |= {*names}

    def note_page(self, page: frames.Page, fields: Sequence[Field]) -> None:
        """Remember which fields an answer with rows left out, and what could not be converted."""
        if not len(page.rows):
            return
        with self._lock:
            self._absent |= page.absent
            self._present |= {field.name for field in fields} - page.absent
            self.warnings += [warning for warning in page.warnings if warning not in self.warnings]

    def request(self, method: str, path: str, *, credits: int = 1, **options: Any) -> Any:
        """As `ZohoSession.request`; `credits` is what Zoho charges for it."""
        with self._lock:
            if self._closed:
                raise CancelledError
            self.calls += 1
            self.credits += credits
        more = {"credits": credits} if isinstance(self._api, CallCounter) else {}
        with charged(credits):
            return self._api.request(method, path, **options, **more)
