"""What a session's calls were and cost: the frame, its magic and the log, held against what the simulator counted."""

from __future__ import annotations

import json
import stat
from collections import Counter
from pathlib import Path

import pytest

from tests.support.ipython_shell import open_shell
from tests.support.pull_env import world
from zoho_magic.errors import ApiError, ConfigurationError, QueryError
from zoho_magic.http.call_log import route_of
from zoho_magic.session_registry import use_session


def test_usage_counts_what_zoho_counts_by_magic_and_route() -> None:
    with world(rows=300) as (sim, zoho), open_shell() as shell:
        use_session(zoho)
        shell.run("%load_ext zoho_magic")
        shell.run("leads = %zoho_pull Leads --fields Last_Name")
        shell.run("gone = %zoho_pull Leads --deleted")
        zoho.pull("Deals", via="bulk", fields=["Deal_Name"])
        with pytest.raises((ApiError, QueryError)):
            zoho.request("GET", "/crm/v8/Leads/554023000000000999/Nonsense")
        used = shell.run("%zoho --usage")
        seen = Counter((call.method, route_of(call.path)) for call in sim.traffic.calls)
        assert dict(used.groupby(["method", "route"])["calls"].sum()) == seen
        # Whether the status and the file of a bulk job cost a credit is not documented: the simulator says so.
        charged = sum(call.credits for call in sim.traffic.calls if not call.path.startswith("/crm/bulk/v8/read/"))
        assert used.attrs["credits"] == used["credits"].sum() == charged
        assert {"%zoho_pull", ""} <= set(used["magic"])
        by_route = used.set_index("route")["credits"]
        assert by_route["/crm/bulk/v8/read"] == 50
        assert by_route["/crm/v8/Leads/deleted"] == 2
        assert used["failed"].sum() == 1
        assert used.attrs["token_requests"] == seen["POST", "/oauth/v2/token"] == 1
        assert "API credits, not told by Zoho yet left today; 1 token request." in shell.shown


def test_a_log_has_a_line_for_each_call_and_no_value_or_secret(tmp_path: Path) -> None:
    with world(rows=30) as (sim, zoho), open_shell() as shell:
        use_session(zoho)
        shell.run("%load_ext zoho_magic")
        path = tmp_path / "calls.jsonl"
        shell.run(f"%zoho --log-calls {path}")
        frame = zoho.pull("Leads", where="Last_Name != 'Valuable'")
        zoho.request("GET", f"/crm/v8/Leads/{frame['id'][0]}", params={"fields": "Email"})
        zoho.log_calls(None)
        zoho.modules(refresh=True)
        text = path.read_text(encoding="utf-8")
        lines = [json.loads(line) for line in text.splitlines()]
        assert lines[-1]["route"] == "/crm/v8/Leads/{id}"
        assert (lines[-1]["status"], lines[-1]["credits"], lines[-1]["magic"]) == (200, 1, None)
        secrets = (zoho.token.headers["Authorization"].split()[-1], zoho.credentials.refresh_token.reveal())  # type: ignore[union-attr]
        assert not [word for word in (*secrets, sim.client_secret, "Valuable", frame["id"][0]) if word in text]
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        with pytest.raises(ConfigurationError, match="cannot be written"):
            zoho.log_calls(tmp_path / "missing" / "calls.jsonl")
