"""The shared cache: one token for twenty processes, nothing readable on disk, and nothing that breaks it is fatal."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
import textwrap
import threading
import warnings
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from filelock import FileLock

from tests.support.ipython_shell import loaded_shell
from tests.support.secret_scan import leaks
from tests.support.sharing_kernel import kernels, together
from tests.support.simulator_fixture import as_new
from zoho_magic import AuthError, ConfigurationError, Secret, ThrottledError, ZohoSession
from zoho_magic.auth import cache_file, refresh_limiter, shared_token_cache
from zoho_magic.config.credentials import Credentials
from zoho_magic.simulator import Fault, Simulator

TOKEN = "/oauth/v2/token"
ORG = "/crm/v8/org"
NOBODY = 12345


@pytest.fixture(scope="module")
def zoho() -> Iterator[Simulator]:
    with Simulator(rows=5) as zoho:
        yield zoho


@pytest.fixture
def simulator(zoho: Simulator) -> Simulator:
    return as_new(zoho)


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the cache will be; it is not there yet."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "caches"))
    return tmp_path / "caches" / "zoho_magic"


@pytest.fixture
def env_file(env_file: Path) -> Path:
    """The usual one, with the cache switched on."""
    with env_file.open("a") as file:
        file.write("ZOHO_TOKEN_CACHE=1\n")
    return env_file


@pytest.fixture
def another(simulator: Simulator, env_file: Path) -> Iterator[ZohoSession]:
    """A second session on the same refresh token."""
    zoho = ZohoSession.from_env(env_file, clock=simulator.clock.time)
    yield zoho
    zoho.close()


def issued(simulator: Simulator) -> int:
    return simulator.traffic.count(path=TOKEN, status=200)


def refused(simulator: Simulator) -> int:
    """Calls Zoho throttled, and calls made with a token that was no longer one."""
    return simulator.traffic.count(path=TOKEN, status=400) + simulator.traffic.count(status=401)


def token_file(cache: Path) -> Path:
    (found,) = cache.glob("*.token")
    return found


def forget_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    """As in a process that has just begun."""
    monkeypatch.setattr(refresh_limiter._limiters, "known", [])


def until(true: Callable[[], bool]) -> None:
    for _ in range(2000):
        if true():
            return
        threading.Event().wait(0.005)
    raise AssertionError("it never came true")


# Twenty processes


def test_twenty_processes_need_two_tokens_for_an_hour(simulator: Simulator, env_file: Path) -> None:
    simulator.faults.add(Fault(TOKEN, headers={"X-Slow": "yes"}, delay=0.8))  # which the others wait for
    with kernels(20, simulator, env_file) as twenty:
        for _ in range(7):
            assert together(twenty, "call") == [200] * 20
            simulator.clock.advance(595)
        assert len({*together(twenty, "token")}) == 1
    assert issued(simulator) == 2
    assert refused(simulator) == 0


def test_twenty_that_all_want_new_tokens_never_trip_zohos_limits(simulator: Simulator, env_file: Path) -> None:
    waits: list[float] = []
    with kernels(20, simulator, env_file) as twenty:
        for _ in range(5):
            answers = [*(kernel.does("refresh") for kernel in twenty[:8]), *together(twenty, "refresh")]
            waits += [answer["wait"] for answer in answers if isinstance(answer, dict)]
            assert together(twenty, "call") == [200] * 20, "everybody uses the newest"
            simulator.clock.advance(450)
    assert waits, "there were more wishes than token_requests"
    assert all(0 < wait <= 600 for wait in waits)
    assert issued(simulator) > 15, "enough for Zoho to end the oldest"
    assert refused(simulator) == 0


def test_without_the_cache_they_do_trip_them(simulator: Simulator, env_file: Path) -> None:
    env_file.write_text(env_file.read_text().replace("ZOHO_TOKEN_CACHE=1", ""))
    with kernels(12, simulator, env_file) as dozen:
        together(dozen, "call")
    assert refused(simulator) > 0, "or the tests above prove nothing"


def test_a_refused_token_is_dropped_for_everybody(simulator: Simulator, env_file: Path) -> None:
    with kernels(8, simulator, env_file) as eight:
        (token,) = {*together(eight, "token")}
        simulator.accounts.tokens.revoke_access_token(token)
        assert eight[0].does("call") == 200
        assert simulator.traffic.count(status=401) == 1
        assert together(eight, "call") == [200] * 8
        assert simulator.traffic.count(status=401) == 1, "nobody else tried the old one"
        simulator.accounts.tokens.revoke_access_token(eight[0].does("token"))
        assert together(eight, "call") == [200] * 8
    assert issued(simulator) == 3


def test_a_process_killed_while_it_asks_for_a_token_holds_nobody_up_and_has_counted(
    simulator: Simulator, env_file: Path
) -> None:
    simulator.faults.add(Fault(TOKEN, headers={"X-Slow": "yes"}, delay=0.5))
    with kernels(3, simulator, env_file) as (first, second, third):
        first.ask("call")
        until(lambda: simulator.traffic.in_flight == 1)
        first.kill()
        assert second.does("call") == 200
        for _ in range(8):
            assert isinstance(third.does("refresh"), str)
        assert second.does("refresh")["wait"] > 500
        assert together([second, third], "call") == [200] * 2
    until(lambda: simulator.traffic.in_flight == 0)
    assert issued(simulator) == 10
    assert refused(simulator) == 0


# Two sessions


def test_the_second_session_takes_the_firsts_token(
    session: ZohoSession, another: ZohoSession, simulator: Simulator
) -> None:
    token = session.token
    assert another.token.reveal() == token.reveal()
    assert another.token.scopes == token.scopes
    assert another.token.api_domain == token.api_domain
    assert another.token.expires_in == token.expires_in
    assert another.token is another.token
    assert session.token is token
    assert issued(simulator) == 1


def test_a_new_token_is_everybodys_at_once(session: ZohoSession, another: ZohoSession, simulator: Simulator) -> None:
    assert another.token
    newer = session.refresh()
    assert another.token.reveal() == newer.reveal()
    assert another.refresh().reveal() != newer.reveal()
    assert issued(simulator) == 3


def test_an_exchange_brings_everybody_its_token(
    session: ZohoSession, another: ZohoSession, simulator: Simulator
) -> None:
    session.exchange(simulator.grant_code("ZohoCRM.org.READ"))
    assert another.token.scopes == ("ZohoCRM.org.READ",)
    assert simulator.traffic.count(grant_type="refresh_token") == 0
    for _ in range(9):
        another.refresh()
    with pytest.raises(ThrottledError):
        session.refresh()


def test_a_revoked_token_is_nobodys(session: ZohoSession, another: ZohoSession, simulator: Simulator) -> None:
    held = another.credentials
    assert another.token
    session.revoke()
    with pytest.raises(ConfigurationError):
        _ = another.token
    third = ZohoSession(replace(held, path=None), clock=simulator.clock.time)  # its `.env` is a copy
    calls = simulator.traffic.count(path=TOKEN)
    with pytest.raises(AuthError, match="no longer accepts the refresh token"):
        third.request("GET", ORG)
    assert simulator.traffic.count(path=ORG, status=401) == 0
    assert simulator.traffic.count(path=TOKEN) == calls + 1
    third.close()


def test_a_refused_token_is_gone_even_if_none_takes_its_place(
    session: ZohoSession, another: ZohoSession, simulator: Simulator
) -> None:
    simulator.accounts.tokens.revoke_access_token(another.token.reveal())
    simulator.faults.add(Fault(TOKEN, body={"error": "general_error"}))
    with pytest.raises(AuthError):
        session.request("GET", ORG)
    assert another.request("GET", ORG).status_code == 200
    assert simulator.traffic.count(status=401) == 1


def test_a_failed_token_request_gives_its_place_back(
    session: ZohoSession, simulator: Simulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    simulator.faults.add(Fault(TOKEN, body={"error": "invalid_client_secret"}, times=12))
    for _ in range(12):
        with pytest.raises(AuthError):
            session.refresh()
    forget_counts(monkeypatch)
    for _ in range(10):
        session.refresh()


def test_after_a_throttle_nobody_asks_for_a_minute(
    session: ZohoSession, another: ZohoSession, simulator: Simulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    simulator.options.access_tokens_per_window = 0
    with pytest.raises(ThrottledError):
        session.refresh()
    forget_counts(monkeypatch)
    with pytest.raises(ThrottledError) as failure:
        another.refresh()
    assert failure.value.retry_after <= 60
    assert simulator.traffic.count(path=TOKEN) == 1


def test_a_slow_token_request_counts_from_its_answer(session: ZohoSession, simulator: Simulator) -> None:
    simulator.faults.add(Fault(TOKEN, headers={"X-Slow": "yes"}, delay=0.2))
    began = simulator.clock.time()
    session.refresh()
    for _ in range(9):
        session.refresh()
    with pytest.raises(ThrottledError) as failure:
        session.refresh()
    assert simulator.clock.time() + failure.value.retry_after > began + 600.2


def test_client_credentials_are_shared_by_what_was_asked(
    session: ZohoSession, another: ZohoSession, simulator: Simulator, env_file: Path
) -> None:
    lines = [line for line in env_file.read_text().splitlines() if "REFRESH" not in line]
    env_file.write_text("\n".join([*lines, f"ZOHO_SOID={simulator.soid}", "ZOHO_SCOPES=ZohoCRM.org.READ", ""]))
    assert session.token.reveal() == another.token.reveal()
    env_file.write_text(env_file.read_text().replace("org.READ", "users.READ"))
    other = ZohoSession.from_env(env_file, clock=simulator.clock.time)
    assert other.token.scopes == ("ZohoCRM.users.READ",)
    assert simulator.traffic.count(grant_type="client_credentials") == 2
    other.close()


def test_token_requests_of_a_clock_that_was_wrong_lock_nobody_out(
    session: ZohoSession, another: ZohoSession, simulator: Simulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    simulator.options.access_tokens_per_window = 99
    fast = ZohoSession(another.credentials, clock=lambda: simulator.clock.time() + 86_400 * 365)
    for _ in range(10):
        fast.refresh()
    fast.close()
    forget_counts(monkeypatch)
    assert session.refresh()


# On disk


def test_nothing_on_disk_can_be_read_and_only_by_its_owner(
    session: ZohoSession, cache: Path, simulator: Simulator
) -> None:
    before = os.umask(0)
    try:
        token = session.refresh().reveal()
    finally:
        os.umask(before)
    secrets = [token, simulator.client_secret, session.credentials.refresh_token.reveal()]  # type: ignore[union-attr]
    secrets += [part for secret in secrets for part in secret.split(".") if len(part) > 8]
    files = [path for path in cache.iterdir() if path.is_file()]
    assert {path.suffix for path in files} | {".lock"} == {".token", ".lock"}, "some filelocks remove their file"
    for path in files:
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        content = path.read_bytes() + path.name.encode()
        assert not any(secret.encode() in content for secret in [*secrets, simulator.client_id, "issued"])
    assert stat.S_IMODE(cache.stat().st_mode) == 0o700


@pytest.mark.parametrize("name", ["client_secret", "refresh_token"])
def test_who_could_not_ask_for_a_token_cannot_read(session: ZohoSession, cache: Path, name: str) -> None:
    assert session.token
    sealed, mine = token_file(cache).read_bytes(), session.credentials
    assert shared_token_cache._decrypt(mine, sealed, session._clock) is not None
    other = mine.replace(**{name: "another"})
    assert shared_token_cache._decrypt(other, sealed, session._clock) is None
    assert shared_token_cache._path(other) != shared_token_cache._path(mine)


def test_accounts_do_not_meet(session: ZohoSession) -> None:
    mine = session.credentials
    others = [mine.replace(client_id="1000.OTHER"), mine.replace(accounts_url="https://accounts.zoho.eu")]
    assert len({shared_token_cache._path(one) for one in (mine, *others)}) == 3


def test_without_the_switch_nothing_is_written(simulator: Simulator, env_file: Path, cache: Path) -> None:
    env_file.write_text(env_file.read_text().replace("ZOHO_TOKEN_CACHE=1", "ZOHO_TOKEN_CACHE=0"))
    session = ZohoSession.from_env(env_file, clock=simulator.clock.time)
    assert session.token
    assert not session.status().token_shared
    assert not cache.parent.exists()
    session.close()


# A cache that is not to be used


def stranger(path: Path) -> None:
    os.chown(path, NOBODY, -1)


def linked(path: Path) -> None:
    path.rename(path.with_name("elsewhere"))
    path.symlink_to(path.with_name("elsewhere"))


def opened(path: Path) -> None:
    path.chmod(0o755 if path.is_dir() else 0o644)


def something_else(path: Path) -> None:
    if path.is_dir():
        path.rename(path.with_name("elsewhere"))
        path.write_text("")
    else:
        path.unlink()
        os.mkfifo(path, 0o600)


def replaced_lock(path: Path) -> None:
    lock = next(path.glob("*.lock")) if path.is_dir() else path.with_suffix(".lock")
    lock.unlink(missing_ok=True)
    lock.mkdir()


AS_ROOT = pytest.mark.skipif(getattr(os, "geteuid", lambda: 1)() != 0, reason="only root gives files away")
BAD = [
    pytest.param(stranger, "belongs to another user", marks=AS_ROOT),
    (linked, "a link"),
    (opened, "open to other users"),
    (something_else, "not a"),
]


@pytest.mark.parametrize("which", ["folder", "file"])
@pytest.mark.parametrize(("spoil", "why"), BAD)
def test_a_cache_others_can_reach_is_ignored_with_one_warning(
    session: ZohoSession,
    another: ZohoSession,
    simulator: Simulator,
    cache: Path,
    spoil: Callable[[Path], None],
    why: str,
    which: str,
) -> None:
    theirs = session.token.reveal()
    spoiled = cache if which == "folder" else token_file(cache)
    spoil(spoiled)
    before = spoiled.lstat()
    with pytest.warns(UserWarning, match=why) as told:
        assert another.token.reveal() != theirs, "it is not even read"
    assert len(told) == 1
    assert told[0].filename == __file__
    assert another.request("GET", ORG).status_code == 200
    assert another.refresh()
    status = another.status()
    assert (status.connected, status.token_shared) == (True, False)
    assert [line for line in status.warnings if why in line and "%zoho --no-share" in line]
    after = spoiled.lstat()
    assert (before.st_ino, before.st_mtime_ns) == (after.st_ino, after.st_mtime_ns)
    assert session.request("GET", ORG).status_code == 200
    assert refused(simulator) == 0


@pytest.mark.parametrize(
    ("content", "why"),
    [(b"", "damaged"), (b"\0" * 100, "damaged"), (b"gAAAAA", "damaged"), (b"x" * 100_000, "larger than anything")],
)
def test_a_damaged_cache_is_told_once_and_corrected(
    session: ZohoSession, another: ZohoSession, simulator: Simulator, cache: Path, content: bytes, why: str
) -> None:
    assert session.token
    token_file(cache).write_bytes(content)
    with pytest.warns(UserWarning, match=why) as told:
        token = another.token
    assert len(told) == 1
    assert session.token.reveal() == token.reveal(), "the first who token_requests writes it anew"
    assert another.status().token_shared
    assert session.status().token_shared
    assert issued(simulator) == 2


def test_what_another_has_corrected_is_used_again(session: ZohoSession, another: ZohoSession, cache: Path) -> None:
    assert session.token
    token_file(cache).write_bytes(b"")
    with pytest.warns(UserWarning, match="damaged"):
        assert session.request("GET", ORG).status_code == 200, "with the token it has"
    assert not session.status().token_shared
    newer = another.refresh()
    assert session.token.reveal() == newer.reveal()
    assert session.status().token_shared


def test_a_cache_cut_short_at_any_byte_is_damaged_and_not_fatal(session: ZohoSession, cache: Path) -> None:
    assert session.token
    whole = token_file(cache).read_bytes()
    for end in range(0, len(whole), 7):
        assert shared_token_cache._decrypt(session.credentials, whole[:end], session._clock) is None
    assert shared_token_cache._decrypt(session.credentials, whole, session._clock) is not None


@pytest.mark.parametrize("home", ["/proc/caches", "/dev/null/caches"])
def test_a_cache_that_cannot_be_made_is_told_and_done_without(
    session: ZohoSession, simulator: Simulator, monkeypatch: pytest.MonkeyPatch, home: str
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", home)
    monkeypatch.setattr(shared_token_cache, "_warned", set())
    with pytest.warns(UserWarning, match="cannot be used") as told:
        status = session.status()
    assert len(told) == 1
    assert (status.connected, status.token_shared) == (True, False)
    assert session.request("GET", ORG).status_code == 200
    simulator.clock.advance(3600)
    assert session.request("GET", ORG).status_code == 200
    assert not session.status().token_shared


def test_a_full_disk_is_told_and_done_without(session: ZohoSession, simulator: Simulator, cache: Path) -> None:
    assert session.token
    token_file(cache).with_suffix(".tmp").mkdir()  # in the way of what would be written, as a full disk is
    with pytest.warns(UserWarning, match="cannot be used") as told:
        token = session.refresh()
    assert len(told) == 1
    assert session.token is token or session.token.reveal()
    assert session.request("GET", ORG).status_code == 200


def test_a_lock_that_is_never_let_go_is_waited_for_and_then_done_without(
    session: ZohoSession, another: ZohoSession, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert session.token
    monkeypatch.setattr(cache_file, "LOCK_SECONDS", 0.05)
    with FileLock(token_file(cache).with_suffix(".lock")), pytest.warns(UserWarning, match="another process has held"):
        token = another.refresh()
    assert token.expires_in > 3000
    assert another.request("GET", ORG).status_code == 200


def test_a_warning_that_is_an_error_breaks_one_call_only(
    session: ZohoSession, cache: Path, simulator: Simulator
) -> None:
    cache.mkdir(parents=True, mode=0o755)
    cache.chmod(0o755)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(UserWarning, match="open to other users"):
            _ = session.token
        assert session.token


# Switching it on, and what is said


def test_one_command_shares_and_one_stops(simulator: Simulator, env_file: Path, cache: Path) -> None:
    env_file.write_text(env_file.read_text().replace("ZOHO_TOKEN_CACHE=1\n", ""))
    with loaded_shell() as shell:
        assert not shell.run("%zoho").token_shared
        status = shell.run("%zoho --share")
        assert status.token_shared
        assert "left, shared by your kernels" in shell.shown
        assert "ZOHO_TOKEN_CACHE=1\n" in env_file.read_text()
        shell.run("%zoho_refresh")
        assert token_file(cache)
        assert not shell.run("%zoho --no-share").token_shared
        assert "TOKEN_CACHE" not in env_file.read_text()


@pytest.mark.parametrize(("said", "means"), [("1", "1"), ("true", "1"), ("On", "1"), ("0", ""), ("no", "")])
def test_the_switch_is_read_as_people_write_it(
    env_file: Path, monkeypatch: pytest.MonkeyPatch, said: str, means: str
) -> None:
    monkeypatch.setenv("ZOHO_TOKEN_CACHE", said)
    assert ZohoSession.from_env().credentials.token_cache == means
    monkeypatch.setenv("ZOHO_TOKEN_CACHE", "maybe")
    with pytest.raises(ConfigurationError, match="ZOHO_TOKEN_CACHE"):
        ZohoSession.from_env()


def test_credentials_made_in_python_share_too(simulator: Simulator, cache: Path) -> None:
    there = simulator.connection()
    credentials = Credentials(
        client_id=there["client_id"],
        client_secret=Secret(there["client_secret"]),
        refresh_token=Secret(there["refresh_token"]),
        accounts_url=there["url"],
        api_url=there["url"],
        token_cache="1",
    )
    two = [ZohoSession(credentials, clock=simulator.clock.time) for _ in range(2)]
    assert len({one.token.reveal() for one in two}) == 1
    for one in two:
        one.close()


@pytest.mark.parametrize("error", ["invalid_client_secret", "Access Denied"])
def test_no_frame_of_a_failed_token_request_holds_a_secret(
    session: ZohoSession, simulator: Simulator, error: str
) -> None:
    assert session.token
    credentials = session.credentials
    secrets = [credentials.client_secret, credentials.refresh_token, session.token.access_token]
    simulator.faults.add(Fault(TOKEN, body={"error": error}))
    with pytest.raises((AuthError, ThrottledError)) as raised:
        session.refresh()
    assert leaks(raised.value, *(secret.reveal() for secret in secrets if secret)) == []


def test_nothing_is_imported_before_it_is_needed(env_file: Path) -> None:
    done = subprocess.run(
        [
            sys.executable,
            "-W",
            "error",
            "-W",
            "ignore:The default datetime adapter is deprecated:DeprecationWarning",  # IPython 7's history
            "-c",
            textwrap.dedent("""
            import sys
            from IPython.core.interactiveshell import InteractiveShell
            ip = InteractiveShell.instance()
            before = set(sys.modules)
            ip.run_line_magic("load_ext", "zoho_magic")
            from zoho_magic import get_session
            print(get_session().credentials.token_cache)
            heavy = {"cryptography", "keyring", "platformdirs", "filelock", "requests", "pandas", "ipywidgets"}
            print(sorted(heavy & (set(sys.modules) - before)))
        """),
        ],
        capture_output=True,
        text=True,
        timeout=60,
        cwd=env_file.parent,
    )
    assert done.stdout == "1\n[]\n", done.stderr
