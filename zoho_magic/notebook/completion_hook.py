"""TAB in IPython 7.34 to 8.5, which have no matchers: Google Colab and Kaggle pin 7.34.

IPython's hook `complete_command` serves `ip.complete`, which knows one line. Notebooks and terminals ask
`Completer.completions` with the whole cell, which the hook is not told; so the completer of this shell asks `offer`
first there.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from IPython.core.completer import Completion

__all__ = ["register", "unregister"]

_OUR_LINE = re.compile(r".*%zoho\w*\s")


def register(ip: Any) -> None:
    """Answer both ways to ask a shell's completer."""
    if "completions" in vars(ip.Completer):
        return
    ip.set_hook("complete_command", _complete_line, re_key=_OUR_LINE)
    ip.Completer.completions = _completions_before(ip.Completer.completions)


def unregister(ip: Any) -> None:
    """Leave the completer as it was."""
    vars(ip.Completer).pop("completions", None)
    ip.strdispatchers["complete_command"].regexs.pop(_OUR_LINE, None)


def _complete_line(_shell: Any, event: Any) -> list[str]:
    from .completion_words import offer

    return offer(event.text_until_cursor, event.line).words


def _completions_before(theirs: Any) -> Any:
    def completions(text: str, offset: int) -> Iterator[Completion]:
        from .completion_words import offer

        words, typed = offer(text[:offset].rpartition("\n")[2], text)
        if not words:
            return theirs(text, offset)  # type: ignore[no-any-return]
        return (Completion(offset - len(typed), offset, word, type="param", _origin="zoho_magic") for word in words)

    return completions
