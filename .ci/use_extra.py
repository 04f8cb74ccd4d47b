"""Use an installed wheel with one extra: `%load_ext` in a fresh shell, the public names, and what the extra is for."""

from __future__ import annotations

import subprocess
import sys
import time
from importlib.util import find_spec
from pathlib import Path

PACKAGES = {
    "demo": "flask",
    "lab": "jupyterlab",
    "keyring": "keyring",
    "polars": "polars",
    "sync": "duckdb",
    "xlsx": "openpyxl",
    "delta": "deltalake",
    "dask": "dask",
    "remote": "fsspec",
}
"""Extra -> a package that it brings. An extra that is not in the table only has to install and load."""
LIMIT_SECONDS = 2.0


def main(extra: str) -> None:
    """Raise AssertionError for anything that a new user would stumble over."""
    import zoho_magic

    assert Path.cwd().resolve() in Path(zoho_magic.__file__).resolve().parents, "not the installed wheel"
    for name in zoho_magic.__all__:
        assert getattr(zoho_magic, name) is not None, name
    assert extra not in PACKAGES or find_spec(PACKAGES[extra]), f"the extra {extra} brings no {PACKAGES[extra]}"
    if extra != "demo":
        _demo_names_its_extra()
    print(f"extra {extra}: works; import zoho_magic takes {_import_seconds():.3f} s")


def _demo_names_its_extra() -> None:
    from IPython.core.interactiveshell import InteractiveShell

    if find_spec("flask") is not None:
        return
    shell = InteractiveShell.instance()
    shell.run_line_magic("load_ext", "zoho_magic")
    error = shell.run_cell("%zoho_demo").error_in_exec
    assert "zoho_magic[demo]" in str(error), error


def _import_seconds() -> float:
    """The best of five: how much longer Python takes with the import than without."""

    def best(code: str) -> float:
        return min(_timed(code) for _ in range(5))

    seconds = max(0.0, best("import zoho_magic") - best("pass"))
    assert seconds < LIMIT_SECONDS
    return seconds


def _timed(code: str) -> float:
    start = time.perf_counter()
    subprocess.run([sys.executable, "-c", code], check=True)
    return time.perf_counter() - start


if __name__ == "__main__":
    main(sys.argv[1])
