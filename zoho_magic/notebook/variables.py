"""The variables a magic sees: those of the calling function first, then the notebook's."""

from __future__ import annotations

import re
import sys
from collections import ChainMap
from collections.abc import Iterable, Mapping
from numbers import Real
from types import CodeType, FrameType
from typing import Any

from IPython.core.error import UsageError

__all__ = ["fill_words", "visible_variables"]

_NAME = re.compile(r"\$([A-Za-z_]\w*)")
_BRACES = re.compile(r"\{([A-Za-z_]\w*)\}")
_NOT_THE_CALLER = {"zoho_magic", "IPython", "ipykernel", "decorator", "ipython_genutils"}


def visible_variables(shell: Any, local_ns: Mapping[str, Any] | None) -> Mapping[str, Any]:
    """Name -> value, as Python would resolve it where the magic was written.

    Args:
        shell: IPython's shell.
        local_ns: the locals of the calling function, as IPython hands them over; None outside of one.
    """
    return ChainMap(dict(local_ns or {}), *map(dict, _enclosing_locals()), shell.user_ns)


def _enclosing_locals() -> Iterable[Mapping[str, Any]]:
    """The locals of the calling function and of the functions around it that are still running."""
    frame: FrameType | None = sys._getframe(1)
    while frame is not None and _library(frame) in _NOT_THE_CALLER:
        frame = frame.f_back
    inner = frame.f_code if frame is not None else None
    while frame is not None and inner is not None and inner.co_name != "<module>":
        if frame.f_code is inner or _contains(frame.f_code, inner):
            inner = frame.f_code
            yield frame.f_locals
        frame = frame.f_back


def _library(frame: FrameType) -> str:
    return str(frame.f_globals.get("__name__", "")).partition(".")[0]


def _contains(outer: CodeType, inner: CodeType) -> bool:
    nested = [constant for constant in outer.co_consts if isinstance(constant, CodeType)]
    return any(one is inner or _contains(one, inner) for one in nested) and outer.co_name != "<module>"


def fill_words(words: list[str], variables: Mapping[str, Any], magic: str) -> list[str]:
    """The words of a magic's line with each word `$name` replaced by the variable's value; a list gives several words.

    A `$name` inside a longer word stays: a filter binds it, escaped. `{name}` is refused where such a variable exists.

    Raises:
        UsageError: there is no such variable, or `{name}` was written.
    """
    for name in (found[1] for word in words for found in _BRACES.finditer(word)):
        if name in variables:
            raise UsageError(f"%{magic}: write ${name} instead of {{{name}}}: values are bound, not pasted in.")
    return [filled for word in words for filled in _filled(word, variables, magic)]


def _filled(word: str, variables: Mapping[str, Any], magic: str) -> list[str]:
    found = _NAME.fullmatch(word)
    if found is None:
        return [word]
    if found[1] not in variables:
        raise UsageError(f"%{magic}: there is no variable {found[1]}. Run the cell that sets it.")
    value = variables[found[1]]
    if isinstance(value, (list, tuple, set)) and all(isinstance(item, str) for item in value):
        return list(value)
    if hasattr(value, "isoformat"):
        return [value.isoformat()]
    if isinstance(value, (str, Real)):
        return [str(value)]
    return [found[1]]  # a frame goes by its name
