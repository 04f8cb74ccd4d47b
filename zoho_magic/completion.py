"""Face 1: what TAB offers on our magic lines. Every other completion is left alone."""

from __future__ import annotations

import argparse
import re
from typing import Any

from IPython.core.completer import CompletionContext, SimpleCompletion, SimpleMatcherResult, context_matcher

from .magics import ZohoMagics

__all__ = ["complete", "register", "unregister"]

_OURS = re.compile(r"(?:^|[\s=(])%(?P<magic>zoho\w*)\s(?P<rest>.*)$")


@context_matcher(identifier="zoho_magic")  # type: ignore[untyped-decorator]
def complete(context: CompletionContext) -> SimpleMatcherResult:
    """Options, and the choices of the option before the cursor, on a line with one of our magics."""
    found = _OURS.search(context.line_with_cursor[: context.cursor_position])
    method = getattr(ZohoMagics, found["magic"], None) if found else None
    if found is None or method is None:
        return SimpleMatcherResult(completions=[], suppress=False)
    *before, typed = found["rest"].split(" ")
    hits = [SimpleCompletion(word, type="param") for word in _offered(method.parser, before) if word.startswith(typed)]
    return SimpleMatcherResult(completions=hits, matched_fragment=typed, suppress=bool(hits))


def _offered(parser: argparse.ArgumentParser, before: list[str]) -> list[str]:
    for action in parser._actions:
        if before and before[-1] in action.option_strings and action.nargs != 0:
            return [str(choice) for choice in action.choices or ()]
    return [name for action in parser._actions for name in action.option_strings if name.startswith("--")]


def register(ip: Any) -> None:
    """Add the matcher to a shell's completer."""
    if complete not in ip.Completer.custom_matchers:
        ip.Completer.custom_matchers.append(complete)


def unregister(ip: Any) -> None:
    """Take it away again."""
    if complete in ip.Completer.custom_matchers:
        ip.Completer.custom_matchers.remove(complete)
