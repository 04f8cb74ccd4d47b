"""Optional packages: which extra brings each of them."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from ..errors import MissingDependency

__all__ = ["EXTRAS", "load"]

EXTRAS = {
    "duckdb": "sync",
    "openpyxl": "xlsx",
    "deltalake": "delta",
    "dask.dataframe": "dask",
    "polars": "polars",
    "fsspec": "remote",
}
"""Package -> the extra of `zoho_magic` that installs it. To add one, add a line here and one in pyproject.toml."""


def load(package: str, purpose: str) -> Any:
    """The package. Raises MissingDependency with the command that installs it.

    Example::

        >>> load("json", "nothing at all").__name__
        'json'
    """
    try:
        return import_module(package)
    except ModuleNotFoundError as error:
        missing = error.name or package
    extra = EXTRAS[package]
    raise MissingDependency(
        f"{purpose} needs the package {missing.partition('.')[0]}, which is not installed.",
        hint=f'Run: %pip install "zoho_magic[{extra}]"',
    )
