"""Looks for secrets in everything an exception can reach: a verbose traceback, %debug and inspectors show all of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from types import FrameType, FunctionType, MethodType, ModuleType, TracebackType
from typing import Any

_TESTS = str(Path(__file__).parents[1])
_OPAQUE = (type, ModuleType, FunctionType, MethodType)


def leaks(error: BaseException, *secrets: str) -> list[str]:
    """Where a secret shows: the exceptions behind this one, their words, and the locals of every frame but a test's."""
    found: list[str] = []
    seen: set[int] = set()
    for link in _chain(error):
        shown = {"str": str(link), "repr": repr(link), "args": link.args, "vars": vars(link)}
        shown["notes"] = getattr(link, "__notes__", [])
        for name, frame in _frames(link.__traceback__):
            shown[f"locals of {name}"] = dict(frame.f_locals)
        for where, value in shown.items():
            found += [f"{type(link).__name__}: {where}{path}" for path in _paths(value, secrets, seen, 12)]
    return found


def _chain(error: BaseException) -> list[BaseException]:
    links, todo = [], [error]
    while todo:
        link = todo.pop()
        if link not in links:
            links.append(link)
            todo += [behind for behind in (link.__context__, link.__cause__) if behind is not None]
    return links


def _frames(trace: TracebackType | None) -> Iterator[tuple[str, FrameType]]:
    while trace is not None:
        frame = trace.tb_frame
        if not frame.f_code.co_filename.startswith(_TESTS):
            yield f"{frame.f_code.co_name} ({Path(frame.f_code.co_filename).name})", frame
        trace = trace.tb_next


def _paths(value: Any, secrets: tuple[str, ...], seen: set[int], depth: int) -> Iterator[str]:
    if isinstance(value, (str, bytes, bytearray)):
        text = value if isinstance(value, str) else bytes(value).decode("latin-1")
        if any(secret in text for secret in secrets):
            yield ""
        return
    if depth == 0 or isinstance(value, _OPAQUE) or id(value) in seen:
        return
    seen.add(id(value))
    if any(secret in repr(value) for secret in secrets):
        yield " (repr)"
    for name, part in _parts(value):
        yield from (f".{name}{path}" for path in _paths(part, secrets, seen, depth - 1))


def _parts(value: Any) -> list[tuple[str, Any]]:
    if isinstance(value, BaseException):
        frames = [(f"<{name}>", dict(frame.f_locals)) for name, frame in _frames(value.__traceback__)]
        return [("args", value.args), *vars(value).items(), *frames]
    if isinstance(value, dict):
        return [(str(key)[:30], part) for key, part in value.items()] + [("keys", list(value))]
    if isinstance(value, (list, tuple, set, frozenset)):
        return [(str(index), part) for index, part in enumerate(value)]
    parts = dict(getattr(value, "__dict__", {}))
    for kind in type(value).__mro__:
        slots = kind.__dict__.get("__slots__", ())
        for name in (slots,) if isinstance(slots, str) else slots:
            parts[name] = getattr(value, name, None)
    if isinstance(value, Mapping) and not parts:
        parts = {str(key): part for key, part in value.items()}
    return list(parts.items())
