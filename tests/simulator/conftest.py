"""What the tests of the simulator share: a caller of the module's `sim`, and its options, put back after each test."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.crm_client import Client
from zoho_magic.simulator import Simulator
from zoho_magic.simulator.options import Options


@pytest.fixture(scope="module")
def zoho(sim: Simulator) -> Iterator[Client]:
    """A client of the simulator that the test's module runs."""
    with Client(sim) as client:
        yield client


@pytest.fixture
def options(sim: Simulator) -> Iterator[Options]:
    """The options of that simulator; what a test sets is as before after it."""
    before = dict(vars(sim.options))
    yield sim.options
    vars(sim.options).update(before)
