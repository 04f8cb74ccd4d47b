"""Zoho Accounts: clients, grants and tokens of every data centre, behind the documented OAuth endpoints."""
