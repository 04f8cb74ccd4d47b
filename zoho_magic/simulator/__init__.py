"""A local Zoho over real HTTP on loopback: accounts server, CRM API v8, COQL, bulk jobs, and faults on request.

It is an independent reading of Zoho's documentation and shares no code with the client it serves. Anything that speaks
HTTP can use it. In a test, with the fixture that comes with the package (extra `demo`):

    @pytest.mark.zoho_simulator(rows=50, behaviour="worst")          # the marker is optional
    def test_my_sync(zoho_simulator):
        zoho_simulator.faults.add(Fault("/crm/v8/Leads", status=500, times=2))
        run_my_sync(**zoho_simulator.connection())
        assert zoho_simulator.traffic.count("GET", "/crm/v8/Leads", 200) == 1

In a script, with requests:

    with Simulator(rows=100) as zoho:
        headers = {"Authorization": f"Zoho-oauthtoken {zoho.access_token()}"}
        requests.get(f"{zoho.url}/crm/v8/Leads", params={"fields": "Email"}, headers=headers)

With Zoho's official SDK, whose environment takes the addresses of a data centre:

    here = DataCenter.Environment(zoho.url, zoho.url + "/oauth/v2/token", zoho.url)
    token = OAuthToken(zoho.client_id, zoho.client_secret, refresh_token=zoho.refresh_token())
    Initializer.initialize(here, token, FileStore("tokens.csv"), SDKConfig(), ".")

From a shell: `python -m zoho_magic.simulator --help`.

- `options` (module options): what Zoho's documents leave open, one row each; `behaviour="worst"` sets the least kind.
- `faults.add(Fault(...))`: status codes, cut connections, delays, truncated bodies, at a path, so many times.
- `clock.advance(seconds)`: tokens expire, limits recover and bulk jobs end without waiting.
- `traffic.calls`: what was asked, without secrets; `record=FILE` also writes it as JSON lines.
- `crm.rows("Leads")`, `crm.count("Leads")`: what the tables really hold, to compare an answer with.

Names are imported at first use, so that pytest, which loads the plugin in this package, does not import a web server
for every project.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .clock import Clock
    from .faults import Fault
    from .options import Options
    from .simulator import Simulator

__all__ = ["Clock", "Fault", "Options", "Simulator"]
_MODULES = {"Clock": "clock", "Fault": "faults", "Options": "options", "Simulator": "simulator"}


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f".{_MODULES[name]}", __name__), name)
