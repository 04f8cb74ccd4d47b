"""Every example of the site and of the README runs, on the simulator."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest

from tests.docs.examples import ROOT, Example, examples_of, pages
from tests.support.ipython_shell import Shell, open_shell

PAGES = [page for page in pages() if any(not one.how.startswith("not run") for one in examples_of(page))]


@pytest.fixture
def shell() -> Iterator[Shell]:
    with open_shell() as ip:
        yield ip


@pytest.mark.filterwarnings("default")
@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_examples_run_from_top_to_bottom(page: Path, shell: Shell, env_file: Path) -> None:
    for example in examples_of(page):
        if example.how == "":
            shell.run(example.code.replace("%zoho_setup", "%zoho").removesuffix("\n"))
        elif not example.how.startswith("not run") and _has_package(example.how):
            _run_alone(example, env_file.parent)


def _has_package(how: str) -> bool:
    needed = how.partition("needs ")[2]
    return not needed or find_spec(needed) is not None


def _run_alone(example: Example, folder: Path) -> None:
    path = folder / "test_example.py"
    path.write_text(example.code, encoding="utf-8")
    pytest_ = ["-m", "pytest", "-q", "-p", "no:xdist", "--import-mode=importlib", "--rootdir", str(folder)]
    command = [sys.executable, *(pytest_ if example.how == "test file" else []), str(path)]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.strip()


def test_a_broken_example_is_noticed(shell: Shell, tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("<!-- before:\none = 1\n-->\n\n```python\none / 0\n```\n")
    hidden, shown = examples_of(page)
    shell.run(hidden.code)
    assert "ZeroDivisionError" in shell.failed(shown.code)
