"""The OS keyring: secrets move into it and back in one command, and are never in neither place."""

from __future__ import annotations

import io
import json
import logging
import sys
from collections.abc import Iterator
from pathlib import Path

import keyring
import pytest
from keyring.backend import KeyringBackend
from keyring.errors import KeyringLocked, PasswordDeleteError, PasswordSetError

from tests.support.ipython_shell import Shell
from tests.support.secret_scan import leaks
from tests.support.simulator_fixture import as_new
from zoho_magic import ConfigurationError, ZohoSession
from zoho_magic.config import dotenv_file, keyring_store
from zoho_magic.config.credentials import Credentials
from zoho_magic.simulator import Simulator

MARK = "ZOHO_KEYRING"


class Ring(KeyringBackend):
    """A keyring in memory that can be locked, forget what it is given, or fail like a system does."""

    priority = 1.0
    name = "Test Ring"

    def __init__(self) -> None:
        super().__init__()
        self.entries: dict[tuple[str, str], str] = {}
        self.asked: list[str] = []
        self.broken: dict[str, Exception] = {}
        self.forgets = False

    def get_password(self, service: str, username: str) -> str | None:
        self._do("get")
        return self.entries.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        self._do("set")
        if not self.forgets:
            self.entries[service, username] = password

    def delete_password(self, service: str, username: str) -> None:
        self._do("delete")
        del self.entries[service, username]

    def _do(self, what: str) -> None:
        self.asked.append(what)
        if (failure := self.broken.get(what)) is not None:
            raise failure


@pytest.fixture
def ring() -> Iterator[Ring]:
    before = keyring.get_keyring()
    ring = Ring()
    keyring.set_keyring(ring)
    yield ring
    keyring.set_keyring(before)


@pytest.fixture(scope="module")
def zoho() -> Iterator[Simulator]:
    with Simulator(rows=5) as zoho:
        yield zoho


@pytest.fixture
def simulator(zoho: Simulator) -> Simulator:
    return as_new(zoho)


@pytest.fixture
def another(simulator: Simulator, env_file: Path) -> Iterator[ZohoSession]:
    """A second kernel on the same `.env`."""
    zoho = ZohoSession.from_env(env_file, clock=simulator.clock.time)
    yield zoho
    zoho.close()


def secrets_of(env_file: Path) -> dict[str, str]:
    lines = dict(line.split("=", 1) for line in env_file.read_text().splitlines())
    return {key: value for key, value in lines.items() if keyring_store.is_stored(key)}


def in_ring(ring: Ring) -> dict[str, str]:
    assert len(ring.entries) <= 1
    return next((json.loads(text) for text in ring.entries.values()), {})


# There and back


def test_one_command_moves_the_secrets_and_one_moves_them_back(shell: Shell, ring: Ring, env_file: Path) -> None:
    before, secrets = env_file.read_text(), secrets_of(env_file)
    token = shell.run("%zoho_token")
    status = shell.run("%zoho --keyring")
    assert status.connected
    assert in_ring(ring) == secrets
    assert secrets_of(env_file) == {}
    assert status.sources["ZOHO_CLIENT_SECRET"] == status.sources["ZOHO_REFRESH_TOKEN"] == "OS keyring (Test Ring)"
    assert status.sources["ZOHO_CLIENT_ID"] == ".env"
    assert "ZOHO_CLIENT_SECRET, ZOHO_REFRESH_TOKEN from OS keyring (Test Ring)" in shell.shown
    assert shell.run("%zoho_token") is token, "the same secrets, the same token"
    status = shell.run("%zoho --no-keyring")
    assert ring.entries == {}
    assert sorted(env_file.read_text().splitlines()) == sorted(before.splitlines())
    assert status.sources["ZOHO_REFRESH_TOKEN"] == ".env"
    assert not any(secret in shell.shown for secret in secrets.values())


def test_a_new_kernel_finds_them(session: ZohoSession, another: ZohoSession, ring: Ring) -> None:
    session.use_keyring()
    assert another.request("GET", "/crm/v8/org").json()["org"]
    later = ZohoSession.from_env(session.credentials.path)
    assert later.credentials.refresh_token == session.credentials.refresh_token
    later.close()


def test_secrets_of_each_data_centre_move_too(session: ZohoSession, ring: Ring, env_file: Path) -> None:
    with env_file.open("a") as file:
        file.write("ZOHO_CLIENT_SECRET_EU=european\n")
    session.use_keyring()
    assert in_ring(ring)["ZOHO_CLIENT_SECRET_EU"] == "european"
    assert secrets_of(env_file) == {}
    assert session.credentials.replace(dc="eu").client_secret.reveal() == "european"  # type: ignore[union-attr]
    with env_file.open("a") as file:
        file.write("ZOHO_DC=eu\n")
    assert session.credentials.client_secret.reveal() == "european"  # type: ignore[union-attr]
    assert session.credentials.sources["client_secret"] == "OS keyring (Test Ring)"
    session.use_keyring(False)
    assert secrets_of(env_file)["ZOHO_CLIENT_SECRET_EU"] == "european"


def test_the_keyring_is_not_asked_by_who_does_not_use_it(session: ZohoSession, ring: Ring) -> None:
    assert session.token
    assert session.status()
    assert ring.asked == []


def test_moving_twice_changes_nothing(session: ZohoSession, ring: Ring, env_file: Path) -> None:
    session.use_keyring()
    text, entries = env_file.read_text(), dict(ring.entries)
    session.use_keyring()
    assert (env_file.read_text(), ring.entries) == (text, entries)
    session.use_keyring(False)
    text = env_file.read_text()
    session.use_keyring(False)
    assert env_file.read_text() == text


def test_names_of_entries_cannot_be_guessed(session: ZohoSession, ring: Ring, env_file: Path) -> None:
    session.use_keyring()
    first = next(iter(ring.entries))[1]
    session.use_keyring(False)
    session.use_keyring()
    second = next(iter(ring.entries))[1]
    assert first.startswith("work-")
    assert len(first) == len("work-") + 16
    assert first != second
    assert f"{MARK}={second}\n" in env_file.read_text()


# Later secrets


def test_a_new_refresh_token_goes_where_the_old_one_was(
    session: ZohoSession, another: ZohoSession, ring: Ring, simulator: Simulator, env_file: Path
) -> None:
    session.use_keyring()
    assert another.credentials.refresh_token == session.credentials.refresh_token
    session.exchange(simulator.grant_code("ZohoCRM.org.READ"))
    assert secrets_of(env_file) == {}
    assert in_ring(ring)["ZOHO_REFRESH_TOKEN"] == session.credentials.refresh_token.reveal()  # type: ignore[union-attr]
    assert another.token.scopes == ("ZohoCRM.org.READ",), "another kernel notices"


def test_revoking_takes_the_refresh_token_out_of_the_keyring(
    session: ZohoSession, another: ZohoSession, ring: Ring, simulator: Simulator
) -> None:
    session.use_keyring()
    assert another.token
    session.revoke()
    assert in_ring(ring) == {"ZOHO_CLIENT_SECRET": simulator.client_secret}
    with pytest.raises(ConfigurationError, match="Not set: ZOHO_REFRESH_TOKEN"):
        _ = another.token


def test_a_secret_written_into_env_by_hand_wins(session: ZohoSession, ring: Ring, simulator: Simulator) -> None:
    session.use_keyring()
    path = session.credentials.path
    assert path is not None
    newer = simulator.refresh_token("ZohoCRM.org.READ")
    with path.open("a") as file:
        file.write(f"ZOHO_REFRESH_TOKEN={newer}\n")
    assert session.token.scopes == ("ZohoCRM.org.READ",)
    assert session.credentials.sources["refresh_token"] == ".env"
    assert session.credentials.sources["client_secret"] == "OS keyring (Test Ring)"
    session.use_keyring()
    assert in_ring(ring)["ZOHO_REFRESH_TOKEN"] == newer
    assert secrets_of(path) == {}


def test_moving_back_does_not_undo_what_was_written_by_hand(session: ZohoSession, ring: Ring, env_file: Path) -> None:
    session.use_keyring()
    with env_file.open("a") as file:
        file.write("ZOHO_REFRESH_TOKEN=newer\n")
    session.use_keyring(False)
    assert secrets_of(env_file)["ZOHO_REFRESH_TOKEN"] == "newer"
    assert ring.entries == {}


def test_the_environment_wins_over_the_keyring(
    session: ZohoSession, ring: Ring, simulator: Simulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    session.use_keyring()
    monkeypatch.setenv("ZOHO_REFRESH_TOKEN", simulator.refresh_token("ZohoCRM.org.READ"))
    assert session.token.scopes == ("ZohoCRM.org.READ",)
    assert session.credentials.sources["refresh_token"] == "environment"


# Never in neither place


def attempts(env_file: Path, ring: Ring) -> dict[str, str]:
    """What a kernel that starts now would find, whatever state things are in."""
    found = Credentials() if not env_file.exists() else ZohoSession.from_env(env_file).credentials
    values = {"ZOHO_CLIENT_SECRET": found.client_secret, "ZOHO_REFRESH_TOKEN": found.refresh_token}
    return {key: value.reveal() for key, value in values.items() if value is not None}


@pytest.mark.parametrize("into", [True, False])
def test_killed_anywhere_in_a_move_nothing_is_lost_and_the_next_one_finishes_it(
    session: ZohoSession, ring: Ring, env_file: Path, monkeypatch: pytest.MonkeyPatch, into: bool
) -> None:
    secrets, steps = secrets_of(env_file), 0
    write, put, take = dotenv_file.write, ring.set_password, ring.delete_password

    class Killed(BaseException):
        pass

    def dying(act):  # type: ignore[no-untyped-def]
        def step(*arguments):  # type: ignore[no-untyped-def]
            nonlocal left
            if left == 0:
                raise Killed
            left -= 1
            return act(*arguments)

        return step

    for steps in range(4):
        left = 10
        session.use_keyring(not into)
        for owner, name, act in (
            (dotenv_file, "write", write),
            (ring, "set_password", put),
            (ring, "delete_password", take),
        ):
            monkeypatch.setattr(owner, name, dying(act))
        left = steps
        try:
            session.use_keyring(into)
        except Killed:
            pass
        else:
            break
        finally:
            left = 10
        assert attempts(env_file, ring) == secrets, steps
        session.use_keyring(into)
        assert attempts(env_file, ring) == secrets
        assert (in_ring(ring), secrets_of(env_file)) == ((secrets, {}) if into else ({}, secrets))
    assert steps == 3, "every step was the last one once"


@pytest.mark.parametrize(
    ("what", "failure", "why"),
    [
        ("get", KeyringLocked("S3CRET"), "it is locked"),
        ("set", PasswordSetError("S3CRET"), "it refused to keep them"),
        ("set", RuntimeError("dbus: S3CRET"), r"it failed \(RuntimeError\)"),
    ],
)
def test_a_failing_keyring_is_one_line_and_nothing_moves(
    session: ZohoSession, ring: Ring, env_file: Path, what: str, failure: Exception, why: str
) -> None:
    secrets = secrets_of(env_file)
    ring.broken[what] = failure
    with pytest.raises(ConfigurationError, match=why) as raised:
        session.use_keyring()
    assert "Nothing was lost" in raised.value.hint
    assert leaks(raised.value, "S3CRET", *secrets.values()) == []
    assert secrets_of(env_file) == secrets
    assert session.token


def test_a_keyring_that_will_not_let_go_leaves_them_in_both_places(
    session: ZohoSession, ring: Ring, env_file: Path
) -> None:
    secrets = secrets_of(env_file)
    session.use_keyring()
    ring.broken["delete"] = PasswordDeleteError("no")
    with pytest.raises(ConfigurationError, match="refused to let go"):
        session.use_keyring(False)
    assert (in_ring(ring), secrets_of(env_file)) == (secrets, secrets)
    ring.broken.clear()
    session.use_keyring(False)
    assert (in_ring(ring), secrets_of(env_file)) == ({}, secrets)


def test_a_keyring_that_keeps_nothing_is_noticed(session: ZohoSession, ring: Ring, env_file: Path) -> None:
    secrets = secrets_of(env_file)
    ring.forgets = True
    with pytest.raises(ConfigurationError, match="did not keep what it was given") as raised:
        session.use_keyring()
    assert secrets_of(env_file) == secrets
    assert leaks(raised.value, *secrets.values()) == []


def test_a_locked_keyring_is_told_with_the_next_step_until_it_is_unlocked(
    shell: Shell, ring: Ring, env_file: Path
) -> None:
    shell.run("%zoho --keyring")
    env_file.touch()
    ring.broken["get"] = KeyringLocked()
    status = shell.run("%zoho")
    assert not status.connected
    assert "  ! The OS keyring cannot be used: it is locked.\n  -> Nothing was lost. Unlock" in shell.shown
    shown = shell.failed("%zoho_pull Leads")
    assert shown.startswith("ConfigurationError: The OS keyring cannot be used: it is locked.\n-> Nothing was lost.")
    shell.failed("%zoho --no-keyring")
    assert MARK in env_file.read_text()
    ring.broken.clear()
    assert shell.run("%zoho").connected, "and nobody had to touch a file"


def test_a_code_is_not_spent_when_its_token_could_not_be_kept(
    session: ZohoSession, ring: Ring, simulator: Simulator
) -> None:
    session.use_keyring()
    ring.broken["get"] = KeyringLocked()
    calls = len(simulator.traffic.calls)
    with pytest.raises(ConfigurationError, match="it is locked"):
        session.exchange(simulator.grant_code())
    assert len(simulator.traffic.calls) == calls


def test_a_refresh_token_the_keyring_refuses_is_kept_in_memory(
    session: ZohoSession, ring: Ring, simulator: Simulator
) -> None:
    session.use_keyring()
    ring.broken["set"] = PasswordSetError()
    with pytest.warns(UserWarning, match="Not saved: The OS keyring cannot be used: it refused to keep them"):
        session.exchange(simulator.grant_code("ZohoCRM.org.READ"))
    assert session.refresh().scopes == ("ZohoCRM.org.READ",)
    ring.broken.clear()
    session.save()
    assert in_ring(ring)["ZOHO_REFRESH_TOKEN"] == session.credentials.refresh_token.reveal()  # type: ignore[union-attr]


def test_an_env_file_from_another_machine_says_so_and_can_be_set_up_anew(
    session: ZohoSession, ring: Ring, simulator: Simulator
) -> None:
    session.use_keyring()
    path = session.credentials.path
    ring.entries.clear()
    elsewhere = ZohoSession.from_env(path, clock=simulator.clock.time)
    with pytest.raises(ConfigurationError, match=r"The OS keyring \(Test Ring\) has no entry work-") as raised:
        _ = elsewhere.token
    assert "%zoho_setup" in raised.value.hint
    assert elsewhere.exchange(simulator.grant_code(), client_secret=simulator.client_secret).connected
    assert set(in_ring(ring)) == {"ZOHO_CLIENT_SECRET", "ZOHO_REFRESH_TOKEN"}
    elsewhere.close()


@pytest.mark.parametrize("text", ["not json", "[1]", '{"ZOHO_REFRESH_TOKEN": 5}'])
def test_an_entry_that_is_not_ours_is_refused(session: ZohoSession, ring: Ring, env_file: Path, text: str) -> None:
    with env_file.open("a") as file:
        file.write(f"{MARK}=somebody\n")
    ring.entries["zoho_magic", "somebody"] = text
    with pytest.raises(ConfigurationError, match="is not one of ours"):
        session.use_keyring()
    assert ring.entries["zoho_magic", "somebody"] == text
    assert session.token


def test_without_the_package_the_line_says_what_to_install(
    session: ZohoSession, ring: Ring, env_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = env_file.read_bytes()
    monkeypatch.setitem(sys.modules, "keyring", None)
    with pytest.raises(ConfigurationError, match="needs the package keyring") as raised:
        session.use_keyring()
    assert raised.value.hint == "Run: %pip install 'zoho_magic[keyring]'"
    assert env_file.read_bytes() == before


def test_an_entry_named_by_the_environment_is_left_to_who_set_it(
    session: ZohoSession, ring: Ring, monkeypatch: pytest.MonkeyPatch
) -> None:
    session.use_keyring()
    monkeypatch.setenv(MARK, next(iter(ring.entries))[1])
    with pytest.raises(ConfigurationError, match="ZOHO_KEYRING is set in the process environment"):
        session.use_keyring(False)
    assert ring.entries


def test_credentials_in_memory_have_nothing_to_move(ring: Ring) -> None:
    session = ZohoSession(Credentials())
    with pytest.raises(ConfigurationError, match="in memory only"):
        session.use_keyring()
    assert ring.asked == []


def test_a_move_waits_for_another_process_and_then_says_so(
    session: ZohoSession, ring: Ring, env_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from filelock import FileLock

    monkeypatch.setattr(dotenv_file, "LOCK_SECONDS", 0.05)
    with (
        FileLock(env_file.with_name(".env.keyring.lock")),
        pytest.raises(ConfigurationError, match="changed by another process"),
    ):
        session.use_keyring()
    assert ring.entries == {}


def test_nothing_secret_is_said_or_logged(shell: Shell, ring: Ring, env_file: Path) -> None:
    secrets, log = secrets_of(env_file), io.StringIO()
    handler = logging.StreamHandler(log)
    logging.getLogger().addHandler(handler)
    level = logging.getLogger().level
    logging.getLogger().setLevel(logging.DEBUG)
    try:
        for line in ("%zoho --keyring", "%zoho", "%zoho_token", "%zoho --no-keyring"):
            shell.run(line)
            assert not any(secret in shell.shown for secret in secrets.values())
    finally:
        logging.getLogger().removeHandler(handler)
        logging.getLogger().setLevel(level)
    assert log.getvalue(), "something was logged"
    assert not any(secret in log.getvalue() for secret in secrets.values())
    assert sorted(path.name for path in env_file.parent.iterdir()) == [".env"]
