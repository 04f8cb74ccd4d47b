"""The setup form without a browser: what a front end sends is sent, and what it would be sent is looked at."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import ipywidgets as widgets
import pytest

from zoho_magic import Secret, Status, ZohoSession
from zoho_magic.data_centres import DATA_CENTRES
from zoho_magic.notebook.lazy_session import session_to_set_up
from zoho_magic.notebook.setup_form import SecretField, SetupForm
from zoho_magic.scopes import KNOWN_SCOPES, PRESETS, SCOPE_MEANINGS
from zoho_magic.simulator import Fault, Simulator

MARK = "S3CR3T-typed"


def type_into(widget: Any, **state: Any) -> None:
    """What a front end sends when somebody edits a widget."""
    update = {"method": "update", "state": state, "buffer_paths": []}
    widget._handle_msg({"content": {"data": update}, "buffers": []})


def press(button: widgets.Button) -> None:
    """What it sends when somebody presses a button."""
    click = {"method": "custom", "content": {"event": "click"}}
    button._handle_msg({"content": {"data": click}, "buffers": []})


def saved_state() -> str:
    """What a notebook is saved with: the state of every widget there is."""
    return json.dumps(widgets.Widget.get_manager_state())


@pytest.fixture
def new_session(simulator: Simulator, isolated: Path) -> Iterator[ZohoSession]:
    """A session that knows where Zoho is, and nothing else."""
    (isolated / ".env").write_text(f"ZOHO_ACCOUNTS_URL={simulator.url}\nZOHO_API_URL={simulator.url}\n")
    session = ZohoSession.from_env(clock=simulator.clock.time)
    yield session
    session.close()


@pytest.fixture
def form(new_session: ZohoSession) -> Iterator[SetupForm]:
    yield SetupForm(new_session)
    widgets.Widget.close_all()


def fill(form: SetupForm, simulator: Simulator, **other: str) -> None:
    typed = {"client_id": simulator.client_id, "client_secret": simulator.client_secret, "code": simulator.grant_code()}
    for name, value in {**typed, **other}.items():
        type_into(getattr(form, name), value=value)


# Steps


def texts(widget: Any) -> Iterator[str]:
    """Every text of the form, from top to bottom."""
    for child in getattr(widget, "children", ()):
        yield from texts(child)
    yield from (getattr(widget, name) for name in ("description", "value") if isinstance(getattr(widget, name, 0), str))


def test_the_steps_are_in_order_and_the_status_is_there_from_the_start(form: SetupForm) -> None:
    whole = "\n".join(texts(form.widget))
    order = ["Data centre", "Client id", "Client secret", "Scopes", "Grant code", "Connect", "Not connected"]
    assert sorted(order, key=whole.index) == order


@pytest.mark.parametrize("dc", DATA_CENTRES)
def test_the_links_lead_to_the_console_of_the_data_centre(form: SetupForm, dc: str) -> None:
    type_into(form.data_centre, index=list(DATA_CENTRES).index(dc))
    link = f'href="{DATA_CENTRES[dc].console_url}"'
    assert link in form.console.value
    assert link in form.generate_help.value


@pytest.mark.parametrize("preset", PRESETS)
def test_a_set_of_scopes_is_one_line_to_copy(form: SetupForm, preset: str) -> None:
    form.scopes.value = preset
    assert f"<code>{','.join(PRESETS[preset])}</code>" in form.scope_line.value.replace("<wbr>", "")
    assert form.wanted_scopes == PRESETS[preset]
    assert {name for name, box in form.scope_checkboxes.items() if box.value} == set(PRESETS[preset])


def test_scopes_are_chosen_one_by_one_from_the_last_set(form: SetupForm) -> None:
    form.scopes.value = "read only"
    form.scopes.value = "chosen one by one"
    assert set(form.wanted_scopes) == set(PRESETS["read only"])
    type_into(form.scope_checkboxes["ZohoCRM.bulk.READ"], value=False)
    assert set(form.wanted_scopes) == set(PRESETS["read only"]) - {"ZohoCRM.bulk.READ"}
    assert f"<code>{','.join(form.wanted_scopes)}</code>" in form.scope_line.value.replace("<wbr>", "")


def test_a_stored_client_is_filled_in_and_its_secret_is_not(session: ZohoSession, simulator: Simulator) -> None:
    form = SetupForm(session)
    assert form.client_id.value == simulator.client_id
    assert form.client_secret.placeholder == "stored; leave empty to keep it"
    assert "Connected as Patricia Boyle" in form.status.value
    assert simulator.client_secret not in saved_state()


def test_scopes_of_ones_own_are_kept(simulator: Simulator, env_file: Path) -> None:
    with env_file.open("a") as file:
        file.write("ZOHO_SCOPES=ZohoCRM.org.READ,ZohoBooks.invoices.READ\n")
    form = SetupForm(ZohoSession.from_env(env_file))
    assert form.scopes.value == "chosen one by one"
    assert set(form.wanted_scopes) == {"ZohoCRM.org.READ", "ZohoBooks.invoices.READ"}


METHODS = ("Self Client", "Server-based Applications", "Non-browser Applications")


@pytest.mark.parametrize(("index", "client_type"), [*enumerate(METHODS)])
@pytest.mark.parametrize("chosen_at", ["method", "login_methods"])
def test_the_client_type_is_that_of_the_chosen_way(
    form: SetupForm, index: int, client_type: str, chosen_at: str
) -> None:
    name = "index" if chosen_at == "method" else "selected_index"
    type_into(getattr(form, chosen_at), **{name: index})
    assert (form.method.index, form.login_methods.selected_index) == (index, index)
    assert [one for one in METHODS if f"<b>{one}</b>" in form.console.value] == [client_type]
    assert index == 0 or client_type in "".join(texts(form.login_methods.children[index]))
    assert (form._file.layout.display == "none") == (index != 0)


def test_an_error_leaves_with_its_tab(form: SetupForm) -> None:
    press(form.button)
    assert "grant code" in form.status.value
    type_into(form.login_methods, selected_index=1)
    assert "Still missing" not in form.status.value
    press(form.button)
    assert "Still missing" in form.status.value
    type_into(form.method, index=0)
    assert "Still missing" not in form.status.value


def test_the_file_comes_before_the_fields_it_fills(form: SetupForm) -> None:
    whole = "\n".join(texts(form.widget))
    assert whole.index("self_client.json") < whole.index("Self Client") < whole.index("Client id")


def test_data_centres_have_the_address_people_know(form: SetupForm) -> None:
    labels = [label for label, _ in form.data_centre.options]
    hosts = {dc: label for label, dc in form.data_centre.options}
    assert len(labels) == len(DATA_CENTRES)
    for dc, host in {"us": "crm.zoho.com", "eu": "crm.zoho.eu", "au": "crm.zoho.com.au", "in": "crm.zoho.in"}.items():
        assert f"{host} ({dc})" in hosts[dc]


def test_each_scope_stands_in_a_group_with_a_word_on_it(form: SetupForm) -> None:
    assert set(SCOPE_MEANINGS) == set(KNOWN_SCOPES)
    for name, (_, meaning) in SCOPE_MEANINGS.items():
        assert form.scope_checkboxes[name].description == f"{name}: {meaning}"
    lines = list(texts(form._scope_grid))
    groups = dict.fromkeys(group for group, _ in SCOPE_MEANINGS.values())
    assert [line for line in lines if line.startswith("<b>")] == [f"<b>{group}</b>" for group in groups]


# Connecting


def test_connect_connects_saves_and_shows_who_she_is(form: SetupForm, simulator: Simulator, isolated: Path) -> None:
    form.scopes.value = "read only"
    fill(form, simulator)
    press(form.button)
    assert "Connected as Patricia Boyle" in form.status.value
    again = ZohoSession.from_env(isolated / ".env").credentials
    assert again.client_id == simulator.client_id
    assert again.refresh_token
    assert again.scopes == PRESETS["read only"]
    assert (form.client_secret.secret, form.code.secret) == (None, None)
    assert form.client_secret.placeholder == "stored; leave empty to keep it"


def test_the_button_is_disabled_while_it_connects(form: SetupForm, simulator: Simulator) -> None:
    seen: list[tuple[bool, str, int]] = []
    form.button.observe(
        lambda change: seen.append((change["new"], form.button.description, simulator.traffic.count())), "disabled"
    )
    form.status.observe(lambda change: seen.append((form.button.disabled, change["new"], -1)), "value")
    fill(form, simulator)
    press(form.button)
    (first, _, before), (during, told, _), *_, (last, _, after) = seen
    assert (first, during, last) == (True, True, False)
    assert before == 0 < after
    assert "Connecting…" in told
    assert form.button.description == "Connect"


def test_nothing_typed_as_a_secret_stays_in_any_widget(form: SetupForm, simulator: Simulator) -> None:
    fill(form, simulator, client_secret=MARK, code=MARK)
    state = saved_state()
    assert MARK not in state
    assert simulator.client_id in state, "control: state is saved at all"
    press(form.button)
    assert MARK not in saved_state()


def test_a_client_with_a_stored_secret_needs_only_a_code(session: ZohoSession, simulator: Simulator) -> None:
    form = SetupForm(session)
    type_into(form.code, value=simulator.grant_code())
    press(form.button)
    assert "Connected as" in form.status.value
    assert simulator.traffic.count(path="/oauth/v2/token") == 2


def test_pressing_again_changes_nothing(form: SetupForm, simulator: Simulator) -> None:
    fill(form, simulator)
    press(form.button)
    asked = simulator.traffic.count()
    press(form.button)
    assert "Connected as Patricia Boyle" in form.status.value
    assert simulator.traffic.count() == asked


def test_a_waiting_code_is_used(
    simulator: Simulator, env_file: Path, session: ZohoSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ZOHO_GRANT_CODE", simulator.grant_code())
    form = SetupForm(session)
    assert "ZOHO_GRANT_CODE is there" in form.code.placeholder
    press(form.button)
    assert "Connected as" in form.status.value


# Trouble: always in the status, and with as little as possible to type again


def told(form: SetupForm) -> str:
    assert form.status.value.count("→ ") == 1, form.status.value
    assert form.button.disabled is False
    return str(form.status.value)


def test_what_is_missing_is_named_before_anything_is_sent(form: SetupForm, simulator: Simulator) -> None:
    form.scopes.value = "chosen one by one"
    for box in form.scope_checkboxes.values():
        box.value = False
    press(form.button)
    for gap in ("client id (step 2)", "client secret (step 2)", "scope (step 3)", "grant code (step 4)"):
        assert gap in told(form)
    assert simulator.traffic.count() == 0


def test_after_a_wrong_secret_only_the_secret_is_typed_again(form: SetupForm, simulator: Simulator) -> None:
    fill(form, simulator, client_secret=MARK)
    press(form.button)
    assert "client secret is not the one" in told(form)
    assert "(step 2)" in told(form)
    type_into(form.client_secret, value=simulator.client_secret)
    press(form.button)
    assert "Connected as Patricia Boyle" in form.status.value


def test_after_a_spent_code_only_the_code_is_typed_again(form: SetupForm, simulator: Simulator) -> None:
    fill(form, simulator, code="1000.ab.cd")
    press(form.button)
    assert "grant code" in told(form)
    assert "(step 4)" in told(form)
    type_into(form.code, value=simulator.grant_code())
    press(form.button)
    assert "Connected as Patricia Boyle" in form.status.value


def test_a_wrong_data_centre_points_at_steps_1_and_2(form: SetupForm, simulator: Simulator) -> None:
    fill(form, simulator, client_id="1000.SOMEBODY")
    press(form.button)
    assert "(step 1)" in told(form)
    assert "(step 2)" in told(form)


def test_a_network_failure_loses_nothing_that_was_typed(form: SetupForm, simulator: Simulator) -> None:
    simulator.faults.add(Fault(method="POST", path="/oauth/v2/token", reset="before"))
    fill(form, simulator)
    press(form.button)
    assert "→" in told(form)
    press(form.button)
    assert "Connected as Patricia Boyle" in form.status.value


def test_a_refusal_leaves_file_and_session_as_they_were(session: ZohoSession, env_file: Path) -> None:
    form, before, token = SetupForm(session), env_file.read_bytes(), session.token
    type_into(form.code, value=MARK)
    press(form.button)
    assert "grant code" in told(form)
    assert env_file.read_bytes() == before
    assert session.token is token


def test_a_broken_env_file_is_shown_in_the_status(form: SetupForm, simulator: Simulator, isolated: Path) -> None:
    fill(form, simulator)
    (isolated / ".env").unlink()
    (isolated / ".env").mkdir()
    press(form.button)
    assert "is a folder" in told(form)


def test_a_mistake_of_ours_is_shown_without_what_was_typed(
    new_session: ZohoSession, simulator: Simulator, capsys: pytest.CaptureFixture[str]
) -> None:
    class Broken(ZohoSession):
        def exchange(self, *_: Any, **__: Any) -> Status:
            raise RuntimeError(MARK)

    form = SetupForm(Broken(new_session.credentials))
    fill(form, simulator)
    press(form.button)
    assert "unexpected went wrong (RuntimeError)" in told(form)
    assert MARK not in form.status.value
    assert capsys.readouterr() == ("", "")


def test_a_mistake_in_any_callback_is_shown(form: SetupForm, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(DATA_CENTRES, "eu", None)  # type: ignore[arg-type]
    type_into(form.data_centre, index=1)
    assert "unexpected went wrong" in told(form)


def test_what_zoho_says_is_text_and_not_markup(form: SetupForm, simulator: Simulator) -> None:
    answer = {"error": "<img src=x onerror=alert(1)>"}
    simulator.faults.add(Fault(method="POST", path="/oauth/v2/token", status=200, body=answer))
    fill(form, simulator)
    press(form.button)
    assert "&lt;img" in form.status.value
    assert "<img" not in form.status.value


# The secret field


def test_a_secret_field_takes_and_blanks() -> None:
    field = SecretField(empty="none yet")
    type_into(field, value=f"  {MARK} ")
    assert field.value == ""
    assert field.secret is not None
    assert field.secret.reveal() == MARK
    assert MARK not in repr(field)
    assert MARK not in repr(vars(field))
    field.forget()
    assert (field.secret, field.placeholder) == (None, "none yet")


def test_spaces_are_no_secret_and_do_not_replace_one() -> None:
    field = SecretField()
    type_into(field, value="   ")
    assert (field.value, field.secret) == ("", None)
    type_into(field, value=MARK)
    type_into(field, value=" ")
    assert field.secret is not None


def test_a_secret_field_never_tells_its_value() -> None:
    field = SecretField()
    field.unobserve_all()  # so that something is there to tell
    field.value = MARK
    assert field.get_state()["value"] == ""
    assert "value" not in field.get_state(key="placeholder")
    assert field.trait_metadata("value", "echo_update") is False
    field.close()
    assert field.value == ""


def test_a_front_end_without_widgets_is_told_what_to_do(form: SetupForm, simulator: Simulator) -> None:
    fill(form, simulator)
    assert repr(form.widget) == "The Zoho setup form. If you see this text instead of it, run: %zoho_setup --ask"


def test_what_is_pasted_into_the_client_id_goes_where_it_belongs(form: SetupForm, simulator: Simulator) -> None:
    type_into(form.client_id, value=simulator.client_secret)
    assert form.client_id.value == ""
    assert form.client_secret.secret == Secret(simulator.client_secret)
    code = simulator.grant_code()
    type_into(form.client_id, value=f"'{code}',")
    assert form.client_id.value == ""
    assert form.code.secret == Secret(code)
    type_into(form.client_id, value=f'"{simulator.client_id}",')
    assert form.client_id.value == simulator.client_id
    press(form.button)
    assert "Connected as Patricia Boyle" in form.status.value


@pytest.mark.parametrize("way", ["dropped", "typed"])
def test_a_self_client_file_fills_the_form(form: SetupForm, simulator: Simulator, way: str) -> None:
    found = {"client_id": simulator.client_id, "client_secret": simulator.client_secret, "scope": ["ZohoCRM.org.READ"]}
    text = json.dumps({**found, "code": simulator.grant_code(["ZohoCRM.org.READ"])})
    if way == "typed":
        type_into(form.client_id, value=text)
    else:
        file = {"name": "self_client.json", "content": memoryview(text.encode())}
        # ipywidgets 7, as in Colab, has a dict by name.
        form.upload._capture({"new": {file["name"]: file} if isinstance(form.upload.value, dict) else (file,)})
    assert form.client_id.value == simulator.client_id
    assert form.wanted_scopes == ("ZohoCRM.org.READ",)
    state = str([part.get_state() for part in (form.upload, form.client_id, form.client_secret, form.code)])
    assert simulator.client_secret not in state
    press(form.button)
    assert simulator.traffic.count(path="/oauth/v2/token") == 1
    assert form._session.credentials.refresh_token is not None


def test_the_form_opens_over_values_that_cannot_be_used_and_mends_them(simulator: Simulator, isolated: Path) -> None:
    lines = {"ZOHO_DC": "moon", "ZOHO_REDIRECT_URI": "nowhere", "ZOHO_ACCOUNTS_URL": simulator.url}
    text = "".join(f"{key}={value}\n" for key, value in {**lines, "ZOHO_API_URL": simulator.url}.items())
    (isolated / ".env").write_text(text)
    session = session_to_set_up(None)
    form = SetupForm(session)
    assert "ZOHO_DC (from .env) is none of" in form.status.value
    fill(form, simulator)
    press(form.button)
    assert "Connected as Patricia Boyle" in form.status.value
    assert "ZOHO_REDIRECT_URI" not in (isolated / ".env").read_text()
    assert "ZOHO_DC=us" in (isolated / ".env").read_text()
    assert ZohoSession.from_env().credentials.refresh_token is not None
    session.close()


def test_a_form_that_is_shown_again_leaves_no_widgets_behind(session: ZohoSession) -> None:
    """A kernel keeps every widget that is not closed."""
    from ipywidgets.widgets import widget

    from zoho_magic.notebook.prompts import _shown

    registry = widget._instances if hasattr(widget, "_instances") else widget.Widget.widgets
    _shown.replace(SetupForm(session).widget)
    first = len(registry)
    for _ in range(5):
        _shown.replace(SetupForm(session).widget)
    assert len(registry) - first < 20
