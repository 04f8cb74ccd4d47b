"""Attack: a folder whose git config names a program. Asking for the status there must run nothing of it."""

from __future__ import annotations

import shutil
import subprocess
import warnings
from collections.abc import Callable
from pathlib import Path

import pytest

from zoho_magic import ZohoSession
from zoho_magic.simulator import Simulator

pytestmark = pytest.mark.skipif(shutil.which("git") is None, reason="needs git")


def _git(folder: Path, *words: str) -> None:
    base = ["git", "-C", str(folder), "-c", "user.name=x", "-c", "user.email=x@example.com"]
    subprocess.run([*base, *words], check=True, capture_output=True)


def _program(marker: Path) -> str:
    return f"touch {marker}; false"


def _names_a_program(folder: Path, marker: Path) -> None:
    """An unpacked folder with `.git/config`."""
    _git(folder, "init", "-q")
    _git(folder, "commit", "-q", "--allow-empty", "-m", "x")
    for key in ("core.fsmonitor", "core.sshCommand", "core.pager", "core.editor", "diff.external", "alias.ls-files"):
        _git(folder, "config", key, _program(marker))
    hooks = folder / "hooks"
    hooks.mkdir()
    for name in ("post-index-change", "fsmonitor-watchman", "post-checkout"):
        (hooks / name).write_text(f"#!/bin/sh\ntouch {marker}\n")
        (hooks / name).chmod(0o755)
    _git(folder, "config", "core.hooksPath", str(hooks))


def _is_a_hidden_bare_repository(folder: Path, marker: Path) -> None:
    """A folder of a clone that is itself a repository, in plain tracked files."""
    _git(folder.parent, "init", "-q")
    (folder / "objects").mkdir()
    (folder / "refs").mkdir()
    (folder / "HEAD").write_text("ref: refs/heads/main\n")
    program = f'fsmonitor = "{_program(marker)}"'
    lines = ["[core]", "repositoryformatversion = 0", "bare = false", "worktree = .", program, ""]
    (folder / "config").write_text("\n".join(lines))


@pytest.mark.parametrize("prepare", [_names_a_program, _is_a_hidden_bare_repository])
def test_status_and_saving_run_no_program_of_the_folder(
    prepare: Callable[[Path, Path], None], simulator: Simulator, session: ZohoSession, isolated: Path, tmp_path: Path
) -> None:
    marker = tmp_path / "ran"
    prepare(isolated, marker)
    with ZohoSession.from_env(clock=simulator.clock.time) as zoho:
        zoho.status()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # that git does not ignore .env
            zoho.exchange(simulator.grant_code())
    assert not marker.exists()


def test_the_attack_is_one(isolated: Path, tmp_path: Path) -> None:
    """Plain git does run it: else the test above proves nothing."""
    marker = tmp_path / "ran"
    _names_a_program(isolated, marker)
    marker.unlink(missing_ok=True)
    subprocess.run(["git", "-C", str(isolated), "status"], capture_output=True, check=False)
    assert marker.exists()
