"""Writing records: frame to calls, and the result of every row."""
