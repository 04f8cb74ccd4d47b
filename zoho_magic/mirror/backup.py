"""A backup of a whole org: a Parquet file for each module, the schema, the users, and a manifest to check it by."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow.parquet as pq

from ..config.atomic_file import replace
from ..errors import ConfigurationError, QueryError, ZohoError

if TYPE_CHECKING:
    import pandas

__all__ = ["MANIFEST", "Write", "backup", "check_backup"]

MANIFEST = "manifest.json"
_COLUMNS = ("name", "file", "status", "rows", "bytes", "sha256", "message")
Write = Callable[[Path], object]


def backup(folder: Path, parts: dict[str, Write], identity: tuple[str, str]) -> pandas.DataFrame:
    """See `ZohoSession.backup`.

    Args:
        folder: made if missing.
        parts: the name of each part -> what writes its Parquet file.
        identity: the org's id and its data centre.
    """
    manifest = _open(folder, identity) | {"expected": list(parts), "complete": False}
    _save(folder, manifest)
    rows = []
    for name, write in parts.items():
        path, status, message = folder / f"{name}.parquet", "kept", ""
        if _problem(folder, manifest["files"].get(name)):
            try:
                write(path)
                manifest["files"][name], status = _describe(path), "written"
            except (ZohoError, OSError) as error:
                manifest["files"].pop(name, None)
                status, message = "failed", str(error.args[0])
        manifest |= {"complete": set(parts) <= set(manifest["files"]), "updated": _now()}
        _save(folder, manifest)
        rows.append({"name": name, "status": status, "message": message, **manifest["files"].get(name, {})})
    return _frame(rows, bool(manifest["complete"]))


def check_backup(folder: Path) -> pandas.DataFrame:
    """See `ZohoSession.check_backup`."""
    manifest = _read(folder)
    rows = []
    for name in manifest["expected"]:
        known = manifest["files"].get(name)
        problem = _problem(folder, known)
        status = "ok" if not problem else "changed" if known and (folder / known["file"]).exists() else "missing"
        rows.append({"name": name, "status": status, "message": problem, **(known or {})})
    return _frame(rows, all(row["status"] == "ok" for row in rows))


def _frame(rows: list[dict[str, Any]], complete: bool) -> pandas.DataFrame:
    import pandas as pd

    numbers = {"rows": "Int64", "bytes": "Int64"}
    frame = pd.DataFrame(rows, columns=list(_COLUMNS)).astype({each: numbers.get(each, "string") for each in _COLUMNS})
    frame.attrs = {"complete": complete, "warnings": [] if complete else ["The backup is not complete: see `status`."]}
    return frame


def _open(folder: Path, identity: tuple[str, str]) -> dict[str, Any]:
    """The manifest of a backup that is continued, or a new one."""
    folder.mkdir(parents=True, exist_ok=True)
    whose = {"organisation": identity[0], "data_centre": identity[1]}
    if not (folder / MANIFEST).exists():
        if any(folder.iterdir()):
            raise ConfigurationError(f"{folder} holds other files.", hint="Name a new or empty folder.")
        return {**whose, "files": {}}
    manifest = _read(folder)
    if {key: manifest.get(key) for key in whose} != whose:
        raise ConfigurationError(f"{folder} is a backup of another organisation.", hint="Name another folder.")
    return manifest


def _read(folder: Path) -> dict[str, Any]:
    try:
        manifest: dict[str, Any] = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
        _ = manifest["files"], manifest["expected"]
    except (OSError, ValueError, KeyError, TypeError):
        raise QueryError(f"{folder} has no {MANIFEST} of a backup.", hint="zoho.backup(folder) makes one.") from None
    return manifest


def _save(folder: Path, manifest: dict[str, Any]) -> None:
    new = folder / f"{MANIFEST}.new"
    new.write_text(json.dumps(manifest, indent=1), encoding="utf-8")
    replace(new, folder / MANIFEST)


def _describe(path: Path) -> dict[str, Any]:
    return {
        "file": path.name,
        "rows": pq.ParquetFile(path).metadata.num_rows,
        "bytes": path.stat().st_size,
        "sha256": _sha256(path),
    }


def _problem(folder: Path, known: dict[str, Any] | None) -> str:
    """What is wrong with a file of the manifest; "" where it is as it was written."""
    if known is None:
        return "It was not written."
    path = folder / known["file"]
    if not path.exists():
        return "The file is missing."
    return "" if _sha256(path) == known["sha256"] else "The file is not as it was written."


def _sha256(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as content:
        while part := content.read(1 << 20):
            digest.update(part)
    return digest.hexdigest()


def _now() -> str:
    return datetime.now(timezone.utc).isoformat(timespec="seconds")
