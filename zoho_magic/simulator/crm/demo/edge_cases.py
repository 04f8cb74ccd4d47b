"""Awkward but legal values, put into fixed rows so that every way of reading must survive them."""

from __future__ import annotations

from collections.abc import MutableMapping, Sequence
from datetime import datetime, timezone
from typing import Any

__all__ = ["insert_edge_cases"]


def _at(*when: int) -> int:
    return int((datetime(*when, tzinfo=timezone.utc) - datetime(1970, 1, 1, tzinfo=timezone.utc)).total_seconds())  # type: ignore[misc, arg-type]


EDGE_CASES: dict[str, tuple[dict[str, Any], ...]] = {
    "Leads": (
        {"Last_Name": "O'Brien \"Obi\"", "Company": "Commas, Quotes & Sons; \"Ltd\"", "Date_of_Birth": "1889-04-20"},
        {"Last_Name": "Ångström-李", "Description": "line one\nline two\r\nline three", "Contract_End": "2262-04-12"},
        {"Last_Name": "Null", "First_Name": "None", "Company": "NaN", "Contract_End": "9999-12-31"},
        {"Last_Name": "True", "Calibration": 1.7976931348623157e308, "Tax_Number": 999999999999999999},
        {"Last_Name": "007", "Calibration": 5e-324, "No_of_Employees": 0, "Zip_Code": "01067"},
        {"Last_Name": "=1+1", "Calibration": -0.0, "Annual_Revenue": 0, "Date_of_Birth": "1969-12-31"},
        {"Last_Name": "Früh", "Next_Follow_Up": _at(2026, 3, 29, 0, 59, 59), "Tag": "öko-bonus\x1fa,b;c"},
        {"Last_Name": "Spät", "Next_Follow_Up": _at(2026, 3, 29, 1, 0, 0),
         "Products_Interested": "Storage, residential\x1fR&D; prototypes"},
        {"Last_Name": "Herbst", "Next_Follow_Up": _at(2026, 10, 25, 0, 30, 0)},
        {"Last_Name": "Winter", "Next_Follow_Up": _at(2026, 10, 25, 1, 30, 0), "Description": ""},
        {"Last_Name": "Far", "Next_Follow_Up": _at(2300, 1, 1, 12, 0, 0), "Date_of_Birth": "0001-01-01"},
        {"Last_Name": "Early", "Next_Follow_Up": _at(1903, 6, 1, 12, 0, 0), "Calibration": 0.1},
    ),
    "Deals": (
        {"Signed_At": _at(2026, 11, 1, 8, 30, 0)}, {"Signed_At": _at(2026, 11, 1, 9, 30, 0)}, {"Amount": 0},
        {"Amount": 12345.67},
    ),
}  # fmt: skip


def insert_edge_cases(module: str, columns: MutableMapping[str, Sequence[Any]]) -> None:
    """Overwrite a few cells of the module's first rows; those of Leads are left unconverted, so all see them."""
    for row, cells in enumerate(EDGE_CASES.get(module, ())):
        for name, value in _cells(module, cells).items():
            column = columns[name]
            if row < len(column) and isinstance(column, list):
                column[row] = value


def _cells(module: str, cells: dict[str, Any]) -> dict[str, Any]:
    plain = {"Converted__s": 0, "Converted_Date_Time": None, "Converted_Account": None, "Converted_Contact": None,
             "Converted_Deal": None, "Lead_Conversion_Time": None}  # fmt: skip
    return {**(plain if module == "Leads" else {}), **cells}
