"""Every setting: its field of `Credentials`, its variable, and whether it is secret."""

from __future__ import annotations

from ..data_centres import DATA_CENTRES

__all__ = ["DC_CLIENT_SECRET_VARS", "ENV_VARS", "IDENTIFYING_FIELDS", "SECRET_FIELDS", "URL_FIELDS"]

ENV_VARS = {
    "client_id": "ZOHO_CLIENT_ID",
    "client_secret": "ZOHO_CLIENT_SECRET",
    "refresh_token": "ZOHO_REFRESH_TOKEN",
    "dc": "ZOHO_DC",
    "scopes": "ZOHO_SCOPES",
    "redirect_uri": "ZOHO_REDIRECT_URI",
    "environment": "ZOHO_ENVIRONMENT",
    "soid": "ZOHO_SOID",
    "grant_code": "ZOHO_GRANT_CODE",
    "accounts_url": "ZOHO_ACCOUNTS_URL",
    "api_url": "ZOHO_API_URL",
    "token_cache": "ZOHO_TOKEN_CACHE",
    "keyring": "ZOHO_KEYRING",
}
"""Each field of `Credentials` and its key in `.env`. To add a setting: a line here, one in `Credentials`."""

SECRET_FIELDS = frozenset({"client_secret", "refresh_token", "grant_code"})

IDENTIFYING_FIELDS = frozenset(ENV_VARS) - {"scopes", "redirect_uri", "grant_code", "token_cache"}
"""Fields that say which account is meant: values of two accounts are never mixed."""

URL_FIELDS = frozenset({"accounts_url", "api_url"})

DC_CLIENT_SECRET_VARS = {dc: f"ZOHO_CLIENT_SECRET_{dc.upper()}" for dc in DATA_CENTRES}
"""Data centre -> the key of its own client secret: Zoho gives a client another one in each, unless told otherwise.

https://www.zoho.com/accounts/protocol/oauth/multi-dc.html
"""
