"""Everything about Zoho on which the documents disagree or are silent, each with the default we read out of them.

The fields may be changed while the simulator runs: `sim.options.active_tokens = 10`.
"""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Options"]


@dataclass
class Options:
    """What this Zoho does where the real one's documents leave a choice.

    Accounts server:
    - `active_tokens`: live access tokens per refresh token, the oldest dies (CRM pages say 15, Accounts page 10).
    - `refresh_tokens`: refresh tokens per user and client; one more deletes the oldest with its access tokens.
    - `access_tokens_per_window`, `window`: access tokens per refresh token in that many (rolling) seconds.
    - `codes_per_window`: codes by redirect per client in the same window, then `access_denied`.
    - `refresh_tokens_per_window`: refresh tokens made per user and client in the same window (Kaizen #43 says 10,
      other pages 5 a minute or 20); what is answered beyond it is not documented, the throttle body is our reading.
    - `code_lifetime`: of a code by redirect (Accounts page 120, product pages 60).
    - `token_lifetime`: of an access token.
    - `legacy_expiry`: `expires_in_sec`, with `expires_in` in milliseconds, which the official SDK still reads.
    - `localised_throttle`: say "too many requests" in Chinese, as seen in the wild.
    - `throttle_status`: 400 in every log; Kaizen #43 says 200.
    - `require_pkce`: refuse an authorization request without `code_challenge` (documented for mobile clients only).
    - `pkce_error`: what a wrong `code_verifier` is answered with; not documented.
    - `wrong_data_centre_error`: what a code or refresh token gets at another data centre's accounts server.
    - `revoke_error`: the body's `error` of a failed revocation; only its status, 400, is documented.
    - `error_page_status`: HTTP status of the authorization endpoint's error pages; not documented.
    - `remember_consent`: redirect at once where the user consented before, unless `prompt=consent`;
      not documented, so the page is shown each time. Either way a repeat gives no refresh token.
    - `auto_consent`: "accept" or "reject" answers every consent page without showing it.
    - `user_data_centre`: where the person at the consent page has the account; None means the page's own data centre.
    - `poll_seconds`: polling a device code faster than this gets `slow_down` (the page says 30, `interval` says 5).
    - `api_domain`: what token answers print instead of the data centre's own origin.

    Both halves: `org_id` is the organisation's zgid, `client_credentials` wants `soid=ZohoCRM.<org_id>`;
    `edition` is the CRM's edition; `latency` is added to every answer, in seconds. `zuid`, `first_name`, `last_name`
    and `email` are the person who signs in, at every data centre: the CRM's current user (an administrator).
    """

    active_tokens: int = 15
    refresh_tokens: int = 20
    access_tokens_per_window: int = 10
    window: float = 600.0
    codes_per_window: int = 10
    refresh_tokens_per_window: int = 10
    code_lifetime: float = 120.0
    token_lifetime: int = 3600
    legacy_expiry: bool = False
    localised_throttle: bool = False
    throttle_status: int = 400
    require_pkce: bool = False
    pkce_error: str = "invalid_code"
    wrong_data_centre_error: str = "invalid_client"
    revoke_error: str = "invalid_token"
    error_page_status: int = 200
    remember_consent: bool = False
    auto_consent: str | None = None
    user_data_centre: str | None = None
    poll_seconds: float = 30.0
    api_domain: str | None = None

    org_id: str = "700123456"
    edition: str = "enterprise"
    latency: float = 0.0
    zuid: str = "700200300"
    first_name: str = "Patricia"
    last_name: str = "Boyle"
    email: str = "patricia.boyle@example.com"

    # CRM: records.
    not_modified_status: int = 304  # If-Modified-Since and nothing newer: the docs say 304, Airbyte also sees 204
    unknown_record_status: int = 204  # GET by an unknown id: 204, 400 or 404, differs between operations and versions
    unknown_field: str = "ignore"  # an unknown name in `fields` is undocumented: "ignore" it or answer an "error"
    coql_shows_converted: bool = False  # undocumented; a query that names Converted__s always sees them
    bulk_shows_converted: bool = False  # likewise for bulk read criteria
    ignore_case: bool = True  # comparisons of text in COQL, bulk criteria and duplicate checks; not documented
    coql_owner_name: str = "last"  # what `name` of a user is in COQL: "last", "full" or "none"
    mixed_write_status: int = 207  # some rows failed: 207, 200 or 202 (documents and logs disagree)
    multiple_errors: bool = True  # a row with several errors says MULTIPLE_OR_MULTI_ERRORS; False: only the first
    converted_writable: bool = False  # a converted lead is refused with CONVERTED_RECORD
    failed_write_status: int = 400  # all rows failed: 400 with data[] (newest OAS), 202 in older versions
    count_needs_search: bool = True  # /actions/count wants ZohoSearch.securesearch.READ as well
    # Bulk jobs.
    job_seconds: float = 3.6  # from ADDED to COMPLETED, jobs of an org one after the other (measured in the wild)
    bulk_page_rows: int = 200_000
    bulk_separator: str = ";"  # between values of a multi-select picklist in a bulk CSV: unconfirmed
    bulk_bom: bool = False  # no evidence of a byte order mark
    bulk_downloads_per_minute: int = 10
    bulk_result_kept: float = 86_400.0  # a day for bulk read results
    bulk_errors_in_data: bool = False  # OASx shows a refused bulk read as a bare object, older OAS also inside data[]
    fail_next_jobs: int = 0  # that many bulk jobs end in FAILURE (read) or FAILED (write)
    bulk_absolute_url: bool = False  # bulk write's download_url was seen absolute and relative
    # Limits. None means what the edition and its licences give.
    credit_limit: int | None = None
    concurrency: int | None = None
    sub_concurrency: int | None = 10
    retry_after: int | None = None  # seconds in a Retry-After header on 429; Zoho documents none
    working_time: float = 0.0  # seconds every CRM call holds its place among the concurrent ones (latency does not)
