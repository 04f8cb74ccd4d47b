"""The device flow: /oauth/v3/device/code, /oauth/v3/device/token, and the page where the code is typed.

`interval` and `expires_in` of the first answer are milliseconds, those of the last are seconds (oauth.md 6).
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass

from flask import Response, request

from ..access import note
from ..clock import Clock
from ..context import World, world
from .answers import nothing, parameters, refuse, reply
from .consent import Asking, ask
from .exchange import tokens_for
from .model import Client, Grant, User, new_token
from .pages import error_page, page
from .scopes import known, split

__all__ = ["Devices", "device_code", "device_page", "device_token"]

LIFETIME = 300
INTERVAL = 5
LETTERS = "BCDFGHJKLMNPQRSTVWXZ"


@dataclass
class Device:
    """One device waiting for its person."""

    client: Client
    scopes: tuple[str, ...]
    offline: bool
    user_code: str
    expires: float
    grant: Grant | None = None
    rejected: bool = False
    polled: float = 0.0


class Devices:
    """The devices waiting, by device code."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._waiting: dict[str, Device] = {}

    def begin(self, client: Client, scopes: tuple[str, ...], offline: bool) -> tuple[str, Device]:
        """A new device, and its code."""
        user_code = "".join(secrets.choice(LETTERS) for _ in range(8))
        device = Device(client, scopes, offline, user_code, self._clock.time() + LIFETIME)
        code = new_token("1004")
        self._waiting[code] = device
        return code, device

    def find(self, code: str) -> Device | None:
        """The device of that device code, expired or not."""
        return self._waiting.get(code)

    def typed(self, user_code: str) -> Device | None:
        """The device whose code a person typed, if it still waits."""
        asked = user_code.strip().upper()
        waiting = (device for device in list(self._waiting.values()) if device.user_code == asked)
        return next((device for device in waiting if device.expires > self._clock.time()), None)

    def done(self, code: str) -> None:
        """Forget a device that has its tokens."""
        del self._waiting[code]


def device_code() -> Response:
    """Codes for a device and its person. Needs `grant_type=device_request` and a client of this data centre."""
    given = parameters(request)
    if request.method != "POST" or not given.get("grant_type"):
        return nothing(400)
    here = world()
    client = here.accounts.clients.named(given, here.data_centre, kind="device")
    if given["grant_type"] != "device_request":
        refuse("invalid_client")
    scopes = split(given.get("scope", ""))
    if not known(scopes):
        refuse("invalid_scope")
    return reply(_codes(here, *here.accounts.devices.begin(client, scopes, given.get("access_type") == "offline")))


def device_page() -> Response:
    """Where the person types the code, and is then asked to consent."""
    user_code = request.args.get("user_code")
    device = world().accounts.devices.typed(user_code or "")
    if device is None:
        return page("device.html", wrong=user_code is not None)
    return ask(
        Asking(
            device.client,
            device.scopes,
            accept=lambda user: _accepted(device, user),
            reject=lambda: _rejected(device),
        )
    )


def device_token() -> Response:
    """The device's tokens, once its person has agreed; until then `authorization_pending` and the like."""
    given = parameters(request)
    if request.method != "POST" or not given.get("grant_type"):
        return nothing(400)
    if given["grant_type"] != "device_token":
        refuse("invalid_client")
    note(request, grant_type=given["grant_type"])
    here = world()
    with here.accounts.lock:
        here.accounts.clients.proven(given, here.data_centre, kind="device")
        return reply(_polled(here, given))


def _codes(here: World, code: str, device: Device) -> dict[str, object]:
    address = f"{here.origins[here.data_centre]}/oauth/v3/device"
    return {
        "user_code": device.user_code,
        "device_code": code,
        "verification_url": address,
        "verification_uri_complete": f"{address}?user_code={device.user_code}",
        "interval": INTERVAL * 1000,
        "expires_in": LIFETIME * 1000,
    }


def _polled(here: World, given: Mapping[str, str]) -> dict[str, object]:
    code = given.get("code", "")
    device = here.accounts.devices.find(code)
    if device is None or device.client.id != given["client_id"]:
        refuse("invalid_code")
    grant = _outcome(here, device)
    here.accounts.devices.done(code)
    return tokens_for(here, grant, here.accounts.tokens.open(grant) if device.offline else None)


def _outcome(here: World, device: Device) -> Grant:
    """What the person agreed to. A poll that came too soon does not start the waiting anew."""
    now = here.clock.time()
    if now - device.polled < here.options.poll_seconds:
        refuse("slow_down")
    device.polled = now
    if device.rejected:
        refuse("access_denied")
    if device.grant is None:
        refuse("authorization_pending" if device.expires > now else "expired")
    if device.grant.user.data_centre != here.data_centre:
        device.polled = 0.0  # the next poll goes to another server, which has not been asked yet
        refuse("other_dc", user_location=device.grant.user.data_centre)
    return device.grant


def _accepted(device: Device, user: User) -> Response:
    device.grant = Grant(device.client.id, user, device.scopes, prefix="1004")
    return error_page("Connected", "You may close this page and return to your device.", 200)


def _rejected(device: Device) -> Response:
    device.rejected = True
    return error_page("Rejected", "Your device has not been connected.", 200)
