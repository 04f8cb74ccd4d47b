"""Zoho's limits on what a call to the CRM carries and costs, each with the page that states it.

How many calls run at once is in `http.concurrency_limiter`; how many token requests, in `auth.refresh_limiter`. Pages
are under https://www.zoho.com/crm/developer/docs/api/v8/.
"""

from __future__ import annotations

# get-records.html
RECORDS_PER_PAGE = 200
VIEW_PAGE_CREDITS = 3
"""API credits of a page of a custom view (api-limits.html)."""
FIELDS_PER_CALL = 50
RECORDS_NUMBERED_PAGES = 10
"""Pages that are reached by number; later ones by page token only."""
RECORDS_MAX_ROWS = 100_000
FIELDS_PARAMETER_LENGTH = 1_024
"""Characters of the parameter `fields`, by Zoho's OpenAPI file; https://github.com/zoho/crm-oas."""
IDS_PER_CALL = 50
"""Ids of the parameter `ids`: 100 are allowed, in 1,024 characters by Zoho's OpenAPI file, which 50 ids fill."""

# COQL-Overview.html, Get-Records-through-COQL-Query.html, COQL-Limitations.html
COQL_ROWS_PER_CALL = 2_000
COQL_MAX_OFFSET = 100_000
COQL_MAX_COLUMNS = 500
COQL_MAX_ORDER_FIELDS = 10
COQL_VALUES_PER_IN = 100
COQL_MAX_CRITERIA = 25
COQL_SUB_QUERY_ROWS = 100
"""Zoho retrieves at most so many records of a sub-query, and does not say that there are more (COQL-subquery.html)."""

# bulk-read/overview.html, bulk-read/limitations.html, api-limits.html
BULK_READ_ROWS_PER_JOB = 200_000
BULK_READ_CREDITS = 50
BULK_READ_VALUES_PER_IN = 200

# insert-records.html, update-records.html, delete-records.html, api-limits.html
WRITE_ROWS_PER_CALL = 100
WRITE_ROWS_PER_CREDIT = 10

# restore-recycle-bin-records.html
RESTORE_IDS_PER_CALL = 200

# add-tags.html, remove-tags.html
TAG_IDS_PER_CALL = 100
TAGS_PER_CALL = 10

# bulk-write/limitations.html, bulk-write/upload-file.html, api-limits.html
BULK_WRITE_ROWS_PER_FILE = 25_000
BULK_WRITE_MAX_COLUMNS = 200
BULK_WRITE_MAX_BYTES = 25_000_000
"""Of the CSV and of the zip: Zoho's pages mean one or the other."""
BULK_WRITE_CREDITS = 500

# api-limits.html; users add to it, and the API does not tell how many count
DAILY_CREDITS = 50_000
DAILY_CREDITS_BY_EDITION = {"free": 5_000}
"""API credits of 24 hours at least, by edition (`DAILY_CREDITS` for every other one)."""
