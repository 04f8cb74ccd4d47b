"""Copies of modules outside memory: exported once (`export`), kept current (`sync`), read by other engines."""
