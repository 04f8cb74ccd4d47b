"""The calls of a session as a frame.

https://www.zoho.com/crm/developer/docs/api/v8/api-limits.html
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..http.call_log import TOKEN_ROUTE, CallLog

if TYPE_CHECKING:
    import pandas

__all__ = ["usage"]

_TYPES = {"magic": "string", "method": "string", "route": "string"}
_NUMBERS = {"calls": "Int64", "failed": "Int64", "credits": "Int64", "seconds": "Float64"}


def usage(log: CallLog, credits_left: int | None) -> pandas.DataFrame:
    """See `ZohoSession.usage`."""
    import pandas as pd

    rows = [(*key, *vars(found).values()) for key, found in log.totals().items()]
    frame = pd.DataFrame(rows, columns=[*_TYPES, *_NUMBERS]).astype({**_TYPES, **_NUMBERS})
    frame = frame.sort_values(["credits", "calls"], ascending=False, kind="stable", ignore_index=True)
    is_token = frame["route"] == TOKEN_ROUTE
    frame.attrs = {
        "calls": int(frame["calls"].sum()),
        "credits": int(frame["credits"].sum()),
        "token_requests": int(frame["calls"][is_token].sum()),
        "credits_left": credits_left,
    }
    return frame
