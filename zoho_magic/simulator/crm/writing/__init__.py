"""Writing records: what a value must look like, how rows are stored, and the endpoints that do it."""
