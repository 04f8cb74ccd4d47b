"""`ZohoSession`: the one shared state that the magics, the form and a script use."""

from __future__ import annotations

import os
import sys
import time
import warnings
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import date, datetime
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, NoReturn, cast, overload

from .auth import oauth
from .auth.api_host import api_origin, data_centre_mismatch_hint, is_trusted_url, upload_origin
from .auth.oauth import Token
from .auth.requests_auth import ZohoAuth
from .auth.token_manager import CacheKey, TokenManager, cache_key
from .config import credentials as _credentials
from .config import dotenv_file, profiles
from .config.credential_store import CredentialStore
from .config.credentials import Credentials, wrap_secrets
from .crm.org import AccountInfo, fetch_account_info
from .errors import ConfigurationError, QueryError, TransportError, ZohoError
from .http.backoff import WaitBudget, wait_budget
from .http.call_log import CallLog
from .http.concurrency_limiter import ConcurrencyLimiter
from .http.transport import MAX_RESPONSE_BYTES, Transport
from .preload import preload
from .secret import Secret
from .status import Status, build_status

if TYPE_CHECKING:
    import pandas
    import polars
    import pyarrow
    import requests
    from typing_extensions import Self, Unpack

    from .config.credentials import CredentialChanges
    from .crm.client import CrmClient
    from .crm.metadata import Metadata
    from .crm.org import Organisation
    from .crm.read.planner import Plan
    from .crm.write.operation import PushKeywords
    from .crm.write.push import PushReport
    from .login.device_flow import DeviceLogin
    from .login.environment import RuntimeEnvironment
    from .login.manager import LoginManager
    from .login.methods import LoginResult, PasteUrlLogin
    from .login.prompts import LoginUI
    from .mirror.compare import Comparison
    from .mirror.report import ExportReport
    from .mirror.sync_options import SyncKeywords
    from .mirror.sync_report import SyncPlan, SyncReport

__all__ = ["ZohoSession"]

Action = Literal["insert", "update", "upsert", "delete"]

STATUS_SECONDS = 10.0
"""How long `status` waits for Zoho; it reports what it could not learn."""
_IDEMPOTENT_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})


class ZohoSession:
    """A connection to one Zoho CRM account: credentials, the current access token, and every call made with it.

    Safe to use from many threads: one refresh is in flight at a time and the others wait for its result. The access
    token is kept in memory, or, shared with your other processes, encrypted in your cache folder (`share`).
    Credentials are read again when `.env` was edited.

    Args:
        credentials: where and as whom to connect; `ZohoSession.from_env()` reads them from `.env`.
        clock: seconds since the epoch; tests move it.
        max_wait: seconds that a call, a pull or a push waits for Zoho (throttling, errors of the server, no
            connection) before it fails; an hour suits a nightly job. An attribute, too.
        max_response_bytes: bytes of an answer, unpacked, that are read; a larger one is an error.

    Example::

        zoho = ZohoSession.from_env()
        zoho.exchange("1000.…")          # once; the refresh token goes to .env
        leads = zoho.pull("Leads", fields=["Last_Name", "Email"], limit=500)
    """

    def __init__(
        self,
        credentials: Credentials,
        *,
        clock: Callable[[], float] = time.time,
        max_wait: float | None = None,
        max_response_bytes: int = MAX_RESPONSE_BYTES,
    ) -> None:
        self._clock = clock
        self.is_demo = False
        self._store = CredentialStore(credentials)
        self._limiter = ConcurrencyLimiter()
        self._log = CallLog()
        self._transport = Transport(
            credentials.trusted_origins, limiter=self._limiter, max_response_bytes=max_response_bytes, log=self._log
        )
        self.max_wait = max_wait
        self._tokens = TokenManager(self._store.load, self._post_form, clock, self._explain_refusal)
        self._account_cache: tuple[CacheKey, AccountInfo] = ((), AccountInfo())
        self._credits_left: int | None = None

    @classmethod
    def from_env(
        cls,
        path: str | os.PathLike[str] | None = None,
        *,
        trusted: Collection[str] = (),
        trust_file: bool = False,
        ignore_invalid: bool = False,
        clock: Callable[[], float] = time.time,
        max_wait: float | None = None,
        max_response_bytes: int = MAX_RESPONSE_BYTES,
    ) -> ZohoSession:
        """A session on a `.env` file: this one, or the nearest from the working directory upwards.

        Process environment variables win over the nearest `.env`; a file named by `path` wins over them. A file
        that does not exist yet is made at the first exchange.

        Args:
            path: the file; it should begin with a dot, because Jupyter serves other names to the browser.
            trusted: origins (`https://host`) that may be sent secrets beside Zoho's and loopback.
            trust_file: use the file named by `path` although it belongs to another user or others can write it.
            ignore_invalid: leave out values that cannot be used, for a front end that asks for them anew.
            clock: seconds since the epoch.
            max_wait: seconds to wait for Zoho, 60 by default; see `ZohoSession`.
            max_response_bytes: see `ZohoSession`.

        Raises:
            ConfigurationError: the file or a value in it cannot be used, or the file is not to be believed: it belongs
                to another user, or others can write it.

        Example::

            zoho = ZohoSession.from_env()
            prod = ZohoSession.from_env("/srv/crm/.env.prod")
        """
        where = Path(path).expanduser().absolute() if path else dotenv_file.find()
        found = _credentials.load(
            where, frozenset(trusted), file_wins=bool(path), trust_file=trust_file, ignore_invalid=ignore_invalid
        )
        return cls(found, clock=clock, max_wait=max_wait, max_response_bytes=max_response_bytes)

    # What it knows

    @property
    def credentials(self) -> Credentials:
        """The credentials now; read again if `.env` or the environment changed.

        Raises:
            CredentialsMissing: the file or a value in it cannot be used.

        Example::

            zoho.credentials.dc
        """
        return self._store.load()

    @property
    def token(self) -> Token:
        """The access token, refreshed first if less than 60 s are left.

        Zoho issues 10 in 10 minutes for one refresh token, and the 16th that is alive ends the oldest:
        https://www.zoho.com/crm/developer/docs/api/v8/token-validity.html.

        Raises:
            CredentialsMissing: there is nothing to request a token with yet.
            AuthError, ThrottledError, TransportError: Zoho refused or was not reached.

        Example::

            zoho.token.expires_in    # whole seconds
        """
        return self._tokens.get_token()

    @property
    def auth(self) -> ZohoAuth:
        """An auth object for your own `requests` calls; it refreshes by itself and signs calls to Zoho only.

        Raises:
            CredentialsMissing, AuthError, ThrottledError: at the call it signs, as `token`.
            TransportError: at the call it signs, where that goes to a host that is not Zoho's.

        Example::

            requests.get("https://www.zohoapis.com/crm/v8/org", auth=zoho.auth)
        """
        return ZohoAuth(
            lambda: self.token, self._check_trusted_url, self._is_trusted_url, self._tokens.replace_rejected
        )

    @property
    def api(self) -> str:
        """Origin of the CRM API for this account and environment.

        Raises:
            CredentialsMissing: there is nothing to request a token with yet.
            AuthError, ThrottledError, TransportError: Zoho refused or was not reached.

        Example::

            requests.get(f"{zoho.api}/crm/v8/org", auth=zoho.auth)
        """
        return api_origin(self.credentials, self.token)

    def status(self) -> Status:
        """Who is connected, where, with what rights, until when. Reports a problem instead of raising it.

        Raises:
            CredentialsMissing: `.env` cannot be read.

        Example::

            status = zoho.status()
            status.connected, status.organisation, status.next_step
        """
        credentials, token, account = self.credentials, None, AccountInfo()
        problem: ZohoError | None = next(iter(credentials.invalid.values()), credentials.keyring_error)
        try:
            if self._tokens.cached_token() or credentials.refresh_token or credentials.soid:
                with wait_budget(STATUS_SECONDS):
                    token = self.token
                    account = self._account_info()
        except ZohoError as error:
            problem = error
        return build_status(
            credentials,
            token,
            account,
            problem,
            credits_left=self._credits_left,
            cache_problem=self._tokens.cache_problem(),
            warnings=(*self._store.warnings, *self._login_notes),
            demo=self.is_demo,
        )

    # Getting and losing access

    def exchange(self, code: str | Secret | None = None, **changes: Unpack[CredentialChanges]) -> Status:
        """Exchange a grant code for tokens and save the refresh token; nothing is saved or changed if Zoho refuses.

        Args:
            code: the grant code, in whatever wrapping it was copied; or the path or the text of the self_client.json
                that Zoho's console offers for download, with client ID, secret and scopes; without one,
                `ZOHO_GRANT_CODE`.
            changes: credentials to use and save with it: client_id, client_secret, dc, scopes, redirect_uri, ...

        Raises:
            CredentialsMissing: client id, secret or code is missing, or `.env` could not be saved afterwards; checked
                before the code is spent.
            AuthError, ThrottledError, TransportError: Zoho refused or was not reached.

        A code works once, for some minutes: https://www.zoho.com/accounts/protocol/oauth/web-apps/access-token.html.

        Example::

            zoho.exchange("1000.…", client_id="1000.ABC", client_secret="…", dc="eu")
        """
        changes, code = _without_plain_secrets(changes), Secret(code) if isinstance(code, str) else code
        self._logins.exchange(code, changes)
        return self._logged_in()

    def login(
        self,
        method: str = "auto",
        *,
        add_scopes: Sequence[str] = (),
        timeout: float = 300.0,
        ui: LoginUI | None = None,
        environment: RuntimeEnvironment | None = None,
        **changes: Unpack[CredentialChanges],
    ) -> Status:
        """Get a grant without copying a code; nothing is saved or changed if Zoho or the person refuses.

        Args:
            method: browser (on this machine; it comes back to `ZOHO_REDIRECT_URI`, by default
                http://localhost:8976/callback, to be registered exactly so), paste-url (any browser, its last address
                is pasted), device (a short code, a "non-browser" client), client-credentials (a self client for its
                organisation, nobody is asked), code (from Zoho's console), or auto: one that works in this environment.
            add_scopes: further scopes for the grant there is; by Zoho's scope enhancement where that works, which keeps
                the refresh token, else by a new consent.
            timeout: seconds to wait for the browser to come back.
            ui: how to show and ask; by default on the terminal.
            environment: where this runs; by default detected.
            changes: credentials to use and save with it: client_id, client_secret, dc, scopes, redirect_uri, soid, ...
                A client has another secret in each data centre, unless Zoho's console was told otherwise:
                `ZOHO_CLIENT_SECRET_EU` and so on win over `ZOHO_CLIENT_SECRET` there.

        Raises:
            CredentialsMissing: the client is not known yet, nobody can answer, or `.env` cannot be saved; before
                anything is asked.
            AuthError, ThrottledError, TransportError: Zoho or the person refused, or nobody answered.

        Example::

            zoho.login("device")
            zoho.login(add_scopes=["ZohoCRM.notifications.ALL"])
        """
        changes = _without_plain_secrets(changes)
        self._logins.login(method, changes, add_scopes, timeout, ui, environment)
        return self._logged_in()

    def begin_device_login(self, **changes: Unpack[CredentialChanges]) -> DeviceLogin:
        """Begin a device login that the caller polls, for a front end that must not wait; `complete_login` ends it.

        Args:
            changes: credentials to use and save with it, as for `login`.

        Raises:
            CredentialsMissing: the client is not known yet, or `.env` cannot be saved.
            AuthError, ThrottledError, TransportError: Zoho refused or was not reached.

        Example::

            waiting = zoho.begin_device_login()
            print(waiting.instructions)
            step = waiting.poll()          # at most one call; step.retry_in says when to ask again
        """
        changes = _without_plain_secrets(changes)
        return self._logins.begin_device(changes)

    def begin_paste_login(self, **changes: Unpack[CredentialChanges]) -> PasteUrlLogin:
        """Begin a login whose last address is pasted later; `complete_login` takes what its `finish` returns.

        Args:
            changes: credentials to use and save with it, as for `login`.

        Raises:
            CredentialsMissing: the client is not known yet, or `.env` cannot be saved.

        Example::

            waiting = zoho.begin_paste_login()
            print(waiting.instructions)
            zoho.complete_login(waiting.finish(Secret(pasted)))
        """
        changes = _without_plain_secrets(changes)
        return self._logins.begin_paste(changes)

    def complete_login(self, got: LoginResult) -> Status:
        """Use and save the result of a login.

        Args:
            got: what `begin_device_login` or `begin_paste_login` led to.

        Raises:
            CredentialsMissing: `.env` cannot be read or saved.

        Example::

            zoho.complete_login(waiting.finish(Secret(pasted)))
        """
        self._logins.complete(got)
        return self._logged_in()

    def refresh(self) -> Token:
        """Request a new access token now. Rarely needed: every call refreshes by itself.

        Raises:
            CredentialsMissing: there is no refresh token and no organisation for client credentials.
            AuthError, ThrottledError, TransportError: Zoho refused or was not reached.

        Example::

            zoho.refresh().expires_in    # 3599
        """
        return self._tokens.refresh()

    def revoke(self) -> Status:
        """Revoke the refresh token at Zoho, with every access token issued from it, and forget it here and in `.env`.

        Raises:
            CredentialsMissing: there is no refresh token, or `.env` cannot be saved.
            AuthError: Zoho does not know it; `forget_tokens()` still removes it here.
            ThrottledError, TransportError: Zoho refused or was not reached; it is still here.

        Example::

            zoho.revoke().connected    # False
        """
        credentials = self.credentials
        credentials.require("refresh_token")
        self._store.check_writable()
        oauth.revoke(
            credentials.accounts,
            token=credentials.refresh_token or Secret(""),
            post=self._post_form,
            error_context=credentials.error_context,
        )
        return self.forget_tokens()

    def forget_tokens(self) -> Status:
        """Forget the tokens here and in `.env`, without telling Zoho.

        Raises:
            CredentialsMissing: `.env` cannot be read or saved.

        Example::

            zoho.forget_tokens().connected    # False
        """
        self._tokens.clear()  # first, while it is known which are meant
        self._store.update(self.credentials.replace(refresh_token=None, grant_code=None), "refresh_token", "grant_code")
        if "_logins" in vars(self):
            self._logins.notes = ()
        self._store.warn()
        return self.status()

    def share(self, enabled: bool = True) -> Status:
        """Share access tokens with your other kernels and processes that use this refresh token, or stop sharing.

        Saved in `.env` as `ZOHO_TOKEN_CACHE=1`. The tokens are
        encrypted in your cache folder, so only one process requests a new one.

        Args:
            enabled: True shares, False keeps this process's token to itself again.

        Raises:
            CredentialsMissing: `.env` cannot be read or saved.

        Example::

            zoho.share().token_shared    # True
        """
        self._store.update(self.credentials.replace(token_cache="1" if enabled else ""), "token_cache")
        self._store.warn()
        return self.status()

    def use_keyring(self, enabled: bool = True) -> Status:
        """Move the client secret and the refresh token from `.env` into the OS keyring, or back.

        They are never in neither place; later ones go where these are. Other kernels on this `.env` notice.

        Args:
            enabled: True moves them into the keyring, False back into `.env`.

        Raises:
            CredentialsMissing: the keyring is missing, locked or failing, or `.env` cannot be saved; nothing is lost.

        Example::

            zoho.use_keyring()    # needs the extra keyring
        """
        self._store.move_secrets(enabled)
        self._store.warn()
        return self.status()

    def save(self) -> Status:
        """Write to `.env` what could not be saved at the login.

        Raises:
            CredentialsMissing: it still cannot be saved.

        Example::

            zoho.save().warnings
        """
        self._store.save()
        self._store.warn()
        return self.status()

    def close(self) -> None:
        """Close the connections; the session stays usable.

        Example::

            with ZohoSession.from_env() as zoho:    # closes at the end
                leads = zoho.pull("Leads")
        """
        self._transport.close()

    def __reduce__(self) -> NoReturn:
        raise ConfigurationError(
            "A session cannot be pickled: it holds connections and secrets.",
            hint="Call ZohoSession.from_env() in the worker; zoho.share() lets processes use one access token.",
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __repr__(self) -> str:
        try:
            credentials = self._store.load()
        except ZohoError as error:
            return f"ZohoSession({error.args[0]})"
        profile = profiles.name_of(credentials.path) or str(credentials.path or "memory")
        state = "connected" if self._tokens.cached_token() else "not connected yet"
        return f"ZohoSession(profile={profile!r}, data_centre={credentials.dc!r}, {state})"

    # Talking to the CRM

    def request(
        self, method: str, path: str, *, retry: bool | None = None, max_wait: float | None = None, **options: Any
    ) -> requests.Response:
        """Any call to the CRM: authorised, refreshed once after a 401, retried where that is safe.

        Args:
            method: GET, POST, ...
            path: `/crm/v8/...`, or a whole URL on one of Zoho's hosts.
            retry: whether the call may be sent twice; by default GET and HEAD only. A call that never reached Zoho is
                always sent again.
            max_wait: seconds to wait for Zoho before it fails; None for the session's.
            options: as for `requests.request`: params, json, data, files, headers, timeout (seconds), stream.

        Returns:
            The `requests.Response`; a 204 has no body. An answer with per-record results is returned whatever its
            status.

        Raises:
            AuthError, ThrottledError, QueryError, ApiError: Zoho refused.
            TransportError: Zoho was not reached, or the URL is not Zoho's.

        Example::

            zoho.request("GET", "/crm/v8/org").json()["org"][0]["company_name"]
        """
        from .http import responses

        again = method.upper() in _IDEMPOTENT_METHODS if retry is None else retry
        with self._waiting(max_wait):
            url = self.api + path if path.startswith("/") else path
            response = self._transport.send(method, url, auth=self.auth, idempotent=again, **options)
        self._record_credits(response)
        credentials, token = self.credentials, self._tokens.cached_token()
        facts = {**credentials.error_context, "likely": data_centre_mismatch_hint(credentials, token) if token else ""}
        facts["granted"] = token.scopes if token else ()
        return responses.raise_for_error(response, method, path, facts)

    def pull(
        self,
        module: str,
        *,
        fields: Sequence[str] | None = None,
        where: str | None = None,
        params: Mapping[str, Any] | None = None,
        order_by: str | None = None,
        limit: int | None = None,
        since: str | date | datetime | None = None,
        converted: bool | Literal["both"] = False,
        ids: Iterable[str | int] | None = None,
        full: bool = False,
        view: str | None = None,
        expand: str | None = None,
        home_currency: bool = False,
        labels: bool = False,
        categories: bool = False,
        via: Literal["auto", "records", "coql", "bulk"] = "auto",
        frame: Literal["pandas", "polars", "arrow", "dask", "duckdb", "polars-lazy"] = "pandas",
        progress: bool | None = None,
        confirm: Callable[[Plan], bool] | None = None,
        check_memory: bool = True,
        max_wait: float | None = None,
        to: str | os.PathLike[str] | None = None,
        max_age: float | None = None,
    ) -> Any:
        """Records of a module: every row, typed by the module's field metadata, by the cheapest API.

        Args:
            module: API name (`Leads`, `Deals`, ...); a subform's module works too.
            fields: API names; by default every field that lists of records can carry.
            where: a COQL condition, as in `"Amount > 5000 and Stage = 'Closed Won'"`; `$name` stands for a parameter.
            params: name -> value of each `$name` in `where`, bound and escaped as in `coql`.
            order_by: COQL's `order by` list, as in `"Amount desc, id"`; by default newest first.
            limit: at most this many rows; by default all.
            since: only records modified at or after this moment; a text or naive value is in local time. Zoho does not
                count a formula or rollup that changed as a modification.
            converted: converted leads: False (as Zoho lists them), True or "both".
            ids: only these records, any number of ids: one row each in the order given, converted leads too; a warning
                names those that were not found. Not with `order_by` or `limit`.
            full: complete records, with subforms, multi-select lookups, files and rich text in full (as JSON text where
                the value is not plain); one call and one API credit a record, see `plan` first.
            view: name or id of a custom view (`views` lists them): the records it shows, which only the Records API
                brings, 3 API credits for 200 and up to 100,000 of them. With `limit` the first in the view's own order.
                Not with `where`, `order_by`, `ids` or `full`. Needs the scope ZohoCRM.settings.custom_views.READ.
            expand: a subform or a multi-select lookup of the module: one row for each of its rows, whose columns are
                called `Line_Items.Quantity` and so on; a record without rows stays, with nulls there. The rows are
                pulled from their own module; `limit` counts records, and `via` is the API that reads these.
            home_currency: add `Amount_home` (Float64) for each amount `Amount` of the module: the amount divided by the
                record's own Exchange_Rate, not rounded; null where the record has no rate. Warnings say the rate's
                field and the day it was read, and name records without a rate. Amounts of `expand` are not converted.
            labels: picklists, multi-selects too, with the labels that people see instead of the values that records
                carry; a push takes values. A value that has no label stays, and a warning names it.
            categories: of a pandas frame: picklists as ordered categories in the CRM's order, such as that of stages.
            via: the API to use: records, coql, bulk, or auto (chooses the cheapest that can).
            frame: pandas, polars or arrow (a `pyarrow.Table`); or lazily dask, duckdb (a relation) or polars-lazy: then
                the rows are landed as a Parquet file first, which the engine reads without Zoho and without a secret.
            progress: show a progress bar after a second; None shows it on a terminal.
            confirm: is called with the `Plan` before more than half of the day's API credits are spent; nothing is
                read where it returns False. None asks nobody.
            check_memory: refuse, before the rest is brought, a frame that by the number of rows and the size of the
                first ones would not fit into free memory (or what a container's limit leaves).
            max_wait: seconds that it waits for Zoho, all calls together, before it fails; None for the session's.
            to: of a lazy frame: the .parquet file or folder/ to land in; None takes the user's cache folder.
            max_age: of a lazy frame: read what was landed no more than so many seconds ago; None lands it anew. How
                old the copy is is issued as a warning.

        Returns:
            A DataFrame, one row a record, `id` first, the same columns and dtypes whichever API: text and ids are
            strings, `integer` is Int64, amounts are Float64, checkboxes boolean, dates datetime64, datetimes UTC; a
            lookup `X` gives `X` and `X.id`, a user also `X.email`, a lookup into several modules also `X.module`;
            multi-selects are lists of strings. `frame.attrs`
            holds module, api, query, calls, credits, pulled_at and warnings.

        Raises:
            QueryError: no such module or field, or a filter that no API supports; the message names the nearest. Or
                `expand` is not a subform or multi-select lookup. Or the module has no Exchange_Rate to convert by. Or
                the frame would not fit into memory: `export` writes it to a file.
            AuthError, ApiError, ThrottledError, TransportError: as `request`. Fewer rows than asked for are never
                returned.

        Example::

            won = zoho.pull("Deals", fields=["Deal_Name", "Amount"], where="Stage = 'Closed Won'")
        """
        with self._waiting(max_wait):
            self._preload_dataframe_libraries("pandas")
            asked: dict[str, Any] = {"fields": fields, "where": _bound(where, params), "order_by": order_by}
            asked |= {"limit": limit, "since": since, "converted": converted, "view": view, "via": via}
            shaping: dict[str, Any] = {"ids": ids, "full": full, "expand": expand, "home_currency": home_currency}
            shaping |= {"labels": labels, "categories": categories}
            more: dict[str, Any] = {"confirm": confirm}
            if frame not in ("pandas", "polars", "arrow") or to is not None:
                if any(value is not None and value is not False for value in shaping.values()):
                    raise QueryError(
                        f"frame={frame!r} takes neither ids nor full, expand, home_currency, labels, categories.",
                        hint="Pull a pandas frame.",
                    )
                return self._pull_lazily(module, frame, asked, more | {"progress": progress}, to, max_age)
            more |= {"show": _shows(progress), "check_memory": check_memory}
            return self._crm.pull(module, frame=frame, **asked, **shaping, **more)

    def batches(
        self,
        module: str,
        *,
        fields: Sequence[str] | None = None,
        where: str | None = None,
        params: Mapping[str, Any] | None = None,
        order_by: str | None = None,
        limit: int | None = None,
        since: str | date | datetime | None = None,
        converted: bool | Literal["both"] = False,
        view: str | None = None,
        via: Literal["auto", "records", "coql", "bulk"] = "auto",
        progress: bool | None = None,
    ) -> pyarrow.RecordBatchReader:
        """The rows of a `pull` while they arrive, in constant memory: for DuckDB, Polars, Delta, Ray and your own loop.

        Args:
            module, fields, where, params, order_by, limit, since, converted, view, via, progress: as `pull`.

        Returns:
            A `pyarrow.RecordBatchReader`, to be read once, with the columns and Arrow types of `pull(frame="arrow")`;
            by ascending id, or as `pull` where `order_by` or `limit` is given. The first rows have arrived.
            `reader.schema.metadata[b"zoho_magic"]` holds module, api, query and the warnings known so far as JSON;
            later ones are issued by `warnings.warn`. Closing the reader ends all calls.

        Raises:
            QueryError, AuthError, ApiError, ThrottledError, TransportError: as `pull`, at once or while it is read:
                a reader that ends without an error has brought every row.

        Example::

            duckdb.connect("crm.db").from_arrow(zoho.batches("Leads")).create("leads")
        """
        self._preload_dataframe_libraries()
        return self._crm.batches(
            module,
            via=via,
            show=_shows(progress),
            fields=fields,
            where=_bound(where, params),
            order_by=order_by,
            limit=limit,
            since=since,
            converted=converted,
            view=view,
        )

    def export(
        self,
        module: str,
        to: str | os.PathLike[str],
        *,
        fields: Sequence[str] | None = None,
        where: str | None = None,
        params: Mapping[str, Any] | None = None,
        order_by: str | None = None,
        limit: int | None = None,
        since: str | date | datetime | None = None,
        converted: bool | Literal["both"] = False,
        view: str | None = None,
        via: Literal["auto", "records", "coql", "bulk"] = "auto",
        safe_csv: bool = False,
        rows_per_file: int = 1_000_000,
        progress: bool | None = None,
        confirm: Callable[[Plan], bool] | None = None,
        max_wait: float | None = None,
    ) -> ExportReport:
        """Write the records of a module to a file, a folder or a table, in constant memory.

        A file or folder is written under another name and renamed at the end, a table in one transaction, a remote
        object uploaded when it is complete: after an error or Ctrl-C nothing is left behind and what was there stays.

        Args:
            module, fields, where, params, order_by, limit, since, converted, view, via, progress, confirm, max_wait: as
                `pull`; rows are by ascending id unless `order_by` or `limit` is given.
            to: where to. `NAME.parquet` (zstd), `NAME.arrow`, `NAME.csv`, `NAME.xlsx` (at most 1,048,575 rows),
                `FOLDER/` (Parquet files and a `_SUCCESS` marker), `FILE.duckdb::TABLE` or `duckdb:///FILE.db::TABLE`
                (three slashes: relative to here), `FOLDER.delta`; or an address of fsspec such as
                `s3://bucket/leads.parquet`. What is there is replaced; a folder only if an export wrote it.
            safe_csv: in a CSV, put an apostrophe before text that a spreadsheet would run as a formula
                (`=`, `+`, `-`, `@` at its start).
            rows_per_file: rows of one file of a folder.

        Returns:
            An `ExportReport`: rows, bytes, calls, credits, seconds, path, warnings.

        Raises:
            ConfigurationError: `to` names no format, a folder that does not exist or holds other files, or a copy
                that `sync` keeps; before a call is made.
            MissingDependency: the format needs a package that is not installed; the hint installs it.
            QueryError, AuthError, ApiError, ThrottledError, TransportError: as `pull`.

        Example::

            zoho.export("Leads", to="leads.parquet")
            zoho.export("Deals", to="crm.duckdb::deals", where="Stage = 'Closed Won'")
        """
        from .mirror.export import export

        asked: dict[str, Any] = {"fields": fields, "where": _bound(where, params), "order_by": order_by}
        asked |= {"limit": limit, "since": since, "converted": converted, "view": view, "via": via}
        stream = partial(self._crm.stream, module, show=_shows(progress), confirm=confirm, **asked)
        with self._waiting(max_wait):
            self._preload_dataframe_libraries()
            return export(module, stream, to, safe_csv=safe_csv, rows_per_file=rows_per_file)

    @overload
    def sync(self, module: str, to: str | os.PathLike[str], **options: Unpack[SyncKeywords]) -> SyncReport: ...

    @overload
    def sync(
        self, module: list[str] | tuple[str, ...], to: str | os.PathLike[str], **options: Unpack[SyncKeywords]
    ) -> list[SyncReport]: ...

    def sync(
        self, module: str | list[str] | tuple[str, ...], to: str | os.PathLike[str], **options: Unpack[SyncKeywords]
    ) -> SyncReport | list[SyncReport]:
        """Make a copy of a module equal to Zoho: through updates, deletions, restores and changes of its fields.

        The first run brings every record, later ones what has changed since; converted leads are always in the copy
        (column `Converted__s`). A run is one transaction: killed at any moment, it leaves the copy as it was, and the
        next run brings it up to date. The copy is current as of `report.cursor`, but for formulas, roll-ups and names
        of lookups, which Zoho does not count as a modification: see `refresh`.

        Args:
            module: API name, or several of them: then `to` is a database or a folder.
            to: `FILE.duckdb::TABLE`, `FILE.duckdb` (a table named like the module), `FILE.parquet`, or `FOLDER/`
                (`MODULE.parquet` in it). The state lies in it: the table `_zoho_sync`, or the Parquet footer; it holds
                no secret.
            options: keywords, each with a default:

                - fields (list of API names): only these; None for every field.
                - where (str), params (dict): a filter as for `pull`.
                - via: auto, records, coql or bulk, as for `pull`.
                - full (bool): write the copy anew.
                - check (bool): compare the ids of all records (done by itself where a count differs, and when the
                  last run is more than 60 days ago).
                - refresh: "due" reads formulas, roll-ups and names of lookups for every record once a day,
                  "formulas" now, "never" not at all.
                - prune (bool): drop the columns of fields that the module has no longer.
                - history (bool): keep earlier versions of rows, with `valid_from` and `valid_to` (null: current).
                - progress (bool): as `pull`.

        Returns:
            A `SyncReport` (rows, added, changed, deleted, columns, calls, credits, seconds, cursor, formulas_as_of,
            checked, warnings), or a list of them for several modules.

        Raises:
            ConfigurationError: the copy is of another organisation, data centre, filter or field list, was not made
                by `sync`, is open elsewhere, or a field has changed its type so that the copy cannot follow; nothing
                was changed.
            MissingDependency: duckdb is not installed.
            QueryError, AuthError, ApiError, ThrottledError, TransportError: as `pull`; the copy is as before.

        Example::

            report = zoho.sync("Leads", to="crm.duckdb::leads")
            print(report.changed, report.deleted, report.cursor)
        """
        from .mirror.run import sync_modules

        self._preload_dataframe_libraries()
        where = _bound(options.pop("where", None), options.pop("params", None))
        progress = options.pop("progress", None)
        show = _shows(progress)
        modules = [module] if isinstance(module, str) else list(module)
        reports = sync_modules(self._crm, modules, to, self._identity, show=show, where=where, **options)
        return reports[0] if isinstance(module, str) else reports

    def plan_sync(self, module: str, to: str | os.PathLike[str], **options: Unpack[SyncKeywords]) -> SyncPlan:
        """What `sync` with the same arguments would do and cost; it spends one count at most and changes nothing.

        Args:
            module, to, options: as `sync`.

        Returns:
            A `SyncPlan`: steps, rows of the copy, about how many records and API credits.

        Raises:
            As `sync`.

        Example::

            zoho.plan_sync("Leads", to="crm.duckdb::leads")
        """
        from .mirror.run import plan_module

        where = _bound(options.pop("where", None), options.pop("params", None))
        options.pop("progress", None)
        return plan_module(self._crm, module, to, self._identity, where=where, **options)

    def scan(self, module: str, *, converted: bool | Literal["both"] = False) -> polars.LazyFrame:
        """A module as a Polars lazy frame: Zoho is asked when it is collected, and for what the query needs only.

        Columns, a limit and the safe part of filters (equal text, compared numbers and moments, flags, nulls) become
        part of the question; the whole filter is applied again here, so the result is that of a local filter.

        Args:
            module: API name.
            converted: as `pull`.

        Returns:
            A `polars.LazyFrame` with the columns of `pull(frame="polars")`, by ascending id.

        Raises:
            MissingDependency: polars is not installed.
            QueryError: no such module; when it is collected, as `batches`.
            AuthError, ApiError, ThrottledError, TransportError: as `batches`.

        Example::

            zoho.scan("Leads").filter(pl.col("Annual_Revenue") > 500_000).select("id", "Company").collect()
        """
        from .crm.read.pull import build_record_query
        from .mirror.scan import scan

        reading, _ = build_record_query(self.metadata, module, converted=converted)
        batches = partial(self.batches, module, converted=converted, progress=False)
        return cast("polars.LazyFrame", scan(reading.fields, batches))

    def compare(self, old: Any, new: Any, *, module: str | None = None) -> Comparison:
        """What differs between two frames or copies of the same records, by the column `id`.

        Args:
            old: the older one: a pandas, polars or Arrow frame, or where a copy lies (`leads.parquet`,
                `crm.duckdb::leads`).
            new: the newer one, likewise.
            module: API name; its read-only fields are left out of `updates`. By default that of a frame's `attrs`.

        Returns:
            A `Comparison`: the frames added, removed, changed (id, field, old, new) and updates, which a push takes.

        Raises:
            QueryError: one has no ids, or one id twice.
            ConfigurationError: no copy can be read there.

        Example::

            found = zoho.compare("leads-monday.parquet", "leads.parquet", module="Leads")
            zoho.push("Leads", found.updates, "update", clear_empty=True)
        """
        from .mirror.compare import compare

        name = module or getattr(new, "attrs", {}).get("module") or getattr(old, "attrs", {}).get("module")
        known = self.metadata.fields(name).values() if name else ()
        return compare(old, new, read_only={field.name for field in known if field.read_only})

    def plan(
        self,
        module: str,
        *,
        fields: Sequence[str] | None = None,
        where: str | None = None,
        params: Mapping[str, Any] | None = None,
        order_by: str | None = None,
        limit: int | None = None,
        since: str | date | datetime | None = None,
        converted: bool | Literal["both"] = False,
        ids: Iterable[str | int] | None = None,
        full: bool = False,
        view: str | None = None,
        via: Literal["auto", "records", "coql", "bulk"] = "auto",
    ) -> Plan:
        """What a `pull` with the same arguments would do and cost; it spends one count at most.

        Args:
            module, fields, where, params, order_by, limit, since, converted, ids, full, view, via: as `pull`.

        Returns:
            A `Plan`: the API chosen and why, calls, API credits and seconds, and the alternatives.

        Raises:
            QueryError: no such module or field, or a filter that no API supports.
            AuthError, ApiError, ThrottledError, TransportError: Zoho refused or was not reached.

        Example::

            zoho.plan("Leads", since="2026-01-01")
        """
        return self._crm.plan(
            module,
            via=via,
            fields=fields,
            where=_bound(where, params),
            order_by=order_by,
            limit=limit,
            since=since,
            converted=converted,
            ids=ids,
            full=full,
            view=view,
        )

    def coql(
        self,
        query: str,
        *,
        params: Mapping[str, Any] | None = None,
        frame: Literal["pandas", "polars", "arrow"] = "pandas",
        progress: bool | None = None,
        explain: bool = False,
        max_wait: float | None = None,
    ) -> Any:
        """Every row of a COQL query, typed by metadata.

        What Zoho insists on is added: a missing `where`, pairs of parentheses, fields for `*`, pages beyond 2,000 rows.

        Args:
            query: COQL; `$name` stands for a parameter.
            params: name -> text, number, date, datetime with a time zone, or a list of those for `in`. They are bound
                and escaped, never pasted in.
                A list may have any number of values.
            frame, progress: as `pull`.
            explain: return the `Plan` (calls, API credits, time) instead of the rows; it spends one count at most.
            max_wait: seconds that it waits for Zoho, all calls together, before it fails; None for the session's.

        Returns:
            As `pull`; a column is named as Zoho answers it (`Account_Name.Industry`, `SUM(Amount)`, an alias).

        Raises:
            QueryError: an unknown module, field or parameter, or a query Zoho does not take.
            AuthError, ApiError, ThrottledError, TransportError: as `request`.

        Example::

            zoho.coql("select Deal_Name, Amount from Deals where Stage = $stage", params={"stage": "Closed Won"})
        """
        if explain:
            return self._crm.plan_coql(query, params=params or {})
        show = _shows(progress)
        with self._waiting(max_wait):
            self._preload_dataframe_libraries("pandas")
            return self._crm.coql(query, params=params or {}, frame=frame, show=show)

    @overload
    def push(
        self, module: str, frame: Any, action: Action, *, diff: Literal[False] = ..., **options: Unpack[PushKeywords]
    ) -> PushReport: ...

    @overload
    def push(
        self, module: str, frame: Any, action: Action, *, diff: Literal[True], **options: Unpack[PushKeywords]
    ) -> pandas.DataFrame: ...

    def push(
        self,
        module: str,
        frame: Any,
        action: Action,
        *,
        on: str | Sequence[str] | None = None,
        dry_run: bool = False,
        via: Literal["auto", "records", "bulk"] = "auto",
        triggers: Sequence[str] | None = None,
        clear_empty: bool = False,
        rename: bool = False,
        diff: bool = False,
        only_changes: bool = False,
        keep: bool | None = None,
        progress: bool | None = None,
        max_wait: float | None = None,
    ) -> PushReport | pandas.DataFrame:
        """Write the rows of a frame into the CRM; the report has the result of every row.

        Args:
            module: API name.
            frame: pandas, polars or Arrow, or a list of dicts. Columns are API names. A lookup X is written by `X.id`
                (the id), `X` (id or name of one record) or `X.FIELD` (a unique field of its module); a user by id,
                e-mail address (`X.email`) or full name. Columns that contradict each other fail the row. A multi-select
                or tags are a list, or a list saved as text. Ids are text; a float id is refused, because it has lost
                digits. A lookup into several modules (What_Id) needs a column `$se_module` beside it. For empty cells
                see the table below.
            action: insert, update (by the column `id`), upsert, or delete (by `id`, into the recycle bin).
            on: field or fields that find the record to upsert, first match first: unique fields, or the one Zoho checks
                for duplicates by itself (Email, Account_Name, Deal_Name ...); None leaves it to Zoho.
            dry_run: only check against metadata, without a call that writes.
            via: records (100 rows a call), bulk (a job for 25,000 rows), or auto: what costs fewer API credits, which
                is bulk from 5,001 rows on. Zoho does not say whether bulk write runs automations.
            triggers: automations to run: any of workflow, approval, blueprint, pathfinder, orchestration; [] for none.
                None runs all of them, as Zoho does by default: workflows may send e-mails.
            clear_empty: whether an empty cell empties the field.
            rename: whether columns that are called by a field's label ("Last Name", "Record Id"), and an index named
                id, are taken for the fields they name; `attrs["warnings"]` lists them. Without it they are refused with
                the line that renames them.
            diff: write nothing, and return a frame of what would change: a row for each cell, with the index label of
                the frame and the columns id, action (insert, update, delete, unchanged, failed), field, old and new.
                `attrs["counts"]` has the rows by action. It reads the records: a credit for every 50 of them and 50
                fields, for an upsert also a credit for every 100 values of `on`.
            only_changes: leave out rows whose record has their values already (status `unchanged`); costs what `diff`
                costs, and raises where the records cannot be read.
            keep: keep the previous values, in a Parquet file of mode 0600 in the user's data folder, so that
                `report.undo()` and `undo` can put them back; costs what `diff` costs. None: for updates, upserts and
                deletions up to 10,000 rows, where the records can be read. The rows of an insert are undone without it.
            progress: as `pull`.
            max_wait: seconds that it waits for Zoho, all calls together, before it fails; None for the session's.

        The same for every field type, through the Records API and by bulk write:

        ====================================  ===========================  ===========================
        cell                                  clear_empty=False (default)  clear_empty=True
        ====================================  ===========================  ===========================
        None, NaN, NaT, pd.NA, ``""``         field stays as it is         field is emptied
        ``[]`` (multi-select, tags)           field is emptied             field is emptied
        a row of empty cells only             not sent                     its fields are emptied
        ====================================  ===========================  ===========================

        Returns:
            A `PushReport`, a DataFrame with the index of `frame`: status, action, id, code, message, field. A call
            whose outcome is unknown is never repeated for inserts: its rows are `unknown`. After Ctrl-C it reports what
            was done; `report.retry()` does the rest. With `diff` a DataFrame, see there.

        Raises:
            PushError: a column is no field, an id is a float, or the API in `via` cannot do it; nothing was sent.
            QueryError: no such module, action or `via`.
            AuthError, ApiError, ThrottledError, TransportError: as `request`, before anything was sent.

        Example::

            report = zoho.push("Leads", leads[["Email", "Lead_Status"]], "upsert", on="Email")
            report.failed
        """
        from .crm.write.operation import WriteOperation

        wanted = (on,) if isinstance(on, str) else tuple(on or ())
        runs = None if triggers is None else tuple(triggers)
        show = _shows(progress)
        with self._waiting(max_wait):
            self.metadata.fields(module)  # on a fresh session side by side with the list of modules
            name = self.metadata.module(module).name
            operation = WriteOperation(name, action, wanted, runs, clear_empty, rename=rename)
            report: PushReport | pandas.DataFrame = self._crm.push(
                frame, operation, dry_run=dry_run, diff=diff, show=show, via=via, only_changes=only_changes, keep=keep
            )
            return report

    def kept_pushes(self) -> pandas.DataFrame:
        """The pushes whose previous values are kept on this machine, newest first.

        Returns:
            A frame with a row for each: name, when (datetime, UTC), module, action, org (id and data centre), records,
            undone, bytes (Int64). Files lie in the user's data folder with mode 0600, for 30 days, 200 MB together.

        Raises:
            OSError: the folder cannot be read.

        Example::

            zoho.undo(zoho.kept_pushes()["name"].iloc[0])
        """
        from .crm.write.kept_pushes import kept_frame

        return kept_frame()

    def undo(self, name: str, *, progress: bool | None = None) -> PushReport:
        """Undo a push whose previous values are kept, as `PushReport.undo` does; it may be of an earlier kernel.

        Args:
            name: as `kept_pushes` lists it.
            progress: as `pull`.

        Returns:
            A `PushReport` of the rows that were not undone before; its index are the labels of the frame, as text.

        Raises:
            PushError: no such push, its file cannot be read, it belongs to another organisation, or all is undone.
            AuthError, ApiError, ThrottledError, TransportError: as `request`, before anything was written.

        Example::

            zoho.undo("20260131T080000Z-Leads-3f9c1a")
        """
        return self._crm.undo(name, _shows(progress))

    def tag(
        self,
        module: str,
        ids: Any,
        *,
        add: str | Sequence[str] = (),
        remove: str | Sequence[str] = (),
        progress: bool | None = None,
    ) -> PushReport:
        """Add tags to records and remove others, without touching the tags that are not named.

        Args:
            module: API name.
            ids: records: a Series or list of ids, or a frame with a column `id`.
            add: names of tags to add, 25 characters each at most; a tag that is new to the org is made.
            remove: names of tags to remove; a record that has not got one is left as it is.
            progress: as `pull`.

        Returns:
            A `PushReport` with the index of `ids`. It costs a credit for 10 records, once for `add` and once for
            `remove`. `report.retry()` sends what failed once more: twice has the same effect as once.

        Raises:
            PushError: no tag is named, a name is in both or is none, or there is no column `id`; nothing was sent.
            QueryError: no such module.

        Example::

            zoho.tag("Leads", leads["id"], add=["VIP"], remove=["callback"])
        """
        return self._crm.tag(module, ids, add, remove, _shows(progress))

    def tags(self, module: str) -> pandas.DataFrame:
        """The tags of a module.

        Args:
            module: API name.

        Returns:
            A frame sorted by name: name, id, color (text), created_time, modified_time (datetime, UTC). One credit.

        Raises:
            QueryError: no such module.
            AuthError, ApiError, ThrottledError, TransportError: as `request`.

        Example::

            zoho.tags("Leads")["name"].tolist()
        """
        return self._crm.tags(module)

    def count_inserted(self, module: str, frame: Any, action: Action = "insert") -> int:
        """How many rows of a frame are equal to rows that this session has added, or may have added, and would again.

        Args:
            module: API name.
            frame: as `push`.
            action: what the earlier push did. Of an upsert only rows count that had no value in `on`, of an update rows
                that append to a subform: the others have the same effect twice as once.

        Returns:
            The number of rows; it costs no call.

        Raises:
            PushError: the frame is of a kind that cannot be pushed.

        Example::

            zoho.push("Leads", leads, "insert")
            zoho.count_inserted("Leads", leads)    # len(leads)
        """
        from .crm.write.input_table import table_of

        return self._crm.insert_history.count(module, action, table_of(frame))

    def modules(self, *, count: bool = False, refresh: bool = False) -> pandas.DataFrame:
        """The modules whose records the API can read.

        Args:
            count: add a column `records` (Int64), one credit a module.
            refresh: ask the CRM again instead of using what this session knows.

        Returns:
            One row a module: module (API name), label, kind, creatable, editable, deletable.

        Raises:
            AuthError, ApiError, ThrottledError, TransportError: as `request`.

        Example::

            zoho.modules(count=True)
        """
        return self._crm.modules(count=count, refresh=refresh)

    def fields(self, module: str, *, search: str = "", refresh: bool = False) -> pandas.DataFrame:
        """The fields of a module.

        Args:
            module: API name.
            search: only the fields whose API name, label or type holds every one of these words.
            refresh: ask the CRM again instead of using what this session knows.

        Returns:
            One row a field: field (API name), label, type (Zoho's), columns (of a frame, with dtypes), required,
            read_only, unique, length, choices (a list), target (of a lookup).

        Raises:
            QueryError: no such module; the message names the nearest.

        Example::

            zoho.fields("Leads")
        """
        return self._crm.fields(module, search=search, refresh=refresh)

    def profile(self, module: str) -> pandas.DataFrame:
        """What the records of a module hold, column by column; it reads them as `pull(module)` does.

        Args:
            module: API name.

        Returns:
            One row a column of the frame that `pull` gives: column, dtype, fill_rate (Float64, 0 to 1), distinct
            (Int64), top (a list: the three commonest values with their counts), minimum and maximum (of numbers, dates
            and datetimes). `attrs` are those of the pull: warnings, calls, credits.

        Raises:
            QueryError: no such module; the message names the nearest.
            AuthError, ApiError, ThrottledError, TransportError: as `request`.

        Example::

            zoho.profile("Leads").sort_values("fill_rate")
        """
        from .crm.data_profile import profile_frame

        return profile_frame(self.pull(module))

    # What belongs to records

    def related(
        self,
        module: str,
        name: str,
        ids: Iterable[str],
        *,
        fields: Sequence[str] | None = None,
        frame: Literal["pandas", "polars", "arrow"] = "pandas",
    ) -> Any:
        """The records of a related list, of many records side by side; one API credit for 200 of one record.

        Args:
            module: API name of the module of `ids`.
            name: API name of the related list: Contacts, Deals, Notes, Tasks, Calls, Events, Attachments, ...
            ids: record ids (texts), as in the column `id` of a frame.
            fields: API names of the list's module; by default every field that lists of records can carry.
            frame: pandas, polars or arrow (a `pyarrow.Table`).

        Returns:
            One row a related record: parent.id (joins `id` of `module`) and the fields, typed as by `pull`.
            `frame.attrs["warnings"]` names ids that do not exist.
            https://www.zoho.com/crm/developer/docs/api/v8/get-related-records.html

        Raises:
            QueryError: no such module, list or field, or an id is not one; the message names the nearest.
            AuthError, ApiError, ThrottledError, TransportError: as `request`.

        Example::

            accounts = zoho.pull("Accounts", fields=["Account_Name"], limit=20)
            contacts = zoho.related("Accounts", "Contacts", accounts["id"])
            accounts.merge(contacts, left_on="id", right_on="parent.id", suffixes=("_account", ""))
        """
        from .crm import related

        return related.related(self._crm, module, name, ids, fields=fields, frame=frame)

    def notes(self, module: str, ids: Iterable[str], *, frame: Literal["pandas", "polars", "arrow"] = "pandas") -> Any:
        """The notes on records; as `related(module, "Notes", ids)`.

        Args:
            module: API name of the module of `ids`.
            ids: record ids (texts).
            frame: pandas, polars or arrow (a `pyarrow.Table`).

        Returns:
            One row a note: parent.id, id, Note_Title, Note_Content, Owner, Created_Time, ...

        Raises:
            QueryError, AuthError, ApiError, ThrottledError, TransportError: as `related`.

        Example::

            zoho.notes("Deals", deals["id"])
        """
        return self.related(module, "Notes", ids, frame=frame)

    def attachments(
        self, module: str, ids: Iterable[str], *, frame: Literal["pandas", "polars", "arrow"] = "pandas"
    ) -> Any:
        """The files attached to records, without their content; `download` fetches that.

        Args:
            module: API name of the module of `ids`.
            ids: record ids (texts).
            frame: pandas, polars or arrow (a `pyarrow.Table`).

        Returns:
            One row a file: parent.id, id, File_Name, Size (bytes, Int64), Created_Time, Modified_Time (datetime64 UTC),
            Owner, Owner.id, Owner.email, Created_By, Created_By.id, Created_By.email; `attrs["parent"]` is the module.
            https://www.zoho.com/crm/developer/docs/api/v8/get-attachments.html

        Raises:
            QueryError: no such module, or an id is not one.
            AuthError, ApiError, ThrottledError, TransportError: as `request`.

        Example::

            files = zoho.attachments("Deals", deals["id"])
        """
        from .crm import related

        return related.attachments(self._crm, module, ids, frame=frame)

    def download(
        self,
        frame: Any,
        folder: str | os.PathLike[str],
        *,
        module: str | None = None,
        max_bytes: int = 100_000_000,
    ) -> pandas.DataFrame:
        """Download attached files into a folder; run again, it fetches only what is missing.

        Args:
            frame: from `attachments`, or rows of it (pandas).
            folder: made if missing. A file is called `ID-name`, with characters that no file name should have replaced.
            module: API name of the module the files belong to; by default as `frame.attrs` says.
            max_bytes: a larger file is left out, and said to be.

        Returns:
            One row a file, with the index of `frame`: id, file (path), bytes (Int64), status (downloaded, skipped,
            failed), message. https://www.zoho.com/crm/developer/docs/api/v8/download-attachments.html

        Raises:
            QueryError: the frame lacks a column, or its module is not known.

        Example::

            zoho.download(zoho.attachments("Deals", deals["id"]), "contracts/")
        """
        from .crm import files

        where = module or getattr(frame, "attrs", {}).get("parent")
        if not where:
            raise QueryError("The frame does not say which module its files belong to.", hint='Add module="Deals".')
        return files.download(self._crm, frame, Path(folder), module=str(where), max_bytes=max_bytes)

    def upload(self, module: str, record_id: str, path: str | os.PathLike[str]) -> str:
        """Attach a file to a record.

        Args:
            module: API name.
            record_id: the record's id.
            path: the file, at most 20 MB.

        Returns:
            The id of the attachment. https://www.zoho.com/crm/developer/docs/api/v8/upload-attachment.html

        Raises:
            QueryError: no such module or file, the file is too large, or Zoho did not take it.
            AuthError, ApiError, ThrottledError: Zoho refused.
            TransportError: Zoho was not reached, or its answer was lost: look before it is sent again.

        Example::

            zoho.upload("Deals", "554023004000008074", "contract.pdf")
        """
        from .crm import files

        return files.upload(self._crm, module, record_id, Path(path))

    def history(
        self,
        module: str,
        *,
        since: str | date | datetime | None = None,
        explain: bool = False,
        progress: bool | None = None,
    ) -> Any:
        """How long records stayed in each stage, or in each value of another picklist whose history Zoho keeps.

        Args:
            module: API name: Deals, or a module with a tracked picklist.
            since: only periods that began at or after this moment.
            explain: return the `Plan` of the pull instead; it spends one count at most.
            progress: as `pull`.

        Returns:
            One row a period, by record and time: id, deal and deal.id (named after the module; joins `id` of it), stage
            (the picklist's value), from and to (datetime64 UTC; to is NaT for the period that lasts), days (Int64,
            Zoho's calendar days), amount (Float64), currency, moved_to.

        Raises:
            QueryError: no such module, or Zoho keeps no history of it; the message names those it keeps.
            AuthError, ApiError, ThrottledError, TransportError: as `request`.

        Example::

            zoho.history("Deals").groupby("stage")["days"].median()
        """
        from .crm import history

        if explain:
            return self.plan(history.tracker_of(self._crm, module).name, since=since)
        self._preload_dataframe_libraries()
        show = _shows(progress)
        return history.history(self._crm, module, since=since, show=show)

    # The org and its people

    def users(self) -> pandas.DataFrame:
        """Every user of the org, deactivated and deleted ones included: they own records still.

        Returns:
            One row a user: id (joins `Owner.id`, `Created_By.id`, ...), full_name, first_name, last_name, email, role,
            role.id, profile, profile.id, reporting_to, reporting_to.id, status (active, disabled, deleted), confirm
            (boolean), time_zone, locale, language, country, zuid, created_time and modified_time (datetime64 UTC),
            created_by, created_by.id, modified_by, modified_by.id. Texts are strings; Zoho may send no name for users
            who are not active. https://www.zoho.com/crm/developer/docs/api/v8/get-users.html

        Raises:
            AuthError: the scope ZohoCRM.users.READ or a permission is missing.
            ApiError, ThrottledError, TransportError: as `request`.

        Example::

            leads.merge(zoho.users(), left_on="Owner.id", right_on="id", suffixes=("", "_user"))
        """
        from .crm import people

        return people.users(self._crm)

    def roles(self) -> pandas.DataFrame:
        """The roles of the org, which say who sees whose records.

        Returns:
            One row a role: id (joins `role.id` of `users()`), name, description, reporting_to, reporting_to.id (the
            role above, <NA> at the top), share_with_peers and admin_user (boolean).
            https://www.zoho.com/crm/developer/docs/api/v8/get-roles.html

        Raises:
            AuthError: the scope ZohoCRM.settings.roles.READ or a permission is missing.
            ApiError, ThrottledError, TransportError: as `request`.

        Example::

            zoho.users().merge(zoho.roles(), left_on="role.id", right_on="id", suffixes=("", "_role"))
        """
        from .crm import people

        return people.roles(self._crm)

    def profiles(self) -> pandas.DataFrame:
        """The profiles of the org, which say what their users may do.

        Returns:
            One row a profile: id (joins `profile.id` of `users()`), name, description, type, custom and default
            (boolean), created_time and modified_time (datetime64 UTC), created_by, created_by.id, modified_by,
            modified_by.id. https://www.zoho.com/crm/developer/docs/api/v8/get-profiles.html

        Raises:
            AuthError: the scope ZohoCRM.settings.profiles.READ or a permission is missing.
            ApiError, ThrottledError, TransportError: as `request`.

        Example::

            zoho.users().groupby("profile")["id"].count()
        """
        from .crm import people

        return people.profiles(self._crm)

    def territories(self) -> pandas.DataFrame:
        """The sales territories of the org, in all pages that Zoho has.

        Returns:
            One row a territory: id, name, description, reporting_to, reporting_to.id (the territory above, <NA> at the
            top), manager, manager.id (joins `id` of `users()`), permission_type, created_time and modified_time
            (datetime64 UTC), created_by, created_by.id, modified_by, modified_by.id. No rows where the org has none.
            https://www.zoho.com/crm/developer/docs/api/v8/get-territories.html

        Raises:
            AuthError: the scope ZohoCRM.settings.territories.READ or a permission is missing.
            ApiError: the org's edition has no territories.
            ThrottledError, TransportError: as `request`.

        Example::

            zoho.territories()[["name", "reporting_to", "manager"]]
        """
        from .crm import people

        return people.territories(self._crm)

    def currencies(self) -> pandas.DataFrame:
        """The currencies of the org with their exchange rates.

        Returns:
            One row a currency: id, iso_code (joins `Currency` of records), symbol, name, exchange_rate (Float64: units
            of this currency for one of the home currency, now), is_base (boolean: the home currency), is_active,
            created_time and modified_time (datetime64 UTC), created_by, created_by.id, modified_by, modified_by.id.
            https://www.zoho.com/crm/developer/docs/api/v8/get-currencies.html

        Raises:
            AuthError: the scope ZohoCRM.settings.currencies.READ or a permission is missing.
            ApiError: the org does not use several currencies (FEATURE_NOT_SUPPORTED, CURRENCIES_NOT_ENABLED).
            ThrottledError, TransportError: as `request`.

        Example::

            deals.merge(zoho.currencies(), left_on="Currency", right_on="iso_code", suffixes=("", "_currency"))
        """
        from .crm import people

        return people.currencies(self._crm)

    def business_hours(self) -> pandas.DataFrame:
        """The hours in which the org works, one row a day of the week.

        Returns:
            Seven rows, Monday first: day, business_day (boolean), opens and closes ("09:00" in `time_zone`; <NA> on a
            day off, 00:00 and 24:00 on a whole day), time_zone (IANA name), type (custom, 24_by_7, 24_by_5),
            week_starts_on, id. No rows where the org has set none.
            https://www.zoho.com/crm/developer/docs/api/v8/business-hours.html

        Raises:
            AuthError: the scope ZohoCRM.settings.business_hours.READ or a permission is missing.
            ApiError, ThrottledError, TransportError: as `request`.

        Example::

            hours = zoho.business_hours().set_index("day")
        """
        from .crm import people

        return people.business_hours(self._crm)

    def views(self, module: str) -> pandas.DataFrame:
        """The custom views of a module that you may see.

        Args:
            module: API name.

        Returns:
            One row a view: id, name, system_name, category, access_type, default and system_defined (boolean),
            created_by, created_by.id, modified_time (datetime64 UTC).
            https://www.zoho.com/crm/developer/docs/api/v8/custom-view-meta.html

        Raises:
            QueryError: no such module.
            AuthError: the scope ZohoCRM.settings.custom_views.READ is missing.
            ApiError, ThrottledError, TransportError: as `request`.

        Example::

            zoho.views("Leads")[["name", "id"]]
        """
        from .crm import views

        return views.views(self._crm, self.metadata.module(module).name)

    def choices(self, module: str, field: str | None = None) -> pandas.DataFrame:
        """The choices of picklists with their labels and colours, in the CRM's order.

        Args:
            module: API name.
            field: API name of one picklist; by default all of the module.

        Returns:
            One row a choice: field, value (what records carry), label (what people see), colour, type (used, unused),
            id, order (Int64).

        Raises:
            QueryError: no such module or field, or the field is not a picklist.
            AuthError, ApiError, ThrottledError, TransportError: as `request`.

        Example::

            stages = zoho.choices("Deals", "Stage")["value"]
            deals["Stage"] = pandas.Categorical(deals["Stage"], stages, ordered=True)
        """
        from .crm import views

        return views.choices(self.metadata, self._crm, self.metadata.module(module).name, field)

    def schema(self, *modules: str) -> pandas.DataFrame:
        """The data dictionary: every field of some modules, or of all; one API credit a module.

        Args:
            modules: API names; none for every module that can be read.

        Returns:
            One row a field: module, field, label, type (Zoho's), target (module of a lookup), required, read_only,
            unique and custom (boolean), length (Int64, characters), choices (a list). `compare_schema` says what
            differs between two of them, of two orgs or days.

        Raises:
            QueryError: no such module; the message names the nearest.
            AuthError, ApiError, ThrottledError, TransportError: as `request`.

        Example::

            zoho.schema("Deals", "Accounts").to_excel("dictionary.xlsx")
        """
        from .crm import schema

        return schema.schema(self._crm, modules)

    def compare_schema(self, old: pandas.DataFrame, new: pandas.DataFrame) -> pandas.DataFrame:
        """What differs between two data dictionaries: of two days, or of a sandbox and production. Makes no call.

        Args:
            old, new: frames of `schema`, of this or another session, also read back from Parquet.

        Returns:
            One row a difference: module, field, change (added, removed or changed), and for a change the property
            (a column of `schema`), old and new. No rows where nothing differs.

        Raises:
            QueryError: a frame lacks the column module or field, or has a field twice.

        Example::

            zoho.compare_schema(pandas.read_parquet("schema-monday.parquet"), zoho.schema())
        """
        from .crm import schema

        return schema.compare_schema(old, new)

    def schema_diagram(self, *modules: str) -> str:
        """The lookups between some modules, or all, as an entity diagram in Mermaid's language.

        Args:
            modules: API names; none for every module that can be read.

        Returns:
            Text that begins with `erDiagram`; GitHub, JupyterLab's Markdown and mermaid.live draw it.

        Raises:
            QueryError: no such module; the message names the nearest.
            AuthError, ApiError, ThrottledError, TransportError: as `request`.

        Example::

            print(zoho.schema_diagram("Deals", "Accounts", "Contacts"))
        """
        from .crm import schema

        return schema.mermaid(self._crm, modules)

    def deleted(
        self,
        module: str,
        *,
        since: str | date | datetime | None = None,
        kind: Literal["all", "recycle", "permanent"] = "all",
        frame: Literal["pandas", "polars", "arrow"] = "pandas",
    ) -> Any:
        """Records that were deleted in the last 120 days, the latest first; 2 API credits for 200 of them.

        Args:
            module: API name.
            since: only records deleted at or after this moment; a text or naive value is in local time.
            kind: recycle (in the recycle bin, for 60 days), permanent (gone for good, 60 days longer), or all.
            frame: pandas, polars or arrow (a `pyarrow.Table`).

        Returns:
            One row a deletion: id, name, deleted_time (datetime64 UTC), deleted_by, deleted_by.id (joins `id` of
            `users()`), kind (recycle or permanent), created_by, created_by.id. Zoho keeps no name and no user of what
            is gone for good: those are <NA>, and `frame.attrs["warnings"]` says of how many.
            https://www.zoho.com/crm/developer/docs/api/v8/get-deleted-records.html

        Raises:
            QueryError: no such module; the message names the nearest. Or `since` or `kind` cannot be used.
            AuthError, ApiError, ThrottledError, TransportError: as `request`.

        Example::

            gone = zoho.deleted("Leads", since="2026-01-01")
            copy = copy[~copy["id"].isin(gone["id"])]
        """
        from .crm import deleted
        from .crm.read.pull import parse_since

        name = self.metadata.module(module).name
        return deleted.deleted(self._crm, name, since=parse_since(since), kind=kind, frame=frame)

    def backup(self, folder: str | os.PathLike[str], *, progress: bool | None = None) -> pandas.DataFrame:
        """Back up every module that can be read, the schema and the users; run again, it brings what is missing.

        Args:
            folder: a new or empty one, or that of a backup to continue. It gets `MODULE.parquet` for each module
                (converted leads too), `_schema.parquet`, `_users.parquet` and `manifest.json` with the rows, bytes and
                sha256 of each file. Attached files are not in it: `attachments` and `download` fetch them.
            progress: as `pull`.

        Returns:
            One row a file: name, file, status (written; kept from an earlier run; failed), rows and bytes (Int64),
            sha256, message. `attrs["complete"]` says whether all are there, `attrs["warnings"]` if not. Each module is
            as of the moment it was read; the API credits are those of `export`.

        Raises:
            ConfigurationError: the folder holds other files, or a backup of another organisation.
            QueryError: the folder's manifest cannot be read.
            AuthError, ApiError, ThrottledError, TransportError: the list of modules could not be read; later failures
                are rows of the result.

        Example::

            zoho.backup("crm-2026-01-31").attrs["complete"]
        """
        from .mirror.backup import backup

        parts: dict[str, Callable[[Path], object]] = {
            "_schema": lambda path: self.schema().to_parquet(path),
            "_users": lambda path: self.users().to_parquet(path),
        }
        parts |= {name: partial(self._back_up_module, name, progress) for name in self.metadata.modules()}
        return backup(Path(folder).expanduser(), parts, self._identity())

    def _back_up_module(self, module: str, progress: bool | None, path: Path) -> None:
        everything: Literal["both", False] = "both" if "Converted__s" in self.metadata.fields(module) else False
        self.export(module, path, converted=everything, progress=progress)

    def check_backup(self, folder: str | os.PathLike[str]) -> pandas.DataFrame:
        """Whether a backup is complete and its files are as they were written; it makes no call.

        Args:
            folder: of `backup`.

        Returns:
            As `backup`, with the status ok, changed or missing.

        Raises:
            QueryError: the folder has no manifest of a backup.

        Example::

            zoho.check_backup("crm-2026-01-31").attrs["complete"]
        """
        from .mirror.backup import check_backup

        return check_backup(Path(folder).expanduser())

    def usage(self) -> pandas.DataFrame:
        """The calls of this session so far: how many, by which magic, on which route, at what cost.

        API credits are those that Zoho's page of limits states for each call; a call of your own by `request` counts
        as one. Token requests cost none. A call that was sent again counts each time.
        https://www.zoho.com/crm/developer/docs/api/v8/api-limits.html

        Returns:
            One row for each magic, method and route, the most expensive first: magic (`%zoho_pull`; "" from Python),
            method and route (text; `{id}` stands for ids and values), calls, failed, credits (Int64), seconds
            (Float64). `frame.attrs` holds the totals calls, credits and token_requests, and credits_left (API credits
            left today; None until Zoho tells). It makes no call.

        Example::

            used = zoho.usage()
            used.groupby("magic")["credits"].sum(), used.attrs["credits_left"]
        """
        from .crm.usage import usage

        return usage(self._log, self.credits_left)

    def log_calls(self, path: str | os.PathLike[str] | None) -> None:
        """Append every further call of this session to a file, one line of JSON each: no values, no secrets.

        A line has time (UTC), magic, method, route (without ids and parameters), status, error, credits and seconds.

        Args:
            path: the file; it is made with mode 0600 if missing. None ends the log.

        Raises:
            ConfigurationError: the file cannot be written.

        Example::

            zoho.log_calls("calls.jsonl")
            pandas.read_json("calls.jsonl", lines=True)
        """
        self._log.write_to(None if path is None else Path(path).expanduser().absolute())

    @property
    def credits_left(self) -> int | None:
        """API credits left today; None until Zoho tells, which it does once half are used.

        https://www.zoho.com/crm/developer/docs/api/v8/api-limits.html
        """
        return self._credits_left

    @property
    def metadata(self) -> Metadata:
        """Modules and fields as this session knows them, as objects; `modules()` and `fields()` give frames.

        Raises:
            QueryError, AuthError, ApiError, ThrottledError, TransportError: at the first use of a module or field.

        Example::

            zoho.metadata.module("Leads").name
        """
        return self._crm.metadata

    @property
    def organisation(self) -> Organisation:
        """The CRM organisation this session is connected to.

        Raises:
            AuthError, ApiError, ThrottledError, TransportError: Zoho refused or was not reached.

        Example::

            zoho.organisation.edition    # 'enterprise'
        """
        return self._account_info().organisation

    def _waiting(self, max_wait: float | None) -> AbstractContextManager[WaitBudget]:
        """One budget of waiting for every call inside."""
        return wait_budget(self.max_wait if max_wait is None else max_wait)

    def _max_concurrency(self) -> int:
        """How many calls are worth making side by side, by the org's edition."""
        self._limiter.set_edition(self.organisation.edition)
        return self._limiter.max_concurrency

    def _check_trusted_url(self, url: str) -> None:
        """Raise TransportError unless a token may be sent to this URL."""
        if not self._is_trusted_url(url):
            raise TransportError(
                "That address is not one of Zoho's, so the token was not sent.",
                hint="Use a path (/crm/v8/...), or a URL on one of Zoho's hosts over https.",
            )

    def _is_trusted_url(self, url: str) -> bool:
        """Whether a token may be sent to this URL: a host of Zoho, or one of this session's own servers."""
        return is_trusted_url(url, self.credentials, self.token)

    # Inside

    def _pull_lazily(
        self,
        module: str,
        frame: str,
        asked: dict[str, Any],
        more: dict[str, Any],
        to: str | os.PathLike[str] | None,
        max_age: float | None,
    ) -> Any:
        from .mirror.readers import LAZY_FRAMES, open_lazily

        if frame not in LAZY_FRAMES:
            known = ("pandas", "polars", "arrow", *LAZY_FRAMES)
            if frame in known:
                raise QueryError(f"frame={frame!r} takes no `to`.", hint="Use export(module, to=...) for a file.")
            raise QueryError(f"There is no frame {frame!r}.", hint=f"Use one of {', '.join(known)}.")
        key = {"module": module, **asked, "identity": self._identity()}
        found, place, age = open_lazily(frame, partial(self.export, module, **asked, **more), to, key, max_age)
        if max_age is not None and age:
            warnings.warn(f"{place} was landed {age:,.0f} seconds ago.", UserWarning, stacklevel=3)
        return found

    def _identity(self) -> tuple[str, str]:
        """The organisation's id and its data centre."""
        return self.organisation.zgid, self.credentials.dc

    @cached_property
    def _crm(self) -> CrmClient:
        from .crm.client import CrmClient  # it brings Arrow, which takes a while to load

        return CrmClient(
            self.request,
            scopes=lambda: self.token.scopes,
            credits_left=lambda: self.credits_left,
            edition=lambda: self.organisation.edition,
            max_concurrency=lambda: self._max_concurrency(),
            identity=lambda: self._identity(),
            upload_target=lambda: (upload_origin(self.credentials, self.token), self.organisation.zgid),
        )

    def _preload_dataframe_libraries(self, *more: str) -> None:
        """Load what a frame needs (`more`: beside Arrow) while Zoho issues a token: neither waits for the other."""
        if self._tokens.cached_token() is not None:
            return
        credentials = self.credentials
        if not (credentials.refresh_token or credentials.soid):
            credentials.require(
                "client_id", "client_secret", "refresh_token"
            )  # nothing is loaded for a call never made
        loading = preload("pyarrow.compute", "pyarrow.csv", "pyarrow.json", *more)
        try:
            _ = self.token
        except BaseException:
            loading.join()
            raise

    @cached_property
    def _logins(self) -> LoginManager:
        from .login.manager import LoginManager

        return LoginManager(
            self._store, self._tokens, self._post_form, self._get_public, self._clock, self._organisation_id
        )

    @property
    def _login_notes(self) -> tuple[str, ...]:
        return self._logins.notes if "_logins" in vars(self) else ()

    def _post_form(self, url: str, form: Mapping[str, str | Secret | None]) -> oauth.TokenResponse:
        return self._transport.post_form(url, form, oauth.parse_response)

    def _get_public(self, url: str) -> requests.Response:
        return self._transport.send("GET", url, auth=lambda request: request, idempotent=True)

    def _logged_in(self) -> Status:
        self._store.warn()
        return self.status()

    def _explain_refusal(self, error: ZohoError, credentials: Credentials) -> ZohoError:
        return self._logins.explain(error, credentials)

    def _organisation_id(self) -> str:
        """The id of the org there is access to already; "" without access, or where a scope for it is missing."""
        try:
            return self.organisation.zgid if self.credentials.refresh_token else ""
        except ZohoError:
            return ""

    def _record_credits(self, response: requests.Response) -> None:
        left = response.headers.get("X-API-CREDITS-REMAINING", "").strip()
        if left.isascii() and left.isdigit() and len(left) < 19:
            self._credits_left = int(left)

    def _account_info(self) -> AccountInfo:
        """Who and where, asked once for as long as the credentials stay the same."""
        key = cache_key(self.credentials)
        if self._account_cache[0] != key:
            self._account_cache = key, fetch_account_info(self)
        return self._account_cache[1]


def _without_plain_secrets(changes: CredentialChanges) -> CredentialChanges:
    # The name is bound again at once: a debugger or a verbose traceback shows every local of a public method.
    return cast("CredentialChanges", wrap_secrets(changes))


def _bound(where: str | None, params: Mapping[str, Any] | None) -> str | None:
    if not where or params is None:
        return where
    from .crm.coql.parameters import bind

    return bind(where, params)


def _shows(progress: bool | None) -> bool:
    """Whether to show a progress bar: as asked, or by default where somebody is watching."""
    return _is_interactive() if progress is None else progress


def _is_interactive() -> bool:
    return sys.stderr is not None and sys.stderr.isatty()
