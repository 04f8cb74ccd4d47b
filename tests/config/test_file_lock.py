"""The lock beside a file: one holder at a time, and nothing is left behind, whichever filelock is installed."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import filelock
import pytest

from zoho_magic.config.file_lock import exclusive


def test_threads_are_alone_and_the_file_is_gone_afterwards(tmp_path: Path) -> None:
    path, inside, most = tmp_path / ".env.lock", [0], []

    def hold() -> None:
        for _ in range(5):
            with exclusive(path, 30):
                inside[0] += 1
                most.append(inside[0])
                threading.Event().wait(0.001)
                inside[0] -= 1

    threads = [threading.Thread(target=hold) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most == [1] * 30
    assert not path.exists()


def test_a_holder_that_does_not_let_go_is_not_waited_for_longer(tmp_path: Path) -> None:
    with exclusive(tmp_path / "lock", 1), pytest.raises(TimeoutError), exclusive(tmp_path / "lock", 0.01):
        pass


def test_where_an_open_file_cannot_be_removed_it_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As on Windows, where another program that has the file open makes `unlink` fail."""

    def refuse(self: Path, missing_ok: bool = False) -> None:
        raise PermissionError(32, "The process cannot access the file because it is being used by another process")

    with monkeypatch.context() as patch:
        patch.setattr(Path, "unlink", refuse)
        with exclusive(tmp_path / "lock", 1):
            pass
        with exclusive(tmp_path / "lock", 1):
            pass


@pytest.mark.skipif(os.name != "posix", reason="filelock for POSIX")
def test_only_one_of_us_and_filelock_removes_the_file(tmp_path: Path) -> None:
    with filelock.FileLock(tmp_path / "lock"):
        pass
    version = tuple(map(int, filelock.__version__.split(".")[:2]))
    assert (tmp_path / "lock").exists() == (version >= (3, 30))
