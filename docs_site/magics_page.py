"""The page of the magics, made from their parsers: the same text that `-h` prints."""

from __future__ import annotations

import argparse
import inspect
import re
from typing import Any

from .markdown import escaped, table

HEAD = """\
# Magics

`%load_ext zoho_magic` adds them. Every magic prints this text for `-h`, and TAB completes its options, modules and fields.
`$name` on a line stands for a variable of the notebook.
"""


def make() -> str:
    """Every magic with its options."""
    magics = parsers()
    overview = [(f"[`{name}`](#{anchor(name)})", escaped(_summary(parser))) for name, parser in magics.items()]
    sections = [_section(name, parser) for name, parser in magics.items()]
    return "\n".join([HEAD, table(("Magic", "What it does"), overview), *sections])


def parsers() -> dict[str, argparse.ArgumentParser]:
    """The name of each magic, `%%` for those that also take a cell, and its parser."""
    from zoho_magic.notebook.magic_parser import parser_of
    from zoho_magic.notebook.magics import ZohoMagic

    lines, cells = ZohoMagic.magics["line"], ZohoMagic.magics["cell"]
    names = {**{name: method for name, method in cells.items() if name not in lines}, **lines}
    return {
        f"{'%%' if name in cells else '%'}{name}": parser_of(getattr(ZohoMagic, method, method))
        for name, method in sorted(names.items())
    }


def anchor(name: str) -> str:
    """The heading's id on the page."""
    return name.lstrip("%")


def _summary(parser: argparse.ArgumentParser) -> str:
    text = (parser.description or "").partition(": ")[2]
    return " ".join(text.split("\n\n")[0].split())


def _section(name: str, parser: argparse.ArgumentParser) -> str:
    text = (parser.description or "").partition(": ")[2]
    prose, _, examples = re.split(r"\n(Examples?)::\n", text, maxsplit=1) if "::\n" in text else (text, "", "")
    parts = [f"## {name} {{#{anchor(name)}}}", escaped(prose.strip())]
    parts += [_exclusive(group) for group in parser._mutually_exclusive_groups]
    rows = [_row(action, parser) for action in parser._actions if action.dest != "help"]
    parts += [table(("Option", "Meaning"), rows)] if rows else []
    parts += [f"```text\n{inspect.cleandoc(examples)}\n```"] if examples else []
    return "\n\n".join(part for part in parts if part) + "\n"


def _exclusive(group: Any) -> str:
    names = [f"`{action.option_strings[0]}`" for action in group._group_actions]
    return f"At most one of {', '.join(names)}."


def _row(action: argparse.Action, parser: argparse.ArgumentParser) -> tuple[str, str]:
    formatter = argparse.HelpFormatter(parser.prog)
    meaning = formatter._expand_help(action) if action.help else ""
    choices = f". One of {', '.join(f'`{each}`' for each in action.choices)}." if action.choices else ""
    return f"`{_written(action)}`", escaped(meaning.rstrip(".")) + choices


def _written(action: argparse.Action) -> str:
    value = action.metavar if action.nargs != 0 else None
    many = f"{value} ..." if action.nargs in ("+", "*") else f"[{value}]" if action.nargs == "?" else str(value)
    shown = "" if value is None else many
    if action.choices and not value:
        shown = action.dest.upper()
    return " ".join(filter(None, [", ".join(action.option_strings), shown]))
