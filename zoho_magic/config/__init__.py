"""Where settings come from: environment, `.env` files, the OS keyring."""
