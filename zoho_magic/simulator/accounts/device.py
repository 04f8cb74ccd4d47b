"""The device flow: /oauth/v3/device/code, /oauth/v3/device/token, and the page where the code is typed.

`interval` and `expires_in` of the first answer are milliseconds, those of the last are seconds (oauth.md 6).
"""

from __future__ import annotations

from collections.abc import Mapping

from flask import Response, request

from ..access import record
from ..context import SimulatorContext, current_context
from .answers import empty_response, json_response, parameters, refuse
from .consent import show_consent
from .consents import ConsentRequest
from .devices import LIFETIME, Device
from .exchange import tokens_for
from .model import AccountUser, Grant
from .pages import error_page, page
from .scopes import all_known, split_scopes

__all__ = ["device_code", "device_page", "device_token"]

INTERVAL = 5


def device_code() -> Response:
    """Codes for a device and its person. Needs `grant_type=device_request` and a client of this data centre."""
    given = parameters(request)
    if request.method != "POST" or not given.get("grant_type"):
        return empty_response(400)
    here = current_context()
    client = here.accounts.clients.identify(given, here.data_centre, kind="device")
    if given["grant_type"] != "device_request":
        refuse("invalid_client")
    scopes = split_scopes(given.get("scope", ""))
    if not all_known(scopes):
        refuse("invalid_scope")
    return json_response(
        _codes(here, *here.accounts.devices.create(client, scopes, given.get("access_type") == "offline"))
    )


def device_page() -> Response:
    """Where the person types the code, and is then asked to consent."""
    user_code = request.args.get("user_code")
    device = current_context().accounts.devices.find_by_user_code(user_code or "")
    if device is None:
        return page("device.html", wrong=user_code is not None)
    return show_consent(
        ConsentRequest(
            device.client,
            device.scopes,
            accept=lambda user: _accept(device, user),
            reject=lambda: _reject(device),
        )
    )


def device_token() -> Response:
    """The device's tokens, once its person has agreed; until then `authorization_pending` and the like."""
    given = parameters(request)
    if request.method != "POST" or not given.get("grant_type"):
        return empty_response(400)
    if given["grant_type"] != "device_token":
        refuse("invalid_client")
    record(request, grant_type=given["grant_type"])
    here = current_context()
    with here.accounts.lock:
        here.accounts.clients.authenticate(given, here.data_centre, kind="device")
        return json_response(_poll(here, given))


def _codes(here: SimulatorContext, code: str, device: Device) -> dict[str, object]:
    address = f"{here.origins[here.data_centre]}/oauth/v3/device"
    return {
        "user_code": device.user_code,
        "device_code": code,
        "verification_url": address,
        "verification_uri_complete": f"{address}?user_code={device.user_code}",
        "interval": INTERVAL * 1000,
        "expires_in": LIFETIME * 1000,
    }


def _poll(here: SimulatorContext, given: Mapping[str, str]) -> dict[str, object]:
    code = given.get("code", "")
    device = here.accounts.devices.find(code)
    if device is None or device.client.id != given["client_id"]:
        refuse("invalid_code")
    grant = _granted_or_refused(here, device)
    here.accounts.devices.remove(code)
    return tokens_for(here, grant, here.accounts.tokens.issue_refresh_token(grant) if device.offline else None)


def _granted_or_refused(here: SimulatorContext, device: Device) -> Grant:
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


def _accept(device: Device, user: AccountUser) -> Response:
    device.grant = Grant(device.client.id, user, device.scopes, prefix="1004")
    return error_page("Connected", "You may close this page and return to your device.", 200)


def _reject(device: Device) -> Response:
    device.rejected = True
    return error_page("Rejected", "Your device has not been connected.", 200)
