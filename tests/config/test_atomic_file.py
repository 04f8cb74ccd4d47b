"""Replacing a file: at once, or in a moment where Windows says that another program has it open."""

from __future__ import annotations

from pathlib import Path

import pytest

from zoho_magic.config import atomic_file, dotenv_file
from zoho_magic.errors import ConfigurationError


@pytest.fixture(autouse=True)
def in_no_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(atomic_file, "_PAUSE_SECONDS", 0.0)


def refuse(monkeypatch: pytest.MonkeyPatch, winerror: int | None, times: int) -> list[Path]:
    """Make renaming fail so many times, as Windows does (with a `winerror`) or as another system does."""
    rename, asked = Path.replace, []

    def replace(self: Path, target: Path) -> Path:
        asked.append(target)
        if len(asked) > times:
            return rename(self, target)
        error = PermissionError(13, "The process cannot access the file")
        if winerror is not None:
            error.winerror = winerror
        raise error

    monkeypatch.setattr(Path, "replace", replace)
    return asked


@pytest.mark.parametrize("winerror", [5, 32])
def test_a_file_that_another_program_has_open_is_replaced_in_a_moment(
    isolated: Path, monkeypatch: pytest.MonkeyPatch, winerror: int
) -> None:
    env = isolated / ".env"
    env.write_bytes(b"A=1\r\nZOHO_DC=us\r\n")
    asked = refuse(monkeypatch, winerror, times=3)
    dotenv_file.write(env, {"ZOHO_DC": "eu"})
    assert env.read_bytes() == b"A=1\r\nZOHO_DC=eu\r\n"
    assert len(asked) == 4
    assert [path.name for path in isolated.iterdir()] == [".env"]


@pytest.mark.parametrize(("winerror", "tries"), [(32, 20), (17, 1), (None, 1)])
def test_any_other_refusal_is_told_and_changes_nothing(
    isolated: Path, monkeypatch: pytest.MonkeyPatch, winerror: int | None, tries: int
) -> None:
    env = isolated / ".env"
    env.write_text("ZOHO_DC=us\n")
    asked = refuse(monkeypatch, winerror, times=10**6)
    with pytest.raises(ConfigurationError, match="cannot be saved"):
        dotenv_file.write(env, {"ZOHO_DC": "eu"})
    assert len(asked) == tries
    assert env.read_text() == "ZOHO_DC=us\n"
    assert [path.name for path in isolated.iterdir()] == [".env"]
