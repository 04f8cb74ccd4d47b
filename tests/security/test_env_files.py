"""Attacks by way of the `.env` file: planted, writable by others, no file at all, or raced while it is saved."""

from __future__ import annotations

import os
import socket
import stat
import threading
from pathlib import Path

import pytest

from zoho_magic import ConfigurationError, ZohoSession
from zoho_magic.config import dotenv_file
from zoho_magic.simulator import Simulator

pytestmark = pytest.mark.skipif(not hasattr(os, "geteuid"), reason="owners and modes are POSIX's")
AS_ROOT = pytest.mark.skipif(os.name != "posix" or os.geteuid() != 0, reason="only root gives a file away")


@pytest.mark.parametrize("mode", [0o666, 0o660, 0o620, 0o602])
def test_a_file_that_others_can_write_is_refused_with_the_way_to_mend_it(env_file: Path, mode: int) -> None:
    env_file.chmod(mode)
    with pytest.raises(ConfigurationError, match=r"can be written by other users") as refused:
        ZohoSession.from_env()
    assert f"chmod 600 {env_file}" in refused.value.hint
    env_file.chmod(0o600)
    assert ZohoSession.from_env().status().connected


@AS_ROOT
def test_a_file_of_another_user_is_refused_and_may_be_trusted_by_name(env_file: Path) -> None:
    os.chown(env_file, 12345, 12345)
    for act in (ZohoSession.from_env, lambda: ZohoSession.from_env(env_file)):
        with pytest.raises(ConfigurationError, match="belongs to another user") as refused:
            act()
        assert "trust_file=True" in refused.value.hint
    assert ZohoSession.from_env(env_file, trust_file=True).status().connected


@AS_ROOT
def test_a_link_of_another_user_to_a_file_of_ones_own_is_refused(env_file: Path, isolated: Path) -> None:
    real = env_file.rename(isolated / "real")
    env_file.symlink_to(real)
    os.lchown(env_file, 12345, 12345)
    with pytest.raises(ConfigurationError, match="belongs to another user"):
        ZohoSession.from_env()


def test_a_running_session_notices_that_the_file_became_writable(env_file: Path) -> None:
    zoho = ZohoSession.from_env()
    zoho.status()
    env_file.write_text(env_file.read_text() + "ZOHO_DC=eu\n")
    env_file.chmod(0o666)
    with pytest.raises(ConfigurationError, match="can be written by other users"):
        zoho.status()


def test_the_url_of_a_planted_file_never_gets_the_secrets_of_the_environment(
    isolated: Path, simulator: Simulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ZOHO_CLIENT_ID", simulator.client_id)
    monkeypatch.setenv("ZOHO_CLIENT_SECRET", simulator.client_secret)
    monkeypatch.setenv("ZOHO_REFRESH_TOKEN", simulator.refresh_token())
    with socket.create_server(("127.0.0.1", 0)) as listener:
        address = f"http://127.0.0.1:{listener.getsockname()[1]}"
        for name in ("ZOHO_ACCOUNTS_URL", "ZOHO_API_URL"):
            (isolated / ".env").write_text(f"{name}={address}\n")
            with pytest.raises(ConfigurationError, match=f"{name} comes from .env, the client secret from environment"):
                ZohoSession.from_env().refresh()
        listener.setblocking(False)
        with pytest.raises(BlockingIOError):
            listener.accept()


def test_a_world_readable_file_with_secrets_warns(env_file: Path) -> None:
    env_file.chmod(0o644)
    assert any("chmod 600" in warning for warning in ZohoSession.from_env().status().warnings)
    env_file.chmod(0o600)
    assert not any("chmod 600" in warning for warning in ZohoSession.from_env().status().warnings)


@pytest.mark.parametrize("kind", ["fifo", "device", "folder", "huge", "socket"])
def test_what_is_no_file_neither_hangs_nor_fills_the_memory(isolated: Path, kind: str) -> None:
    path = isolated / ".env"
    if kind == "fifo":
        os.mkfifo(path)
    elif kind == "device":
        path.symlink_to("/dev/zero")
    elif kind == "folder":
        path.mkdir()
    elif kind == "socket":
        with socket.socket(socket.AF_UNIX) as left:
            left.bind(str(path))
    else:
        with path.open("wb") as file:
            file.truncate(50 * 2**30)
    failure: list[BaseException] = []

    def load() -> None:
        try:
            ZohoSession.from_env(path)
        except BaseException as error:  # noqa: BLE001  # whatever it is, the test looks at it
            failure.append(error)

    thread = threading.Thread(target=load, daemon=True)
    thread.start()
    thread.join(10)
    assert not thread.is_alive()
    assert [type(error) for error in failure] == [ConfigurationError]


def test_a_file_is_saved_under_a_name_that_nobody_can_have_prepared(
    env_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[str] = []
    opened = os.open

    def recording(path: str, flags: int, *mode: int) -> int:
        if flags & os.O_CREAT and str(path).endswith(".tmp"):
            made.append(Path(path).name)
            assert flags & os.O_EXCL
            assert flags & os.O_NOFOLLOW
        return opened(path, flags, *mode)

    monkeypatch.setattr(os, "open", recording)
    for dc in ("eu", "us"):
        dotenv_file.write(env_file, {"ZOHO_DC": dc})
    assert len(set(made)) == 2
    assert stat.S_IMODE(env_file.stat().st_mode) == 0o600


def test_what_a_killed_process_left_beside_the_file_is_removed(env_file: Path) -> None:
    left = env_file.with_name(".env.zoho_magic.0123456789abcdef.tmp")
    left.write_text("ZOHO_CLIENT_SECRET=S3CR3T\n")
    ZohoSession.from_env()
    assert not left.exists()


def test_a_path_cannot_paint_the_terminal(isolated: Path) -> None:
    evil = isolated / ".env\x1b[2J\u202e"
    evil.mkdir()
    with pytest.raises(ConfigurationError) as refused:
        ZohoSession.from_env(evil)
    assert str(refused.value).replace("\n", "").isprintable()


def test_without_a_home_folder_the_shared_cache_says_so(env_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def homeless(*_: object, **__: object) -> Path:
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.setattr("platformdirs.user_cache_path", homeless)
    zoho = ZohoSession.from_env()
    with pytest.warns(UserWarning, match="no home folder"):
        status = zoho.share()
    assert status.connected
