"""The leads that every contestant upserts: ten fields, no two alike."""

import pandas as pd


def frame(rows):
    """So many leads."""
    places = range(rows)
    return pd.DataFrame(
        {
            "Last_Name": [f"Benchmark {n}" for n in places],
            "First_Name": [f"First {n % 997}" for n in places],
            "Email": [f"benchmark{n}@example.com" for n in places],
            "Company": [f"Company {n % 199}" for n in places],
            "Phone": [f"+49 30 {n:07d}" for n in places],
            "City": "Berlin",
            "Description": [f"Row {n}: " + "a text of a usual length, " * 4 for n in places],
            "No_of_Employees": [n % 5000 for n in places],
            "Annual_Revenue": [n * 1.25 for n in places],
            "Email_Opt_Out": [n % 2 == 0 for n in places],
        }
    )
