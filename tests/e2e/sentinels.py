"""Looks for secrets in everything a run left behind."""

from __future__ import annotations

import base64
import re
import sqlite3
from collections.abc import Iterable
from pathlib import Path
from urllib.parse import quote

from zoho_magic.simulator import Simulator

# Everything Zoho's accounts server issues looks like this: codes, refresh tokens and access tokens.
_ISSUED = re.compile(r"1000\.[0-9a-f]{32}\.[0-9a-f]{32}")


class Sentinels:
    """The secrets to look for: a simulator's client secret, everything it issues, and what was typed by mistake.

    Args:
        simulator: whose secrets they are.
        more: other texts that must not be found.
    """

    def __init__(self, simulator: Simulator, *more: str) -> None:
        self._texts = [shape for text in (simulator.client_secret, *more) for shape in _shapes(text)]

    def shown_in(self, text: str) -> list[str]:
        """The secrets in a text, shortened; a half of one counts."""
        return sorted({f"{found[:12]}…" for found in (*_ISSUED.findall(text), *(t for t in self._texts if t in text))})

    def left_in(self, folder: Path, *, but: Iterable[str] = (".env",)) -> dict[str, list[str]]:
        """File -> the secrets in it, for every file under a folder but those of these names."""
        files = [file for file in folder.rglob("*") if file.is_file() and file.name not in but]
        assert files, "nothing was looked at"
        found = {str(file.relative_to(folder)): self.shown_in(_text(file)) for file in files}
        return {file: secrets for file, secrets in found.items() if secrets}


def _shapes(text: str) -> Iterable[str]:
    half = len(text) // 2
    encoded = base64.b64encode(text.encode()).decode().rstrip("=")
    return text, text[:half], text[half:], quote(text, safe=""), encoded


def _text(file: Path) -> str:
    if file.suffix == ".sqlite":
        return file.read_bytes().decode("latin-1") + history(file)
    return file.read_bytes().decode("latin-1")


def history(file: Path) -> str:
    """Every line of input and output that IPython's history keeps."""
    with sqlite3.connect(file) as database:
        lines = "\n".join(str(row) for row in database.execute("SELECT source, source_raw FROM history"))
        lines += "\n".join(str(row) for row in database.execute("SELECT output FROM output_history"))
    database.close()
    return lines
