# ruff: noqa: E402  # the clock starts before the imports
"""zoho_magic: `python push_ours.py records URL ROWS`, credentials from the environment."""

import time

began = time.perf_counter()

import json
import sys

from push_rows import frame

from zoho_magic import ZohoSession

leads = frame(int(sys.argv[3]))
called = time.perf_counter()
report = ZohoSession.from_env().push("Leads", leads, "upsert", on="Email", via=sys.argv[1], progress=False)
ended = time.perf_counter()
print(json.dumps({"rows": report.counts["succeeded"], "before": called - began, "call": ended - called}))
