"""What a release needs: one version, one list of dependencies, a changelog, and the statement whose product this is."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import Any

import pytest

import zoho_magic

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def project() -> dict[str, Any]:
    found: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return found


def _bounds(lines: list[str]) -> set[str]:
    return {line.replace(" ", "") for line in lines}


def test_the_conda_recipe_has_the_version_and_the_dependencies_of_the_package(project: dict[str, Any]) -> None:
    recipe = (ROOT / "recipe" / "recipe.yaml").read_text(encoding="utf-8")
    run = re.findall(r"^    - (.+)$", recipe.partition("  run:\n")[2].partition("\ntests:")[0], re.M)
    assert f'version: "{zoho_magic.__version__}"' in recipe
    assert f'python_min: "{project["requires-python"].removeprefix(">=")}"' in recipe
    assert _bounds([line for line in run if not line.startswith("python ")]) == _bounds(project["dependencies"])
    assert f'summary: "{project["description"]}"' in recipe


def test_the_version_has_a_section_in_the_changelog(project: dict[str, Any]) -> None:
    assert "version" in project["dynamic"]
    changelog = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    assert re.search(rf"^## {re.escape(zoho_magic.__version__)}\b", changelog, re.M)


def test_the_description_says_that_it_is_not_zohos(project: dict[str, Any]) -> None:
    assert "Not a product of Zoho Corporation" in project["description"]


def test_no_committed_file_names_a_package_registry() -> None:
    hosts = re.compile("|".join(["pypi" + r"\.org", "pythonhosted" + r"\.org", "npmjs" + r"\.", "anaconda" + r"\.org"]))
    folders = [ROOT / name for name in ("docs", "docs_site", "recipe", ".ci", ".github", "zoho_magic", "notebooks")]
    files = [path for folder in folders for path in folder.rglob("*") if path.suffix not in {".webp", ".pyc", ".png"}]
    texts = [*files, *ROOT.glob("*.md"), *ROOT.glob("*.py"), *ROOT.glob("*.toml"), *ROOT.glob("*.yml")]
    named = [str(path) for path in texts if path.is_file() and hosts.search(path.read_text(encoding="utf-8"))]
    assert named == []
