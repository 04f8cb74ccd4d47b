"""The one place where a message of the library, which names Python calls and parameters, becomes one of the magics.

    zoho.login(add_scopes=["ZohoCRM.org.READ"])   ->   %zoho_login --add-scope ZohoCRM.org.READ
    via="coql"                                    ->   --via coql

A message that already names a magic stays as it is. To add a call, add a row to `_MAGICS`.
"""

from __future__ import annotations

import ast
import re
import sys
from dataclasses import replace
from typing import Any

from ..errors import ZohoError

__all__ = ["to_magic_text", "translate_error", "translate_result"]

_MAGICS = {  # method of the session -> magic
    "coql": "%%zoho_coql",
    "exchange": "%zoho_exchange",
    "fields": "%zoho_fields",
    "forget_tokens": "%zoho_revoke --forget",
    "from_env": "%zoho --env",
    "login": "%zoho_login",
    "modules": "%zoho_modules",
    "plan": "%zoho_pull --explain",
    "pull": "%zoho_pull",
    "push": "%zoho_push",
    "refresh": "%zoho_refresh",
    "revoke": "%zoho_revoke",
    "save": "%zoho --save",
    "share": "%zoho --share",
    "status": "%zoho",
    "use_keyring": "%zoho --keyring",
}
_OPTION_POSITIONALS = {"login"}
"""Methods whose positional argument is an option of the magic: `login("device")` is `--device`."""
_OPTIONS = {  # parameter -> option, where it is not `--` and the parameter with dashes
    "add_scopes": "--add-scope",
    "delete_file": "--delete-file",
    "environment": "",
}
_PARAMETERS = (
    *("via", "order_by", "limit", "since", "converted", "frame", "fields", "where", "on", "dry_run", "clear_empty"),
    *("count", "refresh", "add_scopes", "trust_file", "max_wait", "params"),
)
_CALL = re.compile(r"(?:zoho|ZohoSession)\.([a-z_]+)\((?:[^()'\"]|'[^']*'|\"[^\"]*\")*\)")
_KEYWORD = re.compile(rf"(?<![\w-])({'|'.join(_PARAMETERS)})=(\"[^\"]*\"|'[^']*'|\[[^\]]*\]|True|False|\d+)")
_PARAMETER = re.compile(rf"`({'|'.join(_PARAMETERS)})`")


def to_magic_text(text: str) -> str:
    """The text with calls and parameters as magics and options.

    Example::

        >>> to_magic_text('Use via="coql", or run zoho.login("device").')
        'Use --via coql, or run %zoho_login --device.'
    """
    text = _CALL.sub(_magic_of, text)
    text = _KEYWORD.sub(lambda found: _option(found[1], ast.literal_eval(found[2])), text)
    return _PARAMETER.sub(lambda found: _name(found[1]), text)


def translate_error(error: ZohoError) -> None:
    """Let the message and the hint of an error name magics and options."""
    error.args = (to_magic_text(str(error.args[0])), *error.args[1:])
    error.hint = to_magic_text(error.hint)


def translate_result(result: Any) -> Any:
    """A status whose next step and warnings name magics; anything else as it is."""
    status = sys.modules.get("zoho_magic.status")
    if status is None or not isinstance(result, status.Status):
        return result
    return replace(
        result,
        next_step=to_magic_text(result.next_step),
        warnings=tuple(map(to_magic_text, result.warnings)),
    )


def _magic_of(found: re.Match[str]) -> str:
    if (magic := _MAGICS.get(found[1])) is None:
        return found[0]
    try:
        call = ast.parse(found[0], mode="eval").body
    except SyntaxError:
        return found[0]
    assert isinstance(call, ast.Call)
    prefix = "--" if found[1] in _OPTION_POSITIONALS else ""
    words = [f"{prefix}{_value(each)}" for each in call.args]
    words += [_option(each.arg or "", _value(each.value)) for each in call.keywords]
    return " ".join(filter(None, [magic, *words]))


def _value(node: ast.expr) -> Any:
    return ast.literal_eval(node) if not isinstance(node, ast.Name) else node.id.upper()


def _option(parameter: str, value: Any) -> str:
    name = _name(parameter)
    if value is True or not name:
        return name
    if value is False or value == []:
        return f"--no-{name.removeprefix('--')}"
    values = value if isinstance(value, (list, tuple)) else [value]
    return " ".join([name, *(f'"{one}"' if " " in str(one) else str(one) for one in values)])


def _name(parameter: str) -> str:
    return _OPTIONS.get(parameter, f"--{parameter.replace('_', '-')}")
