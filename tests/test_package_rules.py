"""Rules of the package's structure: imports run one way, public names are complete, every card's type exists."""

from __future__ import annotations

import ast
import doctest
import importlib
import pkgutil
from collections.abc import Iterator
from pathlib import Path

import pytest

import zoho_magic
from zoho_magic.notebook import cards
from zoho_magic.notebook.completion import HAS_MATCHERS

PACKAGE = Path(zoho_magic.__file__).parent
FLOORS = (  # from the top floor down: a module imports modules of its own folder and of lower floors only
    {"__init__"},
    {"notebook"},
    {"session_registry"},
    {"session"},
    {"login", "status", "mirror"},
    {"auth", "crm"},
    {"http", "config"},
    {"error_catalog", "scopes"},
    {"errors", "secret", "data_centres", "preload", "fork_safety"},
)
FLOOR = {room: number for number, rooms in enumerate(FLOORS) for room in rooms}
FRONT_ENDS = {"IPython", "ipywidgets", "ipykernel", "traitlets"}
MODULES = {
    ".".join(path.relative_to(PACKAGE).with_suffix("").parts).removesuffix(".__init__"): path
    for path in PACKAGE.rglob("*.py")
}


def _imports(module: str) -> Iterator[tuple[str, str]]:
    """(library, "") or ("zoho_magic", module) for each import statement, those for type checkers included."""
    path = MODULES[module]
    package = list(path.relative_to(PACKAGE).parent.parts)
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from ((alias.name.split(".")[0], "") for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and not node.level:
            yield (node.module or "").split(".")[0], ""
        elif isinstance(node, ast.ImportFrom):
            base = [*package[: len(package) - node.level + 1], *(node.module or "").split(".")]
            for alias in node.names:
                yield "zoho_magic", _known(".".join(part for part in (*base, alias.name) if part))


def _known(name: str) -> str:
    while name and name not in MODULES:
        name = name.rpartition(".")[0]
    return name or "__init__"


def _arrows() -> dict[str, set[str]]:
    return {name: {other for head, other in _imports(name) if other and other != name} for name in MODULES}


def _rooms(module: str) -> str:
    return module.split(".")[0]


def test_imports_run_one_way() -> None:
    arrows = ((one, other) for one, others in _arrows().items() for other in others)
    up = [
        f"{one} -> {other}"
        for one, other in arrows
        if (here := FLOOR.get(_rooms(one))) is not None
        and (there := FLOOR.get(_rooms(other))) is not None
        and (there < here or (there == here and _rooms(one) != _rooms(other)))
    ]
    assert up == []


def test_only_the_notebook_package_knows_a_front_end() -> None:
    wrong = [f"{name} -> {head}" for name in MODULES for head, _ in _imports(name) if head in FRONT_ENDS]
    assert [line for line in wrong if not line.startswith("notebook")] == []


def test_only_the_demo_knows_the_simulator_and_it_knows_nothing_of_the_client() -> None:
    both = [(one, other) for one, others in _arrows().items() for other in others]
    outside = {"", "__init__", "zoho_magic"}
    assert {one for one, other in both if _rooms(other) == "simulator" and _rooms(one) != "simulator"} <= {
        "notebook.demo"
    }
    assert [
        pair for pair in both if _rooms(pair[0]) == "simulator" and _rooms(pair[1]) not in {"simulator", *outside}
    ] == []


def test_no_modules_import_each_other_in_a_circle() -> None:
    arrows = _arrows()
    alive = set(arrows)
    while leaves := {one for one in alive if not (arrows[one] & alive)}:
        alive -= leaves
    while roots := {one for one in alive if not any(one in arrows[other] for other in alive)}:
        alive -= roots
    assert {one for one in alive if not one.startswith("crm.coql")} == set()


def test_every_public_name_can_be_imported_and_is_listed() -> None:
    assert zoho_magic.__all__ == sorted(zoho_magic.__all__, key=lambda name: (not name.isupper(), name))
    for name in zoho_magic.__all__:
        assert getattr(zoho_magic, name) is not None
    exceptions = importlib.import_module("zoho_magic.errors").__all__
    assert set(exceptions) <= set(zoho_magic.__all__)


@pytest.mark.parametrize("type_name", list(cards._CARDS))
def test_every_card_is_for_a_type_that_exists(type_name: str) -> None:
    module, _, name = type_name.rpartition(".")
    assert isinstance(getattr(importlib.import_module(module), name), type)


def test_the_examples_in_docstrings_run() -> None:
    failed: list[str] = []
    ran = 0
    for info in pkgutil.walk_packages(zoho_magic.__path__, "zoho_magic."):
        if info.name.startswith("zoho_magic.simulator") or info.name.endswith("__main__"):
            continue
        if info.name.endswith(".completion_matcher") and not HAS_MATCHERS:
            continue
        result = doctest.testmod(importlib.import_module(info.name))
        ran += result.attempted
        failed += [info.name] * bool(result.failed)
    assert set(failed) <= {"zoho_magic.crm.read.arrow"}
    assert ran >= 25
