"""A run that is killed at any moment leaves a whole copy, and the next run makes it equal to a fresh pull.

`ZOHO_KILLS=50 pytest tests/mirror/test_sync_killed.py` kills as often as that for each target.
"""

from __future__ import annotations

import os
import random
import subprocess
import sys
import time
from pathlib import Path

import pytest

pytest.importorskip("duckdb")

from tests.support.mirror_env import TARGETS, copy_of, differences
from tests.support.pull_env import world, write_env
from zoho_magic.session import ZohoSession
from zoho_magic.simulator import Simulator

ROOT = Path(__file__).parents[2]
CHILD = ROOT / "tests" / "support" / "sync_child.py"
KILLS = int(os.environ.get("ZOHO_KILLS", "1"))


def start_child(to: str, via: str) -> subprocess.Popen[str]:
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    child = subprocess.Popen(
        [sys.executable, str(CHILD), to, via],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=environment,
    )
    assert child.stdout is not None
    assert child.stdout.readline() == "ready\n"
    return child


def run_child(to: str, via: str, seconds: float | None = None) -> float:
    """Let a child synchronise, and kill it after some seconds; how long it ran."""
    with start_child(to, via) as child:
        assert child.stdin is not None
        began = time.monotonic()
        child.stdin.write("\n")
        child.stdin.flush()
        try:
            child.wait(seconds)
        except subprocess.TimeoutExpired:
            child.kill()
    return time.monotonic() - began


def change(sim: Simulator, zoho: ZohoSession, chance: random.Random) -> None:
    """Some updates, deletions and inserts."""
    keys = [row["id"] for row in sim.crm.rows("Leads") if not row["Converted__s"]]
    chosen = chance.sample(keys, 12)
    rows = [{"id": key, "Company": f"Firm {chance.random()}"} for key in chosen[:9]]
    assert zoho.request("PUT", "/crm/v8/Leads", json={"data": rows}).status_code == 200
    assert zoho.request("DELETE", "/crm/v8/Leads", params={"ids": ",".join(chosen[9:])}).status_code == 200
    fresh = [{"Last_Name": f"New {number}"} for number in range(3)]
    assert zoho.request("POST", "/crm/v8/Leads", json={"data": fresh}).status_code == 201
    sim.clock.advance(60)


@pytest.mark.parametrize("to", TARGETS)
@pytest.mark.parametrize("first", [True, False], ids=["first", "later"])
def test_a_killed_run_costs_nothing(to: str, first: bool) -> None:
    chance = random.Random(len(to) + first)
    via = "bulk" if first else "auto"
    with world(rows=300, bulk_page_rows=40, active_tokens=10**6, access_tokens_per_window=10**6) as (sim, zoho):
        write_env(sim, Path())
        usual = run_child(to, via)
        for number in range(KILLS):
            before = copy_of(to)
            change(sim, zoho, chance)
            if first:
                for path in Path().glob(f"*{to.partition('::')[0]}*"):
                    path.unlink()
            run_child(to, via, usual * (number + chance.random()) / KILLS)
            path = Path(to.partition("::")[0])
            if not first:
                assert len(copy_of(to)) in (len(before), sim.crm.count("Leads"))  # the old or the new, nothing between
            elif to.endswith(".parquet") and path.exists():
                assert len(copy_of(to)) == sim.crm.count("Leads")
            zoho.sync("Leads", to=to, via=via)
            assert differences(zoho, to, via="bulk" if first else "coql") == []
            assert not [p.name for p in Path().iterdir() if p.name.startswith(".") and p.name != ".env"]
