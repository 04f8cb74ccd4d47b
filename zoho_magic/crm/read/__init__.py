"""Reading records: plan, routes, frames."""
