"""The page of the simulator: its command line, its options and its classes."""

from __future__ import annotations

import json

from .markdown import escaped, table

HEAD = """\
# The simulator

A local Zoho over real HTTP on this machine: accounts server (OAuth), CRM API v8, COQL, bulk jobs, and a demo organisation. It
shares no code with the client, and it is not a product of Zoho Corporation. How to use it in your own tests:
[Test your own code on the simulator](../how-to/simulator.md). It needs the extra `demo`.

## Command line

```text
{usage}
```

## Python

::: zoho_magic.simulator.simulator.Simulator
    options: {{heading_level: 3, inherited_members: false}}

::: zoho_magic.simulator.faults.Fault
    options: {{heading_level: 3}}

::: zoho_magic.simulator.faults.Faults
    options: {{heading_level: 3}}

::: zoho_magic.simulator.clock.Clock
    options: {{heading_level: 3}}

::: zoho_magic.simulator.traffic.RequestLog
    options: {{members: [count, clear], heading_level: 3}}

::: zoho_magic.simulator.traffic.LoggedRequest
    options: {{heading_level: 3}}

::: zoho_magic.simulator.pytest_plugin.zoho_simulator
    options: {{heading_level: 3}}

## Options

Where Zoho's documents leave something open, or reports from real accounts contradict them, it is an option. Pass
`Options(name=value)` to `Simulator`, `--option name=value` on the command line, or set `simulator.options.name` while it
runs. `behaviour="worst"` sets every value of the third column: a client that copes with it copes with the least kind
answers that anybody has reported.

{options}
"""


def make() -> str:
    """Command line, classes and options."""
    from zoho_magic.simulator import Options
    from zoho_magic.simulator.__main__ import _parser

    rows = [
        (f"`{name}`", _value(default), "" if worst is None else _value(worst), escaped(doc))
        for name, default, worst, doc in Options.rows()
    ]
    options = table(("Option", "Default", "worst", "What it does"), rows)
    usage = _parser().format_help().partition("\noptions for --option")[0]
    return HEAD.format(usage=usage, options=options)


def _value(value: object) -> str:
    return f"`{json.dumps(value)}`"
