"""The CRM half of the simulator: one demo org, its metadata, records, queries and jobs."""

from __future__ import annotations

from .org import Crm
from .routes import crm_blueprint

__all__ = ["Crm", "crm_blueprint"]
