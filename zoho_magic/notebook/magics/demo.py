"""The magic of the demo: a simulator in this kernel."""

from __future__ import annotations

from argparse import Namespace
from typing import TYPE_CHECKING

from IPython.core.magic import Magics

from ..magic_parser import magic, option
from .options import positive_int

if TYPE_CHECKING:
    from ...status import Status

__all__ = ["DemoMagics"]


class DemoMagics(Magics):
    """The simulator with sample data."""

    @magic(
        option("--rows", type=positive_int, default=2000, metavar="N", help="how many leads the demo org has (2000)"),
        option("--stop", action="store_true", help="stop it and go back to your own account"),
    )
    def zoho_demo(self, line: Namespace) -> Status:
        """A Zoho of your own on this machine: everything works, nothing leaves it, no account needed.

        Examples::

            %zoho_demo
            %zoho_demo --stop
        """
        from .. import demo

        return demo.stop() if line.stop else demo.start(line.rows)
