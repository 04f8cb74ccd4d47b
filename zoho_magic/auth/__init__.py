"""Access tokens: OAuth requests, caches, rate limit."""
