"""Every setting: its field of `Credentials`, its variable, and what else the package must know about it."""

from __future__ import annotations

from dataclasses import dataclass

from ..data_centres import DATA_CENTRES

__all__ = [
    "DC_CLIENT_SECRET_VARS",
    "ENV_VARS",
    "IDENTIFYING_FIELDS",
    "SECRET_FIELDS",
    "SETTINGS",
    "URL_FIELDS",
    "Setting",
]


@dataclass(frozen=True)
class Setting:
    """One setting.

    Attributes:
        field: its name in `Credentials`, and as a Python parameter.
        env_var: its variable in the environment and its key in `.env`.
        secret: its value is never shown.
        identifying: it says which account is meant: values of two accounts are never mixed.
        url: it is an address that secrets are sent to.
        in_keyring: its value goes to the OS keyring where `.env` says so.
    """

    field: str
    env_var: str
    secret: bool = False
    identifying: bool = True
    url: bool = False
    in_keyring: bool = False


SETTINGS = (
    Setting("client_id", "ZOHO_CLIENT_ID"),
    Setting("client_secret", "ZOHO_CLIENT_SECRET", secret=True, in_keyring=True),
    Setting("refresh_token", "ZOHO_REFRESH_TOKEN", secret=True, in_keyring=True),
    Setting("dc", "ZOHO_DC"),
    Setting("scopes", "ZOHO_SCOPES", identifying=False),
    Setting("redirect_uri", "ZOHO_REDIRECT_URI", identifying=False),
    Setting("environment", "ZOHO_ENVIRONMENT"),
    Setting("soid", "ZOHO_SOID"),
    Setting("grant_code", "ZOHO_GRANT_CODE", secret=True, identifying=False),
    Setting("accounts_url", "ZOHO_ACCOUNTS_URL", url=True),
    Setting("api_url", "ZOHO_API_URL", url=True),
    Setting("token_cache", "ZOHO_TOKEN_CACHE", identifying=False),
    Setting("keyring", "ZOHO_KEYRING"),
)
"""To add a setting: a row here, a field in `Credentials`, and its check in `credentials._VALIDATORS`."""

ENV_VARS = {setting.field: setting.env_var for setting in SETTINGS}
SECRET_FIELDS = frozenset(setting.field for setting in SETTINGS if setting.secret)
IDENTIFYING_FIELDS = frozenset(setting.field for setting in SETTINGS if setting.identifying)
URL_FIELDS = frozenset(setting.field for setting in SETTINGS if setting.url)

DC_CLIENT_SECRET_VARS = {dc: f"ZOHO_CLIENT_SECRET_{dc.upper()}" for dc in DATA_CENTRES}
"""Data centre -> the key of its own client secret: Zoho gives a client another one in each, unless told otherwise.

https://www.zoho.com/accounts/protocol/oauth/multi-dc.html
"""
