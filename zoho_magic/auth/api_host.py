"""Which hosts the calls of an account go to."""

from __future__ import annotations

from ..config.credentials import Credentials
from ..data_centres import by_api_url, trusted_origin
from ..errors import ConfigurationError
from .oauth import Token

__all__ = ["api_origin", "data_centre_mismatch_hint", "is_trusted_url", "upload_origin"]


def api_origin(credentials: Credentials, token: Token) -> str:
    """Origin of the CRM API for these credentials.

    Raises:
        ConfigurationError: Zoho's documents name no host for this environment in this data centre.
    """
    if credentials.api_url:
        return credentials.api_url
    if credentials.environment == "production":
        return token.api_domain or credentials.data_centre.api_urls["production"]
    home = by_api_url(token.api_domain) or credentials.data_centre
    if credentials.environment not in home.api_urls:
        raise ConfigurationError(
            f"Zoho's documents name no {credentials.environment} host for {home.display_name}.",
            hint="Set ZOHO_ENVIRONMENT=production, or name the host in Python: trusted=[...] and ZOHO_API_URL.",
        )
    return home.api_urls[credentials.environment]


def data_centre_mismatch_hint(credentials: Credentials, token: Token) -> str:
    """A sentence that names the data centre Zoho made a token for, where the calls go to another one."""
    home = by_api_url(token.api_domain)
    if home is None or (api := api_origin(credentials, token)) in home.origins:
        return ""
    return (
        f"Zoho made the token for {home.display_name} ({home.name}), but the calls go to {api}: "
        f"remove ZOHO_API_URL, or correct it to {home.api_urls.get(credentials.environment, home.accounts_url)}. "
    )


def upload_origin(credentials: Credentials, token: Token) -> str:
    """Origin that takes files for bulk write.

    Raises:
        ConfigurationError: Zoho's documents name no host for uploads in this data centre.
    """
    if credentials.api_url:
        return credentials.api_url
    data_centre = by_api_url(token.api_domain) or credentials.data_centre
    if not data_centre.upload_url:
        raise ConfigurationError(
            f"Zoho's documents name no host for uploads in {data_centre.display_name}.", hint='Use via="records".'
        )
    return data_centre.upload_url


def is_trusted_url(url: str, credentials: Credentials, token: Token) -> bool:
    """Whether a token may be sent to this URL: a host of Zoho, or one of these credentials' own servers."""
    own = {api_origin(credentials, token), credentials.accounts, *credentials.trusted_origins}
    return trusted_origin(url, extra=own, loopback=False) is not None
