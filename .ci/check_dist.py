"""Check what dist/ holds: the wheel has the package and nothing else, the sdist has what builds and tests it."""

from __future__ import annotations

import sys
import tarfile
import zipfile
from pathlib import Path

ROOT = Path(__file__).parents[1]
LARGEST_WHEEL = 1_000_000
LARGEST_SDIST = 6_000_000
NOT_CODE = {"zoho_magic/py.typed", "zoho_magic/crm/coql/grammar.lark"}
"""Files of the wheel that are neither Python nor a page of the simulator: the marker of types, the grammar of COQL."""


def main(dist: Path) -> None:
    """Raise AssertionError for anything that is missing or should not be there."""
    (wheel,), (sdist,) = dist.glob("*.whl"), dist.glob("*.tar.gz")
    check_wheel(wheel)
    check_sdist(sdist)


def check_wheel(path: Path) -> None:
    """The package with its data files, its licence, and no tests, notebooks or demo data."""
    names = set(zipfile.ZipFile(path).namelist())
    metadata = {name for name in names if ".dist-info/" in name}
    foreign = {name for name in names - metadata - NOT_CODE if not _is_package_file(name)}
    assert not foreign, f"not for a wheel: {sorted(foreign)}"
    source = {str(one.relative_to(ROOT)) for one in (ROOT / "zoho_magic").rglob("*.py")}
    assert source | NOT_CODE <= names, f"missing: {sorted((source | NOT_CODE) - names)}"
    assert any(name.endswith("licenses/LICENSE") for name in metadata), "the licence is missing"
    assert any(name.endswith("entry_points.txt") for name in metadata), "the pytest plugin is not declared"
    _tell(path, names, LARGEST_WHEEL)


def check_sdist(path: Path) -> None:
    """Everything that is needed to build, test and document this version."""
    with tarfile.open(path) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    needed = {"pyproject.toml", "LICENSE", "README.md", "CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md", "noxfile.py"}
    needed |= {"mkdocs.yml", "docs/index.md", "docs_site/hooks.py", "tests/conftest.py", "notebooks/quickstart.ipynb"}
    assert needed <= names, f"missing: {sorted(needed - names)}"
    secret = {name for name in names if Path(name).name.startswith(".env")}
    assert not secret, f"settings of somebody: {sorted(secret)}"
    _tell(path, names, LARGEST_SDIST)


def _is_package_file(name: str) -> bool:
    return name.startswith("zoho_magic/") and (
        name.endswith(".py") or (name.startswith("zoho_magic/simulator/templates/") and name.endswith(".html"))
    )


def _tell(path: Path, names: set[str], largest: int) -> None:
    size = path.stat().st_size
    print(f"{path.name}: {len(names)} files, {size / 1000:,.0f} kB")
    assert size <= largest, f"{path.name} has {size:,} bytes, more than {largest:,}"


if __name__ == "__main__":
    main(Path(sys.argv[1]))
