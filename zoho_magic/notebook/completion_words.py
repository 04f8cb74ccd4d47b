"""Which words TAB offers on our magic lines and in COQL cells.

Options and choices come from the magic's parser; names of modules and fields from the CRM, for arguments that say
`completes="module"` or `completes="field"`.
"""

from __future__ import annotations

import argparse
import re
import threading
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from ..errors import ZohoError
from ..http.backoff import wait_budget
from .lazy_session import get_session
from .magic_parser import parser_of
from .magics import ZohoMagic

if TYPE_CHECKING:
    from ..crm.metadata import Field
    from ..session import ZohoSession

__all__ = ["Offer", "offer"]

PATIENCE_SECONDS = 1.5
"""How long TAB waits for names it has to ask the CRM for; they are there at the next TAB."""

_OURS = re.compile(r"(?:^|[\s=(])%%?(?P<magic>zoho\w*)\s(?P<rest>.*)$")
_COQL_CELL = re.compile(r"\s*%%zoho_coql\b[^\n]*\n(?P<query>.*)", re.DOTALL)
_COQL_LINE = re.compile(r"(?:^|[\s=(])%zoho_coql\s(?P<query>.*\bselect\b.*)$", re.IGNORECASE)
_FROM = re.compile(r"\bfrom\s+(\w+)", re.IGNORECASE)
_AFTER_FROM = re.compile(r"\b(?:from|join)\s+\w*$", re.IGNORECASE)
_DOLLAR = re.compile(r"\$(\w*)$")
_PATH = re.compile(r"[\w.]*$")
_PROFILE = re.compile(r"(?<!\S)--profile(?:=|\s+)(\S+)(?=\s)")
_OPEN_VALUE = re.compile(
    r"(?P<path>\w[\w.]*)\s*(?:=|!=|<>|\blike\b|\b(?:not\s+)?in\b\s*\((?:\s*'[^']*'\s*,)*)\s*'(?P<typed>[^']*)$",
    re.IGNORECASE,
)
_WORD = re.compile(r"[^\s\"',(=<>!]*$")


class Offer(NamedTuple):
    """The words that may replace `typed`, the text before the cursor."""

    words: list[str]
    typed: str


def offer(line: str, cell: str) -> Offer:
    """Names in a COQL query; options, choices and names on any other line with one of our magics.

    Args:
        line: the line with the cursor, up to the cursor.
        cell: the whole cell.

    Returns:
        No words where the line is none of ours, or nothing fits.
    """
    if (_OURS.search(line) or _COQL_CELL.match(cell)) and (dollar := _DOLLAR.search(line)):
        return _fitting(_variables(), dollar[1])
    if (value := _open_value(line, cell)) is not None:
        return value
    body = _COQL_CELL.match(cell)
    query = _COQL_LINE.search(line)
    if (body is not None and not line.lstrip().startswith("%%")) or query is not None:
        whole = body["query"] if body is not None else cell
        return _fitting(_in_query(line, whole, _profile(cell)), _PATH.findall(line)[0])
    found = _OURS.search(line)
    method = getattr(ZohoMagic, found["magic"], None) if found else None
    if found is None or method is None:
        return Offer([], "")
    return _fitting(_on_line(parser_of(method), found["rest"]), _WORD.findall(found["rest"])[0])


def _fitting(words: Iterable[str], typed: str) -> Offer:
    start = typed.lower()
    return Offer([word for word in words if word.lower().startswith(start)], typed)


# A magic's line


def _on_line(parser: argparse.ArgumentParser, rest: str) -> list[str]:
    typed, profile = _WORD.findall(rest)[0], _profile(rest)
    before = _PROFILE.sub("", rest[: len(rest) - len(typed)]).split()
    action = _waiting(parser, before)
    if typed.startswith("-"):
        action = None
    if action is not None and action.choices is not None:
        return [str(choice) for choice in action.choices]
    if getattr(action, "completes", "") == "view":
        return _quoted(_views(before[0], profile), rest, typed)
    if (names_of := _COMPLETERS.get(getattr(action, "completes", ""))) is not None:
        return names_of(before[0] if before else "", profile)
    return [name for each in parser._actions for name in each.option_strings if name.startswith("--")]


def _waiting(parser: argparse.ArgumentParser, before: list[str]) -> argparse.Action | None:
    """The argument the next word belongs to: an option that still takes values, else the next positional one."""
    by_name = {name: action for action in parser._actions for name in action.option_strings}
    options = [word for word in before if word in by_name]
    if options:
        action, values = by_name[options[-1]], before[::-1].index(options[-1])
        return action if action.nargs == "+" or (action.nargs is None and (values == 0 or _is_open(before))) else None
    positional = [action for action in parser._actions if not action.option_strings]
    return positional[len(before)] if len(before) < len(positional) else None


def _is_open(before: list[str]) -> bool:
    return sum(word.count('"') + word.count("'") for word in before) % 2 == 1


def _profiles() -> list[str]:
    from ..config import profiles

    return profiles.list_profiles()


# A COQL query


def _profile(text: str) -> str | None:
    """The profile a line names, whose modules and fields are then the ones to offer."""
    found = _PROFILE.search(text.partition("\n")[0] + " ")
    return found[1] if found else None


def _in_query(line: str, query: str, profile: str | None) -> list[str]:
    if _AFTER_FROM.search(line):
        return _modules(profile)
    found = _FROM.search(query)
    if found is None:
        return []
    *steps, _ = _PATH.findall(line)[0].split(".")
    return [".".join([*steps, name]) for name in _fields(found[1], steps, profile)]


def _open_value(line: str, cell: str) -> Offer | None:
    """The choices of the picklist that is compared with the text before the cursor; None where there is none."""
    value, found = _OPEN_VALUE.search(line), _OURS.search(line)
    if value is None or not (found or _COQL_CELL.match(cell)):
        return None
    if found is None or found["magic"] == "zoho_coql":
        named, profile = _FROM.search(cell), _profile(cell)
        module = named[1] if named else ""
    else:
        module, profile = (found["rest"].split() or [""])[0], _profile(found["rest"])
    *steps, field = value["path"].split(".")
    choices = _choices(module, steps, field, profile) if module else []
    return _fitting([choice.replace("'", "''") for choice in choices], value["typed"])


def _choices(module: str, steps: Iterable[str], field: str, profile: str | None) -> list[str]:
    return _in_time(lambda session: list(_target(session, module, steps)[field].picklist_values), profile)


# Names from the CRM


def _modules(profile: str | None) -> list[str]:
    return _in_time(lambda session: list(session.metadata.modules()), profile)


def _fields(module: str, steps: Iterable[str] = (), profile: str | None = None) -> list[str]:
    return _in_time(lambda session: list(_target(session, module, steps)), profile)


def _target(session: ZohoSession, module: str, steps: Iterable[str]) -> Mapping[str, Field]:
    """The fields of the module that these lookups lead to."""
    for step in steps:
        module = session.metadata.fields(module)[step].lookup_module
    return session.metadata.fields(module)


def _views(module: str, profile: str | None) -> list[str]:
    return _in_time(lambda session: list(session.views(module)["name"]), profile)


def _quoted(names: list[str], rest: str, typed: str) -> list[str]:
    """Names in quotes where they hold spaces; in an open quote, what is missing of them from the last word on."""
    if not _is_open([rest]):
        return [f'"{name}"' if " " in name else name for name in names]
    quote = max(rest.rfind('"'), rest.rfind("'"))
    done = rest[quote + 1 : len(rest) - len(typed)]
    return [f"{name[len(done) :]}{rest[quote]}" for name in names if name.lower().startswith(done.lower())]


def _in_time(ask: Callable[[ZohoSession], list[str]], profile: str | None) -> list[str]:
    names: list[str] = []
    from ..session_registry import current_session, has_sessions

    if not (
        has_sessions() if profile else current_session()
    ):  # TAB alone connects to nothing: a magic has to be used first
        return names

    def fetch() -> None:
        # TAB has nowhere to show an error; the call it prepares will.
        try:
            with wait_budget(0.0):
                names.extend(ask(get_session(profile)))
        except (ZohoError, KeyError):
            return

    asking = threading.Thread(target=fetch, daemon=True, name="zoho_magic completion")
    asking.start()
    asking.join(PATIENCE_SECONDS)
    return list(names)


def _frames() -> list[str]:
    """The notebook's variables that hold rows: frames of any library, and lists of dicts."""
    return [name for name, value in _notebook().items() if not name.startswith("_") and _holds_rows(value)]


def _holds_rows(value: object) -> bool:
    if isinstance(value, list):
        return bool(value) and isinstance(value[0], dict)
    return not isinstance(value, type) and hasattr(value, "columns") and hasattr(value, "shape")


def _variables() -> list[str]:
    kinds = (str, int, float, list, tuple, set)
    plain = {name: value for name, value in _notebook().items() if not name.startswith("_")}
    return [name for name, value in plain.items() if isinstance(value, kinds) or hasattr(value, "isoformat")]


def _notebook() -> dict[str, Any]:
    from IPython import get_ipython

    shell = get_ipython()
    hidden = getattr(shell, "user_ns_hidden", {})
    return {name: value for name, value in getattr(shell, "user_ns", {}).items() if name not in hidden}


_COMPLETERS: dict[str, Callable[[str, str | None], list[str]]] = {
    "module": lambda _module, profile: _modules(profile),
    "field": lambda module, profile: _fields(module, profile=profile),
    "profile": lambda _module, _profile: _profiles(),
    "variable": lambda _module, _profile: _frames(),
}
"""What an option's `completes=` offers, from the line's first word (its module) and its profile."""
