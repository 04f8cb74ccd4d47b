"""Lists that the CRM sends in numbered pages, brought whole, and frames made of their entries."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from itertools import chain
from typing import Any

import pyarrow as pa

from ..errors import TransportError
from ..http.responses import list_of, object_of, parse_json
from .metadata import Field
from .read import arrow
from .read.arrow import Frame
from .read.record_query import CallCounter

__all__ = ["as_entry", "fetch_all", "field", "iter_entries", "to_frame", "to_frame_of_table"]

PER_PAGE = 200
MAX_ATTEMPTS = 3
Entry = dict[str, Any]


def fetch_all(
    api: CallCounter,
    path: str,
    key: str,
    params: Mapping[str, Any] | None = None,
    *,
    headers: Mapping[str, str] | None = None,
    credits: int = 1,
    paged: bool = True,
) -> list[Entry]:
    """Every entry of a list, whatever the number of pages.

    A list of several pages is checked at its end: the last page is asked for again. If it begins with another entry,
    something was added or removed meanwhile and entries may have moved between pages, so the list is read again.

    Args:
        api: counts the calls.
        path: `/crm/v8/...`.
        key: the key of the answer that holds the entries.
        params: query parameters besides `page` and `per_page`.
        headers: further headers.
        credits: API credits of one page.
        paged: whether Zoho documents `page` and `per_page` for this list; the first call has neither where it does not.

    Raises:
        TransportError: Zoho reports more entries and sends none, or the list changed during every attempt.
    """
    ask = partial(_ask, api, path, key, params or {}, headers or {}, credits, paged)
    for _ in range(MAX_ATTEMPTS):
        pages: list[list[Entry]] = []
        for entries in _pages(ask):
            if pages and not entries:
                raise TransportError(f"Zoho reported more {key} on {path} but sent none.", hint="Run it again.")
            pages.append(entries)
        if len(pages) == 1 or ask(len(pages))[0][:1] == pages[-1][:1]:
            return [entry for entries in pages for entry in entries]
    raise TransportError(f"The {key} on {path} kept changing while they were read.", hint="Run it again.")


def iter_entries(
    api: CallCounter,
    path: str,
    key: str,
    params: Mapping[str, Any] | None = None,
    *,
    headers: Mapping[str, str] | None = None,
    credits: int = 1,
) -> Iterator[Entry]:
    """As `fetch_all`, each entry as its page arrives and without the check at the end: for who can do without it.

    Raises:
        TransportError: an answer is no such list.
    """
    return chain.from_iterable(_pages(partial(_ask, api, path, key, params or {}, headers or {}, credits, True)))


def _pages(ask: Callable[[int], tuple[list[Entry], bool]]) -> Iterator[list[Entry]]:
    number, more = 1, True
    while more:
        entries, more = ask(number)
        yield entries
        number += 1


def _ask(
    api: CallCounter,
    path: str,
    key: str,
    params: Mapping[str, Any],
    headers: Mapping[str, str],
    credits: int,
    paged: bool,
    number: int,
) -> tuple[list[Entry], bool]:
    """The entries of one page, and whether there are more."""
    place = {"page": number, "per_page": PER_PAGE} if paged or number > 1 else {}
    response = api.request("GET", path, params={**params, **place}, headers=dict(headers), credits=credits)
    answer = parse_json(response)
    if answer and not isinstance(answer.get(key), list):
        raise TransportError(f"The CRM's answer has no list of {key}.", hint="Run it again in a minute.")
    return list_of(answer, key), bool(object_of(answer, "info").get("more_records"))


def field(name: str, data_type: str = "text") -> Field:
    """A column, or the columns, of this name: a lookup `x` gives `x` and `x.id`, a user also `x.email`."""
    return Field(name, data_type=data_type)


def as_entry(value: Any) -> Entry:
    """An object of an answer; {} where Zoho sends null."""
    return value if isinstance(value, dict) else {}


def to_frame(
    rows: Sequence[Entry], fields: Sequence[Field], api: CallCounter, frame: Frame = "pandas", **attrs: Any
) -> Any:
    """The entries as a typed frame whose `attrs` holds calls, credits, pulled_at and warnings beside `attrs`."""
    table, warnings = arrow.from_rows(rows, fields)
    return to_frame_of_table(table, api, frame, **{**attrs, "warnings": [*attrs.get("warnings", ()), *warnings]})


def to_frame_of_table(table: pa.Table, api: CallCounter, frame: Frame = "pandas", **attrs: Any) -> Any:
    """As `to_frame`, of a table that is there already."""
    told = {
        **attrs,
        **api.cost,
        "warnings": [*attrs.get("warnings", ()), *api.warnings],
    }
    return arrow.to_backend(table, frame, told)
