"""Zoho's data centres, and the only hosts a secret may be sent to.

To add a data centre, add one line to `DATA_CENTRES`. The table follows
https://www.zoho.com/crm/developer/docs/api/v8/multi-dc.html and https://www.zoho.com/accounts/protocol/oauth/multi-dc.html;
a host those pages do not name is left out rather than guessed.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Collection
from dataclasses import dataclass

__all__ = [
    "DATA_CENTRES",
    "ENVIRONMENTS",
    "DataCentre",
    "by_accounts_url",
    "by_api_url",
    "find_data_centre",
    "is_loopback",
    "origin_of",
    "trusted_origin",
]

ENVIRONMENTS = ("production", "sandbox", "developer")


@dataclass(frozen=True)
class DataCentre:
    """One of Zoho's data centres.

    Attributes:
        name: the value of `ZOHO_DC` (`us`, `eu`, ...), Zoho's own `location`.
        display_name: the same for people.
        accounts_url: origin of the accounts server, the same for every environment.
        api_urls: origin of the CRM API for each environment in `ENVIRONMENTS`, as far as Zoho names one.
        console_url: where clients are registered and grant codes generated.
        upload_url: origin that takes bulk write files, or "" where Zoho names none.
        download_url: origin that hands out the results of bulk writes, or "" where Zoho names none.
        documented: False where only third parties name the CRM hosts (uk, ae, sg).
    """

    name: str
    display_name: str
    accounts_url: str
    api_urls: dict[str, str]
    console_url: str
    upload_url: str
    documented: bool = True
    download_url: str = ""

    @property
    def crm_host(self) -> str:
        """The host that people see in their browser, such as `crm.zoho.eu`; it is shown, and nothing is sent there.

        It is made from the domain of `accounts_url`.
        """
        return self.accounts_url.replace("https://accounts.", "crm.")

    @property
    def origins(self) -> frozenset[str]:
        """Every origin of this data centre that may be sent a secret."""
        return frozenset(filter(None, (self.accounts_url, *self.api_urls.values(), self.upload_url, self.download_url)))


def _data_centre(name: str, display_name: str, tld: str, **other: str) -> DataCentre:
    hosts = ("www", "sandbox", "developer")
    return DataCentre(
        name,
        display_name,
        accounts_url=other.get("accounts", f"https://accounts.zoho.{tld}"),
        api_urls={env: f"https://{host}.zohoapis.{tld}" for env, host in zip(ENVIRONMENTS, hosts, strict=True)},
        console_url=other.get("console", f"https://api-console.zoho.{tld}"),
        upload_url=other.get("upload", f"https://content.zohoapis.{tld}"),
        download_url=other.get("download", ""),
    )


def _undocumented(name: str, display_name: str) -> DataCentre:
    return DataCentre(
        name,
        display_name,
        accounts_url=f"https://accounts.zoho.{name}",
        api_urls={"production": f"https://www.zohoapis.{name}"},
        console_url=f"https://api-console.zoho.{name}",
        upload_url="",
        documented=False,
    )


_CANADA = {
    "accounts": "https://accounts.zohocloud.ca",  # accounts.zoho.ca does not exist
    "console": "https://api-console.zohocloud.ca",
    "upload": "https://upload.zohocloud.ca",
}

# Named for one place only: https://www.zoho.com/crm/developer/docs/api/v2.1/bulk-write/download-result.html
_US_ONLY = {"download": "https://download-accl.zoho.com"}

DATA_CENTRES: dict[str, DataCentre] = {
    dc.name: dc
    for dc in (
        _data_centre("us", "United States", "com", **_US_ONLY),
        _data_centre("eu", "Europe", "eu"),
        _data_centre("in", "India", "in"),
        _data_centre("au", "Australia", "com.au"),
        _data_centre("jp", "Japan", "jp"),
        _data_centre("cn", "China", "com.cn"),
        _data_centre("ca", "Canada", "ca", **_CANADA),
        _data_centre("sa", "Saudi Arabia", "sa", upload="https://files.zoho.sa"),
        _undocumented("uk", "United Kingdom"),
        _undocumented("ae", "United Arab Emirates"),
        _undocumented("sg", "Singapore"),
    )
}

_ZOHO_ORIGINS = frozenset(origin for dc in DATA_CENTRES.values() for origin in dc.origins)

# One strict shape instead of a URL parser: parsers disagree about '\\', '@' and spaces, and attackers know where.
_ORIGIN = re.compile(r"(?P<scheme>https?)://(?P<host>\[::1\]|[a-z0-9.-]+)(?::(?P<port>\d{1,5}))?(?:[/?#][^\s\\]*)?")


def trusted_origin(url: str, *, extra: Collection[str] = (), loopback: bool = True) -> str | None:
    """The origin (`https://host`) of a URL if a secret may be sent there, else None.

    That is a host of the table over https, a loopback address, or an origin the caller named itself.

    Args:
        url: any URL, from a setting, a redirect or an answer.
        extra: further origins, as `origin_of` gives them, that are trusted because a person passed them in Python.
        loopback: whether a loopback address counts.

    Example::

        >>> trusted_origin("https://www.zohoapis.eu/crm/v8/org")
        'https://www.zohoapis.eu'
        >>> trusted_origin("https://accounts.zoho.com.evil.example") is None
        True
    """
    origin = origin_of(url)
    if origin in _ZOHO_ORIGINS or origin in extra or (loopback and origin and is_loopback(origin)):
        return origin
    return None


def origin_of(url: str) -> str | None:
    """The origin of a URL as it is compared here, or None for anything that parsers might read differently.

    Example::

        >>> origin_of("HTTPS://Accounts.Zoho.eu:443/oauth")
        'https://accounts.zoho.eu'
    """
    match = _ORIGIN.fullmatch(url.strip().lower() if url.isascii() else "")
    if match is None:
        return None
    port = "" if match["port"] == _DEFAULT_PORTS[match["scheme"]] else match["port"]
    return f"{match['scheme']}://{match['host']}" + (f":{port}" if port else "")


_DEFAULT_PORTS = {"http": "80", "https": "443"}


def is_loopback(origin: str) -> bool:
    """Whether an origin is this machine: localhost, 127.0.0.0/8 or [::1].

    Example::

        >>> is_loopback("http://127.0.0.1:8000")
        True
    """
    match = _ORIGIN.fullmatch(origin)
    host = match["host"].strip("[]") if match else ""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def by_accounts_url(origin: str) -> DataCentre | None:
    """The data centre an accounts origin belongs to, or None.

    Example::

        >>> by_accounts_url("https://accounts.zohocloud.ca").name
        'ca'
    """
    return next((dc for dc in DATA_CENTRES.values() if origin == dc.accounts_url), None)


def by_api_url(origin: str) -> DataCentre | None:
    """The data centre an API origin belongs to, or None.

    Example::

        >>> by_api_url("https://www.zohoapis.in").name
        'in'
    """
    return next((dc for dc in DATA_CENTRES.values() if origin in dc.api_urls.values()), None)


def find_data_centre(text: str) -> DataCentre | None:
    """The data centre that a person means: its name, country, top-level domain, an address, or an SDK's spelling.

    Example::

        >>> [find_data_centre(text).name for text in ("com", "Europe", "https://accounts.zoho.in", "USDataCenter")]
        ['us', 'eu', 'in', 'us']
    """
    wanted = re.sub(r"^https?://|[/?#].*$|[\s_.-]+$|^[\s.]+", "", text.strip().lower())
    wanted = re.sub(r"[\s_-]+", " ", re.sub(r"_?data_?cent(er|re)$", "", wanted.replace(" ", "_"))).strip()
    return next((dc for dc in DATA_CENTRES.values() if wanted in _spellings(dc)), None)


def _spellings(dc: DataCentre) -> set[str]:
    hosts = {origin.removeprefix("https://") for origin in (*dc.origins, dc.console_url)}
    domains = {host.partition(".")[2] for host in hosts}
    suffix = dc.accounts_url.partition("zoho")[2].partition(".")[2]
    also = {"us": ("usa", "united states of america", "america", "global"), "eu": ("eur",), "uk": ("gb",)}
    return {
        dc.name,
        dc.display_name.lower(),
        f"{dc.display_name} ({dc.name})".lower(),
        suffix,
        *hosts,
        *domains,
        *also.get(dc.name, ()),
    }
