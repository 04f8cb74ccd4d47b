"""Whether a frame will fit into memory, asked before it is brought."""

from __future__ import annotations

import contextlib
from pathlib import Path

import pyarrow as pa

from ...errors import QueryError

__all__ = ["available_bytes", "check"]

_PEAK = 2.0
"""Peak of a pull as a multiple of its Arrow table: measured 1.7 with pandas at 1,000,000 rows, and some reserve."""
_CGROUPS = (
    ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory.current", "/sys/fs/cgroup/memory.stat", "inactive_file"),
    (
        "/sys/fs/cgroup/memory/memory.limit_in_bytes",
        "/sys/fs/cgroup/memory/memory.usage_in_bytes",
        "/sys/fs/cgroup/memory/memory.stat",
        "total_inactive_file",
    ),
)


def check(module: str, rows: pa.Table, expected: int | None) -> None:
    """Raise QueryError, with the export that would work, where so many rows like these do not fit.

    Args:
        module: API name.
        rows: the first rows.
        expected: how many there are; None where nobody knows.
    """
    free = available_bytes() if expected and expected > len(rows) else None
    if free is None or expected is None:
        return
    needed = rows.nbytes / len(rows) * expected * _PEAK
    if needed > free:
        raise QueryError(
            f"About {expected:,} rows of {module} need some {needed / 1e9:,.1f} GB of memory as a frame, "
            f"and {free / 1e9:,.1f} GB are free.",
            hint=f'zoho.export("{module}", to="{module}.parquet") writes them in constant memory '
            f"(%zoho_pull {module} --to {module}.parquet); check_memory=False (--yes) pulls all the same.",
            code="NOT_ENOUGH_MEMORY",
        )


def available_bytes() -> int | None:
    """Memory that may still be taken: the system's, or what a container's limit leaves; None where nobody knows."""
    found = [_system(), *(_container(*paths) for paths in _CGROUPS)]
    known = [free for free in found if free is not None]
    return min(known) if known else None


def _system() -> int | None:
    with contextlib.suppress(OSError, ValueError, IndexError):
        for line in Path("/proc/meminfo").read_text(encoding="ascii").splitlines():
            if line.startswith("MemAvailable:"):
                return int(line.split()[1]) * 1024
    with contextlib.suppress(ImportError):
        import psutil

        return int(psutil.virtual_memory().available)
    return None


def _container(limit: str, used: str, stat: str, key: str) -> int | None:
    with contextlib.suppress(OSError, ValueError):
        most, now = int(Path(limit).read_text()), int(Path(used).read_text())
        cached = dict(line.split() for line in Path(stat).read_text().splitlines())
        return max(0, most - now + int(cached.get(key, 0)))
    return None
