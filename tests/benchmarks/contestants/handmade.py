# ruff: noqa: E402  # the clock starts before the imports
"""The loop everybody has: `python handmade.py records URL FIELDS [LIMIT]`."""

import time

began = time.perf_counter()

import json
import os
import sys

import pandas as pd
import requests

url, fields = sys.argv[2], sys.argv[3]
per_page = int(sys.argv[4]) if len(sys.argv) > 4 else 200
called = time.perf_counter()
form = {name: os.environ[f"ZOHO_{name.upper()}"] for name in ("client_id", "client_secret", "refresh_token")}
token = requests.post(f"{url}/oauth/v2/token", data={**form, "grant_type": "refresh_token"}).json()["access_token"]
headers = {"Authorization": f"Zoho-oauthtoken {token}"}
rows, params = [], {"fields": fields, "per_page": per_page}
while True:
    answer = requests.get(f"{url}/crm/v8/Leads", headers=headers, params=params).json()
    rows.extend(answer["data"])
    if not answer["info"]["more_records"] or len(rows) == per_page < 200:
        break
    params["page_token"] = answer["info"]["next_page_token"]
frame = pd.json_normalize(rows)
ended = time.perf_counter()
size = int(frame.memory_usage(deep=True).sum())
print(json.dumps({"rows": len(frame), "before": called - began, "call": ended - called, "bytes": size}))
