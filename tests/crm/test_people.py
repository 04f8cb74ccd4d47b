"""Users, roles, profiles, territories, currencies, business hours and deleted records, from Python and by magic."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from tests.support.ipython_shell import Shell
from tests.support.pull_env import TEXT, connect, world
from zoho_magic.errors import AuthError, QueryError, TransportError
from zoho_magic.session import ZohoSession
from zoho_magic.simulator import Options, Simulator
from zoho_magic.simulator.crm.recycle_bin import DeletedRecord

LISTS = ("users", "roles", "profiles", "territories", "currencies", "business_hours")


@pytest.fixture(scope="module", params=["documented", "worst"])
def org(request: pytest.FixtureRequest) -> Any:
    options = Options(users_forbidden=False).apply(request.param)
    options.users_forbidden = False
    with world(rows=40, **vars(options) | {"credit_limit": 10**9, "job_seconds": 0.0}) as (sim, zoho):
        yield sim, zoho


def test_users_join_owners_and_none_is_missing(org: tuple[Simulator, ZohoSession]) -> None:
    sim, zoho = org
    users = zoho.users()
    assert list(users["id"]) == [str(key) for key in sim.crm.users]
    assert users["status"].value_counts().to_dict() == {"active": 9, "disabled": 1, "deleted": 1}
    assert str(users["confirm"].dtype) == "boolean"
    assert users["created_time"].dtype == "datetime64[us, UTC]"
    leads = zoho.pull("Leads", fields=["Owner"])
    assert leads["Owner.id"].isin(users["id"]).all()
    joined = users.merge(zoho.roles(), left_on="role.id", right_on="id", suffixes=("", "_role"), validate="m:1")
    assert (joined["role"] == joined["name"]).all()
    assert users["profile.id"].isin(zoho.profiles()["id"]).all()


def test_territories_come_in_all_pages_with_their_tree(org: tuple[Simulator, ZohoSession]) -> None:
    _, zoho = org
    found = zoho.territories()
    assert list(found["name"]) == ["Global", "Americas", "EMEA", "APAC"]
    assert set(found["reporting_to.id"].dropna()) == {found["id"][0]}
    assert found["manager.id"].isin(zoho.users()["id"]).all()


def test_currencies_join_records_and_rates_are_numbers(org: tuple[Simulator, ZohoSession]) -> None:
    _, zoho = org
    found = zoho.currencies()
    assert str(found["exchange_rate"].dtype) == "Float64"
    assert found.set_index("iso_code")["exchange_rate"]["EUR"] == 0.92
    assert list(found["iso_code"][found["is_base"]]) == ["USD"]
    assert zoho.pull("Deals", fields=["Currency"])["Currency"].isin(found["iso_code"]).all()


def test_business_hours_are_a_week(org: tuple[Simulator, ZohoSession]) -> None:
    _, zoho = org
    week = zoho.business_hours()
    assert list(week["business_day"]) == [True] * 5 + [False] * 2
    assert set(week["opens"].dropna()) == {"09:00"}
    assert week["closes"].isna().sum() == 2
    assert set(week["time_zone"]) == {"America/Los_Angeles"}


@pytest.mark.parametrize(
    ("hours", "opens"),
    [
        ({"type": "24_by_7"}, ["00:00"] * 7),
        ({"type": "24_by_5"}, ["00:00"] * 5 + [None] * 2),
        (
            {
                "type": "custom",
                "business_days": ["Monday", "Sunday"],
                "same_as_everyday": False,
                "daily_timing": None,
                "custom_timing": [
                    {"days": "Monday", "business_timing": ["10:00", "16:00"]},
                    {"days": "Sunday", "business_timing": ["08:00", "12:00"]},
                ],
            },
            ["10:00", None, None, None, None, None, "08:00"],
        ),
    ],
)
def test_every_form_of_business_hours(hours: dict[str, Any], opens: list[str | None]) -> None:
    from zoho_magic.crm.people import _week

    assert [day["opens"] for day in _week(hours)] == opens


@pytest.mark.parametrize("name", LISTS)
def test_a_missing_scope_is_named(name: str) -> None:
    with world(rows=1) as (sim, _):
        zoho = connect(sim, "ZohoCRM.modules.READ")
        with pytest.raises(AuthError) as caught:
            getattr(zoho, name)()
        assert "ZohoCRM." in caught.value.hint
        zoho.close()


def test_a_forbidden_list_of_users_is_an_error_and_not_an_empty_frame() -> None:
    with world(rows=1, users_forbidden=True) as (_, zoho), pytest.raises(AuthError) as caught:
        zoho.users()
    assert caught.value.code == "NO_PERMISSION"


# Deleted records


def _delete(sim: Simulator, number: int, days_ago: float = 1.0) -> None:
    module = sim.crm.schema["Accounts"]
    when = sim.crm.now() - int(days_ago * 86_400)
    row = DeletedRecord(554023009000000000 + number, f"Gone {number}", None, next(iter(sim.crm.users)), when)
    sim.crm.recycle_bin.put(module, row)


def test_deleted_records_have_who_when_and_which(org: tuple[Simulator, ZohoSession]) -> None:
    _, zoho = org
    found = zoho.deleted("Leads")
    assert list(found.columns[:6]) == ["id", "name", "deleted_time", "deleted_by", "deleted_by.id", "kind"]
    assert found["kind"].value_counts().to_dict() == {"recycle": 3, "permanent": 2}
    assert found["deleted_time"].is_monotonic_decreasing
    assert found["name"].isna().sum() == 2
    assert "2 records" in found.attrs["warnings"][0]
    assert found["deleted_by.id"].dropna().isin(zoho.users()["id"]).all()
    assert len(zoho.deleted("Leads", kind="recycle")) == 3
    assert zoho.deleted("Leads", since="2100-01-01").dtypes.equals(found.dtypes)
    recent = zoho.deleted("Leads", since=found["deleted_time"][1])
    assert list(recent["id"]) == list(found["id"][:2])  # inclusive, as Zoho's header is


def test_more_than_two_thousand_deleted_records_all_come() -> None:
    with world(rows=1) as (sim, zoho):
        for number in range(2_345):
            _delete(sim, number, days_ago=number / 100)
        found = zoho.deleted("Accounts")
        assert len(found) == found["id"].nunique() == 2_345
        assert found.attrs["calls"] == 13  # twelve pages and the last one again
        assert found.attrs["credits"] == 26


def test_a_record_restored_while_pages_are_read_loses_none(monkeypatch: pytest.MonkeyPatch) -> None:
    with world(rows=1) as (sim, zoho):
        for number in range(450):
            _delete(sim, number, days_ago=number / 10)
        rows = sim.crm.recycle_bin._rows["Accounts"]
        real = sim.crm.recycle_bin.list
        asked: list[int] = []

        def restored_meanwhile(*args: Any) -> Any:
            asked.append(1)
            if len(asked) == 2:
                rows.pop(0)
            return real(*args)

        monkeypatch.setattr(sim.crm.recycle_bin, "list", restored_meanwhile)
        found = zoho.deleted("Accounts")
        assert found["id"].nunique() == 449


def test_more_promised_and_none_sent_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    from zoho_magic.simulator.crm import deleted_records

    monkeypatch.setattr(deleted_records, "numbered_page", lambda rows, _most: (rows[:0], {"more_records": True}))
    monkeypatch.setattr(
        deleted_records, "empty", lambda _status: deleted_records.answer({"data": [], "info": {"more_records": True}})
    )
    with world(rows=1) as (_, zoho), pytest.raises(TransportError, match="reported more"):
        zoho.deleted("Leads")


@pytest.mark.parametrize("wrong", [{"kind": "bin"}, {"since": "soon"}])
def test_what_deleted_refuses(org: tuple[Simulator, ZohoSession], wrong: dict[str, Any]) -> None:
    with pytest.raises(QueryError):
        org[1].deleted("Leads", **wrong)
    with pytest.raises(QueryError, match="Did you mean Leads"):
        org[1].deleted("Lead")


def test_dtypes_are_the_same_with_and_without_rows(org: tuple[Simulator, ZohoSession]) -> None:
    found = org[1].deleted("Vendors" if "Vendors" in org[1].metadata.modules() else "Tasks")
    assert len(found) == 0
    assert {str(dtype) for dtype in found.dtypes} == {TEXT, "datetime64[us, UTC]"}
    assert isinstance(found, pd.DataFrame)


def test_the_magics_show_the_same_frames(shell: Shell, env_file: Path) -> None:
    assert env_file.is_file()
    for name in ("users", "roles", "profiles", "territories", "currencies", "business_hours"):
        found = shell.run(f"%zoho_{name}")
        assert len(found) >= 1
        assert found.equals(shell.run(f"from zoho_magic import get_session; get_session().{name}()"))
    gone = shell.run("%zoho_pull Leads --deleted --since 2020-01-01")
    assert list(gone.columns[:3]) == ["id", "name", "deleted_time"]
    assert "--deleted does not go with --where" in shell.failed('%zoho_pull Leads --deleted --where "Email is null"')
