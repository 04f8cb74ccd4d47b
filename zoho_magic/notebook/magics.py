"""Face 1: the magics. Each reads its line, calls one public method and returns what that returned.

To add a magic, add a method with `@magic(...)` to `ZohoMagics`: help, completion and unloading follow from it.
"""

from __future__ import annotations

from argparse import Namespace
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from IPython.core.magic import Magics, magics_class

from ..scopes import parse_scopes
from .lazy_session import get_session, is_interactive
from .magic_parser import assign, magic, option, query_magic
from .notes import show_warnings
from .push_confirmation import ASK_ABOVE_ROWS, confirm, get_variable

VIA = ("auto", "records", "coql", "bulk")
WRITE_VIA = ("auto", "records", "bulk")
FRAMES = ("pandas", "polars", "arrow")

if TYPE_CHECKING:
    import pandas

    from ..auth.oauth import Token
    from ..crm.write.push import PushReport
    from ..status import Status

PROFILE = option(
    "--profile",
    completes="profile",
    metavar="NAME",
    help="for this line: another account's file, or NAME for .env.NAME beside the nearest .env",
)

__all__ = ["ZohoMagics", "register", "unregister"]


def _positive_int(text: str) -> int:
    number = int(text)
    if number < 1:
        raise ValueError
    return number


def _method_option(name: str, told: str) -> dict[str, Any]:
    return {"dest": "road", "action": "store_const", "const": name, "one_of": "road", "help": told}


_positive_int.takes = "a whole number from 1"  # type: ignore[attr-defined]


@magics_class
class ZohoMagics(Magics):
    """The `%zoho_...` family."""

    @magic(
        option(
            "--env",
            completes="profile",
            metavar="FILE",
            help="use this .env file from now on (its name should begin with a dot); NAME stands for .env.NAME",
        ),
        PROFILE,
        option("--save", action="store_true", help="write to .env what could not be saved before"),
        option("--share", action="store_true", help="share access tokens with your other kernels from now on"),
        option("--no-share", action="store_true", help="keep this kernel's token to itself again"),
        option("--keyring", action="store_true", help="move the secrets from .env into the OS keyring"),
        option("--no-keyring", action="store_true", help="move them back into .env"),
    )
    def zoho(self, line: Namespace) -> Status:
        """Who is connected, where, with what rights, until when; and the list of magics.

        Examples::

            %zoho
            %zoho --env sandbox
            %zoho --share
        """
        if line.env:
            from ..session_registry import open_session, use_session

            use_session(open_session(line.env))
        session = get_session(line.profile)
        if line.share or line.no_share:
            session.share(line.share)
        if line.keyring or line.no_keyring:
            session.use_keyring(line.keyring)
        status = session.save() if line.save else session.status()
        return replace(status, magics=tuple(f"%{name}" for name in self.magics["line"]))

    @magic(option("--ask", action="store_true", help="ask questions, for a front end that shows no widgets"))
    def zoho_setup(self, line: Namespace) -> Any:
        """Connect step by step: a form in a notebook, questions in a terminal.

        Examples::

            %zoho_setup
            %zoho_setup --ask
        """
        from .prompts import setup

        return setup(get_session(), self.shell, questions=line.ask)

    @magic(
        option(
            "code", nargs="?", metavar="CODE", help="the grant code; ZOHO_GRANT_CODE or a hidden prompt if left out"
        ),
        PROFILE,
    )
    def zoho_exchange(self, line: Namespace) -> Status:
        """Exchange a grant code for tokens; the refresh token is saved in .env.

        A grant code works once, for a few minutes, and is worthless without the client secret; that is why it, and
        nothing else, may stand on a line.

        Examples::

            %zoho_exchange 1000.…
            %zoho_exchange
        """
        from .prompts import grant_code

        session = get_session(line.profile)
        return session.exchange(line.code or grant_code(session))

    @magic(
        option("--browser", **_method_option("browser", "by a browser on this machine, which comes back by itself")),
        option("--paste-url", **_method_option("paste-url", "by any browser; you paste the address it ends on")),
        option("--device", **_method_option("device", "by a short code that you type on any device")),
        option("--client-credentials", **_method_option("client-credentials", "a self client, for its organisation")),
        option("--add-scope", one_of="road", nargs="+", metavar="SCOPE", help="further scopes for the grant you have"),
        PROFILE,
    )
    def zoho_login(self, line: Namespace) -> Status:
        """Sign in without copying codes; without an option, by the best road where this runs.

        Examples::

            %zoho_login
            %zoho_login --device
            %zoho_login --add-scope ZohoCRM.notifications.ALL
        """
        from .prompts import login

        more = tuple(scope for word in line.add_scope or () for scope in parse_scopes(word))
        return login(get_session(line.profile), self.shell, line.road or "auto", more)

    @magic(PROFILE)
    def zoho_refresh(self, line: Namespace) -> Token:
        """Mint a new access token now. Rarely needed: every call refreshes by itself.

        Example::

            %zoho_refresh
        """
        return get_session(line.profile).refresh()

    @magic(
        option("--revoke", action="store_true", help="the same as %%zoho_revoke"),
        PROFILE,
    )
    def zoho_token(self, line: Namespace) -> Token | Status:
        """The access token, refreshed if due; shown masked. `.headers` and `.reveal()` give it to your own code.

        Examples::

            token = %zoho_token
            requests.get("https://www.zohoapis.com/crm/v8/org", headers=token.headers)
        """
        return get_session(line.profile).revoke() if line.revoke else get_session(line.profile).token

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

    @magic(
        option("--count", action="store_true", help="with the number of records, one API credit a module"),
        option("--refresh", action="store_true", help="ask the CRM again"),
        PROFILE,
    )
    def zoho_modules(self, line: Namespace) -> pandas.DataFrame:
        """The modules of the org whose records can be read.

        Examples::

            %zoho_modules
            %zoho_modules --count
        """
        return get_session(line.profile).modules(count=line.count, refresh=line.refresh)

    @magic(
        option("module", completes="module", metavar="MODULE", help="API name of the module"),
        option("--refresh", action="store_true", help="ask the CRM again"),
        PROFILE,
    )
    def zoho_fields(self, line: Namespace) -> pandas.DataFrame:
        """The fields of a module: label, type, the frame's columns and dtypes, required, choices, lookup target.

        Example::

            %zoho_fields Leads
        """
        return get_session(line.profile).fields(line.module, refresh=line.refresh)

    @magic(
        option(
            "module", completes="module", metavar="MODULE", help="API name of the module: Leads, Contacts, Deals, ..."
        ),
        option(
            "--fields",
            completes="field",
            nargs="+",
            metavar="FIELD",
            help="API names, with spaces or commas between them",
        ),
        option("--where", completes="field", metavar="CONDITION", help='a COQL condition in quotes: "Amount > 5000"'),
        option(
            "--order-by", completes="field", metavar="LIST", help='in quotes: "Amount desc"; newest first if left out'
        ),
        option("--limit", type=_positive_int, metavar="N", help="at most N rows"),
        option("--since", metavar="WHEN", help="modified at or after: 2026-01-31 or 2026-01-31T08:00:00+01:00"),
        option("--converted", choices=("false", "true", "both"), default="false", help="converted leads (false)"),
        option("--via", choices=VIA, default="auto", help="the road; auto chooses"),
        option("--frame", choices=FRAMES, default="pandas", help="kind of frame (pandas)"),
        option("--explain", action="store_true", help="show the plan and its cost instead of pulling"),
        PROFILE,
    )
    def zoho_pull(self, line: Namespace) -> Any:
        """Records of a module as a DataFrame: every row, typed by metadata, by the fastest road.

        Examples::

            leads = %zoho_pull Leads
            %zoho_pull Deals --fields Deal_Name Stage Amount --where "Amount > 5000" --limit 50
            %zoho_pull Leads --explain
        """
        asked = {
            "fields": [name for word in line.fields or () for name in word.split(",") if name] or None,
            "where": line.where,
            "params": line.variables,
            "order_by": line.order_by,
            "limit": line.limit,
            "since": line.since,
            "converted": line.converted,
            "via": line.via,
        }
        session = get_session(line.profile)
        if line.explain:
            return session.plan(line.module, **asked)
        return show_warnings(session.pull(line.module, **asked, frame=line.frame, progress=is_interactive(self.shell)))

    @query_magic(
        option("variable", nargs="?", metavar="VAR", help="in a cell: the variable that takes the frame"),
        option("--frame", choices=FRAMES, default="pandas", help="kind of frame (pandas)"),
        PROFILE,
    )
    def zoho_coql(self, line: Namespace, query: str) -> Any:
        """Every row of a COQL query. `$name` is a variable of the notebook, bound and escaped.

        Examples::

            %%zoho_coql won
            select Deal_Name, Amount, Owner.last_name from Deals where Stage = $stage

            %zoho_coql select COUNT(id) from Leads
        """
        shell: Any = self.shell
        frame = get_session(line.profile).coql(
            query, params=line.variables, frame=line.frame, progress=is_interactive(shell)
        )
        return assign(shell, line.variable, show_warnings(frame))

    @magic(
        option("module", completes="module", metavar="MODULE", help="API name of the module"),
        option("frame", completes="variable", metavar="FRAME", help="the notebook's variable with the rows"),
        option("--insert", dest="actions", action="append_const", const="insert", help="add every row"),
        option(
            "--update", dest="actions", action="append_const", const="update", help="change the records of column id"
        ),
        option(
            "--upsert",
            dest="actions",
            action="append_const",
            const="upsert",
            help="change what --on finds, add the rest",
        ),
        option(
            "--delete",
            dest="actions",
            action="append_const",
            const="delete",
            help="records of column id to the recycle bin",
        ),
        option(
            "--on",
            nargs="+",
            completes="field",
            metavar="FIELD",
            help="for --upsert: finds the record, first match first",
        ),
        option("--dry-run", action="store_true", help="only check the rows against metadata"),
        option("--via", choices=WRITE_VIA, default="auto", help="the road; auto takes what costs fewer credits"),
        option("--no-triggers", action="store_true", help="run no workflow, approval or blueprint; without it all run"),
        option(
            "--clear-empty", action="store_true", help="an empty cell empties the field instead of leaving it alone"
        ),
        option(
            "--yes",
            action="store_true",
            help=f"do not ask before a deletion, more than {ASK_ABOVE_ROWS:,} rows, or rows inserted before",
        ),
        PROFILE,
    )
    def zoho_push(self, line: Namespace) -> PushReport:
        """Write the rows of a frame into the CRM; the report says what became of every single one.

        Workflows, approvals and blueprints run as for rows typed in by hand, and may send e-mails: --no-triggers
        keeps them still.

        Examples::

            %zoho_push Leads fixed --upsert --on Email --dry-run
            %zoho_push Leads fixed --upsert --on Email
            %zoho_push Deals old --delete
        """
        frame = get_variable(line.variables, line.frame)
        confirm(self.shell, line, frame, lambda module, rows: get_session(line.profile).count_inserted(module, rows))
        report: PushReport = get_session(line.profile).push(
            line.module,
            frame,
            line.actions[0],
            on=[name for word in line.on or () for name in word.split(",") if name],
            dry_run=line.dry_run,
            via=line.via,
            triggers=[] if line.no_triggers else None,
            clear_empty=line.clear_empty,
            progress=is_interactive(self.shell),
        )
        show_warnings(report)
        return report

    @magic(
        option("--rows", type=_positive_int, default=2000, metavar="N", help="how many leads the demo org has (2000)"),
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
    for kind, methods in ZohoMagics.magics.items():
        for name in methods:
            ip.magics_manager.magics[kind].pop(name, None)
    ours = ip.magics_manager.registry.pop(ZohoMagics.__name__, None)
    ip.configurables[:] = [one for one in ip.configurables if one is not ours]
