"""zoho_magic."""
