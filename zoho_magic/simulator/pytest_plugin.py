"""The pytest fixture `zoho_simulator`: a Zoho of its own for every test that asks for one."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from .simulator import Simulator

MARKER = "zoho_simulator(**settings): settings of the fixture zoho_simulator, those of zoho_magic.simulator.Simulator"


def pytest_configure(config: pytest.Config) -> None:
    """Make the marker known."""
    config.addinivalue_line("markers", MARKER)


@pytest.fixture
def zoho_simulator(request: pytest.FixtureRequest) -> Iterator[Simulator]:
    """A running local Zoho with 100 leads and what goes with them, new for this test and stopped after it.

    `zoho_simulator.url` is its address, `connection()` has a client id, a client secret and a refresh token,
    `options` what it does where Zoho's documents are silent, `faults.add(...)` makes calls fail, `clock.advance(3600)`
    makes an hour pass, `traffic.calls` is what was asked. The marker takes `Simulator`'s parameters.

    Example:
        @pytest.mark.zoho_simulator(rows=5, behaviour="worst")
        def test_reads_leads(zoho_simulator):
            headers = {"Authorization": f"Zoho-oauthtoken {zoho_simulator.access_token()}"}
            answer = requests.get(f"{zoho_simulator.url}/crm/v8/Leads?fields=Email", headers=headers)
            assert len(answer.json()["data"]) <= 5
    """
    try:
        from .simulator import Simulator
    except ImportError as error:
        pytest.fail(f"zoho_simulator needs the extra demo: pip install 'zoho_magic[demo]' ({error})", pytrace=False)
    marker = request.node.get_closest_marker("zoho_simulator")
    with Simulator(**{"rows": 100, **(marker.kwargs if marker else {})}) as simulator:
        yield simulator
