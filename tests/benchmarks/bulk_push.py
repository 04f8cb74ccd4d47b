"""How long a push of many rows takes by bulk write on the simulator, which runs in the same process.

    python -m tests.benchmarks.bulk_push                 # 100,000 leads
    python -m tests.benchmarks.bulk_push --rows 25000 --action upsert

Prints seconds of the call, its API calls and credits, and what the report says; it fails where a row was not written.
"""

from __future__ import annotations

import argparse
import time

import pandas as pd

from tests.support.push_env import world


def leads(rows: int) -> pd.DataFrame:
    """Leads with six fields of five types."""
    places = range(rows)
    return pd.DataFrame(
        {
            "Last_Name": [f"Pushed {n}" for n in places],
            "Email": [f"pushed{n}@example.com" for n in places],
            "Company": "Northwind",
            "City": [f"City {n % 500}" for n in places],
            "No_of_Employees": list(places),
            "Annual_Revenue": [n * 1.5 for n in places],
        }
    )


def main() -> None:
    """Push, and print what it took."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--action", choices=("insert", "upsert"), default="insert")
    asked = parser.parse_args()
    frame = leads(asked.rows)
    with world(rows=0) as (_, zoho):
        started = time.perf_counter()
        on = "Email" if asked.action == "upsert" else None
        report = zoho.push("Leads", frame, asked.action, on=on, via="bulk", progress=False)
        seconds = time.perf_counter() - started
    report.raise_for_failed()
    print(f"{asked.rows:,} rows, {asked.action}: {seconds:.1f} s, {report.attrs['calls']} calls, ", end="")
    print(f"{report.attrs['credits']:,} credits; {report.counts}")


if __name__ == "__main__":
    main()
