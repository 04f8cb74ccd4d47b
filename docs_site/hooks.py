"""The hook of mkdocs.yml: adds the generated pages and the executed notebooks to the site."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING

sys.path.insert(0, str(Path(__file__).parents[1]))  # mkdocs imports a hook by its path

from docs_site import guides, pages

if TYPE_CHECKING:
    from mkdocs.config.defaults import MkDocsConfig
    from mkdocs.structure.files import Files


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add every page that is made and not written."""
    from mkdocs.structure.files import File

    for path, make in pages.PAGES.items():
        files.append(File.generated(config, path, content=make()))
    for path, content in guides.executed().items():
        files.append(File.generated(config, path, content=content))
    return files


def on_post_build(config: MkDocsConfig) -> None:
    """Raise for a page that loads something from another host, or has a picture without an alternative text."""
    from mkdocs.exceptions import PluginError

    for path in sorted(Path(config.site_dir).rglob("*.html")):
        found = problems_of(path.read_text(encoding="utf-8"))
        if found:
            raise PluginError(f"{path.name}: {found[0]}")


def problems_of(html: str) -> list[str]:
    """Elements of a built page that need the network, and pictures that say nothing to who cannot see them."""
    elements = re.findall(r"<(?:script|img|link|iframe|source|video)\b[^>]*>", html)
    foreign = [one for one in elements if re.search(r"\b(?:src|href)=[\"']?(?:https?:)?//", one)]
    silent = [one for one in elements if one.startswith("<img") and not re.search(r"\balt=[\"']?[^\"'\s>]", one)]
    return [*foreign, *silent]
