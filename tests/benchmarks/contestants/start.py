"""Starting: `python start.py shell|kernel|token URL`."""

import json
import subprocess
import sys
import time

LOAD = """
import json as _json, sys as _sys, time as _time
_before, _began, _busy = set(_sys.modules), _time.perf_counter(), _time.process_time()
get_ipython().run_line_magic("load_ext", "zoho_magic")
_took, _busy = _time.perf_counter() - _began, _time.process_time() - _busy
_new = set(_sys.modules) - _before
_heavy = [n for n in ("pandas", "pyarrow", "requests", "ipywidgets", "tqdm", "numpy") if n in _new]
print(_json.dumps({"load": _took, "busy": _busy, "modules": len(_new), "heavy": _heavy}))
"""


def shell():
    """In a shell of this process."""
    from IPython.core.interactiveshell import InteractiveShell

    InteractiveShell.instance().run_cell(LOAD)


def kernel():
    """In a kernel, the way a notebook does it."""
    from jupyter_client.manager import start_new_kernel

    manager, client = start_new_kernel(stderr=subprocess.DEVNULL)
    client.execute_interactive(LOAD, output_hook=_printed)
    client.stop_channels()
    manager.shutdown_kernel(now=True)


def _printed(message):
    if message["msg_type"] == "stream":
        print(message["content"]["text"].strip())


def token():
    """A token that is there already, 10,000 times."""
    from zoho_magic import ZohoSession

    session = ZohoSession.from_env()
    session.token  # noqa: B018  # asks for it
    began = time.perf_counter()
    for _ in range(10_000):
        session.token  # noqa: B018
    print(json.dumps({"token": (time.perf_counter() - began) / 10_000}))


{"shell": shell, "kernel": kernel, "token": token}[sys.argv[1]]()
