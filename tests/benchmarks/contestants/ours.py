# ruff: noqa: E402  # the clock starts before the imports
"""zoho_magic: `python ours.py records|coql|bulk|auto URL [LIMIT]`, credentials from the environment."""

import time

began = time.perf_counter()

import json
import sys

from zoho_magic import ZohoSession

FIELDS = sys.argv[3].split(",")
limit = int(sys.argv[4]) if len(sys.argv) > 4 else None
called = time.perf_counter()
frame = ZohoSession.from_env().pull("Leads", fields=FIELDS, via=sys.argv[1], limit=limit, progress=False)
ended = time.perf_counter()
print(
    json.dumps(
        {
            "rows": len(frame),
            "before": called - began,
            "call": ended - called,
            "route": frame.attrs["api"],
            "bytes": int(frame.memory_usage(deep=True).sum()),
        }
    )
)
