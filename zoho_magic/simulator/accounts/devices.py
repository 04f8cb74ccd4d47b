"""Devices waiting for a user to type their code."""

from __future__ import annotations

import secrets
from dataclasses import dataclass

from ..clock import Clock
from .model import Client, Grant, new_token

__all__ = ["LIFETIME", "Device", "Devices"]

LIFETIME = 300
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

    def create(self, client: Client, scopes: tuple[str, ...], offline: bool) -> tuple[str, Device]:
        """A new device, and its code."""
        user_code = "".join(secrets.choice(LETTERS) for _ in range(8))
        device = Device(client, scopes, offline, user_code, self._clock.time() + LIFETIME)
        code = new_token("1004")
        self._waiting[code] = device
        return code, device

    def find(self, code: str) -> Device | None:
        """The device of that device code, expired or not."""
        return self._waiting.get(code)

    def find_by_user_code(self, user_code: str) -> Device | None:
        """The device whose code a person typed, if it still waits."""
        asked = user_code.strip().upper()
        waiting = (device for device in list(self._waiting.values()) if device.user_code == asked)
        return next((device for device in waiting if device.expires > self._clock.time()), None)

    def remove(self, code: str) -> None:
        """Forget a device that has its tokens."""
        del self._waiting[code]
