"""One HTTP call: transport, retries, concurrency, responses."""
