"""Zoho Accounts: clients, grants and tokens of every data centre, behind the documented OAuth endpoints."""

from .routes import accounts_blueprint
from .state import Accounts

__all__ = ["Accounts", "accounts_blueprint"]
