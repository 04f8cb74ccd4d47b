"""Face 1: the magics. Each reads its line, calls one public method and returns what that returned.

To add a magic, add a method with `@magic(...)` to `ZohoMagics`: help, completion and unloading follow from it.
"""

from __future__ import annotations

from argparse import Namespace
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from IPython.core.magic import Magics, magics_class

from ..session import ZohoSession, get_session, use_session
from .line import magic, option

if TYPE_CHECKING:
    import pandas

    from ..oauth import Token
    from ..status import Status

__all__ = ["ZohoMagics", "register", "unregister"]


def _count(text: str) -> int:
    number = int(text)
    if number < 1:
        raise ValueError
    return number


_count.takes = "a whole number from 1"  # type: ignore[attr-defined]


@magics_class
class ZohoMagics(Magics):
    """The `%zoho_...` family."""

    @magic(
        option("--env", metavar="FILE", help="use this .env file from now on (its name should begin with a dot)"),
        option("--save", action="store_true", help="write to .env what could not be saved before"),
    )
    def zoho(self, line: Namespace) -> Status:
        """Who is connected, where, with what rights, until when; and the list of magics.

        Examples::

            %zoho
            %zoho --env .env.sandbox
        """
        if line.env:
            use_session(ZohoSession.from_env(line.env))
        status = get_session().save() if line.save else get_session().status()
        return replace(status, magics=tuple(f"%{name}" for name in self.magics["line"]))

    @magic(option("--ask", action="store_true", help="ask questions, for a front end that shows no widgets"))
    def zoho_setup(self, line: Namespace) -> Any:
        """Connect step by step: a form in a notebook, questions in a terminal.

        Examples::

            %zoho_setup
            %zoho_setup --ask
        """
        from .ask import setup

        return setup(get_session(), self.shell, questions=line.ask)

    @magic(
        option("code", nargs="?", metavar="CODE", help="the grant code; ZOHO_GRANT_CODE or a hidden prompt if left out")
    )
    def zoho_exchange(self, line: Namespace) -> Status:
        """Exchange a grant code for tokens; the refresh token is saved in .env.

        A grant code works once, for a few minutes, and is worthless without the client secret; that is why it, and
        nothing else, may stand on a line.

        Examples::

            %zoho_exchange 1000.…
            %zoho_exchange
        """
        from .ask import grant_code

        session = get_session()
        return session.exchange(line.code or grant_code(session))

    @magic()
    def zoho_refresh(self, _: Namespace) -> Token:
        """Mint a new access token now. Rarely needed: every call refreshes by itself.

        Example::

            %zoho_refresh
        """
        return get_session().refresh()

    @magic(option("--revoke", action="store_true", help="the same as %%zoho_revoke"))
    def zoho_token(self, line: Namespace) -> Token | Status:
        """The access token, refreshed if due; shown masked. `.headers` and `.reveal()` give it to your own code.

        Examples::

            token = %zoho_token
            requests.get("https://www.zohoapis.com/crm/v8/org", headers=token.headers)
        """
        return get_session().revoke() if line.revoke else get_session().token

    @magic(option("--forget", action="store_true", help="only forget it here and in .env, without telling Zoho"))
    def zoho_revoke(self, line: Namespace) -> Status:
        """Revoke the refresh token at Zoho, and forget it here and in .env.

        Example::

            %zoho_revoke
        """
        return get_session().forget() if line.forget else get_session().revoke()

    @magic(
        option("module", metavar="MODULE", help="API name of the module: Leads, Contacts, Deals, ..."),
        option("--fields", nargs="+", metavar="FIELD", help="API names, with spaces or commas between them"),
        option("--limit", type=_count, metavar="N", help="at most N rows"),
    )
    def zoho_pull(self, line: Namespace) -> pandas.DataFrame:
        """Records of a module as a DataFrame, typed by the module's field metadata.

        Examples::

            leads = %zoho_pull Leads
            %zoho_pull Deals --fields Deal_Name Stage Amount --limit 50
        """
        fields = [name for word in line.fields or () for name in word.split(",") if name]
        return get_session().pull(line.module, fields=fields or None, limit=line.limit)

    @magic(
        option("--rows", type=_count, default=2000, metavar="N", help="how many leads the demo org has (2000)"),
        option("--stop", action="store_true", help="stop it and go back to your own account"),
    )
    def zoho_demo(self, line: Namespace) -> Status:
        """A Zoho of your own on this machine: everything works, nothing leaves it, no account needed.

        Examples::

            %zoho_demo
            %zoho_demo --stop
        """
        from . import demo

        return demo.stop() if line.stop else demo.start(line.rows)


def register(ip: Any) -> None:
    """Add the magics to a shell."""
    ip.register_magics(ZohoMagics)


def unregister(ip: Any) -> None:
    """Take them away again. A running simulator stays until the kernel ends, so that %reload_ext keeps the demo."""
    for name in ZohoMagics.magics["line"]:
        ip.magics_manager.magics["line"].pop(name, None)
    ours = ip.magics_manager.registry.pop(ZohoMagics.__name__, None)
    ip.configurables[:] = [one for one in ip.configurables if one is not ours]
