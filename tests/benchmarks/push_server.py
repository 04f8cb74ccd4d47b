"""A Zoho to push to that is never the bottleneck: it counts the rows of an upsert and says that each was added.

    python -m tests.benchmarks.push_server   # prints its URL, serves until stdin closes

What describes the org is recorded once from the simulator. `POST /_bench` with `{"latency": 0.05}` sets the latency of
every answer, and tells how many requests and rows came since the last time.
"""

from __future__ import annotations

import json
import socket
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from urllib.parse import parse_qsl

import requests

from tests.benchmarks.server import JSON, Answer, converse
from zoho_magic.simulator import Simulator

META = (
    "/crm/v8/org",
    "/crm/v8/users?type=CurrentUser",
    "/crm/v8/settings/modules",
    "/crm/v8/settings/modules/Leads",
    "/crm/v8/settings/fields?module=Leads",
)
FIRST_ID = 554_023_001_900_000_000


def recorded() -> dict[str, bytes]:
    """Path with the part of its query that counts -> body."""
    with Simulator(rows=2) as zoho, requests.Session() as calls:
        calls.headers["Authorization"] = f"Zoho-oauthtoken {zoho.access_token()}"
        return {path: calls.get(zoho.url + path).content for path in META}


class Zoho:
    """What is asked, answered from prepared bodies."""

    def __init__(self, url: str) -> None:
        self._url, self._meta, self._sample = url, recorded(), sample()
        self._lock = threading.Lock()
        self.latency, self.requests, self.rows = 0.0, 0, 0

    def answer(self, method: str, target: str, body: bytes) -> Answer:
        """The answer, after the latency."""
        if target == "/_bench":
            return self._set(json.loads(body))
        due = time.perf_counter() + self.latency
        path, _, query = target.partition("?")
        if method == "POST" and path == "/crm/v8/Leads/upsert":
            found = self._added(len(json.loads(body)["data"]))
        else:
            found = self._token() if path == "/oauth/v2/token" else self._described(path, dict(parse_qsl(query)))
        with self._lock:
            self.requests += 1
        time.sleep(max(0.0, due - time.perf_counter()))
        return found

    def _set(self, scene: dict[str, float]) -> Answer:
        told = {"requests": self.requests, "rows": self.rows}
        self.requests, self.rows, self.latency = 0, 0, scene.get("latency", self.latency)
        return 200, JSON, json.dumps(told).encode()

    def _added(self, rows: int) -> Answer:
        with self._lock:
            first, self.rows = self.rows, self.rows + rows
        results = b",".join(self._sample % (FIRST_ID + 37 * place) for place in range(first, first + rows))
        return 200, JSON, b'{"data":[' + results + b"]}"

    def _token(self) -> Answer:
        answer = {"access_token": f"1000.{self.requests}", "api_domain": self._url, "token_type": "Bearer"}
        return 200, JSON, json.dumps({**answer, "expires_in": 3600}).encode()

    def _described(self, path: str, query: dict[str, str]) -> Answer:
        wanted = [f"{path}?{name}={query[name]}" for name in ("type", "module") if name in query]
        body = self._meta.get(wanted[0] if wanted else path)
        return (200, JSON, body) if body else (204, "", b"")


def sample() -> bytes:
    """One row's result, as Zoho documents it, with a place for the id."""
    person = {"name": "Patricia Boyle", "id": "554023000000235011"}
    moments = dict.fromkeys(("Modified_Time", "Created_Time"), "2026-05-02T11:17:33+05:30")
    details = {**moments, "Modified_By": person, "Created_By": person, "id": "@", "$approval_state": "approved"}
    result = {"code": "SUCCESS", "duplicate_field": None, "action": "insert", "details": details}
    whole = {**result, "message": "record added", "status": "success"}
    return json.dumps(whole, separators=(",", ":")).encode().replace(b"%", b"%%").replace(b'"@"', b'"%d"')


def connections(listening: socket.socket) -> Iterator[socket.socket]:
    """Whoever connects."""
    while True:
        yield listening.accept()[0]


def main() -> None:
    """Serve on a free port of loopback until stdin closes."""
    listening = socket.create_server(("127.0.0.1", 0), backlog=128)
    url = f"http://127.0.0.1:{listening.getsockname()[1]}"
    zoho = Zoho(url)
    print(url, flush=True)

    def serve() -> None:
        for connection in connections(listening):
            threading.Thread(target=_quietly, args=(connection, zoho), daemon=True).start()

    threading.Thread(target=serve, daemon=True).start()
    sys.stdin.read()


def _quietly(connection: socket.socket, zoho: Zoho) -> None:
    with suppress(ConnectionError):  # the client is gone: its process has ended
        converse(connection, zoho)  # type: ignore[arg-type]  # it asks of a Zoho only what this one has


if __name__ == "__main__":
    main()
