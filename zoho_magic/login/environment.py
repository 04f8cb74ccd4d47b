"""The login method that fits: by what is configured, and by where the kernel and the browser run."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from ..config.credentials import Credentials
from ..data_centres import is_loopback, origin_of
from ..errors import CredentialsMissing

__all__ = ["Choice", "RuntimeEnvironment", "choose_method", "detect"]

# What a place puts into the environment -> what it is called.
_REMOTE = {
    "JUPYTERHUB_USER": "on JupyterHub",
    "JUPYTERHUB_API_TOKEN": "on JupyterHub",
    "COLAB_RELEASE_TAG": "on Colab",
    "COLAB_GPU": "on Colab",
    "KAGGLE_KERNEL_RUN_TYPE": "on Kaggle",
    "BINDER_SERVICE_HOST": "on Binder",
    "CODESPACES": "in a GitHub Codespace",
    "REMOTE_CONTAINERS": "in a VS Code container",
    "VSCODE_IPC_HOOK_CLI": "on a VS Code remote host",
    "SSH_CONNECTION": "behind an SSH connection",
    "DATABRICKS_RUNTIME_VERSION": "on Databricks",
    "KUBERNETES_SERVICE_HOST": "in a cluster",
}


@dataclass(frozen=True)
class RuntimeEnvironment:
    """Where a login happens.

    Attributes:
        answers: somebody is there to answer.
        remote: where the kernel runs ("on JupyterHub", ...) if the person's browser is elsewhere; "" if it is here.
        browser: this machine can open a browser.
    """

    interactive: bool = True
    remote: str = ""
    browser: bool = True


@dataclass(frozen=True)
class Choice:
    """A login method, and the reason for it in a sentence."""

    method: str
    reason: str


def detect(
    interactive: bool = True, environ: Mapping[str, str] = os.environ, container: bool | None = None
) -> RuntimeEnvironment:
    """This place, by its environment.

    Args:
        answers: somebody is there to answer.
        environ: variables of the process.
        container: whether this is a container; None looks.
    """
    remote = next((name for key, name in _REMOTE.items() if environ.get(key)), "")
    shown = any(environ.get(key) for key in ("BROWSER", "DISPLAY", "WAYLAND_DISPLAY"))
    if not remote and not shown and (_is_container() if container is None else container):
        remote = "in a container"
    return RuntimeEnvironment(interactive, remote, shown or sys.platform in ("darwin", "win32"))


def choose_method(credentials: Credentials, place: RuntimeEnvironment) -> Choice:
    """The login method that can work here with the least to do.

    Raises:
        CredentialsMissing: there is no client yet, or nobody is there and nothing works without somebody.
    """
    credentials.require("client_id", "client_secret")
    if credentials.grant_code is not None:
        return Choice("code", "A grant code is waiting in ZOHO_GRANT_CODE.")
    if credentials.soid and not credentials.redirect_uri:
        return Choice("client-credentials", "ZOHO_SOID is set, so the client signs in for its organisation by itself.")
    if not place.interactive:
        raise CredentialsMissing(
            "There is nobody here to sign in: this notebook runs unattended.",
            hint="Sign in once where you can answer; or set ZOHO_SOID and let a self client sign in by itself.",
        )
    if credentials.client_id.startswith("1004."):
        return Choice("device", "The client is a non-browser client (its id begins with 1004.).")
    return _by_browser(credentials, place)


def _by_browser(credentials: Credentials, place: RuntimeEnvironment) -> Choice:
    if place.remote:
        return Choice("paste-url", f"The kernel runs {place.remote}, where your browser cannot come back to by itself.")
    if not place.browser:
        return Choice("paste-url", "This machine has no browser to open.")
    if credentials.redirect_uri and not _is_loopback_http(credentials.redirect_uri):
        return Choice("paste-url", "ZOHO_REDIRECT_URI is not a plain http address of this machine.")
    return Choice("browser", "The kernel and your browser are on the same machine.")


def _is_loopback_http(redirect_uri: str) -> bool:
    origin = origin_of(redirect_uri) or ""
    return origin.startswith("http:") and is_loopback(origin)


def _is_container() -> bool:
    return Path("/.dockerenv").exists() or Path("/run/.containerenv").exists()
