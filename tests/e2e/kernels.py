"""Notebooks executed in a real kernel, unattended, as nbconvert and papermill do it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_notebook

from tests.e2e.lab import clean_environment

QUICKSTART = Path(__file__).parents[2] / "notebooks" / "quickstart.ipynb"


def quickstart(*, with_demo: bool = True) -> NotebookNode:
    """The notebook as it is, or without the one cell that somebody with an account of her own skips."""
    notebook = nbformat.read(QUICKSTART, as_version=4)
    if not with_demo:
        notebook.cells = [cell for cell in notebook.cells if cell.source.strip() != "%zoho_demo"]
    return notebook


def notebook_of(*cells: str) -> NotebookNode:
    """A notebook of these code cells."""
    return new_notebook(cells=[*map(new_code_cell, cells)])


def execute(notebook: NotebookNode, folder: Path, *, allow_errors: bool = False) -> NotebookNode:
    """Run every cell in a kernel of its own; the notebook is saved to `folder`, its widgets' state included.

    The kernel's home is `folder`/home, and what it writes to stderr beside the cells is in kernel.log there.
    """
    home = folder / "home"
    home.mkdir(exist_ok=True)
    client = NotebookClient(
        notebook,
        timeout=120,
        kernel_name="python3",
        allow_errors=allow_errors,
        store_widget_state=True,
        ipython_hist_file=str(home / "history.sqlite"),  # nbclient would keep none, a person's kernel does
        resources={"metadata": {"path": str(folder)}},
    )
    with (home / "kernel.log").open("w") as log:
        client.execute(env=clean_environment(home), stdout=log, stderr=log)
    nbformat.write(notebook, folder / "executed.ipynb")
    return notebook


def outputs(notebook: NotebookNode, source: str) -> list[NotebookNode]:
    """The outputs of the first code cell whose source begins so; end it with a line break to mean a whole line."""
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    return next(cell.outputs for cell in code if f"{cell.source}\n".startswith(source))


def mimes(notebook: NotebookNode, source: str) -> Mapping[str, str]:
    """Everything that cell displayed, by MIME type."""
    shown: dict[str, str] = {}
    for output in outputs(notebook, source):
        shown.update(output.get("data", {}))
    return shown
