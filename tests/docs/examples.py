"""The code of the pages: every fence of the language python, in the order of the page.

A comment directly above a fence says how it is run: `<!-- own process -->` (a script that keeps global state),
`<!-- own process, needs PACKAGE -->` (likewise, where that package is installed),
`<!-- test file -->` (a file for pytest), `<!-- not run: REASON -->`. `<!-- before: CODE -->` is run and not shown.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
_FENCE = re.compile(
    r"<!-- before:\n(?P<hidden>.*?)-->|"
    r"(?:<!-- (?P<how>own process(?:, needs \w+)?|test file|not run: [^>]+) -->\n)?^```python\n(?P<code>.*?)^```$",
    re.M | re.S,
)


@dataclass(frozen=True)
class Example:
    """A piece of code of a page: `how` is "", "own process", "test file" or "not run: REASON"."""

    code: str
    how: str = ""


def pages() -> list[Path]:
    """README.md and every page that was written by hand."""
    return [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]


def examples_of(page: Path) -> Iterator[Example]:
    """The page's code from top to bottom."""
    for found in _FENCE.finditer(page.read_text(encoding="utf-8")):
        yield Example(found["hidden"] or found["code"], found["how"] or "")
