"""The whole product is used with known secrets, and everything it leaves behind is searched for them.

Each search is proven by planting: the same search finds what is put in the same places on purpose.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from nbformat import NotebookNode

from tests.e2e.kernels import execute, notebook_of, outputs, quickstart
from tests.e2e.lab import Lab
from tests.e2e.sentinels import Sentinels, history
from zoho_magic.simulator import Fault, Simulator

WRONG_CODE = "1000." + "ab" * 16 + "." + "cd" * 16
TYPED = "S3CR3T-typed-by-mistake-into-a-field"
LOUD = """\
import logging
logging.basicConfig(level=logging.DEBUG, filename="debug.log")
%xmode Verbose"""

WRITE_HISTORY = "get_ipython().history_manager.writeout_cache()"

# What a person does with the form: the secrets come from a file, so that no cell contains them.
PERSON = '''\
"""A person at the form: types what .env.typed says, as a front end sends it."""
import json

def type_into(widget, value):
    data = {"method": "update", "state": {"value": value}, "buffer_paths": []}
    widget._handle_msg({"content": {"data": data}, "buffers": []})

def fill(form):
    with open(".env.typed") as file:
        for name, value in json.load(file).items():
            if name != "slip":
                type_into(getattr(form, name), value)

def slip(field):
    with open(".env.typed") as file:
        type_into(field, json.load(file)["slip"])
'''
FORM = """\
import person
from zoho_magic import get_session
from zoho_magic.notebook.setup_form import SetupForm
form = SetupForm(get_session())
person.fill(form)
form.button.click()
print(form.status.value)
person.slip(form.client_secret)
display(form.widget)"""

REFUSALS = {  # the name of a .env with something wrong in it -> the line that shows it
    "secret": "%zoho_exchange",
    "client": "%zoho_exchange",
    "code": "%zoho_exchange",
    "revoked": "%zoho_refresh",
    "scope": "%zoho_pull Leads",
    "cut": "%zoho_refresh",
    "html": "%zoho_refresh",
    "throttled": "%zoho_refresh",
    "unknown": "%zoho_exchange",
}
CURIOSITY = """
token = %zoho_token
session = get_session()
credentials = session.credentials
---
%whos
---
token, session, credentials, token.headers
---
vars(session), vars(token), vars(credentials), dir(token)
---
token?
---
session??
---
import dataclasses
dataclasses.asdict(credentials)
---
import pickle
pickle.dumps(token)
---
pickle.dumps(session)
---
import copy, json
copy.deepcopy(credentials), json.dumps(str(token.headers))
---
%store token
---
%store credentials
---
!env
---
%env
---
%history -o
---
def helper(token, headers, session, credentials):
    secret = token.access_token
    raise ValueError(f"{secret} {token} {headers}")
helper(token, token.headers, session, credentials)
---
%tb Verbose
---
import requests
requests.get("http://127.0.0.1:9/crm/v8/org", auth=session.auth)
---
session.request("GET", "http://127.0.0.1:9/crm/v8/org")
---
%zoho_exchange --client-secret oops
---
print([str(one) for one in session.credentials.__dict__.values()])
"""


@pytest.fixture
def refusals(simulator: Simulator, isolated: Path) -> Iterator[dict[str, str]]:
    """A `.env.<name>` for each way that Zoho refuses; its secrets."""
    with ExitStack() as running:
        html, cut, throttled, unknown = (running.enter_context(Simulator(rows=1)) for _ in range(4))
        cut.faults.add(Fault(path="/oauth", reset="before", times=99))
        html.faults.add(Fault(path="/oauth", html=True, times=99))
        refused = {"error": "Access Denied", "status": "failure"}
        throttled.faults.add(Fault(path="/oauth", status=400, body=refused, times=99))
        unknown.faults.add(Fault(path="/oauth", body={"error": "brand_new_error"}, times=99))
        homes = {"html": html, "cut": cut, "throttled": throttled, "unknown": unknown}
        for name in REFUSALS:
            _write_env(isolated / f".env.{name}", homes.get(name, simulator), **_WRONG.get(name, {}))
        _write_env(isolated / ".env.scope", simulator, ZOHO_REFRESH_TOKEN=simulator.refresh_token("ZohoCRM.org.READ"))
        yield {name: home.client_secret for name, home in homes.items()}


_WRONG = {
    "secret": {"ZOHO_CLIENT_SECRET": TYPED},
    "client": {"ZOHO_CLIENT_ID": "1000.NOBODY"},
    "code": {"ZOHO_GRANT_CODE": TYPED, "ZOHO_REFRESH_TOKEN": ""},
    "revoked": {"ZOHO_REFRESH_TOKEN": TYPED},
}


def _write_env(path: Path, simulator: Simulator, **other: str) -> None:
    known = simulator.connection()
    lines = {
        "ZOHO_CLIENT_ID": known["client_id"],
        "ZOHO_CLIENT_SECRET": known["client_secret"],
        "ZOHO_REFRESH_TOKEN": known["refresh_token"],
        "ZOHO_GRANT_CODE": known["grant_code"],
        "ZOHO_ACCOUNTS_URL": known["url"],
        "ZOHO_API_URL": known["url"],
        **other,
    }
    path.write_text("".join(f"{key}={value}\n" for key, value in lines.items()))


def env_files(folder: Path) -> list[str]:
    return [file.name for file in folder.glob(".env*")]


def told(notebook: NotebookNode, source: str) -> str:
    return re.sub(r"\\u001b\[[0-9;]*m", "", json.dumps(outputs(notebook, source)))


def test_nothing_secret_is_left_by_a_kernel(simulator: Simulator, refusals: dict[str, str], isolated: Path) -> None:
    _write_env(isolated / ".env", simulator)
    (isolated / "person.py").write_text(PERSON)
    typed = {"client_id": simulator.client_id, "client_secret": simulator.client_secret, "slip": TYPED}
    typed["code"] = simulator.grant_code()
    (isolated / ".env.typed").write_text(json.dumps(typed))
    notebook = quickstart(with_demo=False)
    trouble = [f"%zoho --env .env.{name}\n{line}" for name, line in REFUSALS.items()]
    added = notebook_of(FORM, *CURIOSITY.strip().split("\n---\n"), *trouble, WRITE_HISTORY).cells
    notebook.cells = [*notebook_of(LOUD).cells, *notebook.cells, *added]
    execute(notebook, isolated, allow_errors=True)

    sentinels = Sentinels(simulator, TYPED, *refusals.values())
    assert sentinels.left_in(isolated, but=env_files(isolated)) == {}

    state = (isolated / "executed.ipynb").read_text()
    assert f'"value": "{simulator.client_id}"' in state, "control: widget state is stored"
    assert "Connected as Patricia Boyle" in told(notebook, "import person")
    assert "POST /oauth/v2/token" in (isolated / "debug.log").read_text(), "control: it logs at DEBUG"
    assert "%zoho_exchange" in history(next(isolated.rglob("history.sqlite"))), "control: history is kept"
    assert "Token(****" in told(notebook, "%whos"), "control: the variables are listed"
    assert "headers={" in told(notebook, "def helper"), "control: tracebacks are verbose"
    for name, line in REFUSALS.items():
        shown = outputs(notebook, f"%zoho --env .env.{name}\n")
        assert [one.output_type for one in shown].count("error") == 1, (name, shown)
        (error,) = [one for one in shown if one.output_type == "error"]
        assert len(error.traceback) == 2, (name, line, error.traceback)


PLANTS = {
    "output": "print(planted['output'])",
    "log": "logging.debug(planted['log'])",
    "widget": "import ipywidgets\nipywidgets.Password(value=planted['widget'])",
    "traceback": "def helper(secret):\n    raise ValueError('hidden')\nhelper(planted['traceback'])",
    "variable": "variable = planted['variable']\n%whos",
    "stored": "stored = planted['stored']\n%store stored",
    "exported": "import os\nos.environ['EXPORTED'] = planted['exported']\n!env",
}
FOUND_IN = {"log": "debug.log", "stored": "autorestore/stored", "typed": "history.sqlite"}


def test_the_same_search_finds_what_is_planted(simulator: Simulator, isolated: Path) -> None:
    planted = {name: f"{name}-S3CR3T-{simulator.client_secret[::-1]}" for name in (*PLANTS, "typed")}
    (isolated / ".env.planted").write_text(json.dumps(planted))
    read = "import json\nwith open('.env.planted') as file:\n    planted = json.load(file)"
    typed = f"# {planted['typed']}"
    notebook = notebook_of(LOUD, read, *PLANTS.values(), typed, WRITE_HISTORY)
    execute(notebook, isolated, allow_errors=True)
    for name, secret in planted.items():
        left = Sentinels(simulator, secret).left_in(isolated, but=env_files(isolated))
        expected = FOUND_IN.get(name, "executed.ipynb")
        assert any(file.endswith(expected) for file in left), (name, left)


@pytest.mark.parametrize("half", [slice(0, 21), slice(21, None)])
def test_half_a_secret_and_a_token_of_nobody_count(simulator: Simulator, isolated: Path, half: slice) -> None:
    (isolated / "half.txt").write_text(simulator.client_secret[half])
    (isolated / "token.txt").write_text("log " + simulator.access_token())
    (isolated / "clean.txt").write_text(simulator.client_id)
    assert set(Sentinels(simulator).left_in(isolated)) == {"half.txt", "token.txt"}


CELLS = (
    "%load_ext zoho_magic\n%zoho_setup",
    "%zoho_revoke --forget\n%zoho_exchange",
    "leads = %zoho_pull Leads --limit 5\nleads",
    "%xmode Verbose\n%zoho_exchange 1000.ab.cd",
    "import os\nfrom zoho_magic import get_session\nprint(get_session().token.reveal())",
)


@pytest.mark.browser
def test_nothing_secret_is_left_by_jupyterlab(lab: Lab, simulator: Simulator) -> None:
    from playwright.sync_api import expect

    env = f"ZOHO_ACCOUNTS_URL={simulator.url}\nZOHO_API_URL={simulator.url}\n"
    sentinels = Sentinels(simulator, TYPED, WRONG_CODE)
    with lab.notebook("sentinel", *CELLS, env=env) as notebook:
        form = notebook.run(0).locator(".zoho-setup")
        for label, value in (("Client id", simulator.client_id), ("Client secret", TYPED), ("Grant code", WRONG_CODE)):
            form.get_by_label(label).fill(value)
        form.get_by_role("button", name="Connect", exact=True).click()
        expect(form).to_contain_text("client secret is not the one", timeout=20_000)
        notebook.save()
        assert sentinels.left_in(lab.home) == {}
        form.get_by_label("Client secret").fill(simulator.client_secret)
        form.get_by_label("Grant code").fill(simulator.grant_code())
        form.get_by_role("button", name="Connect", exact=True).click()
        expect(form).to_contain_text("Connected as Patricia Boyle", timeout=20_000)
        prompted = notebook.run(1)
        prompted.locator("input[type=password]").fill(simulator.grant_code())
        prompted.locator("input[type=password]").press("Enter")
        expect(prompted).to_contain_text("Connected as Patricia Boyle", timeout=20_000)
        expect(notebook.run(2)).to_contain_text("Last_Name", timeout=20_000)
        expect(notebook.run(3)).to_contain_text("AuthError", timeout=20_000)
        notebook.save()
        assert sentinels.left_in(lab.home) == {}
        assert [frame for frame in notebook.frames if sentinels.shown_in(frame)] == []
        assert simulator.client_id in notebook.checkpoint.read_text(), "control: the checkpoint has the widgets' state"
        assert "%zoho_exchange" in history(next(lab.home.rglob("history.sqlite")))

        expect(notebook.run(4)).to_contain_text("1000.")
        notebook.save()
        found = sentinels.left_in(lab.home)
        assert {str(file.relative_to(lab.home)) for file in (notebook.path, notebook.checkpoint)} <= set(found)
        assert any(sentinels.shown_in(frame) for frame in notebook.frames)
    notebook.path.unlink()
    notebook.checkpoint.unlink()
