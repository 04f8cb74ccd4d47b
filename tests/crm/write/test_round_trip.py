"""Records that are pulled, kept in a file, read back and pushed unchanged change nothing."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Callable, Iterator
from typing import Any

import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.support.push_env import hurry, stored, world
from zoho_magic.session import ZohoSession
from zoho_magic.simulator import Simulator

World = tuple[Simulator, ZohoSession]
# The largest float is infinite once Excel or pandas' JSON has rounded it; bulk write splits choices at semicolons.
LEFT_OUT = {"records": ["Calibration"], "bulk": ["Calibration", "Products_Interested", "Tag"]}
TEXTS = {"id", "Tax_Number", "Zip_Code", "Billing_Zip", "Shipping_Zip", "Mailing_Zip"}
STAMPS = {"Modified_Time", "Modified_By", "Full_Name", "Last_Activity_Time"}


@pytest.fixture(scope="module")
def zoho() -> Iterator[World]:
    with pytest.MonkeyPatch.context() as patch:
        hurry(patch)
        with world(rows=40) as opened:
            yield opened


# Files, as people write and read them


def _csv_text(frame: pd.DataFrame) -> io.StringIO:
    # pandas 2.2 writes the year 1 without its zeros.
    return io.StringIO(re.sub(r"(?m)(?<![^,])1-01-01(?=,|$)", "0001-01-01", frame.to_csv(index=False)))


def csv(frame: pd.DataFrame) -> pd.DataFrame:
    return pd.read_csv(_csv_text(frame), dtype={name: str for name in ids(frame)})


def csv_of_text(frame: pd.DataFrame) -> pd.DataFrame:
    return pd.read_csv(_csv_text(frame), dtype=str, keep_default_na=False)


def excel(frame: pd.DataFrame) -> pd.DataFrame:
    pytest.importorskip("openpyxl")
    file = io.BytesIO()
    frame = frame.drop(columns="Description", errors="ignore")  # XML has no carriage returns
    naive = frame.assign(**{name: frame[name].map(_iso) for name in moments(frame)})  # Excel has no time zones
    naive.to_excel(file, index=False)
    return pd.read_excel(file, dtype={name: str for name in ids(frame)})


def parquet(frame: pd.DataFrame) -> pd.DataFrame:
    file = io.BytesIO()
    frame.to_parquet(file)
    return pd.read_parquet(file)


def json_records(frame: pd.DataFrame) -> pd.DataFrame:
    text = frame.to_json(orient="records", date_format="iso", double_precision=15)
    return pd.DataFrame(json.loads(text))


def test_numbers_in_a_text_field_are_said_because_they_may_have_lost_zeros(zoho: World) -> None:
    frame = pd.read_csv(io.StringIO("Last_Name,Zip_Code,Phone\nA,01067,\nB,05012,"))
    for dry_run in (True, False):
        report = zoho[1].push("Leads", frame, "insert", dry_run=dry_run)
        told = " ".join(report.attrs["warnings"])
        assert "Zip_Code holds numbers and is written as text: leading zeros are lost" in told
        assert "Phone" not in told
    text = frame.assign(Zip_Code=["01067", "05012"])
    assert zoho[1].push("Leads", text, "insert", dry_run=True).attrs["warnings"] == []


def python_records(frame: pd.DataFrame) -> list[dict[str, Any]]:
    return frame.to_dict("records")


FILES: dict[str, Callable[[pd.DataFrame], Any]] = {
    "csv": csv, "csv read as text": csv_of_text, "excel": excel, "parquet": parquet, "json": json_records,
    "records": python_records,
}  # fmt: skip


def ids(frame: pd.DataFrame) -> list[str]:
    return [name for name in frame.columns if name in TEXTS or name.endswith(".id")]


def moments(frame: pd.DataFrame) -> list[str]:
    return [name for name in frame.columns if isinstance(frame[name].dtype, pd.DatetimeTZDtype)]


def _iso(moment: Any) -> Any:
    return None if pd.isna(moment) else moment.isoformat()


def content(sim: Simulator, module: str) -> dict[str, dict[str, Any]]:
    rows = stored(sim, module)
    return {key: {name: cell for name, cell in row.items() if name not in STAMPS} for key, row in rows.items()}


@pytest.mark.parametrize("via", ["records", "bulk"])
@pytest.mark.parametrize("file", list(FILES))
@pytest.mark.parametrize("module", ["Leads", "Contacts", "Accounts", "Deals", "Products"])
def test_an_unchanged_file_changes_nothing(zoho: World, module: str, file: str, via: Any) -> None:
    sim, session = zoho
    frame = session.pull(module).drop(columns=LEFT_OUT[via], errors="ignore")
    before = content(sim, module)
    report = session.push(module, FILES[file](frame), "update", via=via)
    refused = report.failed
    assert set(refused["message"].str.slice(0, 24)) <= {"no active user has the i"}, refused.to_string()
    assert report.counts["succeeded"] > 0
    assert content(sim, module) == before


# Cells of every kind of field


TEXT = st.text(
    st.characters(exclude_categories=("Cs", "Cc")) | st.sampled_from("\n\t;,'\"[]{}"), min_size=1, max_size=30
).filter(lambda text: text.strip() == text and text.lower() not in NOTHING)
NOTHING = {
    "nan",
    "null",
    "na",
    "n/a",
    "none",
    "<na>",
    "#n/a",
    "-nan",
    "",
    "#na",
    "-1.#ind",
    "1.#qnan",
    "-1.#qnan",
    "1.#ind",
}
NAMES = st.lists(st.sampled_from(("VIP", "Hot lead", "it's", 'say "x"', "Ünï")), min_size=1, max_size=3, unique=True)
CELLS = st.fixed_dictionaries(
    {
        "Company": TEXT.filter(lambda text: not is_number(text)),
        "Description": TEXT.filter(lambda text: not is_number(text)),
        "No_of_Employees": st.integers(-(10**8), 10**8),
        "Annual_Revenue": st.floats(-1e9, 1e9, allow_nan=False).map(lambda number: round(number, 2)),
        "Email_Opt_Out": st.booleans(),
        "Next_Follow_Up": st.datetimes(
            min_value=pd.Timestamp("1990-01-01").to_pydatetime(), max_value=pd.Timestamp("2090-01-01").to_pydatetime()
        ).map(lambda moment: pd.Timestamp(moment.replace(microsecond=0), tz="UTC")),
        "Products_Interested": st.lists(
            st.sampled_from(("Inverters", "Monitoring")), min_size=1, max_size=2, unique=True
        ),
        "Tag": NAMES,
    }
)


def is_number(text: str) -> bool:
    try:
        float(text.replace("_", "x"))
    except ValueError:
        return text.lower() in ("true", "false")
    return True


@settings(
    max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow], deadline=None
)
@given(rows=st.lists(CELLS, min_size=1, max_size=4), file=st.sampled_from(list(FILES)))
def test_cells_of_every_kind_come_back_as_they_were(zoho: World, rows: list[dict[str, Any]], file: str) -> None:
    sim, session = zoho
    if file == "excel":  # what an XML file cannot hold, and what openpyxl takes for a formula
        rows = [{**row, "Company": "x", "Description": "y"} for row in rows]
    made = session.push("Leads", [{"Last_Name": "R", **row} for row in rows], "insert").raise_for_failed()
    before = {key: row for key, row in content(sim, "Leads").items() if key in set(made["id"])}
    names = [name for name in rows[0] if name != "Tag"] + ["Tag"]
    pulled = session.pull("Leads", fields=names, via="records")
    frame = pulled[pulled["id"].isin(made["id"])]
    report = session.push("Leads", FILES[file](frame), "update")
    assert report.counts["failed"] == 0, report.failed.to_string()
    after = {key: row for key, row in content(sim, "Leads").items() if key in set(made["id"])}
    session.push("Leads", made, "delete")
    assert after == before
