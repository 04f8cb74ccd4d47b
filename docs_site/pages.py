"""The pages that are made from the code. To add one, add a row to `PAGES` and the page to the nav of mkdocs.yml."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

from . import errors_page, magics_page, python_pages, settings_page, simulator_page, types_page
from .markdown import table

ROOT = Path(__file__).parents[1]


def data_centres() -> str:
    """Every data centre with its addresses."""
    from zoho_magic import DATA_CENTRES

    rows = [
        (
            f"`{dc.name}`",
            dc.display_name,
            _lines(f"{name}: {url}" for name, url in dc.api_urls.items()),
            dc.accounts_url,
            dc.console_url,
            dc.upload_url or "none named",
            "yes" if dc.documented else "no, only third parties name its hosts",
        )
        for dc in DATA_CENTRES.values()
    ]
    heads = ("`ZOHO_DC`", "Place", "CRM API", "Accounts server", "API console", "Bulk upload", "In Zoho's documents")
    return f"{_DATA_CENTRES}\n{table(heads, rows)}\n"


def copied(name: str) -> Callable[[], str]:
    """A file of the repository as a page."""
    return lambda: (ROOT / name).read_text(encoding="utf-8").replace("(SECURITY.md)", "(security-policy.md)")


def _lines(parts: Iterable[str]) -> str:
    return "<br>".join(parts)


_DATA_CENTRES = """\
# Data centres

An account lives in one of Zoho's data centres: the one whose address you sign in to (`crm.zoho.eu` is `eu`). Set `ZOHO_DC`
to the first column; `%zoho_login` finds it for you. A secret is sent to the hosts in this table over https, or to this
machine, and to no other host. `zoho_magic.DATA_CENTRES` is the same table in Python.
"""

PAGES: dict[str, Callable[[], str]] = {
    "reference/magics.md": magics_page.make,
    "reference/settings.md": settings_page.make,
    "reference/errors.md": errors_page.make,
    "reference/types.md": types_page.make,
    "reference/data-centres.md": data_centres,
    "reference/simulator.md": simulator_page.make,
    **python_pages.pages(),
    "about/changelog.md": copied("CHANGELOG.md"),
    "about/contributing.md": copied("CONTRIBUTING.md"),
    "about/security-policy.md": copied("SECURITY.md"),
}
