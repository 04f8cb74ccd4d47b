"""Bare %zoho_login: which route, where, and why."""

from __future__ import annotations

from typing import Any

import pytest

from zoho_magic import ConfigurationError, Secret
from zoho_magic.config.credentials import Credentials
from zoho_magic.login.environment import RuntimeEnvironment, choose_method, detect

CLIENT = Credentials(client_id="1000.A", client_secret=Secret("x"))
LAPTOP, HUB = RuntimeEnvironment(), RuntimeEnvironment(remote="on JupyterHub", browser=False)
NOBODY = RuntimeEnvironment(interactive=False, browser=False)
CASES: list[tuple[dict[str, Any], RuntimeEnvironment, str, str]] = [
    ({}, LAPTOP, "browser", "same machine"),
    ({"redirect_uri": "http://localhost:8976/callback"}, LAPTOP, "browser", "same machine"),
    ({"redirect_uri": "https://example.com/cb"}, LAPTOP, "paste-url", "ZOHO_REDIRECT_URI"),
    ({"redirect_uri": "https://localhost:8976/cb"}, LAPTOP, "paste-url", "ZOHO_REDIRECT_URI"),
    ({}, HUB, "paste-url", "on JupyterHub"),
    ({}, RuntimeEnvironment(browser=False), "paste-url", "no browser"),
    ({"client_id": "1004.A"}, LAPTOP, "device", "1004."),
    ({"client_id": "1004.A"}, HUB, "device", "1004."),
    ({"soid": "ZohoCRM.1"}, NOBODY, "client-credentials", "ZOHO_SOID"),
    ({"soid": "ZohoCRM.1"}, LAPTOP, "client-credentials", "ZOHO_SOID"),
    ({"soid": "ZohoCRM.1", "redirect_uri": "http://localhost:1/x"}, LAPTOP, "browser", "same machine"),
    ({"grant_code": "1000.c"}, HUB, "code", "ZOHO_GRANT_CODE"),
    ({"grant_code": "1000.c"}, NOBODY, "code", "ZOHO_GRANT_CODE"),
]


@pytest.mark.parametrize(("known", "place", "route", "why"), CASES)
def test_the_route_and_the_reason(known: dict[str, Any], place: RuntimeEnvironment, route: str, why: str) -> None:
    choice = choose_method(CLIENT.replace(**known), place)
    assert choice.method == route
    assert why in choice.reason
    assert choice.reason.endswith(".")


def test_without_a_client_it_is_said_what_is_missing() -> None:
    with pytest.raises(ConfigurationError, match="ZOHO_CLIENT_ID, ZOHO_CLIENT_SECRET"):
        choose_method(Credentials(), LAPTOP)


def test_where_nobody_is_there_it_says_what_works() -> None:
    with pytest.raises(ConfigurationError, match="nobody here") as failure:
        choose_method(CLIENT, NOBODY)
    assert "ZOHO_SOID" in failure.value.hint


@pytest.mark.parametrize(
    ("variable", "name"),
    [
        ("JUPYTERHUB_USER", "on JupyterHub"),
        ("COLAB_RELEASE_TAG", "on Colab"),
        ("CODESPACES", "in a GitHub Codespace"),
        ("SSH_CONNECTION", "behind an SSH connection"),
        ("VSCODE_IPC_HOOK_CLI", "on a VS Code remote host"),
        ("REMOTE_CONTAINERS", "in a VS Code container"),
    ],
)
def test_a_remote_kernel_is_known_by_its_environment(variable: str, name: str) -> None:
    # VS Code and X11 forwarding set a browser as well: it is on another machine, or slow enough to be.
    assert detect(True, {variable: "x", "BROWSER": "y", "DISPLAY": ":0"}, container=False).remote == name


@pytest.mark.parametrize("variable", ["BROWSER", "DISPLAY", "WAYLAND_DISPLAY"])
def test_a_machine_with_a_screen_is_local(variable: str) -> None:
    assert detect(True, {variable: "x"}, container=True) == RuntimeEnvironment(True, "", True)


def test_a_container_without_one_is_remote() -> None:
    assert detect(True, {}, container=True).remote == "in a container"


def test_a_server_without_one_has_no_browser(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.platform", "linux")
    assert detect(True, {}, container=False) == RuntimeEnvironment(True, "", False)
    monkeypatch.setattr("sys.platform", "darwin")
    assert detect(True, {}, container=False).browser
