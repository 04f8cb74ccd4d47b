"""The CRM half of the simulator: one demo org, its metadata, records, queries and jobs."""
