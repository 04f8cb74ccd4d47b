"""Files with the values that pushes have overwritten: Parquet in the user's data folder, mode 0600, for 30 days.

One file is one push: a line for each record, its values before (JSON) and what was written (JSON).
"""

from __future__ import annotations

import json
import os
import re
import secrets
import stat
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from ...errors import PushError

__all__ = [
    "MAX_KEPT_ROWS",
    "KeptPush",
    "KeptRecord",
    "kept_folder",
    "kept_frame",
    "list_kept",
    "load_kept",
    "save_kept",
]

MAX_KEPT_ROWS = 10_000
"""Rows up to which values are kept unless `keep` says otherwise."""

MAX_AGE_DAYS = 30
MAX_TOTAL_BYTES = 200_000_000
_NAME = re.compile(r"\d{8}T\d{6}(?:\d{3})?Z-\w+-[0-9a-f]{6}")


@dataclass(frozen=True)
class KeptRecord:
    """A record that a push wrote.

    Attributes:
        label: label of its row in the frame, as text.
        id: of the record; "" until Zoho gave one.
        action: what Zoho did with it: insert, update, delete; "" if nothing.
        modified: its Modified_Time after the push; "" where Zoho did not tell.
        before: the values before; {} for a new record.
        written: the values that were written.
        undone: whether an undo has put it back.
    """

    label: str
    id: str
    action: str
    modified: str
    before: dict[str, Any]
    written: dict[str, Any]
    undone: bool = False


@dataclass(frozen=True)
class KeptPush:
    """A push whose previous values are kept.

    Attributes:
        name: of its file, without the ending.
        module: API name.
        action: what was pushed.
        org: id and data centre of the organisation.
        when: seconds since 1970.
        records: what was written.
    """

    name: str
    module: str
    action: str
    org: str
    when: float
    records: tuple[KeptRecord, ...]

    def with_records(self, records: Sequence[KeptRecord]) -> KeptPush:
        """The same push with other records."""
        return replace(self, records=tuple(records))


def kept_folder() -> Path:
    """Where this system keeps what programs must not lose (`~/.local/share/zoho_magic/undo` on Linux)."""
    from platformdirs import user_data_path

    return user_data_path("zoho_magic", appauthor=False) / "undo"


def new_name(module: str, when: float) -> str:
    """A name that no other push has, in order of time."""
    moment = f"{time.strftime('%Y%m%dT%H%M%S', time.gmtime(when))}{int(when * 1000) % 1000:03d}Z"
    return f"{moment}-{module}-{secrets.token_hex(3)}"


def save_kept(push: KeptPush) -> Path:
    """Write the file, replacing what stood there, and delete files that are too old or too much. Raises OSError."""
    folder = kept_folder()
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    _check_folder(folder)
    target = folder / f"{push.name}.parquet"
    scratch = folder / f".{push.name}.{secrets.token_hex(4)}.tmp"
    descriptor = os.open(scratch, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), 0o600)
    try:
        with open(descriptor, "wb") as file:  # noqa: PTH123  # a descriptor, not a path
            pq.write_table(_to_table(push), file)
        scratch.replace(target)
    except BaseException:
        scratch.unlink(missing_ok=True)
        raise
    _prune(folder, target)
    return target


def _check_folder(folder: Path) -> None:
    """Raise OSError where others can write into the folder, or it is a link or somebody else's."""
    found = folder.lstat()
    is_own = not hasattr(os, "getuid") or found.st_uid == os.getuid()
    if not stat.S_ISDIR(found.st_mode) or not is_own or (os.name == "posix" and found.st_mode & 0o022):
        raise PermissionError(f"{folder} is not a private folder of this user")


def _to_table(push: KeptPush) -> pa.Table:
    rows = [asdict(each) for each in push.records]
    columns = {
        "label": pa.array([row["label"] for row in rows], pa.string()),
        "id": pa.array([row["id"] for row in rows], pa.string()),
        "action": pa.array([row["action"] for row in rows], pa.string()),
        "modified": pa.array([row["modified"] for row in rows], pa.string()),
        "before": pa.array([json.dumps(row["before"]) for row in rows], pa.string()),
        "written": pa.array([json.dumps(row["written"]) for row in rows], pa.string()),
        "undone": pa.array([row["undone"] for row in rows], pa.bool_()),
    }
    about = {"module": push.module, "action": push.action, "org": push.org, "when": push.when}
    return pa.table(columns).replace_schema_metadata({"zoho_magic_undo": json.dumps(about)})


def load_kept(name: str) -> KeptPush:
    """The kept push of that name. Raises PushError where there is none, or its file cannot be read."""
    path = kept_folder() / f"{name}.parquet"
    if not _NAME.fullmatch(name) or not path.is_file() or path.is_symlink():
        raise PushError(f"There is no kept push {name!r}.", hint="zoho.kept_pushes() (%zoho_undo) lists them.")
    try:
        table = pq.read_table(path)
        about = json.loads(table.schema.metadata[b"zoho_magic_undo"])
        records = [_record(row) for row in table.to_pylist()]
    except (pa.ArrowException, OSError, KeyError, TypeError, ValueError) as error:
        raise PushError(f"The kept push {name!r} cannot be read: {type(error).__name__}.") from error
    return KeptPush(name, about["module"], about["action"], about["org"], float(about["when"]), tuple(records))


def _record(row: dict[str, Any]) -> KeptRecord:
    return KeptRecord(**{**row, "before": json.loads(row["before"]), "written": json.loads(row["written"])})


def list_kept() -> list[Path]:
    """The kept files, newest first, after those that are too old are deleted."""
    folder = kept_folder()
    if not folder.is_dir():
        return []
    _prune(folder, None)
    return sorted((path for path in folder.glob("*.parquet") if _NAME.fullmatch(path.stem)), reverse=True)


def kept_frame() -> pd.DataFrame:
    """The kept pushes, newest first: name, when (UTC), module, action, org, records, undone, bytes."""
    lines = []
    for path in list_kept():
        try:
            push = load_kept(path.stem)
        except PushError:
            continue
        undone = sum(each.undone for each in push.records)
        when = pd.Timestamp(push.when, unit="s", tz="UTC").floor("s")
        size = path.stat().st_size
        lines.append((push.name, when, push.module, push.action, push.org, len(push.records), undone, size))
    columns = ["name", "when", "module", "action", "org", "records", "undone", "bytes"]
    return pd.DataFrame(lines, columns=columns).astype({name: "Int64" for name in columns[-3:]})


def _prune(folder: Path, newest: Path | None) -> None:
    """Delete files older than `MAX_AGE_DAYS`, and the oldest above `MAX_TOTAL_BYTES`; never the newest."""
    total = 0
    for path in sorted((each for each in folder.glob("*.parquet") if _NAME.fullmatch(each.stem)), reverse=True):
        found = path.lstat()
        total += found.st_size
        is_old = time.time() - found.st_mtime > MAX_AGE_DAYS * 86_400
        if path != newest and (is_old or total > MAX_TOTAL_BYTES):
            path.unlink(missing_ok=True)
