"""Everything that can go wrong: one small tree, and one table from Zoho's code to the next step.

    ZohoError
    ├── CredentialsMissing   something needed is not set, or `.env` cannot be read or saved
    ├── AuthError            Zoho refused a code, a token, a client or a scope
    ├── ThrottledError       too many requests; `.wait` says how many seconds to wait
    ├── ApiError             the CRM refused a request
    ├── QueryError           a module, a field or a query is not what the CRM knows
    ├── PushError            rows cannot be written as they are, or some were not; `.report` says which
    └── TransportError       Zoho was not reached, or what answered was not Zoho

To add an error hint, add one line to `CATALOGUE`.
"""

from __future__ import annotations

import os
import re
import traceback
from dataclasses import dataclass
from typing import Any

__all__ = [
    "ApiError",
    "AuthError",
    "CredentialsMissing",
    "PushError",
    "QueryError",
    "ThrottledError",
    "TransportError",
    "ZohoError",
    "error_for",
]

_RED, _RESET = "\x1b[31m", "\x1b[0m"


class ZohoError(Exception):
    """What happened, in one line, and what to do next.

    Attributes:
        code: Zoho's own code (`invalid_code`, `INVALID_TOKEN`, ...), or "" where the error is not Zoho's.
        hint: the next step.
        doing: what was being done (`exchange`, `refresh`, `GET /crm/v8/org`, ...).
        status: the HTTP status of the CRM's refusal, else 0.
        details: what the CRM said about it (`column_name`, `api_name`, ...).

    In IPython it shows as one red line and `-> hint`; in a script, or with `ZOHO_MAGIC_DEBUG=1`, as a traceback.

    Example::

        try:
            zoho.refresh()
        except ZohoError as error:
            print(error, error.hint, error.code)
    """

    def __init__(self, message: str, *, hint: str = "", code: str = "", operation: str = "") -> None:
        super().__init__(message)
        self.hint = hint
        self.code = code
        self.operation = operation
        self.status = 0
        self.details: dict[str, Any] = {}

    def __str__(self) -> str:
        return f"{self.args[0]}\n-> {self.hint}" if self.hint else str(self.args[0])

    def _render_traceback_(self) -> list[str]:
        if os.environ.get("ZOHO_MAGIC_DEBUG"):
            return traceback.format_exception(type(self), self, self.__traceback__)
        line = f"{_RED}{type(self).__name__}: {self.args[0]}{_RESET}"
        return [line, f"-> {self.hint}"] if self.hint else [line]


class CredentialsMissing(ZohoError):  # noqa: N818  # it reads as what happened
    """Something needed to talk to Zoho is not set, is not usable, or could not be read from or saved to `.env`."""


class AuthError(ZohoError):
    """Zoho refused a grant code, a token, a client or a scope."""


class ThrottledError(ZohoError):
    """Too many requests, by Zoho's count or by ours. `wait` is the number of seconds to wait (0.0 where unknown)."""

    retry_after: float = 0.0


class ApiError(ZohoError):
    """The CRM refused a request."""


class QueryError(ZohoError):
    """A module, a field or a query is not what the CRM knows; the message names it and the nearest name."""


class PushError(ZohoError):
    """Rows cannot be written as they are, or some were not. `report` is the PushReport, where there is one."""

    report: Any = None


class TransportError(ZohoError):
    """Zoho was not reached, or what answered was not Zoho's. `sent`: whether the call may have been carried out."""

    may_have_been_sent: bool = True


@dataclass(frozen=True)
class _Entry:
    error_class: type[ZohoError]
    message: str
    hint: str


_NEW_CODE = "Generate a new code at {console} and run %zoho_exchange at once: a code works once, for a few minutes."
_NEW_GRANT = "Run %zoho_login; or generate a code at {console} (Self Client > Generate Code) and run %zoho_exchange."
_RIGHT_CLIENT = (
    "Compare ZOHO_CLIENT_ID with {console}; if you sign in at another Zoho address, set ZOHO_DC to it "
    "(us, eu, in, au, jp, cn, ca, sa, uk, ae, sg), with the client's Multi-DC switched on and the secret of that place."
)
_ADD_SCOPE_HINT = "Run %zoho_login --add-scope {scope} (what you have already stays)."
_WAIT = "Wait {wait}, then run the cell again; the token you have stays usable until it expires."
_GUIDE = "Look the call up in Zoho's API guide."
_OTHER_API_HINT = "Use --via coql, or --via records."

# Code, or code@what-was-being-done where the same word means two things. Sources: zoho.com/accounts/protocol/oauth
# (web-apps/access-token, self-client, devices) and zoho.com/crm/developer/docs/api/v8 (each call's "possible errors").
CATALOGUE: dict[str, _Entry] = {
    # Accounts server: /oauth/v2/token, /oauth/v2/auth
    "invalid_client": _Entry(
        AuthError, "Zoho ({dc}) does not know this client id, or not in this data centre.", _RIGHT_CLIENT
    ),
    "invalid_client_secret": _Entry(
        AuthError,
        "The client secret is not the one Zoho ({dc}) has for this client.",
        "Copy the secret of this data centre from {console} into ZOHO_CLIENT_SECRET, or run %zoho_setup.",
    ),
    "invalid_redirect_uri": _Entry(
        AuthError,
        "The redirect URI is not one registered for this client.",
        "Make ZOHO_REDIRECT_URI the same, letter for letter, as at {console}; a Self Client needs none.",
    ),
    "invalid_code": _Entry(
        AuthError,
        "Zoho does not accept this grant code: used, expired, mistyped or made for another client.",
        _NEW_CODE,
    ),
    "invalid_code@refresh": _Entry(
        AuthError,
        "Zoho no longer accepts the refresh token: revoked, from another data centre, or pushed out by newer ones "
        "(Zoho keeps 20).",
        _NEW_GRANT,
    ),
    "invalid_code@revoke": _Entry(
        AuthError,
        "Zoho does not know this refresh token, so there was nothing to revoke there.",
        "Remove ZOHO_REFRESH_TOKEN from .env, or run %zoho_revoke --forget to forget it here.",
    ),
    "invalid_scope": _Entry(
        AuthError,
        "Zoho does not know one of the scopes asked for.",
        "Check ZOHO_SCOPES: commas between them, names as in %zoho_setup (ZohoCRM.modules.ALL, ...).",
    ),
    "missing_org_info": _Entry(
        AuthError,
        "Client credentials need the organisation they are for.",
        "Set ZOHO_SOID to ZohoCRM.<organisation id> (Setup > Developer Hub > APIs shows the id).",
    ),
    "access_denied": _Entry(
        AuthError, "The request for access was refused.", "Run it again and accept, or ask your administrator."
    ),
    "Access Denied": _Entry(
        ThrottledError, "Zoho blocked new tokens for a while: more than 10 in 10 minutes for one refresh token.", _WAIT
    ),
    "general_error": _Entry(
        AuthError,
        "Zoho answered general_error and gives no reason.",
        "Wait a minute and try again; then compare client id, secret and data centre with {console}.",
    ),
    "oauth_app_blocked": _Entry(
        AuthError, "Zoho has blocked this client.", "Look at its state at {console}; make a new client if needed."
    ),
    "client_not_granted": _Entry(AuthError, "This client has no consent from you yet.", _NEW_GRANT),
    "prompt_required": _Entry(AuthError, "Zoho wants your consent again.", _NEW_GRANT),
    "authorization_pending": _Entry(
        AuthError, "Zoho is still waiting for your consent.", "Open the link, enter the code, then wait."
    ),
    "slow_down": _Entry(ThrottledError, "Zoho was asked too often whether you have consented.", _WAIT),
    "expired": _Entry(
        AuthError, "The code was not used in time.", "Ask for a new one and enter it within five minutes."
    ),
    "other_dc": _Entry(
        AuthError,
        "Your account lives in another data centre.",
        "Set ZOHO_DC to it, and switch on Multi-DC for the client at {console}.",
    ),
    # CRM API, authentication
    "INVALID_TOKEN": _Entry(
        AuthError,
        "The CRM does not accept the access token, although it is fresh.",
        "{likely}The account is probably in another data centre or environment: check ZOHO_DC (now {dc}) and "
        "ZOHO_ENVIRONMENT (now {environment}).",
    ),
    "AUTHENTICATION_FAILURE": _Entry(
        AuthError, "The CRM could not read who is asking.", "Run %zoho_refresh; if it stays, check ZOHO_DC (now {dc})."
    ),
    "OAUTH_SCOPE_MISMATCH": _Entry(AuthError, "The token's scopes do not cover {doing}.", _ADD_SCOPE_HINT),
    # The same from Zoho's other APIs on these hosts
    "INVALID_OAUTHTOKEN": _Entry(AuthError, "Zoho does not accept the access token.", "Run %zoho_refresh."),
    "INVALID_OAUTHSCOPE": _Entry(AuthError, "The token's scopes do not cover {doing}.", _ADD_SCOPE_HINT),
    "AUTHORIZATION_FAILED": _Entry(
        AuthError, "You are not allowed to do this in the CRM.", "Ask your CRM administrator for the permission."
    ),
    "NO_PERMISSION": _Entry(
        AuthError,
        "Your CRM profile lacks a permission{permissions}.",
        "Ask your CRM administrator for it; a new token does not help.",
    ),
    "INVALID_URL_PATTERN": _Entry(
        ApiError,
        "Zoho knows no such address: {doing}.",
        "Check the path and its version (/crm/v8/...), and that ZOHO_DC (now {dc}) is yours.",
    ),
    "INVALID_REQUEST_METHOD": _Entry(
        ApiError, "Zoho does not allow this method here: {doing}.", "Check the method in Zoho's API guide."
    ),
    "INTERNAL_ERROR": _Entry(ApiError, "Zoho had an error of its own.", "Run it again in a minute."),
    "TOO_MANY_REQUESTS": _Entry(
        ThrottledError,
        "Zoho is throttling: too many calls at once, or the day's API credits are used up.",
        "Wait {wait} and run it again; %zoho shows the credits left when Zoho tells them.",
    ),
    # CRM API, reading
    "INVALID_MODULE": _Entry(
        QueryError, "The CRM has no module of that name.", "Run %zoho_modules for the names; they are API names."
    ),
    "NOT_SUPPORTED": _Entry(QueryError, "Zoho's API does not offer this module.", "Run %zoho_modules for the others."),
    "REQUIRED_PARAM_MISSING": _Entry(ApiError, "The call lacks something it needs ({said}).", _GUIDE),
    "EXPECTED_PARAM_MISSING": _Entry(ApiError, "The call lacks something it needs ({said}).", _GUIDE),
    "PATTERN_NOT_MATCHED": _Entry(ApiError, "A value in the call has the wrong form ({said}).", _GUIDE),
    "AMBIGUITY_DURING_PROCESSING": _Entry(ApiError, "Two things in the call exclude each other ({said}).", _GUIDE),
    "LIMIT_EXCEEDED": _Entry(
        QueryError,
        "That is more than Zoho allows in one call ({said}).",
        "Ask for less of what it names: fields, values in a list, criteria or rows.",
    ),
    "LIMIT_REACHED": _Entry(
        QueryError, "Zoho's search ends at 2,000 rows, and there are more.", "Use %%zoho_coql, which has no such limit."
    ),
    "DISCRETE_PAGINATION_LIMIT_EXCEEDED": _Entry(
        ApiError, "Pages by number end at 2,000 rows.", "Use %zoho_pull, or go on with page_token."
    ),
    "PAGINATION_LIMIT_EXCEEDED": _Entry(
        QueryError, "The records road ends at 100,000 rows, and there are more.", "Use --via bulk or --via coql."
    ),
    "TOKEN_BOUND_DATA_MISMATCH": _Entry(
        ApiError,
        "The page token belongs to another call: other fields, another order or another user.",
        "Start again from the first page.",
    ),
    "EXPIRED_VALUE": _Entry(
        ApiError, "The page token is older than a day, and Zoho no longer takes it.", "Start again from the first page."
    ),
    "FEATURE_NOT_SUPPORTED": _Entry(ApiError, "The org's edition does not have this feature.", _GUIDE),
    "CURRENCIES_NOT_ENABLED": _Entry(
        ApiError, "The org has one currency only.", "Nothing to do: every amount is in the home currency."
    ),
    # CRM API, COQL
    "SYNTAX_ERROR": _Entry(
        QueryError,
        "Zoho cannot read this COQL ({said}).",
        "Look at the word it names; text goes in single quotes, and a quote inside it is doubled.",
    ),
    "INVALID_QUERY": _Entry(
        QueryError,
        "Zoho does not take this COQL ({said}).",
        "Check the field, the operator and the value it names; %zoho_fields shows the type of every field.",
    ),
    "INVALID_DATA@POST /crm/v8/coql": _Entry(
        QueryError, "Zoho does not take this COQL ({said}).", "Check the number or the custom view it names."
    ),
    "MANDATORY_NOT_FOUND@POST /crm/v8/coql": _Entry(
        QueryError, "The query is missing.", "Write one below %%zoho_coql."
    ),
    "DUPLICATE_DATA@POST /crm/v8/coql": _Entry(
        QueryError, "The query selects a column twice ({said}).", "Leave one out, or give it a name with 'as'."
    ),
    "DUPLICATE_ALIAS": _Entry(
        QueryError, "Two columns of the query have the same name ({said}).", "Choose another name after 'as'."
    ),
    "INVALID_ALIAS": _Entry(
        QueryError, "Zoho does not take this name for a column ({said}).", "Use letters, digits and _ after 'as'."
    ),
    # CRM API, bulk read
    "MODULE_NOT_SUPPORTED": _Entry(QueryError, "Bulk read does not offer this module.", _OTHER_API_HINT),
    "MODULE_NOT_AVAILABLE": _Entry(
        QueryError, "The CRM has no module of that name.", "Run %zoho_modules for the names; they are API names."
    ),
    "FIELD_NOT_SUPPORTED": _Entry(QueryError, "Bulk read does not export a field ({said}).", _OTHER_API_HINT),
    "FIELD_NOT_AVAILABLE": _Entry(
        QueryError, "The module has no such field ({said}).", "Run %zoho_fields for the names."
    ),
    "FIELD_IN_CRITERIA_NOT_AVAILABLE": _Entry(
        QueryError, "The module has no such field to filter on ({said}).", "Run %zoho_fields for the names."
    ),
    **{
        code: _Entry(QueryError, "Bulk read does not take this filter ({said}).", "Use --via coql for it.")
        for code in (
            "FIELD_IN_CRITERIA_NOT_SUPPORTED",
            "FIELD_COMPARATOR_IN_CRITERIA_NOT_SUPPORTED",
            "FIELD_AND_COMPARATOR_IN_CRITERIA_NOT_COMPATIBLE",
            "FIELD_AND_VALUE_IN_CRITERIA_NOT_COMPATIBLE",
            "COMPARATOR_AND_VALUE_IN_CRITERIA_NOT_COMPATIBLE",
            "VALUE_LIMIT_EXCEEDED_IN_CRITERIA",
            "CRITERIA_LIMIT_EXCEEDED",
            "AMBIGUOUS_CRITERIA",
            "INVALID_CRITERIA",
            "GROUP_OPERATOR_NOT_SUPPORTED",
        )
    },
    "CVID_NOT_SUPPORTED": _Entry(QueryError, "Bulk read does not know this custom view.", _OTHER_API_HINT),
    **{
        code: _Entry(ApiError, "Zoho does not take this bulk read job ({said}).", _OTHER_API_HINT)
        for code in (
            "JOB_NOT_SUPPORTED",
            "QUERY_NOT_SUPPORTED",
            "PAGE_NOT_SUPPORTED",
            "PAGE_RANGE_EXCEEDED",
            "INVALID_CALLBACK_URL",
            "INVALID_CALLBACK_METHOD",
            "REQUEST_BODY_IS_EMPTY",
            "REQUEST_BODY_NOT_READABLE",
            "REQUEST_BODY_NOT_SUPPORTED",
            "MEDIA_TYPE_NOT_SUPPORTED",
        )
    },
    "RESOURCE_NOT_FOUND": _Entry(
        ApiError,
        "Zoho does not have that: {doing}. A bulk job's result is kept for a day.",
        "Check the id, or run the job again.",
    ),
}


def error_for(code: str, *, operation: str = "", zoho_message: str = "", **facts: str) -> ZohoError:
    """The error for one of Zoho's codes, with its next step filled in.

    Args:
        code: Zoho's code as it came, from a token answer or an API answer.
        doing: what was being done; chooses between meanings where a code has two.
        said: Zoho's own message, shown where it names what is wrong.
        facts: what the sentences name: console, dc, environment, likely, scope, wait, permissions.

    Example::

        raise explain("invalid_code", doing="exchange", console="https://api-console.zoho.eu", dc="eu")
    """
    shown, operation = _sanitize(code) or "an unnamed error", _sanitize(operation)
    entry = CATALOGUE.get(f"{code}@{operation}") or CATALOGUE.get(code) or _UNKNOWN
    context = {**_DEFAULT_CONTEXT, **facts, "doing": operation or "this call", "shown": shown}
    context["said"] = _sanitize(zoho_message) or ("" if entry is _UNKNOWN else "no reason given")
    message, hint = entry.message.format_map(context).strip(), entry.hint.format_map(context)
    return entry.error_class(message, hint=hint, code=shown, operation=operation)


_UNKNOWN = _Entry(
    ApiError,
    "Zoho answered {shown}. {said}",
    "Look the code up in Zoho's API guide; %zoho shows data centre, environment and scopes in use.",
)
_DEFAULT_CONTEXT = {  # for a fact the caller does not know
    "console": "Zoho's API console",
    "dc": "this data centre",
    "environment": "production",
    "likely": "",
    "permissions": "",
    "scope": "the scope it needs",
    "wait": "a few minutes",
}
_TOKEN_SHAPE = re.compile(r"100\d\.[0-9a-fA-F]{6,}(\.[0-9a-fA-F]+)?")


def _sanitize(text: str) -> str:
    """Zoho's words, short, on one line and without anything shaped like a token."""
    return _TOKEN_SHAPE.sub("****", " ".join(text.split()))[:200]
