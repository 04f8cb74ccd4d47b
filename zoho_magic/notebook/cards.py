"""What a status and a token look like on the page; right in light and dark themes because they bring no colours of
their own except for trouble."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from html import escape
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ..auth.oauth import Token
    from ..crm.read.planner import Plan
    from ..crm.write.push import PushReport
    from ..errors import ZohoError
    from ..login.prompts import LoginInstructions
    from ..mirror.compare import Comparison
    from ..mirror.report import ExportReport
    from ..mirror.sync_report import SyncPlan, SyncReport
    from ..status import Status

__all__ = [
    "error_card",
    "login_card",
    "not_connected_card",
    "note_card",
    "register",
    "status_card",
    "token_card",
    "unregister",
]

_BOX = (
    "display:inline-block;min-width:24em;max-width:60em;padding:.6em 1em;border:1px solid rgba(128,128,128,.35);"
    "border-left:4px solid {edge};border-radius:6px;font-family:var(--jp-ui-font-family,sans-serif);line-height:1.45"
)
_GREEN, _AMBER, _RED, _VIOLET = "#2e9d5b", "#d08700", "#d64545", "#7c5cc4"
# A notebook styles every table it shows: whatever is not said here differs from one front end to the next.
_CELL = "padding:.1em 0;text-align:left;vertical-align:top;line-height:1.45;background:none;border:0"
_QUIET = f"{_CELL};padding-right:1.2em;opacity:.65;white-space:nowrap"


def status_card(status: Status) -> str:
    """HTML for a status."""
    fine = _VIOLET if status.demo else _GREEN
    edge = (_AMBER if status.warnings else fine) if status.connected else _RED
    notes = [_line("⚠ " + warning) for warning in status.warnings]
    notes += [_line("→ " + status.next_step)] if status.next_step else []
    return _card(edge, status.title, status.details, notes)


def token_card(token: Token) -> str:
    """HTML for a token: what it may do and for how long, never the token."""
    minutes, seconds = divmod(token.expires_in, 60)
    rows = {"Access token": "••••", "Left": f"{minutes} min {seconds} s", "Scopes": ", ".join(token.scopes)}
    return _card(_GREEN if token.expires_in else _AMBER, "Zoho access token", rows, [_line(n) for n in token.warnings])


def plan_card(plan: Plan) -> str:
    """HTML for the plan of a pull."""
    cells = {label: text for label, text in plan.details.items() if text}
    return _card(_GREEN, f"Plan: {cells.pop('API used')}", cells, [])


def export_card(report: ExportReport) -> str:
    """HTML for what an export wrote."""
    cells = {label: text for label, text in report.details.items() if text}
    return _card(_AMBER if report.warnings else _GREEN, f"Exported {cells.pop('Module')}", cells, [])


def sync_card(report: SyncReport | SyncPlan) -> str:
    """HTML for what a synchronisation did, or would do."""
    cells = {label: text for label, text in report.details.items() if text}
    edge = _AMBER if cells.get("Notes") else _GREEN
    return _card(edge, f"Copy of {cells.pop('Module')}", cells, [])


def comparison_card(found: Comparison) -> str:
    """HTML for what differs between two frames."""
    return _card(_GREEN, "Comparison", {label: text for label, text in found.details.items() if text}, [])


SHOWN_CAUSES = 10


def push_card(report: PushReport) -> str:
    """HTML for a push report: the counts, and why rows were not written; rows with the same cause stand together."""
    from ..crm.write.causes import causes_of

    counts, about = report.counts, report.attrs
    edge = _RED if counts.get("unknown") else _AMBER if counts.get("failed") else _GREEN
    api = str(about.get("api", ""))
    rows = {"API used": f"{api} ({about['reason']})" if about.get("reason") else api}
    causes = causes_of(report)
    shown = [_line(f"{cause.rows}: {cause.text}") for cause in causes[:SHOWN_CAUSES]]
    more = len(causes) - SHOWN_CAUSES
    notes = [_line(f"and {more:,} more causes: report.failed, report.unknown")] if more > 0 else []
    return _card(edge, report.title, rows, [*shown, *notes])


def not_connected_card(status: Status, step: str) -> str:
    """HTML for a status that is not connected yet, beside the fields it would otherwise repeat."""
    problems = [_line("⚠ " + warning) for warning in status.warnings]
    return _card(_AMBER, f"{status.title} yet", {}, [*problems, _line("→ " + step)])


def error_card(error: ZohoError, hint: str | None = None) -> str:
    """HTML for an error and its next step, or another next step that fits the place better."""
    step = error.hint if hint is None else hint
    return _card(_RED, str(error.args[0]), {}, [_line("→ " + step)] if step else [])


def note_card(text: str) -> str:
    """HTML for one line of news."""
    return _card(_AMBER, text, {}, [])


def login_card(invitation: LoginInstructions) -> str:
    """HTML for what to do now to sign in; the link opens a page of its own and tells it nothing."""
    link = _link_html(invitation.link, bool(invitation.code)) if invitation.link else ""
    code = f'<div style="font-size:150%;letter-spacing:.15em;margin:.2em 0">{escape(invitation.code)}</div>'
    minutes = (
        f"Good for {invitation.expires_in // 60} min {invitation.expires_in % 60} s." if invitation.expires_in else ""
    )
    notes = [link, code if invitation.code else "", *map(_line, filter(None, (*invitation.steps, minutes)))]
    return _card(_AMBER, invitation.title, {}, [*notes, _qr_html(invitation.qr_url)])


def _link_html(url: str, typed_elsewhere: bool) -> str:
    """A button for the link; the address itself is for another device, or for who unfolds it."""
    address = f'<div style="overflow-wrap:anywhere">{escape(url)}</div>'
    folded = f'<details style="margin-top:.35em"><summary>The address, to copy</summary>{address}</details>'
    return (
        f'<div style="margin-top:.5em"><a href="{escape(url)}" target="_blank" rel="noopener noreferrer" '
        f'style="{_LINK_BUTTON}">Open Zoho</a></div>{address if typed_elsewhere else folded}'
    )


_LINK_BUTTON = (
    "display:inline-block;padding:.25em 1.2em;border:1px solid currentColor;border-radius:4px;"
    "color:inherit;text-decoration:none;font-weight:600"
)


def _qr_html(address: str) -> str:
    if not address:
        return ""
    from ..login.qr_code import to_data_uri

    return f'<div style="margin-top:.5em"><img alt="QR code of the link" src="{escape(to_data_uri(address))}"></div>'


def _card(accent: str, title: str, rows: Mapping[str, str], notes: Iterable[str]) -> str:
    body = "".join(
        f'<tr style="background:none"><td style="{_QUIET}">{escape(label)}</td>'
        f'<td style="{_CELL};overflow-wrap:anywhere">{escape(text)}</td></tr>'
        for label, text in rows.items()
    )
    table = f'<table style="border-collapse:collapse;margin:.3em 0 0">{body}</table>' if body else ""
    return f'<div style="{_BOX.format(edge=accent)}"><b>{escape(title)}</b>{table}{"".join(notes)}</div>'


def _line(text: str) -> str:
    return f'<div style="margin-top:.35em">{escape(text)}</div>'


# By name: what a card is for may not have been imported yet, and need not be.
_CARDS: dict[str, Callable[[Any], str]] = {
    "zoho_magic.status.Status": status_card,
    "zoho_magic.auth.oauth.Token": token_card,
    "zoho_magic.login.prompts.LoginInstructions": login_card,
    "zoho_magic.crm.read.planner.Plan": plan_card,
    "zoho_magic.crm.write.report.PushReport": push_card,
    "zoho_magic.mirror.compare.Comparison": comparison_card,
    "zoho_magic.mirror.report.ExportReport": export_card,
    "zoho_magic.mirror.sync_report.SyncPlan": sync_card,
    "zoho_magic.mirror.sync_report.SyncReport": sync_card,
}
"""Every type with a card of its own. To add one, add a line."""


def register(ip: Any) -> None:
    """Show our types as cards in this shell."""
    for name, card in _CARDS.items():
        ip.display_formatter.formatters["text/html"].for_type_by_name(*name.rsplit(".", 1), card)


def unregister(ip: Any) -> None:
    """Show them as text again."""
    for name in _CARDS:
        ip.display_formatter.formatters["text/html"].pop(name, None)
