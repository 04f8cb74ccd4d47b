"""How a magic's line is read: split like a shell, parsed by argparse, and never repeated in an error."""

from __future__ import annotations

import argparse
import inspect
import re
import shlex
from collections.abc import Callable, Mapping
from contextlib import suppress
from copy import copy
from functools import cache, partial, wraps
from types import MappingProxyType
from typing import Any, NoReturn

from IPython.core.error import UsageError
from IPython.core.magic import line_cell_magic, line_magic, needs_local_scope, no_var_expand

from ..errors import ZohoError
from ..http.call_log import caller
from .lazy_session import find_module
from .translation import translate_error, translate_result
from .variables import fill_words, is_assigned, refuse_braces, visible_variables, without_semicolon

__all__ = ["LineParser", "assign", "magic", "option", "parser_of"]

_COMMENT = re.compile(r"(?<!\S)#")
_EXCLUDED = re.compile(r"argument (--[\w/-]+): not allowed with argument (--[\w/-]+)")

_OURS = ("completes", "one_of", "binds")  # settings of an option that argparse does not know

Option = tuple[tuple[str, ...], dict[str, Any]]


class _HelpWasShown(Exception):  # noqa: N818  # not an error
    pass


_AFTER_INTERRUPT = "What had arrived was not kept. Run the cell again."


class Interrupted(ZohoError, KeyboardInterrupt):  # noqa: N818  # it reads as what happened
    """Ctrl-C, or "interrupt the kernel", during a magic: one line instead of the traceback of every waiting thread."""


_PATHS = ("FILE", "FOLDER", "PATH")
"""Metavars of arguments that name a file or folder."""


class LineParser(argparse.ArgumentParser):
    """argparse for a magic line. Its errors name options and choices, never what was typed: that may be a secret."""

    _variables: Mapping[str, Any] = MappingProxyType({})
    _unquoted = ""

    def error(self, message: str) -> NoReturn:
        """Raise UsageError with a sentence of our own."""
        raise UsageError(f"%{self.prog}: {self._friendly_error(message)} Try %{self.prog} -h.")

    def exit(self, status: int = 0, message: str | None = None) -> NoReturn:  # noqa: ARG002
        """-h was asked for: leave the magic, not the kernel."""
        raise _HelpWasShown

    def read(
        self,
        line: str,
        variables: Mapping[str, Any] = MappingProxyType({}),
        defaults: Mapping[str, Any] = MappingProxyType({}),
    ) -> argparse.Namespace | None:
        """The line's arguments, or None when it asked for help, which is then printed.

        Args:
            line: what stands behind the magic's name.
            variables: what a word `$name` may stand for; also in the result, as `variables`.
            defaults: values of options that the line does not have, by the option's name, for the options there are.
        """
        refuse_braces(self._without_paths(line), variables, self.prog)
        words = self._words(line)
        self._refuse_unknown_options(words)
        reader = copy(self)  # one parser serves every thread; the variables belong to this line
        reader._variables, reader._unquoted = variables, _unquoted(line)
        try:
            return reader.parse_args(words, argparse.Namespace(variables=variables, **self._own(defaults)))
        except _HelpWasShown:
            return None

    def _get_values(self, action: argparse.Action, arg_strings: list[str]) -> Any:
        # Here and not before: only the argument says what a `$name` may be, and a value never becomes an option.
        if getattr(action, "binds", False) or getattr(action, "completes", "") == "variable":
            return super()._get_values(action, arg_strings)
        name = "/".join(action.option_strings) or str(action.metavar or action.dest)
        filled = fill_words(arg_strings, self._variables, self.prog, name)
        if len(filled) > 1 and action.nargs in (None, "?"):
            raise UsageError(f"%{self.prog}: {name} takes one value, not {len(filled)}.")
        return super()._get_values(action, filled)

    def _own(self, defaults: Mapping[str, Any]) -> dict[str, Any]:
        options = {one.dest: one for one in self._actions if one.option_strings and one.nargs is None}
        fitting = {name: value for name, value in defaults.items() if value is not None and name in options}
        return {n: v for n, v in fitting.items() if options[n].choices is None or v in (options[n].choices or ())}

    def _without_paths(self, line: str) -> str:
        """The line without the names of files, in which braces may stand."""
        paths = [action for action in self._actions if action.metavar in _PATHS]
        if not all(action.option_strings for action in paths):
            return ""
        for name in (name for action in paths for name in action.option_strings):
            line = re.sub(rf"{name}[\s=]+\S+", "", line)
        return line

    def _words(self, line: str) -> list[str]:
        # shlex would also see a comment inside a word and cut the word there; a shell does not.
        for end in (*(mark.start() for mark in _COMMENT.finditer(line)), len(line)):
            with suppress(ValueError):
                return shlex.split(line[:end])
        raise UsageError(f"%{self.prog}: a quote is opened and never closed. Try %{self.prog} -h.")

    def _refuse_unknown_options(self, words: list[str]) -> None:
        known = [name for action in self._actions for name in action.option_strings]
        for word in words:
            name = word.partition("=")[0]
            if name.startswith("--") and name != "--" and not any(option.startswith(name) for option in known):
                from difflib import get_close_matches  # %load_ext has no use for it

                near = get_close_matches(name, known, n=1)
                meant = f"Did you mean {near[0]}?" if near else f"Valid options: {', '.join(known)}."
                raise UsageError(f"%{self.prog}: unknown option. {meant}")

    def _friendly_error(self, message: str) -> str:
        if excluded := _EXCLUDED.fullmatch(message):
            return f"{excluded[1]} and {excluded[2]} cannot be used together."
        for action in self._actions:
            name = "/".join(action.option_strings) or action.metavar or action.dest
            if message.startswith(f"argument {name}:"):
                return f"{name} {self._expected(action)}."
        if message.startswith("the following arguments are required"):
            return message.removeprefix("the following arguments are required: ") + " is missing."
        return f"unexpected argument.{self._unquoted}"

    def _expected(self, action: argparse.Action) -> str:
        if action.nargs == 0:
            return "takes no value"
        if action.choices is not None:
            return "must be one of " + ", ".join(map(str, action.choices))
        return f"must be {described}" if (described := getattr(action.type, "description", "")) else "needs a value"


_CONDITION = re.compile(r"(--where|--order-by)[\s=]+([^\s\"'].*?)\s*(?=\s--\w|$)")


def _unquoted(line: str) -> str:
    """How a condition without quotes should have been written; "" where there is none."""
    found = _CONDITION.search(line)
    return f' {found[1]} takes one text in quotes: {found[1]} "{found[2]}".' if found and " " in found[2] else ""


def option(*names: str, **settings: Any) -> Option:
    """One argument of a magic, as for `ArgumentParser.add_argument`.

    `completes="module"` and the like make TAB offer those names for it (`completion_words._COMPLETERS`); of the
    options with the same `one_of`, a line takes one at most. `binds=True` leaves `$name` to the method, which binds it.
    """
    return names, settings


def magic(*options: Option, cell: bool = False) -> Callable[[Callable[[Any, argparse.Namespace], Any]], Any]:
    """Make a method a magic: it gets the parsed line, and its help and completion follow from the options.

    Nothing on the line is expanded: IPython would evaluate `{...}` in pasted text.

    Args:
        options: what may stand on the line.
        cell: a line and cell magic. `line.body` is the cell's text, or on a line everything behind the options.
    """
    kind = line_cell_magic if cell else line_magic

    def decorate(method: Callable[[Any, argparse.Namespace], Any]) -> Any:
        @wraps(method)
        def run(self: Any, line: str, text: str | None = None, local_ns: Mapping[str, Any] | None = None) -> Any:
            line, is_quiet = without_semicolon(line)
            head, body = _split_options(line) if cell and text is None else (line, text)
            seen = visible_variables(self.shell, local_ns)
            arguments = parser_of(run).read(head, seen, getattr(self, "defaults", MappingProxyType({})))
            if arguments is None:
                return None
            if body is not None:
                refuse_braces(body, arguments.variables, method.__name__)
            arguments.body = body
            found = _called(partial(method, self), parser_of(run), arguments)
            return None if is_quiet and not is_assigned() else found

        _document(run, method, options)
        return needs_local_scope(no_var_expand(kind(run)))

    return decorate


def _called(method: Callable[[argparse.Namespace], Any], parser: LineParser, arguments: argparse.Namespace) -> Any:
    """What the magic returns, or its failure, in the words of magics."""
    name = f"%{parser.prog}"
    try:
        _complete_module_names(parser, arguments)
        with caller(name):
            return translate_result(method(arguments))
    except ZohoError as error:
        translate_error(error)
        raise
    except KeyboardInterrupt as stop:
        interrupted = Interrupted(str(stop) or f"{name} was interrupted.", hint=_AFTER_INTERRUPT)
    raise interrupted


def _complete_module_names(parser: LineParser, arguments: argparse.Namespace) -> None:
    """`leads` is Leads, where the CRM has one module of that name in other letters."""
    for action in parser._actions:
        value = getattr(arguments, action.dest, None)
        if getattr(action, "completes", "") == "module" and isinstance(value, str) and value.islower():
            setattr(arguments, action.dest, find_module(value, getattr(arguments, "profile", None)))


_HEAD = re.compile(r"\s*((?:--?[\w-]+(?:=\S+|\s+(?!select\b)\S+)?(?:\s+|$))*)(.*)", re.IGNORECASE | re.DOTALL)


def _split_options(line: str) -> tuple[str, str]:
    found = _HEAD.fullmatch(line)
    return (found[1], found[2]) if found else ("", line)


def assign(shell: Any, name: str | None, value: Any) -> Any:
    """Put the value into the notebook's variable of that name and return nothing; without a name, return the value."""
    if name is None:
        return value
    if not name.isidentifier():
        raise UsageError("The variable's name is not one Python allows.")
    shell.user_ns[name] = value
    return None


def parser_of(magic_method: Any) -> LineParser:
    """The parser of a magic's line, built at the first call: all of them together take longer than `%load_ext` may."""
    parser: LineParser = magic_method.build_parser()
    return parser


def _document(run: Any, method: Callable[..., Any], options: tuple[Option, ...]) -> None:
    run.build_parser = cache(lambda: _parser(method, options))
    run.getdoc = lambda: parser_of(run).format_help()  # what IPython's `?` and Shift-TAB show, built when asked for
    del run.__wrapped__  # IPython 7 would call a line magic by the signature of the wrapped method


def _parser(method: Callable[..., Any], options: tuple[Option, ...]) -> LineParser:
    text = inspect.getdoc(method) or ""
    parser = LineParser(
        prog=method.__name__,
        usage=argparse.SUPPRESS,
        description=f"%{method.__name__}: {text}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    groups: dict[str, argparse._MutuallyExclusiveGroup] = {}
    for names, settings in options:
        one_of = settings.get("one_of", "")
        if one_of and one_of not in groups:
            groups[one_of] = parser.add_mutually_exclusive_group()
        plain = {key: value for key, value in settings.items() if key not in _OURS}
        action = groups.get(one_of, parser).add_argument(*names, **plain)
        action.completes = settings.get("completes", "")  # type: ignore[attr-defined]
        action.binds = settings.get("binds", False)  # type: ignore[attr-defined]
    return parser
