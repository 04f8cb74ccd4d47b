"""The magics. Each reads its line, calls one public method and returns what that returned.

To add a magic, add a method with `@magic(...)` to the class of its topic: help, `%zoho`'s list, TAB completion and
unloading follow from its declaration. To add a topic, add a module with a class and one line to `ZohoMagics`.
"""

from __future__ import annotations

from typing import Any

import traitlets
from IPython.core.magic import magics_class

from ...http.backoff import set_max_wait
from .connecting import ConnectingMagics
from .demo import DemoMagics
from .metadata import MetadataMagics
from .mirroring import MirroringMagics
from .people import PeopleMagics
from .reading import ReadingMagics
from .related import RelatedMagics
from .writing import WritingMagics

__all__ = ["ZohoMagics", "register", "unregister"]


@magics_class
class ZohoMagics(
    ConnectingMagics,
    MetadataMagics,
    ReadingMagics,
    WritingMagics,
    MirroringMagics,
    PeopleMagics,
    RelatedMagics,
    DemoMagics,
):
    """The `%zoho_...` family: every topic, one a line."""

    max_wait = traitlets.Float(
        60.0, min=0.0, help="Seconds that a call, a pull or a push waits for Zoho; an hour suits a nightly job."
    ).tag(config=True)

    @traitlets.observe("max_wait")
    def _use_max_wait(self, change: Any) -> None:
        set_max_wait(change["new"])


def register(ip: Any) -> None:
    """Add the magics to a shell; `%config ZohoMagics` and the shell's configuration files set their options."""
    ip.register_magics(ZohoMagics(shell=ip, parent=ip))


def unregister(ip: Any) -> None:
    """Take them away again. A running simulator stays until the kernel ends, so that %reload_ext keeps the demo."""
    for kind, methods in ZohoMagics.magics.items():
        for name in methods:
            ip.magics_manager.magics[kind].pop(name, None)
    ours = ip.magics_manager.registry.pop(ZohoMagics.__name__, None)
    ip.configurables[:] = [one for one in ip.configurables if one is not ours]
