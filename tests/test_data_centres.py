"""Which hosts a secret may be sent to: Zoho's, this machine, and nothing that only looks like them."""

from __future__ import annotations

from urllib.parse import urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st
from urllib3.util import parse_url

from zoho_magic.data_centres import DATA_CENTRES, ENVIRONMENTS, by_api_url, is_loopback, origin_of, trusted_origin

ZOHO = sorted(origin for dc in DATA_CENTRES.values() for origin in dc.origins)


def test_the_table_has_every_data_centre() -> None:
    assert set(DATA_CENTRES) == {"us", "eu", "in", "au", "jp", "cn", "ca", "sa", "uk", "ae", "sg"}
    assert {name for name, dc in DATA_CENTRES.items() if not dc.documented} == {"uk", "ae", "sg"}


@pytest.mark.parametrize(
    ("name", "accounts", "api", "console", "upload"),
    [
        ("us", "accounts.zoho.com", "zohoapis.com", "api-console.zoho.com", "content.zohoapis.com"),
        ("eu", "accounts.zoho.eu", "zohoapis.eu", "api-console.zoho.eu", "content.zohoapis.eu"),
        ("in", "accounts.zoho.in", "zohoapis.in", "api-console.zoho.in", "content.zohoapis.in"),
        ("au", "accounts.zoho.com.au", "zohoapis.com.au", "api-console.zoho.com.au", "content.zohoapis.com.au"),
        ("jp", "accounts.zoho.jp", "zohoapis.jp", "api-console.zoho.jp", "content.zohoapis.jp"),
        ("cn", "accounts.zoho.com.cn", "zohoapis.com.cn", "api-console.zoho.com.cn", "content.zohoapis.com.cn"),
        ("ca", "accounts.zohocloud.ca", "zohoapis.ca", "api-console.zohocloud.ca", "upload.zohocloud.ca"),
        ("sa", "accounts.zoho.sa", "zohoapis.sa", "api-console.zoho.sa", "files.zoho.sa"),
    ],
)
def test_a_row_of_the_table(name: str, accounts: str, api: str, console: str, upload: str) -> None:
    dc = DATA_CENTRES[name]
    hosts = ("www", "sandbox", "developer")
    assert dc.accounts_url == f"https://{accounts}"
    assert dc.api_urls == {env: f"https://{host}.{api}" for env, host in zip(ENVIRONMENTS, hosts, strict=True)}
    assert dc.console_url == f"https://{console}"
    assert dc.upload_url == f"https://{upload}"
    assert dc.documented


@pytest.mark.parametrize("name", ["uk", "ae", "sg"])
def test_what_nobody_documents_is_left_out(name: str) -> None:
    dc = DATA_CENTRES[name]
    assert dc.api_urls == {"production": f"https://www.zohoapis.{name}"}
    assert dc.upload_url == ""
    assert "" not in dc.origins


@pytest.mark.parametrize("origin", ZOHO)
def test_zoho_is_trusted_in_every_spelling(origin: str) -> None:
    host = origin.removeprefix("https://")
    for url in (origin, f"{origin}/", f"{origin}/crm/v8/org?a=b#c", f"{origin}:443/x", f" HTTPS://{host.upper()} "):
        assert trusted_origin(url) == origin


@pytest.mark.parametrize(
    "url",
    [
        "",
        "accounts.zoho.com",
        "//accounts.zoho.com",
        "http://accounts.zoho.com",
        "http://www.zohoapis.com",
        "ftp://accounts.zoho.com",
        "javascript://accounts.zoho.com",
        "https://accounts.zoho.com.evil.example",
        "https://accounts.zoho.com.evil.example/accounts.zoho.com",
        "https://evil.example/https://accounts.zoho.com",
        "https://evil.example?accounts.zoho.com",
        "https://evil.example#https://accounts.zoho.com",
        "https://accounts-zoho.com",
        "https://accounts.zoho.co",
        "https://accounts.zoho.ca",
        "https://zoho.com",
        "https://mail.zoho.com",
        "https://xaccounts.zoho.com",
        "https://accounts.zoho.com@evil.example",
        "https://accounts.zoho.com:443@evil.example",
        "https://user@accounts.zoho.com",
        "https://user:password@accounts.zoho.com",
        "https://evil.example\\@accounts.zoho.com",
        "https://accounts.zoho.com\\.evil.example",
        "https://accounts.zoho.com\\@evil.example",
        "https:\\\\accounts.zoho.com",
        "https:/accounts.zoho.com",
        "https:accounts.zoho.com",
        "https://accounts.zoho.com.",
        "https://accounts.zoho.com..",
        "https://accounts.zoho.com:8443",
        "https://accounts.zoho.com:80",
        "https://accounts.zoho.com:0443",
        "https://accounts.zoho.com:443443",
        "https://accounts.zoho.com:",
        "https://accounts.zoho.com:443evil",
        "https://accounts.zoho.com%2eevil.example",
        "https://accounts.zoho.com%00.evil.example",
        "https://accounts.zoho.com\x00.evil.example",
        "https://accounts.zoho.com\t.evil.example",
        "https://accounts.zoho.com/a b",
        "https://accounts.zoho.com/\nHost: evil.example",
        "https://accounts.zoho.com ,evil.example",
        "https://accounts\u3002zoho\u3002com",
        "https://accounts.zoho.\u0441om",
        "https://accounts.zoho.com\u2024evil.example",
        "https://accounts.zoho.com\uff0fevil.example",
        "https://accounts.zoho.u\u212a",  # a Kelvin sign, which lower() makes a k
        "https://136.143.190.155",
        "https://[2001:db8::1]",
        "https://0x7f000001",
        "http://192.168.0.1",
        "http://10.0.0.1:8000",
        "http://0.0.0.0",
        "http://169.254.169.254",
        "http://localhost.evil.example",
        "http://127.0.0.1.evil.example",
        "http://localhost@evil.example",
        "http://127.1",
        "http://2130706433",
        "http://[::1]evil.example",
        "http://[::ffff:127.0.0.1]",
        "file:///etc/passwd",
    ],
)
def test_what_only_looks_like_zoho_is_not_trusted(url: str) -> None:
    assert trusted_origin(url) is None


@pytest.mark.parametrize(
    ("url", "origin"),
    [
        ("http://localhost:8000/x", "http://localhost:8000"),
        ("http://127.0.0.1:80", "http://127.0.0.1"),
        ("https://127.0.0.1:8443", "https://127.0.0.1:8443"),
        ("http://127.8.9.1", "http://127.8.9.1"),
        ("http://[::1]:5000/", "http://[::1]:5000"),
    ],
)
def test_this_machine_is_trusted_unless_told_otherwise(url: str, origin: str) -> None:
    assert trusted_origin(url) == origin
    assert is_loopback(origin)
    assert trusted_origin(url, loopback=False) is None


def test_a_host_somebody_vouched_for_is_trusted_and_its_lookalikes_are_not() -> None:
    vouched = frozenset({"https://zoho.proxy.example"})
    assert trusted_origin("https://zoho.proxy.example/oauth", extra=vouched) == "https://zoho.proxy.example"
    for url in ("http://zoho.proxy.example", "https://zoho.proxy.example:444", "https://a.zoho.proxy.example"):
        assert trusted_origin(url, extra=vouched) is None


def test_an_api_origin_leads_back_to_its_data_centre() -> None:
    for dc in DATA_CENTRES.values():
        for origin in dc.api_urls.values():
            assert by_api_url(origin) is dc
    assert by_api_url("https://accounts.zoho.com") is None


_hosts = st.sampled_from([*(origin.removeprefix("https://") for origin in ZOHO), "evil.example", "localhost"])
_glue = st.text(alphabet="./\\@:?#%&=;,\t\r\n \x00\u3002\u2024abz[]1-_~", max_size=4)


@given(st.sampled_from(["https:", "http:", "", "HTTPS:"]), st.lists(st.one_of(_hosts, _glue), max_size=6))
def test_a_trusted_url_means_the_same_host_to_every_parser(scheme: str, parts: list[str]) -> None:
    url = f"{scheme}//{''.join(parts)}"
    origin = trusted_origin(url)
    if origin is not None:
        allowed = {"localhost", *(known.removeprefix("https://") for known in ZOHO)}
        assert urlsplit(url.strip()).hostname in allowed
        assert parse_url(url.strip()).host in allowed
        assert origin_of(origin) == origin


@given(st.text(st.characters(exclude_characters="/?#")))
def test_any_text_is_refused_rather_than_a_crash(text: str) -> None:
    assert trusted_origin(text) is None
    assert trusted_origin(f"https://{text}.example") is None
