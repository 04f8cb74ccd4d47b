"""What the browser shows when it comes back from Zoho: one self-contained page, light and dark."""

from __future__ import annotations

import base64
import hashlib

__all__ = ["CSP", "page"]

# The code is in the address until this has run; then neither the address bar nor a bookmark has it.
_SCRIPT = 'history.replaceState(null, "", location.pathname)'
_STYLE = (
    ":root{color-scheme:light dark}body{font:16px/1.5 system-ui,sans-serif;display:grid;place-items:center;"
    "min-height:90vh;margin:0}main{max-width:26em;padding:2em 2.5em;border:1px solid rgba(128,128,128,.35);"
    "border-radius:12px;text-align:center}b{display:block;font-size:2.4em;line-height:1.2}.accepted{color:#2e9d5b}"
    ".refused{color:#d08700}h1{font-size:1.25em;margin:.3em 0}p{margin:.3em 0;opacity:.8}"
)
_TEXTS = {
    "accepted": ("✓", "Zoho said yes", "You can close this page and go back to your notebook."),
    "refused": ("⦸", "Access was not given", "Nothing has changed. You can close this page; the notebook says more."),
    "again": ("", "This sign-in is over", "It was answered already. Your notebook says what came of it."),
    "unknown": ("", "Not the answer we wait for", "This address belongs to another sign-in. Start again there."),
    "nothing": ("", "Nothing here", "This is where your notebook waits for Zoho."),
}


def _hash(text: str) -> str:
    return "'sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() + "'"


CSP = (
    f"default-src 'none'; img-src data:; style-src {_hash(_STYLE)}; script-src {_hash(_SCRIPT)}; "
    "frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
)
"""Nothing but this page's own style and its one line of script."""


def page(kind: str) -> str:
    """The page for what happened: accepted, refused, again, unknown or nothing."""
    mark, title, text = _TEXTS[kind]
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Zoho sign-in</title>'
        '<link rel="icon" href="data:,"><meta name="viewport" content="width=device-width">'
        f"<script>{_SCRIPT}</script><style>{_STYLE}</style></head>"
        f'<body><main><b class="{kind}">{mark}</b><h1>{title}</h1><p>{text}</p></main></body></html>'
    )
