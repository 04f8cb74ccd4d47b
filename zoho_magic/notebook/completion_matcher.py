"""TAB in IPython 8.6 and newer: a matcher that silences the others where it has something to offer."""

from __future__ import annotations

from typing import Any

from IPython.core.completer import CompletionContext, SimpleCompletion, SimpleMatcherResult, context_matcher

__all__ = ["complete", "register", "unregister"]


@context_matcher(identifier="zoho_magic")  # type: ignore[untyped-decorator]
def complete(context: CompletionContext) -> SimpleMatcherResult:
    """What `offer` has, as a matcher's result."""
    from .completion_words import offer

    words, typed = offer(context.line_with_cursor[: context.cursor_position], context.full_text)
    hits = [SimpleCompletion(word, type="param") for word in words]
    return SimpleMatcherResult(completions=hits, matched_fragment=typed, suppress=bool(hits))


def register(ip: Any) -> None:
    """Add the matcher to a shell's completer."""
    if complete not in ip.Completer.custom_matchers:
        ip.Completer.custom_matchers.append(complete)


def unregister(ip: Any) -> None:
    """Take it away again."""
    if complete in ip.Completer.custom_matchers:
        ip.Completer.custom_matchers.remove(complete)
