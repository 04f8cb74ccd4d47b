"""The hook of mkdocs.yml: adds the generated pages and the executed notebooks to the site."""

from __future__ import annotations

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
