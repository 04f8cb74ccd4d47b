"""Magics that connect: status, setup, login, tokens."""

from __future__ import annotations

from argparse import Namespace
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from IPython.core.magic import Magics

from ...scopes import parse_scopes
from ..lazy_session import get_session, list_profiles, session_to_set_up, switch_to
from ..magic_parser import magic, option
from ..notes import show_usage
from .options import PROFILE

if TYPE_CHECKING:
    from ...auth.oauth import Token
    from ...status import Status

__all__ = ["ConnectingMagics"]


def _method_option(name: str, told: str) -> dict[str, Any]:
    return {"dest": "method", "action": "store_const", "const": name, "one_of": "method", "help": told}


class ConnectingMagics(Magics):
    """Who is connected, and how to connect."""

    @magic(
        option(
            "--env",
            completes="profile",
            metavar="FILE",
            help="use this .env file from now on (its name should begin with a dot); NAME stands for .env.NAME",
        ),
        PROFILE,
        option("--trust-file", action="store_true", help="with --env: use it although others own it or can write it"),
        option("--profiles", action="store_true", help="list the profiles beside the nearest .env"),
        option("--save", action="store_true", help="write to .env what could not be saved before"),
        option("--share", action="store_true", help="share access tokens with your other kernels from now on"),
        option("--no-share", action="store_true", help="keep this kernel's token to itself again"),
        option("--keyring", action="store_true", help="move the secrets from .env into the OS keyring"),
        option("--no-keyring", action="store_true", help="move them back into .env"),
        option("--usage", action="store_true", help="calls and API credits of this session by magic and route instead"),
        option("--log-calls", metavar="FILE", help="append each call to FILE as a line of JSON: no values, no secrets"),
    )
    def zoho(self, line: Namespace) -> Any:
        """Who is connected, where, with what rights, until when; and the list of magics.

        Examples::

            %zoho
            %zoho --env sandbox
            %zoho --env .env            # back
            %zoho --profiles
            %zoho --share
            %zoho --usage
            %zoho --log-calls calls.jsonl
        """
        if line.profiles:
            return list_profiles()
        if line.env:
            switch_to(line.env, line.trust_file)
        session = get_session(line.profile)
        if line.log_calls:
            session.log_calls(line.log_calls)
        if line.usage:
            return show_usage(session.usage())
        if line.share or line.no_share:
            session.share(line.share)
        if line.keyring or line.no_keyring:
            session.use_keyring(line.keyring)
        status = session.save() if line.save else session.status()
        return replace(status, magics=tuple(f"%{name}" for name in self.magics["line"]))

    @magic(
        option("--ask", action="store_true", help="ask questions, for a front end that shows no widgets"),
        option("--env", completes="profile", metavar="FILE", help="for this .env file, which need not exist yet"),
    )
    def zoho_setup(self, line: Namespace) -> Any:
        """Connect step by step: a form in a notebook, questions in a terminal.

        Examples::

            %zoho_setup
            %zoho_setup --ask
            %zoho_setup --env sandbox
        """
        from ..prompts import setup

        return setup(session_to_set_up(line.env), self.shell, questions=line.ask)

    @magic(
        option(
            "code",
            nargs="?",
            metavar="CODE",
            help="the grant code, or the path of a self_client.json; ZOHO_GRANT_CODE or a hidden prompt if left out",
        ),
        PROFILE,
    )
    def zoho_exchange(self, line: Namespace) -> Status:
        """Exchange a grant code for tokens; the refresh token is saved in .env.

        Without a code, on a session that is connected, it only shows the status: a notebook can run again as it is.
        A grant code works once, for a few minutes, and is worthless without the client secret; that is why it, and
        nothing else, may stand on a line.

        Examples::

            %zoho_exchange 1000.…
            %zoho_exchange self_client.json
            %zoho_exchange
        """
        from ..prompts import exchange

        return exchange(get_session(line.profile), line.code)

    @magic(
        option("--browser", **_method_option("browser", "by a browser on this machine, which comes back by itself")),
        option("--paste-url", **_method_option("paste-url", "by any browser; you paste the address it ends on")),
        option("--device", **_method_option("device", "by a short code that you type on any device")),
        option("--client-credentials", **_method_option("client-credentials", "a self client, for its organisation")),
        option(
            "--add-scope", one_of="method", nargs="+", metavar="SCOPE", help="further scopes for the grant you have"
        ),
        PROFILE,
    )
    def zoho_login(self, line: Namespace) -> Status:
        """Sign in without copying codes; without an option, by the method that works where this runs.

        Examples::

            %zoho_login
            %zoho_login --device
            %zoho_login --add-scope ZohoCRM.notifications.ALL
        """
        from ..prompts import login

        more = tuple(scope for word in line.add_scope or () for scope in parse_scopes(word))
        return login(get_session(line.profile), self.shell, line.method or "auto", more)

    @magic(PROFILE)
    def zoho_refresh(self, line: Namespace) -> Token:
        """Request a new access token now. Rarely needed: every call refreshes by itself.

        Example::

            %zoho_refresh
        """
        return get_session(line.profile).refresh()

    @magic(PROFILE)
    def zoho_token(self, line: Namespace) -> Token:
        """The access token, refreshed if due; shown masked. `.headers` and `.reveal()` give it to your own code.

        Examples::

            token = %zoho_token
            requests.get("https://www.zohoapis.com/crm/v8/org", headers=token.headers)
        """
        return get_session(line.profile).token

    @magic(
        option("--forget", action="store_true", help="only forget it here and in .env, without telling Zoho"),
        PROFILE,
    )
    def zoho_revoke(self, line: Namespace) -> Status:
        """Revoke the refresh token at Zoho, and forget it here and in .env.

        Example::

            %zoho_revoke
        """
        return get_session(line.profile).forget_tokens() if line.forget else get_session(line.profile).revoke()
