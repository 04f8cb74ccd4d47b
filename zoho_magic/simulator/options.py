"""Everything about Zoho on which its documents are silent or disagree: one row an option.

A row has the default, what it does, and, where a report says that Zoho can be less kind, the value that
`behaviour="worst"` sets. Options may be changed while the simulator runs: `sim.options.active_tokens = 10`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, fields
from typing import Any, Literal, TypeVar

__all__ = ["BEHAVIOURS", "Behaviour", "Options"]

Behaviour = Literal["documented", "worst"]
BEHAVIOURS: tuple[Behaviour, ...] = ("documented", "worst")
Value = TypeVar("Value")


def option(default: Value, doc: str, worst: Value | None = None) -> Value:
    """A row: `worst` is what the second behaviour sets (None: the same as the default)."""
    row: Callable[..., Value] = field
    return row(default=default, metadata={"doc": doc, "worst": worst})


@dataclass
class Options:
    """What this Zoho does where the real one's documents leave a choice. `Options.rows()` lists them with their docs.

    `zuid`, `first_name`, `last_name` and `email` are the user who signs in, at every data centre: the CRM's current
    user, an administrator.

    Example:
        Simulator(options=Options(coql_multiselect_as_text=True))
    """

    # Accounts server: tokens and codes.
    active_tokens: int = option(15, "live access tokens per refresh token, the oldest dies (CRM pages 15, Accounts 10)")
    refresh_tokens: int = option(20, "refresh tokens per user and client; one more deletes the oldest")
    access_tokens_per_window: int = option(10, "access tokens per refresh token in one window")
    window: float = option(600.0, "seconds of the (rolling) window that limits are counted in")
    codes_per_window: int = option(10, "codes by redirect per client in one window, then access_denied")
    refresh_tokens_per_window: int = option(
        10, "refresh tokens per user and client in one window (Kaizen #43: 10; other pages 5 a minute, or 20)"
    )
    code_lifetime: float = option(120.0, "seconds a code by redirect lives (Accounts page 120, product pages 60)")
    token_lifetime: int = option(3600, "seconds an access token lives")
    legacy_expiry: bool = option(False, "send expires_in_sec, and expires_in in milliseconds (Zoho's SDK reads it)")
    api_domain: str | None = option(None, "what token answers print instead of the data centre's own API origin")
    # Accounts server: errors.
    localised_throttle: bool = option(False, "say 'too many requests' in Chinese, as seen in the wild")
    throttle_status: int = option(400, "HTTP status of a throttled token request: 400 in logs, 200 in Kaizen #43")
    require_pkce: bool = option(False, "refuse an authorization request without code_challenge")
    pkce_error: str = option("invalid_code", "error of a wrong code_verifier; not documented")
    wrong_data_centre_error: str = option("invalid_client", "error of another data centre's code or refresh token")
    revoke_error: str = option("invalid_token", "error of a failed revocation; only its status 400 is documented")
    error_page_status: int = option(200, "HTTP status of the authorization endpoint's error pages; not documented")
    invalid_token_code: str = option(
        "INVALID_TOKEN",
        "the API's code for a token that is dead (the token page says INVALID_OAUTHTOKEN)",
        worst="INVALID_OAUTHTOKEN",
    )
    # Accounts server: consent and devices.
    remember_consent: bool = option(False, "redirect at once where the user consented before, unless prompt=consent")
    auto_consent: str | None = option(None, "'accept' or 'reject' answers every consent page without showing it")
    user_data_centre: str | None = option(None, "the user's data centre (None: the one of the consent page)")
    poll_seconds: float = option(30.0, "polling a device code faster gets slow_down (the page says 30, interval 5)")

    # The organisation and the user who signs in.
    org_id: str = option("700123456", "the organisation's zgid; client_credentials wants soid=ZohoCRM.<org_id>")
    edition: str = option("enterprise", "the CRM's edition: what credits and concurrency follow from")
    latency: float = option(0.0, "seconds added to every answer")
    zuid: str = option("700200300", "ZUID of the user who signs in")
    first_name: str = option("Patricia", "first name of that user")
    last_name: str = option("Boyle", "last name of that user")
    email: str = option("patricia.boyle@example.com", "e-mail address of that user")

    # Records.
    not_modified_status: int = option(
        304, "If-Modified-Since and nothing newer: 304 in the docs, Airbyte also sees 204"
    )
    unknown_record_status: int = option(204, "GET by an unknown id: 204, 400 or 404, differs between versions")
    unknown_field: str = option("ignore", "an unknown name in `fields`: 'ignore' it or answer an 'error'")
    parameter_length: int | None = option(
        None, "characters that `fields` and `ids` may have (the newest OpenAPI file: 1,024)", worst=1024
    )
    restore_moves_modified_time: bool = option(
        True, "a record that is restored from the recycle bin gets a new Modified_Time; not documented", worst=False
    )
    restored_still_listed: bool = option(
        False, "GET /deleted still lists a record that was restored; not documented", worst=True
    )
    conversion_moves_modified_time: bool = option(
        True, "a lead that is converted gets a new Modified_Time; not documented", worst=False
    )
    deleted_lag: float = option(0.0, "seconds until GET /deleted lists a deleted record; not documented", worst=20.0)
    page_token_bound_to_fields: bool = option(
        True, "refuse a page token when `fields` has changed (False: as the official Singer tap relies on)"
    )
    picklist_display_differs: bool = option(
        False, "metadata gives every picklist value a display_value that is not its actual_value", worst=True
    )
    inactive_user_names_null: bool = option(
        False, "users who are disabled or deleted have no names, in records and in /users", worst=True
    )
    users_forbidden: bool = option(False, "403 NO_PERMISSION for every GET /users", worst=True)

    list_page_rows: int | None = option(
        None,
        "entries of one page at most of users, territories, custom views, attachments and deleted records, below the "
        "per_page asked for",
        worst=2,
    )

    # COQL.
    coql_reserved_words: str = option(
        "documented",
        "columns refused without quotes: 'documented' (the grammar's words and External) or 'many' (every SQL word)",
        worst="many",
    )
    coql_unquoted_arrow: bool = option(
        False, "take What_Id->Leads.Last_Name without quotes, which no page of Zoho's shows"
    )
    coql_aggregate_needs_alias: bool = option(
        False, "refuse an aggregate without an alias, as live orgs did", worst=True
    )
    coql_page_rows: int | None = option(None, "rows of one answer at most, below the LIMIT asked for", worst=150)
    coql_subquery_rows: int = option(100, "records retrieved of a sub-query; nothing says that the rest was cut")
    coql_multiselect_as_text: bool = option(False, "multi-select picklists come as 'Solar;Wind'", worst=True)
    coql_tags_as_text: bool = option(False, "tags come as 'vip,new'", worst=True)
    coql_left_out: tuple[str, ...] = option(
        (), "data types and API names that never come back though selected", worst=("website", "Fax", "Skype_ID")
    )
    polymorphic_names_in_coql: bool = option(
        False, "a multi-module lookup has a name in COQL (Zoho's page: it has not, but its module)"
    )
    coql_owner_name: str = option("last", "`name` of a user in COQL: 'last', 'full' or 'none'")
    coql_shows_converted: bool = option(False, "converted leads come though the query does not name Converted__s")
    coql_knows_converted: bool = option(True, "the column Converted__s; False: INVALID_QUERY", worst=False)
    coql_refused_modules: tuple[str, ...] = option(
        (), "modules that COQL refuses with INVALID_MODULE though records and metadata exist", worst=("Notes",)
    )
    ignore_case: bool = option(True, "text is compared without regard to case; not documented")

    # Writing records.
    mixed_write_status: int = option(207, "some rows failed: 207, 200 or 202 (documents and logs disagree)")
    failed_write_status: int = option(400, "all rows failed: 400 with data[] (newest OpenAPI file), 202 in older ones")
    multiple_errors: bool = option(True, "a row with several errors says MULTIPLE_OR_MULTI_ERRORS; False: the first")
    converted_writable: bool = option(False, "a converted lead may be updated (False: CONVERTED_RECORD)")
    duplicates_across_modules: bool = option(
        False, "a lead is a duplicate of a contact with its unique value, and the other way round (Kaizen #177)"
    )
    picklist_accepts: str = option(
        "both",
        "what is taken for a picklist: its 'display' value (Kaizen #205), its 'actual' one (older pages), 'both'",
        worst="display",
    )
    locked_records: tuple[str, ...] = option(
        (), "ids that answer RECORD_LOCKED with zia_vision_processing until they are taken out"
    )

    # Count and search.
    search_lag: float = option(
        0.0, "seconds until what was written is found by /search and counted by /actions/count", worst=30.0
    )
    count_needs_search: bool = option(True, "/actions/count wants ZohoSearch.securesearch.READ as well")

    # Bulk jobs.
    job_seconds: float = option(3.6, "from ADDED to COMPLETED, one job of an org after the other", worst=240.0)
    fail_next_jobs: int = option(0, "that many bulk jobs end in FAILURE (read) or FAILED (write)")
    bulk_shows_converted: bool = option(False, "bulk read brings converted leads though the criteria do not ask")
    bulk_page_rows: int = option(200_000, "rows of one bulk read job at most")
    bulk_separator: str = option(";", "between values of a multi-select picklist in a bulk CSV: unconfirmed")
    bulk_bom: bool = option(False, "a byte order mark at the start of the CSV; no evidence")
    bulk_downloads_per_minute: int = option(10, "downloads of results a minute, then 429")
    bulk_result_kept: float = option(86_400.0, "seconds that a bulk read result can be downloaded")
    upload_limits_csv: bool = option(
        False, "the 25 MB of an upload also hold for the CSV in the zip, as the limits page can be read", worst=True
    )
    bulk_errors_in_data: bool = option(False, "a refused bulk read stands inside data[] (older OpenAPI files)")
    bulk_absolute_url: bool = option(False, "bulk write's download_url is absolute; both forms were seen")
    bulk_empty_result: str = option(
        "header",
        "a bulk read without rows: a CSV of the 'header', 'no_url' (count 0, no download_url), '204', 'empty_file'",
        worst="no_url",
    )
    bulk_refused_modules: tuple[str, ...] = option((), "further modules that bulk read refuses")
    bulk_module_error: str = option("MODULE_NOT_SUPPORTED", "the code of that refusal; several exist in the documents")
    bulk_drops_null_parents: bool = option(
        False, "rows are missing whose lookup is empty when a column behind that lookup is asked for", worst=True
    )

    # Limits. None means what the edition and its licences give.
    credit_limit: int | None = option(None, "API credits of 24 hours")
    concurrency: int | None = option(None, "calls at the same time, per client")
    sub_concurrency: int | None = option(10, "heavy calls at the same time, per client")
    retry_after: int | None = option(None, "seconds in a Retry-After header on 429; Zoho documents none")
    working_time: float = option(0.0, "seconds every CRM call counts among the concurrent ones (latency does not)")

    @staticmethod
    def rows() -> list[tuple[str, Any, Any, str]]:
        """Every option: name, default, value of behaviour="worst" (None: the default), what it does."""
        return [(each.name, each.default, each.metadata["worst"], each.metadata["doc"]) for each in fields(Options)]

    def apply(self, behaviour: Behaviour) -> Options:
        """Set what this behaviour says, except for options that were given another value than their default."""
        if behaviour not in BEHAVIOURS:
            raise ValueError(f"behaviour: one of {', '.join(BEHAVIOURS)}")
        for name, default, worst, _doc in self.rows() if behaviour == "worst" else ():
            if worst is not None and getattr(self, name) == default:
                setattr(self, name, worst)
        return self
