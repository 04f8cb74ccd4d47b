"""What Zoho would answer, prepared: recorded once from the simulator, repeated with new ids to any size."""

from __future__ import annotations

import csv
import io
import json
import time
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

import requests

from tests.benchmarks.fields import FIELDS
from zoho_magic.simulator import Simulator

RECORDED = 10_000
CSV_PAGE_ROWS = 200_000
_FIRST_ID, _ID_STEP = 554_023_001_900_000_000, 37
_META = (
    "/crm/v8/org",
    "/crm/v8/users?type=CurrentUser",
    "/crm/v8/users?type=AllUsers",
    "/crm/v8/users?type=DeletedUsers",
    "/crm/v8/settings/modules",
    "/crm/v8/settings/fields?module=Leads",
)


@dataclass(frozen=True)
class Recording:
    """Answers of the simulator.

    Attributes:
        meta: path with its query -> body.
        records, coql: leads as JSON, each with `%d` instead of its id.
        lines: leads as CSV, without their id.
        header: the CSV's first line.
    """

    meta: dict[str, bytes]
    records: list[bytes]
    coql: list[bytes]
    lines: list[bytes]
    header: bytes


def recorded() -> Recording:
    """Ask the simulator everything once; takes some seconds."""
    with Simulator(rows=RECORDED * 6 // 5, seed=7) as zoho:
        zoho.options.job_seconds = 0
        calls = _Calls(zoho.url, zoho.connection())
        records = _templates(calls.pages())
        coql = _templates(calls.windows())
        header, *lines = calls.csv()
        meta = {path: calls.get(path).content for path in _META}
    return Recording(meta, records[:RECORDED], coql[:RECORDED], lines[:RECORDED], header)


class _Calls:
    """The calls of a client of the simulator."""

    def __init__(self, url: str, connection: dict[str, str]) -> None:
        self._url = url
        self._pool = requests.Session()
        secrets = {name: connection[name] for name in ("client_id", "client_secret", "refresh_token")}
        answer = self._pool.post(url + "/oauth/v2/token", data={"grant_type": "refresh_token", **secrets}).json()
        self._pool.headers["Authorization"] = f"Zoho-oauthtoken {answer['access_token']}"

    def get(self, path: str, **params: Any) -> requests.Response:
        answer = self._pool.get(self._url + path, params=params)
        answer.raise_for_status()
        return answer

    def post(self, path: str, body: dict[str, Any]) -> Any:
        answer = self._pool.post(self._url + path, json=body)
        answer.raise_for_status()
        return answer.json()

    def pages(self) -> Iterator[dict[str, Any]]:
        place: dict[str, Any] = {}
        for _ in range(RECORDED // 200):
            page = self.get("/crm/v8/Leads", fields=",".join(FIELDS), per_page=200, **place).json()
            yield from page["data"]
            place = {"page_token": page["info"]["next_page_token"]}

    def windows(self) -> Iterator[dict[str, Any]]:
        select = f"select id, {', '.join(FIELDS)} from Leads where Converted__s = false order by id desc"
        for offset in range(0, RECORDED, 2_000):
            yield from self.post("/crm/v8/coql", {"select_query": f"{select} limit 2000 offset {offset}"})["data"]

    def csv(self) -> Iterator[bytes]:
        """The header, then every line without its id."""
        query = {"module": {"api_name": "Leads"}, "fields": ["id", *FIELDS]}
        job = self.post("/crm/bulk/v8/read", {"query": query})["data"][0]["details"]["id"]
        while self.get(f"/crm/bulk/v8/read/{job}").json()["data"][0]["state"] != "COMPLETED":
            time.sleep(0.1)
        archive = zipfile.ZipFile(io.BytesIO(self.get(f"/crm/bulk/v8/read/{job}/result").content))
        text = io.TextIOWrapper(archive.open(archive.namelist()[0]), "utf-8", newline="")
        yield text.readline().strip().encode()
        for row in csv.reader(text):
            yield _csv_line(row[1:])


def _csv_line(cells: list[str]) -> bytes:
    line = io.StringIO()
    csv.writer(line, lineterminator="\n").writerow(cells)
    return line.getvalue().encode()


def _templates(rows: Iterator[dict[str, Any]]) -> list[bytes]:
    compact = {"ensure_ascii": False, "separators": (",", ":")}
    return [json.dumps({**row, "id": "@id@"}, **compact).encode().replace(b"%", b"%%") for row in rows]


def identifier(place: int) -> int:
    """The id of the lead at a place, newest first."""
    return _FIRST_ID - _ID_STEP * place


def place_below(record_id: int) -> int:
    """The place of the first lead whose id is lower."""
    return max(0, (_FIRST_ID - record_id) // _ID_STEP + 1)


class Leads:
    """So many leads, newest first, in every shape Zoho sends them."""

    def __init__(self, recording: Recording) -> None:
        self._records = [row.replace(b"@id@", b"%d") for row in recording.records]
        self._coql = [row.replace(b"@id@", b"%d") for row in recording.coql]
        self._lines, self._header = recording.lines, recording.header

    @cache  # noqa: B019  # it lives as long as the server
    def page(self, first: int, last: int, more: bool) -> bytes:
        """The answer of the records route with leads `first` up to, without, `last`."""
        number, size = first // max(1, last - first) + 1, last - first
        info = {
            "call": False,
            "per_page": size,
            "next_page_token": f"from{last}" if more else None,
            "count": size,
            "sort_by": "id",
            "page": number,
            "previous_page_token": None,
            "page_token_expiry": "2030-11-23T13:58:24-08:00" if more else None,
            "sort_order": "desc",
            "email": False,
            "more_records": more,
        }
        return _answer(self._records, first, last, info)

    @cache  # noqa: B019
    def window(self, first: int, last: int, more: bool) -> bytes:
        """COQL's answer."""
        return _answer(self._coql, first, last, {"count": last - first, "more_records": more})

    @cache  # noqa: B019
    def archive(self, first: int, last: int) -> bytes:
        """Bulk read's result: oldest first, as the simulator has it."""
        file = io.BytesIO()
        places = range(last - 1, first - 1, -1)
        lines = (b"%d,%b" % (identifier(place), self._lines[place % RECORDED]) for place in places)
        with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("554023000000568002.csv", self._header + b"\n" + b"".join(lines))
        return file.getvalue()


def _answer(rows: list[bytes], first: int, last: int, info: dict[str, Any]) -> bytes:
    found = b",".join(rows[place % RECORDED] % identifier(place) for place in range(first, last))
    return b'{"data":[' + found + b'],"info":' + json.dumps(info, separators=(",", ":")).encode() + b"}"
