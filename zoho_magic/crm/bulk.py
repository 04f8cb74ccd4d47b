"""The bulk read road: Zoho prepares up to 200,000 rows as a zipped CSV while we wait.

https://www.zoho.com/crm/developer/docs/api/v8/bulk-read/overview.html
"""

from __future__ import annotations

import tempfile
import time
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from typing import IO, Any

import pyarrow as pa

from .. import frames
from ..errors import ApiError, QueryError, TransportError
from .answers import content
from .metadata import Field, Metadata
from .reading import Harvest, Meter, Reading

__all__ = ["JOB_CREDITS", "PAGE_ROWS", "read"]

PAGE_ROWS = 200_000
JOB_CREDITS = 50
FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS, PAUSE_GROWTH = 0.25, 10.0, 1.4
_REFUSED_FIELD = frozenset({"FIELD_NOT_SUPPORTED", "FIELD_NOT_AVAILABLE", "INVALID_FIELD"})


def read(api: Meter, reading: Reading, metadata: Metadata) -> Harvest:
    """The records of a reading, through bulk read jobs of up to 200,000 rows.

    Args:
        api: counts the calls.
        reading: what to bring; its order is by id whatever it says.
        metadata: names the field that holds the name of a record a lookup points to.

    Raises:
        QueryError: the criteria cannot be said in bulk read's language.
        ApiError: a job failed, or its result has expired.
    """
    names = _lookup_names(reading.fields, metadata)
    query = _query(reading, names)
    warnings: list[str] = []
    parts: list[pa.Table] = []
    for job in _jobs(api, query, warnings):
        parts.append(_result(api, job, reading.fields, names))
        api.arrived(len(parts[-1]))
    rows = frames.newest_first(pa.concat_tables(parts or [frames.empty(reading.fields)]))
    return Harvest(rows[: reading.limit], str(query), warnings)


# The job


def _query(reading: Reading, names: Mapping[str, str]) -> dict[str, Any]:
    columns = [field.name for field in reading.fields] + list(names.values())
    query: dict[str, Any] = {"module": {"api_name": reading.module}, "fields": list(dict.fromkeys(columns))}
    if criteria := _criteria(reading):
        query["criteria"] = criteria
    return query


def _criteria(reading: Reading) -> dict[str, Any] | None:
    parts = []
    if reading.where:
        from .criteria import criteria_of  # it brings sqlglot, which takes a while to load

        parts.append(criteria_of(reading.where))
    if reading.since is not None:
        parts.append(_criterion("Modified_Time", "greater_equal", reading.since_text))
    if reading.converted in ("true", "false"):
        parts.append(_criterion("Converted__s", "equal", reading.converted == "true"))
    while len(parts) > 1:
        parts[:2] = [{"group_operator": "and", "group": parts[:2]}]
    return parts[0] if parts else None


def _criterion(field: str, comparator: str, value: Any) -> dict[str, Any]:
    return {"field": {"api_name": field}, "comparator": comparator, "value": value}


def _jobs(api: Meter, query: dict[str, Any], warnings: list[str]) -> Iterator[dict[str, Any]]:
    """The finished jobs of a query, one a page of 200,000 rows."""
    job = _finished(api, _created(api, query, warnings))
    yield job
    while (result := job["result"]).get("more_records"):
        token = result.get("next_page_token")
        further = {"page_token": token} if token else {**query, "page": int(result["page"]) + 1}
        job = _finished(api, _created(api, further, warnings))
        yield job


def _created(api: Meter, query: dict[str, Any], warnings: list[str]) -> str:
    """The id of a new job; a field that Zoho refuses to export is left out and reported."""
    while True:
        try:
            # A job that was made twice costs credits, nothing else; but it is not sent twice on purpose.
            answer = content(api.request("POST", "/crm/bulk/v8/read", json={"query": query}, credits=JOB_CREDITS))
        except (ApiError, QueryError) as error:
            refused = _refused(error, query)
            if refused is None:
                raise
            query["fields"].remove(refused)
            warnings.append(f"Bulk read does not export {refused}; it is empty here. --via coql may bring it.")
        else:
            return str(answer["data"][0]["details"]["id"])


def _refused(error: ApiError | QueryError, query: Mapping[str, Any]) -> str | None:
    name = getattr(error, "details", {}).get("api_name")
    return name if error.code in _REFUSED_FIELD and name in query.get("fields", ()) else None


def _finished(api: Meter, job_id: str) -> dict[str, Any]:
    pause = FIRST_PAUSE_SECONDS
    while True:
        job = content(api.request("GET", f"/crm/bulk/v8/read/{job_id}", credits=0))["data"][0]
        if job["state"] == "COMPLETED":
            return dict(job)
        if job["state"] in ("FAILURE", "FAILED"):
            raise _failure(job)
        time.sleep(pause)
        pause = min(LONGEST_PAUSE_SECONDS, pause * PAUSE_GROWTH)


def _failure(job: Mapping[str, Any]) -> ApiError:
    said = (job.get("result") or {}).get("error_message") or {}
    return ApiError(
        f"Zoho could not finish the bulk read: {said.get('message') or said.get('code') or 'no reason given'}.",
        hint="Run it again, or use --via coql.",
        code=str(said.get("code") or "FAILURE"),
    )


# Its result


def _result(api: Meter, job: Mapping[str, Any], fields: Sequence[Field], names: Mapping[str, str]) -> pa.Table:
    with tempfile.TemporaryFile() as file:
        _download(api, str(job["result"]["download_url"]), file)
        with zipfile.ZipFile(file) as archive, archive.open(archive.namelist()[0]) as csv:
            rows = frames.from_csv(csv, fields, names)
    expected = job["result"].get("count")
    if expected is not None and len(rows) != int(expected):
        raise TransportError(
            f"The bulk read announced {expected} rows and brought {len(rows)}.", hint="Run it again, or --via coql."
        )
    return rows


def _download(api: Meter, url: str, file: IO[bytes]) -> None:
    for attempt in (1, 2, 3):
        file.seek(0)
        file.truncate()
        response = api.request("GET", url, credits=0, stream=True)
        try:
            for chunk in response.iter_content(1 << 20):
                file.write(chunk)
            zipfile.ZipFile(file).close()
        except (OSError, zipfile.BadZipFile):
            if attempt == 3:
                break
        else:
            return
        finally:
            response.close()
    raise TransportError("The bulk read's file broke off three times.", hint="Run it again, or use --via coql.")


# Names of the records that lookups point to


_NAME_FIELDS = {
    "Leads": "Full_Name",
    "Contacts": "Full_Name",
    "Accounts": "Account_Name",
    "Deals": "Deal_Name",
    "Tasks": "Subject",
    "Calls": "Subject",
    "Events": "Event_Title",
    "Products": "Product_Name",
    "Vendors": "Vendor_Name",
    "Campaigns": "Campaign_Name",
    "Cases": "Subject",
    "Solutions": "Solution_Title",
    "Price_Books": "Price_Book_Name",
    "Quotes": "Subject",
    "Sales_Orders": "Subject",
    "Purchase_Orders": "Subject",
    "Invoices": "Subject",
}
"""The field whose value a lookup to the module shows as its name; a custom module's is Name."""


def _lookup_names(fields: Sequence[Field], metadata: Metadata) -> dict[str, str]:
    return {
        field.name: f"{field.name}.{_NAME_FIELDS.get(field.target, 'Name')}"
        for field in fields
        if field.data_type == "lookup" and field.target in metadata.modules()
    }
