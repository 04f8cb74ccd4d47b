"""A local Zoho over real HTTP on loopback."""
