"""Bulk jobs: reading a module into a zipped CSV, and writing one from it."""
