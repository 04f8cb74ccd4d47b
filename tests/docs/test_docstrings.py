"""Public docstrings name every parameter, what is raised, and show an example; documented attributes exist."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator
from typing import Any

import pytest

import zoho_magic
from zoho_magic import ZohoSession

CLASSES = [
    name
    for name in zoho_magic.__all__
    if inspect.isclass(getattr(zoho_magic, name)) and not issubclass(getattr(zoho_magic, name), Exception)
]
NEVER_RAISES = {"close", "usage", "use_session", "kept_pushes"}


def callables() -> Iterator[tuple[str, Any]]:
    """Public functions, and the public methods of the session."""
    for name in zoho_magic.__all__:
        if inspect.isfunction(value := getattr(zoho_magic, name)):
            yield name, value
    for name in dir(ZohoSession):
        value = inspect.getattr_static(ZohoSession, name)
        if not name.startswith("_") and not isinstance(value, property):
            yield name, getattr(ZohoSession, name)


@pytest.mark.parametrize(("name", "value"), [pytest.param(*one, id=one[0]) for one in callables()])
def test_every_parameter_exception_and_use_is_documented(name: str, value: Any) -> None:
    text = inspect.getdoc(value) or ""
    parameters = [one for one in inspect.signature(value).parameters if one not in ("self", "cls")]
    described = text.partition("Args:")[2].partition("Raises:")[0]
    assert [one for one in parameters if not re.search(rf"\b{one}\b", described)] == []
    assert "Raises:" in text or name in NEVER_RAISES
    assert "Example::" in text


@pytest.mark.parametrize("name", CLASSES)
def test_every_class_shows_its_use_and_names_attributes_that_exist(name: str) -> None:
    value = getattr(zoho_magic, name)
    text = inspect.getdoc(value) or ""
    lines = re.findall(r"^    ([\w, ]+): ", text.partition("Attributes:\n")[2].partition("\n\n")[0], re.M)
    known = {*dir(value), *getattr(value, "__annotations__", {})}
    assert [one for line in lines for one in line.split(", ") if one not in known] == []
    assert "Example" in text


def test_every_property_of_the_session_says_what_it_is() -> None:
    public = [name for name in dir(ZohoSession) if not name.startswith("_")]
    properties = [name for name in public if isinstance(inspect.getattr_static(ZohoSession, name), property)]
    assert [name for name in properties if not inspect.getdoc(getattr(ZohoSession, name))] == []
