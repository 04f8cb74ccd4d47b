"""The magics. Each reads its line, calls one public method and returns what that returned.

To add a magic, add a method with `@magic(...)` to the class of its topic: help, `%zoho`'s list, TAB completion and
unloading follow from its declaration. To add a topic, add a module with a class and one line to `ZohoMagic`.
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
from .options import FRAMES, LAZY_FRAMES
from .people import PeopleMagics
from .reading import VIA, ReadingMagics
from .related import RelatedMagics
from .writing import WritingMagics

__all__ = ["ZohoMagic", "register", "unregister"]


@magics_class
class ZohoMagic(
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

    frame = traitlets.Enum((*FRAMES, *LAZY_FRAMES), "pandas", help="Kind of frame.").tag(config=True)
    limit = traitlets.Int(None, allow_none=True, min=1, help="At most so many rows a pull.").tag(config=True)
    via = traitlets.Enum(VIA, "auto", help="The Zoho API that a pull uses.").tag(config=True)
    profile = traitlets.Unicode(None, allow_none=True, help="Profile of every line that names none.").tag(config=True)
    notes = traitlets.Bool(True, help="Say in one line how many rows came, how, and what it cost.").tag(config=True)
    progress = traitlets.Bool(True, help="Show a progress bar.").tag(config=True)
    max_wait = traitlets.Float(
        60.0, min=0.0, help="Seconds that a call, a pull or a push waits for Zoho; an hour suits a nightly job."
    ).tag(config=True)

    @property
    def defaults(self) -> dict[str, Any]:
        """What stands for an option that a line does not have."""
        return {name: getattr(self, name) for name in ("frame", "limit", "via", "profile")}

    @traitlets.observe("max_wait")
    def _use_max_wait(self, change: Any) -> None:
        set_max_wait(change["new"])


def register(ip: Any) -> None:
    """Add the magics to a shell; `%config ZohoMagic` and the shell's configuration files set their options."""
    ip.register_magics(ZohoMagic(shell=ip, parent=ip))


def unregister(ip: Any) -> None:
    """Take them away again. A running simulator stays until the kernel ends, so that %reload_ext keeps the demo."""
    for kind, methods in ZohoMagic.magics.items():
        for name in methods:
            ip.magics_manager.magics[kind].pop(name, None)
    ours = ip.magics_manager.registry.pop(ZohoMagic.__name__, None)
    ip.configurables[:] = [one for one in ip.configurables if one is not ours]
