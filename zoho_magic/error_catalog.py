"""One table from Zoho's error codes to an exception and its next step.

To add an error hint, add one row to `CATALOGUE`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from .data_centres import DATA_CENTRES
from .errors import ApiError, AuthError, QueryError, ThrottledError, ZohoError, printable

__all__ = ["CATALOGUE", "CatalogEntry", "error_for"]


@dataclass(frozen=True)
class CatalogEntry:
    """What one of Zoho's codes means: the exception class, the message and the next step, with `{placeholders}`.

    `settings` are the fields of `Credentials` it blames: where two values of one are around, the hint says so first.
    """

    error_class: type[ZohoError]
    message: str
    hint: str
    settings: tuple[str, ...] = ()


_NEW_CODE = "Generate a new code at {console} and run %zoho_exchange at once: a code works once, for a few minutes."
_NEW_GRANT = "Run %zoho_login; or generate a code at {console} (Self Client > Generate Code) and run %zoho_exchange."
_RIGHT_CLIENT = (
    "Compare ZOHO_CLIENT_ID with {console}; if you sign in at another Zoho address, set ZOHO_DC to it "
    f"({', '.join(DATA_CENTRES)}), with the client's Multi-DC switched on and the secret of that place."
)
_ADD_SCOPE_HINT = "Run %zoho_login --add-scope {scope} (what you have already stays)."
_WAIT = "Wait {wait}, then run the cell again; the token you have stays usable until it expires."
_GUIDE = "Look the call up in Zoho's API guide."
_OTHER_API_HINT = "Use --via coql, or --via records."

# Code, or code@what-was-being-done where the same word means two things. Sources: zoho.com/accounts/protocol/oauth
# (web-apps/access-token, self-client, devices) and zoho.com/crm/developer/docs/api/v8 (each call's "possible errors").
CATALOGUE: dict[str, CatalogEntry] = {
    # Accounts server: /oauth/v2/token, /oauth/v2/auth
    "invalid_client": CatalogEntry(
        AuthError,
        "Zoho ({server}) does not know this client id, or not in this data centre.",
        _RIGHT_CLIENT,
        ("client_id", "dc", "accounts_url", "client_secret"),
    ),
    "invalid_client_secret": CatalogEntry(
        AuthError,
        "The client secret is not the one Zoho ({server}) has for this client.",
        "Copy the secret of this data centre from {console} into ZOHO_CLIENT_SECRET, or run %zoho_setup.",
        ("client_secret", "client_id"),
    ),
    "invalid_redirect_uri": CatalogEntry(
        AuthError,
        "The redirect URI is not one registered for this client.",
        "Make ZOHO_REDIRECT_URI the same, letter for letter, as at {console}; a Self Client needs none.",
        ("redirect_uri",),
    ),
    "invalid_code": CatalogEntry(
        AuthError,
        "Zoho does not accept this grant code: used, expired, mistyped or made for another client.",
        _NEW_CODE,
        ("grant_code", "client_id"),
    ),
    "invalid_code@refresh": CatalogEntry(
        AuthError,
        "Zoho no longer accepts the refresh token: revoked, from another data centre, or pushed out by newer ones "
        "(Zoho keeps 20).",
        _NEW_GRANT,
        ("refresh_token", "client_id"),
    ),
    "invalid_code@revoke": CatalogEntry(
        AuthError,
        "Zoho does not know this refresh token, so there was nothing to revoke there.",
        "Remove ZOHO_REFRESH_TOKEN from .env, or run %zoho_revoke --forget to forget it here.",
    ),
    "invalid_scope": CatalogEntry(
        AuthError,
        "Zoho does not know one of the scopes asked for.",
        "Check ZOHO_SCOPES: commas between them, names as in %zoho_setup (ZohoCRM.modules.ALL, ...).",
        ("scopes",),
    ),
    "missing_org_info": CatalogEntry(
        AuthError,
        "Zoho does not take this organisation for client credentials, or none was sent.",
        "Set ZOHO_SOID to ZohoCRM.<organisation id>, of the organisation that the client was made in (Setup > "
        "Developer Hub > APIs shows the id).",
        ("soid",),
    ),
    "access_denied": CatalogEntry(
        AuthError, "The request for access was refused.", "Run it again and accept, or ask your administrator."
    ),
    "Access Denied@exchange": CatalogEntry(
        ThrottledError,
        "Zoho blocked new tokens for a while: too many in 10 minutes.",
        "Wait {wait}, then generate a new code at {console}: the one you have has expired by then.",
    ),
    "invalid_grant": CatalogEntry(AuthError, "Zoho does not accept the grant.", _NEW_GRANT, ("refresh_token",)),
    "Access Denied": CatalogEntry(
        ThrottledError, "Zoho blocked new tokens for a while: more than 10 in 10 minutes for one refresh token.", _WAIT
    ),
    "general_error": CatalogEntry(
        AuthError,
        "Zoho answered general_error and gives no reason.",
        "Wait a minute and try again; then compare client id, secret and data centre with {console}.",
    ),
    "oauth_app_blocked": CatalogEntry(
        AuthError, "Zoho has blocked this client.", "Look at its state at {console}; make a new client if needed."
    ),
    "client_not_granted": CatalogEntry(AuthError, "This client has no consent from you yet.", _NEW_GRANT),
    "prompt_required": CatalogEntry(AuthError, "Zoho wants your consent again.", _NEW_GRANT),
    "authorization_pending": CatalogEntry(
        AuthError, "Zoho is still waiting for your consent.", "Open the link, enter the code, then wait."
    ),
    "slow_down": CatalogEntry(ThrottledError, "Zoho was asked too often whether you have consented.", _WAIT),
    "expired": CatalogEntry(
        AuthError, "The device code expired.", "Ask for a new one and enter it within five minutes."
    ),
    "other_dc": CatalogEntry(
        AuthError,
        "Your account lives in another data centre.",
        "Set ZOHO_DC to it, and switch on Multi-DC for the client at {console}.",
    ),
    # CRM API, authentication
    "INVALID_TOKEN": CatalogEntry(
        AuthError,
        "The CRM does not accept the access token, although it is fresh.",
        "{likely}The account is probably in another data centre or environment: check ZOHO_DC (now {dc}) and "
        "ZOHO_ENVIRONMENT (now {environment}).",
    ),
    "AUTHENTICATION_FAILURE": CatalogEntry(
        AuthError, "The CRM could not read who is asking.", "Run %zoho_refresh; if it stays, check ZOHO_DC (now {dc})."
    ),
    "OAUTH_SCOPE_MISMATCH": CatalogEntry(AuthError, "The token's scopes do not cover {operation}.", _ADD_SCOPE_HINT),
    # The same from Zoho's other APIs on these hosts
    "INVALID_OAUTHTOKEN": CatalogEntry(AuthError, "Zoho does not accept the access token.", "Run %zoho_refresh."),
    "INVALID_OAUTHSCOPE": CatalogEntry(AuthError, "The token's scopes do not cover {operation}.", _ADD_SCOPE_HINT),
    "AUTHORIZATION_FAILED": CatalogEntry(
        AuthError, "You are not allowed to do this in the CRM.", "Ask your CRM administrator for the permission."
    ),
    "NO_PERMISSION": CatalogEntry(
        AuthError,
        "Your CRM profile lacks a permission{permissions}.",
        "Ask your CRM administrator for it; a new token does not help.",
    ),
    "INVALID_URL_PATTERN": CatalogEntry(
        ApiError,
        "Zoho knows no such address: {operation}.",
        "Check the path and its version (/crm/v8/...), and that ZOHO_DC (now {dc}) is yours.",
    ),
    "INVALID_REQUEST_METHOD": CatalogEntry(
        ApiError, "Zoho does not allow this method here: {operation}.", "Check the method in Zoho's API guide."
    ),
    "INTERNAL_ERROR": CatalogEntry(ApiError, "Zoho returned an internal error.", "Run it again in a minute."),
    "TOO_MANY_REQUESTS": CatalogEntry(
        ThrottledError,
        "Zoho is throttling: too many calls at once, or the day's API credits are used up.",
        "Wait {wait} and run it again; %zoho shows the credits left when Zoho tells them.",
    ),
    "CREDITS_USED_UP": CatalogEntry(  # a 429 whose header X-API-CREDITS-REMAINING is 0; the code is ours
        ThrottledError,
        "The org's API credits are used up.",
        "Wait {wait}: Zoho counts the last 24 hours, so a credit comes back 24 hours after the call that used it.",
    ),
    # CRM API, reading
    "INVALID_MODULE": CatalogEntry(
        QueryError, "The CRM has no module of that name.", "Run %zoho_modules for the names; they are API names."
    ),
    "NOT_SUPPORTED": CatalogEntry(
        QueryError, "The API does not support this module.", "Run %zoho_modules for the others."
    ),
    "REQUIRED_PARAM_MISSING": CatalogEntry(ApiError, "The call lacks something it needs ({zoho_message}).", _GUIDE),
    "EXPECTED_PARAM_MISSING": CatalogEntry(ApiError, "The call lacks something it needs ({zoho_message}).", _GUIDE),
    "PATTERN_NOT_MATCHED": CatalogEntry(ApiError, "A value in the call has the wrong form ({zoho_message}).", _GUIDE),
    "AMBIGUITY_DURING_PROCESSING": CatalogEntry(ApiError, "Parameters exclude each other ({zoho_message}).", _GUIDE),
    "LIMIT_EXCEEDED": CatalogEntry(
        QueryError,
        "That is more than Zoho allows in one call ({zoho_message}).",
        "Ask for less of what it names: fields, values in a list, criteria or rows.",
    ),
    "LIMIT_REACHED": CatalogEntry(
        QueryError, "Zoho's search ends at 2,000 rows, and there are more.", "Use %%zoho_coql, which has no such limit."
    ),
    "DISCRETE_PAGINATION_LIMIT_EXCEEDED": CatalogEntry(
        ApiError, "Pages by number end at 2,000 rows.", "Use %zoho_pull, or go on with page_token."
    ),
    "PAGINATION_LIMIT_EXCEEDED": CatalogEntry(
        QueryError, "The Records API ends at 100,000 rows, and there are more.", "Use --via bulk or --via coql."
    ),
    "TOKEN_BOUND_DATA_MISMATCH": CatalogEntry(
        ApiError,
        "The page token belongs to another call: other fields, another order or another user.",
        "Start again from the first page.",
    ),
    "EXPIRED_VALUE": CatalogEntry(
        ApiError, "The page token is older than a day, and Zoho no longer takes it.", "Start again from the first page."
    ),
    "FEATURE_NOT_SUPPORTED": CatalogEntry(ApiError, "The org's edition does not have this feature.", _GUIDE),
    "CURRENCIES_NOT_ENABLED": CatalogEntry(
        ApiError, "The org has one currency only.", "Nothing to do: every amount is in the home currency."
    ),
    # CRM API, COQL
    "SYNTAX_ERROR": CatalogEntry(
        QueryError,
        "Zoho cannot parse the COQL query ({zoho_message}).",
        "Look at the word it names; text goes in single quotes, and a quote inside it is doubled.",
    ),
    "INVALID_QUERY": CatalogEntry(
        QueryError,
        "Zoho rejected the COQL query ({zoho_message}).",
        "Check the field, the operator and the value it names; %zoho_fields shows the type of every field.",
    ),
    "INVALID_DATA@POST /crm/v8/coql": CatalogEntry(
        QueryError, "Zoho rejected the COQL query ({zoho_message}).", "Check the number or the custom view it names."
    ),
    "MANDATORY_NOT_FOUND@POST /crm/v8/coql": CatalogEntry(
        QueryError, "The query is missing.", "Write one below %%zoho_coql."
    ),
    "DUPLICATE_DATA@POST /crm/v8/coql": CatalogEntry(
        QueryError, "The query selects a column twice ({zoho_message}).", "Leave one out, or give it a name with 'as'."
    ),
    "DUPLICATE_ALIAS": CatalogEntry(
        QueryError, "Two columns of the query have the same name ({zoho_message}).", "Choose another name after 'as'."
    ),
    "INVALID_ALIAS": CatalogEntry(
        QueryError, "Zoho rejected the column alias ({zoho_message}).", "Use letters, digits and _ after 'as'."
    ),
    # CRM API, bulk read
    "MODULE_NOT_SUPPORTED": CatalogEntry(QueryError, "Bulk read does not offer this module.", _OTHER_API_HINT),
    "MODULE_NOT_AVAILABLE": CatalogEntry(
        QueryError, "The CRM has no module of that name.", "Run %zoho_modules for the names; they are API names."
    ),
    "FIELD_NOT_SUPPORTED": CatalogEntry(QueryError, "Bulk read lacks a field ({zoho_message}).", _OTHER_API_HINT),
    "FIELD_NOT_AVAILABLE": CatalogEntry(
        QueryError, "The module has no such field ({zoho_message}).", "Run %zoho_fields for the names."
    ),
    "FIELD_IN_CRITERIA_NOT_AVAILABLE": CatalogEntry(
        QueryError, "The module has no such field to filter on ({zoho_message}).", "Run %zoho_fields for the names."
    ),
    **{
        code: CatalogEntry(QueryError, "Bulk read has no such filter ({zoho_message}).", "Use --via coql for it.")
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
    "CVID_NOT_SUPPORTED": CatalogEntry(QueryError, "Bulk read does not know this custom view.", _OTHER_API_HINT),
    **{
        code: CatalogEntry(ApiError, "Zoho rejected the bulk read job ({zoho_message}).", _OTHER_API_HINT)
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
    "RESOURCE_NOT_FOUND": CatalogEntry(
        ApiError,
        "Zoho does not have that: {operation}. A bulk job's result is kept for a day.",
        "Check the id, or run the job again.",
    ),
}


def error_for(
    code: str, *, operation: str = "", zoho_message: str = "", notes: Mapping[str, str] = {}, **facts: str
) -> ZohoError:
    """The error for one of Zoho's codes, with its next step filled in.

    Args:
        code: Zoho's code as it came, from a token answer or an API answer.
        operation: what was being done; it chooses between meanings where a code has two.
        zoho_message: Zoho's own message, shown where it names what is wrong.
        notes: field of `Credentials` -> which of several values was used; put before the hint of a code that blames it.
        facts: values for the placeholders in the sentences: console, dc, server, environment, likely, scope, wait,
            permissions.

    Example::

        raise error_for("invalid_code", operation="exchange", console="https://api-console.zoho.eu", dc="eu")
    """
    shown, operation = _sanitize(code) or "an unnamed error", _sanitize(operation)
    entry = CATALOGUE.get(f"{code}@{operation}") or CATALOGUE.get(code) or _UNKNOWN_AT.get(operation, _UNKNOWN)
    context = {**_DEFAULT_CONTEXT, **facts, "operation": operation or "this call", "shown": shown}
    context["zoho_message"] = _sanitize(zoho_message) or ("" if "{shown}" in entry.message else "no reason given")
    message, hint = entry.message.format_map(context).strip(), entry.hint.format_map(context)
    about = [notes[name] for name in entry.settings if name in notes]
    return entry.error_class(message, hint=" ".join([*about, hint]), code=shown, operation=operation)


_UNKNOWN = CatalogEntry(
    ApiError,
    "Zoho answered {shown}. {zoho_message}",
    "Look the code up in Zoho's API guide; %zoho shows data centre, environment and scopes in use.",
)
_UNKNOWN_TOKEN_ERROR = CatalogEntry(
    AuthError,
    "Zoho refused with {shown}, which its documents do not explain. {zoho_message}",
    "Compare client id, client secret and data centre ({dc}) with {console}, then generate a new code there.",
    ("client_id", "client_secret", "refresh_token"),
)
_UNKNOWN_AT = dict.fromkeys(
    ("exchange", "refresh", "client credentials", "device", "consent", "scopes"), _UNKNOWN_TOKEN_ERROR
)
_DEFAULT_CONTEXT = {  # for a fact the caller does not know
    "console": "Zoho's API console",
    "dc": "this data centre",
    "server": "this data centre",
    "environment": "production",
    "likely": "",
    "permissions": "",
    "scope": "the scope it needs",
    "wait": "a few minutes",
}
_TOKEN_SHAPE = re.compile(r"100\d\.[0-9a-fA-F]{6,}(\.[0-9a-fA-F]+)?")


def _sanitize(text: str) -> str:
    """Zoho's words, short, on one line and without anything shaped like a token."""
    return printable(_TOKEN_SHAPE.sub("****", " ".join(text.split())))[:200]
