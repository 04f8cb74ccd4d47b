"""Docstrings of the package as Markdown: `Example::` becomes a code block, a table of reStructuredText a Markdown one."""

from __future__ import annotations

import re
from typing import Any

from griffe import Extension, Object

_EXAMPLE = re.compile(
    r"^(?P<lead>[ ]*)(?P<word>Examples?)::?[ ]*\n\s*\n?(?P<body>(?:(?P=lead)[ ]{4,}.*\n|\s*\n)+)", re.M
)
_RULE = re.compile(r"^[ ]*=+(?:[ ]+=+)+[ ]*$")


class MarkdownDocstrings(Extension):
    """Rewrites each docstring once it was collected."""

    def on_instance(self, *, obj: Object, **_: Any) -> None:
        """Rewrite the docstring of one module, class, function or attribute."""
        if obj.docstring is not None:
            obj.docstring.value = to_markdown(obj.docstring.value)


def to_markdown(text: str) -> str:
    """The same text with code blocks and tables as Markdown has them."""
    return _EXAMPLE.sub(_code_block, _with_tables(text + "\n")).rstrip("\n")


def _code_block(found: re.Match[str]) -> str:
    lead = found["lead"]
    lines = found["body"].rstrip().splitlines()
    indent = min(len(line) - len(line.lstrip()) for line in lines if line.strip())
    code = [lead + line[indent:] for line in lines]
    language = "pycon" if code[0].lstrip().startswith(">>>") else "python"
    return "\n".join([f"{lead}**{found['word']}**", "", f"{lead}```{language}", *code, f"{lead}```", "", ""])


def _with_tables(text: str) -> str:
    lines = text.splitlines()
    rules = [number for number, line in enumerate(lines) if _RULE.match(line)]
    for top, middle, bottom in reversed([tuple(rules[at : at + 3]) for at in range(0, len(rules) - 2, 3)]):
        columns = [found.span() for found in re.finditer(r"=+", lines[top])]
        rows = [_cells(line, columns) for line in (*lines[top + 1 : middle], *lines[middle + 1 : bottom])]
        table = [f"| {' | '.join(row)} |" for row in rows]
        lines[top : bottom + 1] = [table[0], "|" + "---|" * len(columns), *table[1:]]
    return "\n".join(lines) + "\n"


def _cells(line: str, columns: list[tuple[int, int]]) -> list[str]:
    ends = [*(start for start, _ in columns[1:]), None]
    return [line[start:end].strip().replace("``", "`") for (start, _), end in zip(columns, ends, strict=True)]
