"""Files attached to records: downloaded into a folder, uploaded to a record.

https://www.zoho.com/crm/developer/docs/api/v8/download-attachments.html, .../upload-attachment.html
"""

from __future__ import annotations

import re
import unicodedata
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import QueryError, ZohoError
from ..http.responses import parse_json
from .api_version import API
from .parallel import map_parallel

if TYPE_CHECKING:
    import pandas

    from .client import CrmClient

__all__ = ["MAX_UPLOAD_BYTES", "download", "safe_name", "upload"]

MAX_UPLOAD_BYTES = 20 * 1024 * 1024
"""https://www.zoho.com/crm/developer/docs/api/v8/upload-attachment.html"""
_COLUMNS = {"id": "str", "file": "str", "bytes": "Int64", "status": "str", "message": "str"}
_RESERVED = re.compile(r"^(con|prn|aux|nul|com\d|lpt\d)(\.|$)", re.IGNORECASE)
_UNSAFE = re.compile(r'[<>:"/\\|?*\x00-\x1f\x7f]')


def safe_name(name: str, file_id: str) -> str:
    """A file name that stays in its folder on every system: `ID-name`, without separators and control characters.

    Example::

        >>> safe_name("../../etc/passwd", "7")
        '7-.._.._etc_passwd'
    """
    plain = "".join(c for c in unicodedata.normalize("NFC", name) if c.isprintable())
    plain = _UNSAFE.sub("_", plain).rstrip(". ")[-120:] or "file"
    return f"{file_id}-{'_' if _RESERVED.match(plain) else ''}{plain}"


def download(client: CrmClient, frame: Any, folder: Path, *, module: str, max_bytes: int) -> pandas.DataFrame:
    """See `ZohoSession.download`."""
    import pandas as pd

    missing = [name for name in ("id", "parent.id", "File_Name", "Size") if name not in frame.columns]
    if missing:
        raise QueryError(f"The frame has no column {missing[0]}.", hint="Use a frame that zoho.attachments() made.")
    folder.mkdir(parents=True, exist_ok=True)
    rows = frame[["id", "parent.id", "File_Name", "Size"]].to_dict("records")
    tasks = [partial(_download_one, client, module, row, folder, max_bytes) for row in rows]
    results = list(map_parallel(tasks, client.max_concurrency()))
    found: pandas.DataFrame = pd.DataFrame(results, columns=list(_COLUMNS), index=frame.index).astype(_COLUMNS)
    return found


def _download_one(client: CrmClient, module: str, row: dict[str, Any], folder: Path, max_bytes: int) -> dict[str, Any]:
    target = folder / safe_name(str(row["File_Name"]), str(row["id"]))
    size = None if row["Size"] != row["Size"] or row["Size"] is None else int(row["Size"])
    result = {"id": row["id"], "file": str(target), "bytes": size, "status": "skipped", "message": ""}
    if size is not None and size > max_bytes:
        return {**result, "message": f"larger than max_bytes={max_bytes:,}"}
    if size is not None and target.is_file() and target.stat().st_size == size:
        return {**result, "message": "already here"}
    try:
        path = f"{API}/{module}/{row['parent.id']}/Attachments/{row['id']}"
        written = _fetch(client, path, target, max_bytes)
    except (ZohoError, OSError) as error:
        return {**result, "bytes": None, "status": "failed", "message": str(error.args[0] if error.args else error)}
    if size is not None and written != size:
        target.unlink(missing_ok=True)
        return {
            **result,
            "bytes": written,
            "status": "failed",
            "message": f"{written:,} bytes came instead of {size:,}",
        }
    return {**result, "bytes": written, "status": "downloaded"}


def _fetch(client: CrmClient, path: str, target: Path, max_bytes: int) -> int:
    """Write the file beside its place and rename it; returns its bytes."""
    response = client.request("GET", path, stream=True)
    part, written = target.with_name(f"{target.name}.part"), 0
    try:
        if response.status_code == 204:
            raise QueryError("Zoho has no such file any more.")
        with part.open("wb") as file:
            for chunk in response.iter_content(1 << 20):
                written += len(chunk)
                if written > max_bytes:
                    raise QueryError(f"The file is larger than max_bytes={max_bytes:,}.")
                file.write(chunk)
        part.replace(target)
    finally:
        response.close()
        part.unlink(missing_ok=True)
    return written


def upload(client: CrmClient, module: str, record_id: str, path: Path) -> str:
    """See `ZohoSession.upload`."""
    name = client.metadata.module(module).name
    if not path.is_file():
        raise QueryError(f"There is no file {path}.", hint="Name an existing file.")
    if (size := path.stat().st_size) > MAX_UPLOAD_BYTES:
        raise QueryError(f"{path.name} has {size:,} bytes; Zoho takes {MAX_UPLOAD_BYTES:,} at most.")
    with path.open("rb") as file:
        answer = parse_json(
            client.request("POST", f"{API}/{name}/{record_id}/Attachments", files={"file": (path.name, file)})
        )
    entry = next(iter(answer.get("data") or [{}]))
    if entry.get("code") != "SUCCESS":
        raise QueryError(f"Zoho did not take the file: {entry.get('message') or 'no reason given'}.")
    return str((entry.get("details") or {}).get("id") or "")
