"""A process that synchronises, to be killed: `python sync_child.py TO VIA`; it begins when a line comes in."""

import sys

import duckdb
import pyarrow.csv
import pyarrow.parquet

from zoho_magic import ZohoSession

zoho = ZohoSession.from_env()
zoho.refresh()
assert duckdb, pyarrow
print("ready", flush=True)
sys.stdin.readline()
zoho.sync("Leads", to=sys.argv[1], via=sys.argv[2])
print("done", flush=True)
