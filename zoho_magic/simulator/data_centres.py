"""The data centres a simulated Zoho can have, by the `location` its answers carry."""

from __future__ import annotations

__all__ = ["LOCATIONS"]

# Those of Zoho's multi-DC pages and serverinfo; the names are for people, on the consent page.
LOCATIONS = {
    "us": "United States",
    "eu": "Europe",
    "in": "India",
    "au": "Australia",
    "jp": "Japan",
    "cn": "China",
    "ca": "Canada",
    "sa": "Saudi Arabia",
    "uk": "United Kingdom",
    "ae": "United Arab Emirates",
    "sg": "Singapore",
}
