"""The guides under notebooks/ run from top to bottom, and say nothing on stderr."""

from __future__ import annotations

from pathlib import Path

import nbformat
import pytest

from tests.e2e.kernels import execute

GUIDES = sorted((Path(__file__).parents[2] / "notebooks").glob("*.ipynb"))


@pytest.mark.parametrize("path", GUIDES, ids=lambda path: path.stem)
def test_guide_runs(path: Path, isolated: Path) -> None:
    notebook = execute(nbformat.read(path, as_version=4), isolated)
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", [])]
    assert outputs
    assert [output.text for output in outputs if output.get("name") == "stderr"] == []


@pytest.mark.parametrize("path", GUIDES, ids=lambda path: path.stem)
def test_guide_is_kept_without_outputs(path: Path) -> None:
    notebook = nbformat.read(path, as_version=4)
    assert [cell.outputs for cell in notebook.cells if cell.cell_type == "code" and cell.outputs] == []
