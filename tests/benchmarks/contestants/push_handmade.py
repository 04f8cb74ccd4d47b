# ruff: noqa: E402  # the clock starts before the imports
"""The loop everybody has: `python push_handmade.py records URL ROWS`."""

import time

began = time.perf_counter()

import json
import os
import sys

import requests
from push_rows import frame

leads, url = frame(int(sys.argv[3])), sys.argv[2]
called = time.perf_counter()
form = {name: os.environ[f"ZOHO_{name.upper()}"] for name in ("client_id", "client_secret", "refresh_token")}
token = requests.post(f"{url}/oauth/v2/token", data={**form, "grant_type": "refresh_token"}).json()["access_token"]
http = requests.Session() if sys.argv[1] == "session" else requests
headers = {"Authorization": f"Zoho-oauthtoken {token}"}
rows = leads.to_dict("records")
done = 0
for start in range(0, len(rows), 100):
    body = {"data": rows[start : start + 100], "duplicate_check_fields": ["Email"]}
    answer = http.post(f"{url}/crm/v8/Leads/upsert", headers=headers, json=body).json()
    done += sum(result["status"] == "success" for result in answer["data"])
ended = time.perf_counter()
print(json.dumps({"rows": done, "before": called - began, "call": ended - called}))
