"""What is said to the CRM: who and where, metadata, records."""
