"""The notebooks as pages: each is executed on the simulator, and its outputs are part of the page."""

from __future__ import annotations

import tempfile
from functools import cache
from pathlib import Path

NOTEBOOKS = Path(__file__).parents[1] / "notebooks"


@cache
def executed() -> dict[str, str | bytes]:
    """The pages of all notebooks and their pictures, by their path in the site."""
    return {name: text for path in sorted(NOTEBOOKS.glob("*.ipynb")) for name, text in page_of(path).items()}


def page_of(path: Path) -> dict[str, str | bytes]:
    """One notebook's page and pictures."""
    import nbformat
    from nbconvert import MarkdownExporter

    from tests.e2e.kernels import execute

    with tempfile.TemporaryDirectory() as folder:
        notebook = execute(nbformat.read(path, as_version=4), Path(folder))
    text, resources = MarkdownExporter().from_notebook_node(notebook, {"unique_key": path.stem})
    pictures = {f"guides/{name}": content for name, content in resources["outputs"].items()}
    return {f"guides/{path.stem}.md": _with_alt_texts(text, path.stem) + _download(path), **pictures}


def _with_alt_texts(text: str, name: str) -> str:
    return text.replace("![png](", f"![Chart made by the cell above, in the guide {name}](")


def _download(path: Path) -> str:
    return f"\n\n---\n\nThis page is `notebooks/{path.name}`, executed on the simulator when the site was built.\n"
