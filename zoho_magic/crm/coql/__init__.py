"""COQL, Zoho's query language; no network."""
