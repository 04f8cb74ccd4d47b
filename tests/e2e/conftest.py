"""A real JupyterLab for the tests that ask for one; where it cannot be had they skip, and fail where they must run."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from tests.e2e.lab import Lab, lacking


@pytest.fixture(scope="session")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """One server and one browser for all tests of a run."""
    if missing := lacking():
        stop = pytest.fail if os.environ.get("CI") == "true" else pytest.skip
        stop(f"needs {missing}: pip install '.[test]' and apt-get install chromium")
    with Lab(tmp_path_factory.mktemp("lab")) as running:
        yield running
