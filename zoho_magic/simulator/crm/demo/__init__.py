"""The demo org: who works there, what its modules look like, and the records it holds."""

from __future__ import annotations

from .generator import fill
from .org_schema import demo_schema
from .people import PEOPLE, User

__all__ = ["PEOPLE", "User", "demo_schema", "fill"]
