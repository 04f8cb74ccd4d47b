"""A server that is never the bottleneck: prepared bodies over raw sockets, latency that blocks nobody else.

    python -m tests.benchmarks.server        # prints its URL, serves until stdin closes

`POST /_bench` with `{"rows": 2000, "latency": 0.05, "job_seconds": 0}` sets the scene and tells how many requests came
since the last time. Nothing is checked: not the token, not the fields, and of COQL only counts, ids, limit and offset.
"""

from __future__ import annotations

import json
import re
import socket
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any
from urllib.parse import parse_qsl

from tests.benchmarks.bodies import CSV_PAGE_ROWS, Leads, place_below, recorded

Answer = tuple[int, str, bytes]
JSON = "application/json;charset=UTF-8"


class Zoho:
    """What is asked, answered from prepared bodies."""

    def __init__(self, url: str) -> None:
        recording = recorded()
        self._url, self._meta, self._leads = url, recording.meta, Leads(recording)
        self._lock = threading.Lock()
        self._jobs: list[tuple[float, int]] = []
        self.rows, self.latency, self.job_seconds, self.requests = 2_000, 0.0, 0.0, 0

    def answer(self, method: str, target: str, body: bytes) -> Answer:
        """The answer, after the latency."""
        if target == "/_bench":
            return self._set(json.loads(body))
        with self._lock:
            self.requests += 1
        due = time.perf_counter() + self.latency
        path, _, query = target.partition("?")
        found = self._route(method, path)(path, dict(parse_qsl(query)), body)
        time.sleep(max(0.0, due - time.perf_counter()))
        return found

    def _route(self, method: str, path: str) -> Callable[[str, dict[str, str], bytes], Answer]:
        if path == "/crm/v8/Leads":
            return self._page
        if path == "/crm/v8/coql":
            return self._window
        if path.startswith("/crm/bulk/v8/read"):
            return self._create if method == "POST" else self._result if path.endswith("/result") else self._job
        return self._token if path == "/oauth/v2/token" else self._described

    def _set(self, scene: dict[str, Any]) -> Answer:
        told = {"requests": self.requests}
        self.requests, self._jobs = 0, []
        for name, value in scene.items():
            setattr(self, name, value)
        for page in range(-(-self.rows // CSV_PAGE_ROWS)):
            self._leads.archive(*self._part(page))
        return 200, JSON, json.dumps(told).encode()

    def _token(self, _: str, __: dict[str, str], ___: bytes) -> Answer:
        answer = {"access_token": f"1000.{self.requests}", "api_domain": self._url, "token_type": "Bearer"}
        return 200, JSON, json.dumps({**answer, "expires_in": 3600}).encode()

    def _described(self, path: str, query: dict[str, str], _: bytes) -> Answer:
        wanted = [f"{path}?{name}={query[name]}" for name in ("type", "module") if name in query]
        body = self._meta.get(wanted[0] if wanted else path)
        return (200, JSON, body) if body else (204, "", b"")

    def _page(self, _: str, query: dict[str, str], __: bytes) -> Answer:
        size, token = int(query.get("per_page", 200)), query.get("page_token", "")
        first = int(token[4:]) if token else (int(query.get("page", 1)) - 1) * size
        last = min(first + size, self.rows)
        return (200, JSON, self._leads.page(first, last, last < self.rows)) if first < last else (204, "", b"")

    def _window(self, _: str, __: dict[str, str], body: bytes) -> Answer:
        text = json.loads(body)["select_query"]
        if "COUNT(" in text:
            count = {"data": [{"COUNT(id)": self.rows}], "info": {"count": 1, "more_records": False}}
            return 200, JSON, json.dumps(count).encode()
        limit, offset = (int(number or 0) for number in re.findall(r"limit (\d+)(?: offset (\d+))?", text)[0])
        below = re.search(r"id < '(\d+)'", text)
        first = offset + (place_below(int(below[1])) if below else 0)
        last = min(first + limit, self.rows)
        return (200, JSON, self._leads.window(first, last, last < self.rows)) if first < last else (204, "", b"")

    def _create(self, _: str, __: dict[str, str], body: bytes) -> Answer:
        page = int(json.loads(body)["query"].get("page_token", "page0")[4:])
        with self._lock:
            self._jobs.append((time.monotonic() + self.job_seconds, page))
            number = len(self._jobs) - 1
        details = {"id": str(554023000000000000 + number), "operation": "read", "state": "ADDED"}
        added = {"status": "success", "code": "ADDED_SUCCESSFULLY", "message": "Added successfully."}
        return 201, JSON, json.dumps({"data": [{**added, "details": details}], "info": {}}).encode()

    def _job(self, path: str, _: dict[str, str], __: bytes) -> Answer:
        ready, page = self._jobs[_number(path)]
        job: dict[str, Any] = {"id": path.rpartition("/")[2], "operation": "read", "file_type": "csv"}
        job["state"] = "COMPLETED" if time.monotonic() >= ready else "IN PROGRESS"
        if job["state"] == "COMPLETED":
            first, last = self._part(page)
            job["result"] = {
                "page": page + 1,
                "per_page": CSV_PAGE_ROWS,
                "count": last - first,
                "download_url": f"{path}/result",
                "more_records": first > 0,
                "next_page_token": f"page{page + 1}" if first > 0 else None,
            }
        return 200, JSON, json.dumps({"data": [job]}).encode()

    def _result(self, path: str, _: dict[str, str], __: bytes) -> Answer:
        _, page = self._jobs[_number(path.removesuffix("/result"))]
        return 200, "application/zip", self._leads.archive(*self._part(page))

    def _part(self, page: int) -> tuple[int, int]:
        # The first page has the oldest leads, as in the simulator.
        last = self.rows - page * CSV_PAGE_ROWS
        return max(0, last - CSV_PAGE_ROWS), last


def _number(path: str) -> int:
    return int(path.rpartition("/")[2]) - 554023000000000000


# HTTP


def converse(connection: socket.socket, zoho: Zoho) -> None:
    """Answer the requests of one connection until it ends."""
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    with connection, connection.makefile("rb") as incoming:
        while head := _head(incoming):
            first, *lines = head
            method, target, _ = first.split(" ", 2)
            length = next((int(line[15:]) for line in lines if line[:15].lower() == "content-length:"), 0)
            status, kind, body = zoho.answer(method, target, incoming.read(length))
            connection.sendall(_response_head(status, kind, len(body)))
            connection.sendall(body)


def _head(incoming: Any) -> list[str]:
    lines: list[str] = []
    while (line := incoming.readline().decode("latin-1").strip()) or not lines:
        if not line:
            return []
        lines.append(line)
    return lines


def _response_head(status: int, kind: str, length: int) -> bytes:
    lines = [f"HTTP/1.1 {status} OK"]
    if status != 204:
        lines += [f"Content-Type: {kind}", f"Content-Length: {length}"]
    if kind == "application/zip":
        lines.append("Content-Disposition: attachment; filename=554023000000568002.zip")
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


def main() -> None:
    """Serve on a free port of loopback until stdin closes."""
    listening = socket.create_server(("127.0.0.1", 0), backlog=128)
    url = f"http://127.0.0.1:{listening.getsockname()[1]}"
    zoho = Zoho(url)
    print(url, flush=True)
    threading.Thread(target=_accept, args=(listening, zoho), daemon=True).start()
    sys.stdin.read()


def _accept(listening: socket.socket, zoho: Zoho) -> None:
    while True:
        connection, _ = listening.accept()
        threading.Thread(target=_quietly, args=(connection, zoho), daemon=True).start()


def _quietly(connection: socket.socket, zoho: Zoho) -> None:
    with suppress(ConnectionError):  # the client is gone: its process has ended
        converse(connection, zoho)


if __name__ == "__main__":
    main()
