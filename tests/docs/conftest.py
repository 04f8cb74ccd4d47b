"""A Zoho with enough rows for the examples."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from zoho_magic.simulator import Simulator


@pytest.fixture
def simulator() -> Iterator[Simulator]:
    """A local Zoho whose bulk jobs end at once."""
    with Simulator(rows=200) as zoho:
        zoho.options.job_seconds = 0.0
        yield zoho
