"""A hand-written caller of the simulator's CRM, for the tests of the simulator only."""

from __future__ import annotations

from typing import Any

import requests

from zoho_magic.simulator import Simulator


class Client:
    """One user with one access token."""

    def __init__(self, sim: Simulator, scopes: str | None = None) -> None:
        self.sim = sim
        self.http = requests.Session()
        self.http.headers["Authorization"] = f"Zoho-oauthtoken {sim.access_token(scopes)}"

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *_: object) -> None:
        self.http.close()

    def call(self, method: str, path: str, **more: Any) -> requests.Response:
        return self.http.request(method, f"{self.sim.url}{path}", timeout=30, **more)

    def get(self, path: str, headers: dict[str, str] | None = None, **params: Any) -> requests.Response:
        return self.call("GET", f"/crm/v8{path}", params=params, headers=headers)

    def coql(self, query: str, **more: Any) -> requests.Response:
        return self.call("POST", "/crm/v8/coql", json={"select_query": query, **more})

    def rows(self, query: str) -> list[dict[str, Any]]:
        answer = self.coql(query)
        assert answer.status_code in (200, 204), answer.text
        return answer.json()["data"] if answer.status_code == 200 else []


def error(answer: requests.Response) -> tuple[int, str, dict[str, Any]]:
    body = answer.json()
    assert set(body) == {"code", "details", "message", "status"}
    assert body["status"] == "error"
    return answer.status_code, body["code"], body["details"]
