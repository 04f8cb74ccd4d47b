"""The variables a magic sees: those of the calling function first, then the notebook's.

Python keeps a variable of an enclosing function for an inner one only if the inner one's code mentions it; the text of
a magic is no mention. Where such a variable is gone, the notebook's variable of that name is refused: taking it would
write or query the wrong data.
"""

from __future__ import annotations

import ast
import dis
import gc
import inspect
import linecache
import os
import re
import sys
from collections import ChainMap
from collections.abc import Iterator, Mapping
from functools import cached_property
from numbers import Number
from types import CodeType, FrameType, FunctionType
from typing import Any

from IPython.core.error import UsageError

__all__ = ["fill_words", "is_assigned", "refuse_braces", "visible_variables", "without_semicolon"]

_NAME = re.compile(r"(?<![^\s,(])\$([A-Za-z_]\w*)")
_BRACES = re.compile(r"\{([^{}]*\w[^{}]*)\}")
_LIBRARIES = {"zoho_magic", "IPython", "ipykernel", "decorator", "ipython_genutils"}
_UNNAMED = ("<listcomp>", "<setcomp>", "<dictcomp>", "<genexpr>")


def visible_variables(shell: Any, local_ns: Mapping[str, Any] | None) -> Mapping[str, Any]:
    """Name -> value, as Python would resolve it where the magic was written.

    Looking up a name that belongs to a function around the magic and cannot be read any more raises UsageError.

    Args:
        shell: IPython's shell.
        local_ns: the locals of the calling function, as IPython hands them over; None outside of one.
    """
    notebook: dict[str, Any] = shell.user_ns
    frame = _calling_frame()
    if frame is None or not _is_function(frame.f_code):
        return ChainMap({} if local_ns is None else dict(local_ns), notebook)
    scopes = [dict(frame.f_locals), *_enclosing_locals(frame)]
    return ChainMap(*scopes, _Unreadable(frame.f_code, shell), frame.f_globals, notebook)  # type: ignore[arg-type]


def _calling_frame() -> FrameType | None:
    frame: FrameType | None = sys._getframe(1)
    while frame is not None and str(frame.f_globals.get("__name__", "")).partition(".")[0] in _LIBRARIES:
        frame = frame.f_back
    return frame


def is_assigned() -> bool:
    """Whether what the magic returns goes into a variable, as in `leads = %zoho_pull Leads`."""
    frame = _calling_frame()
    if frame is None:
        return False
    following = (one.opname for one in dis.get_instructions(frame.f_code) if one.offset > frame.f_lasti)
    return next(following, "").startswith("STORE_")


def _is_function(code: CodeType) -> bool:
    return bool(code.co_flags & inspect.CO_OPTIMIZED)  # neither a cell nor the body of a class


def _enclosing_locals(frame: FrameType) -> Iterator[Mapping[str, Any]]:
    """The locals of the functions around this one, as far as they are still running."""
    inner: FrameType | None = frame
    while inner is not None and inner.f_code.co_flags & inspect.CO_NESTED:
        inner = _defining_frame(inner)
        if inner is not None:
            yield dict(inner.f_locals)


def _defining_frame(inner: FrameType) -> FrameType | None:
    """The running call that made the function of this frame; None where that is not certain."""
    back, calls = inner.f_back, list[FrameType]()
    while back is not None:
        if any(constant is inner.f_code for constant in back.f_code.co_consts):
            calls.append(back)
        back = back.f_back
    if len(calls) != 1 or not _is_function(calls[0].f_code):
        return None
    return calls[0] if inner.f_code.co_name in _UNNAMED or _is_made_by(calls[0], inner.f_code) else None


def _is_made_by(call: FrameType, code: CodeType) -> bool:
    # A function made by an earlier call of the same outer function has other variables around it.
    made: Any = call.f_locals.get(code.co_name)
    while hasattr(made, "__wrapped__"):
        made = made.__wrapped__
    same = [one for one in gc.get_referrers(code) if isinstance(one, FunctionType) and one.__code__ is code]
    return same == [made]


class _Unreadable(Mapping[str, Any]):
    """The variables of the function and of those around it that have no value, or none that can be found.

    It contains them, so that no variable of the notebook takes their place, and lists none.
    """

    def __init__(self, code: CodeType, shell: Any) -> None:
        self._code, self._shell = code, shell

    def __contains__(self, name: object) -> bool:
        return name in self._names

    def __getitem__(self, name: str) -> Any:
        if name not in self._names:
            raise KeyError(name)
        raise UsageError(
            f"{name} is a variable of the function {self._names[name]} that cannot be read here. Make it a parameter "
            f"of the function {self._code.co_name}, or mention {name} in its Python code."
        )

    def __iter__(self) -> Iterator[str]:
        return iter(())

    def __len__(self) -> int:
        return 0

    @cached_property
    def _names(self) -> dict[str, str]:
        """Name -> the function it belongs to."""
        around = _enclosing_code(self._code, self._shell) if self._code.co_flags & inspect.CO_NESTED else []
        return {name: code.co_name for code in (*around, self._code) for name in (*code.co_varnames, *code.co_cellvars)}


def _enclosing_code(code: CodeType, shell: Any) -> list[CodeType]:
    """The functions around this one, by the text of its cell or file: nothing else remembers them.

    Of several functions with one name that begin on one line, all are meant.
    """
    text = "".join(linecache.getlines(code.co_filename))
    flags = getattr(getattr(shell, "compile", None), "flags", 0) | ast.PyCF_ALLOW_TOP_LEVEL_AWAIT
    try:
        whole = compile(text, code.co_filename, "exec", flags, dont_inherit=True)
    except (SyntaxError, ValueError):
        return []
    return [one for path in _paths_to(code, whole, ()) for one in path if _is_function(one)]


def _paths_to(code: CodeType, within: CodeType, path: tuple[CodeType, ...]) -> Iterator[tuple[CodeType, ...]]:
    for one in within.co_consts:
        if isinstance(one, CodeType):
            if (one.co_name, one.co_firstlineno) == (code.co_name, code.co_firstlineno):
                yield (*path, within)
            yield from _paths_to(code, one, (*path, within))


def refuse_braces(text: str, variables: Mapping[str, Any], magic: str) -> None:
    """Raise UsageError where `{...}` was written: other magics would fill it in, here it would be sent as it stands."""
    found = _BRACES.search(text)
    if found is None:
        return
    name = found[1].strip()
    if name.isidentifier() and name in variables:
        raise UsageError(f"%{magic}: write ${name} instead of {{{name}}}: values are bound, not pasted in.")
    raise UsageError(
        f"%{magic}: nothing in braces is filled in. Write $name instead of {{name}}, and assign an expression to a "
        "variable first. A text that really holds braces is a variable's value too."
    )


def fill_words(words: list[str], variables: Mapping[str, Any], magic: str, option: str) -> list[str]:
    """The words of one argument with each `$name` replaced by the variable's value; a list gives several words.

    Args:
        words: what was written for the argument.
        variables: name -> value.
        magic: the magic's name, for errors.
        option: the argument's name, for errors.

    Raises:
        UsageError: there is no such variable, or its value is none that an argument can have.
    """
    return [filled for word in words for filled in _filled(word, variables, f"%{magic}: ", option)]


def _filled(word: str, variables: Mapping[str, Any], where: str, option: str) -> list[str]:
    if whole := _NAME.fullmatch(word):
        return _values(whole[1], variables, where, option)
    return [_NAME.sub(lambda found: ",".join(_values(found[1], variables, where, option)), word)]


def _values(name: str, variables: Mapping[str, Any], where: str, option: str) -> list[str]:
    if name not in variables:
        raise UsageError(f"{where}there is no variable {name}. Run the cell that sets it.")
    value = variables[name]
    many = value if isinstance(value, (list, tuple, set, frozenset)) else getattr(value, "tolist", lambda: None)()
    if isinstance(many, (list, tuple, set, frozenset)) and many and all(isinstance(one, str) for one in many):
        return [_checked(one, name, where) for one in many]
    text = _text_of(value)
    if text is None:
        raise UsageError(f"{where}{option} cannot take ${name}, which is {_described(value)}.")
    return [_checked(text, name, where)]


def _text_of(value: Any) -> str | None:
    """A value as it would be written on a line; None where it has no such form."""
    if value is None or isinstance(value, complex) or _is_nan(value):
        return None
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    if isinstance(value, (str, Number)):
        return str(value)
    if hasattr(value, "isoformat"):
        return str(value.isoformat())
    return os.fspath(value) if isinstance(value, os.PathLike) else None


def _is_nan(value: Any) -> bool:
    """Whether it is NaN or NaT, which are not equal to themselves."""
    return (isinstance(value, Number) or hasattr(value, "isoformat")) and bool(value != value)


def _described(value: Any) -> str:
    if value is None or _is_nan(value):
        return str(value)
    return f"of type {type(value).__name__}"


def _checked(text: str, name: str, where: str) -> str:
    if not text.strip():
        raise UsageError(f"{where}${name} is empty.")
    return text


def without_semicolon(line: str) -> tuple[str, bool]:
    """The line without IPython's sign for "do not show it", and whether it had one."""
    bare = line.rstrip()
    return (bare[:-1].rstrip(), True) if bare.endswith(";") else (line, False)
