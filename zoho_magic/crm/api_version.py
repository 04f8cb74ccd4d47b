"""The version of the CRM API that every call names; another version is a change here."""

from __future__ import annotations

__all__ = ["API", "BULK_API"]

API = "/crm/v8"
BULK_API = "/crm/bulk/v8"
