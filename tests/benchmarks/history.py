"""What earlier runs of the benchmark found on this machine, so that a change can be compared with them.

One JSON file a machine, in `build/benchmarks/`, which git ignores: a list of runs, newest last.
"""

from __future__ import annotations

import json
import os
import platform
import subprocess
from collections.abc import Iterator, Mapping
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

__all__ = ["Results", "compared", "keep", "latest"]

Results = Mapping[str, Mapping[str, Mapping[str, float]]]
"""Title of a table -> contestant -> figure -> median."""

ROOT = Path(__file__).resolve().parents[2]
MOST_RUNS = 20


def _file() -> Path:
    return ROOT / "build" / "benchmarks" / f"{platform.node() or 'machine'}-{os.cpu_count()}.json"


def _runs() -> list[dict[str, Any]]:
    try:
        runs: list[dict[str, Any]] = json.loads(_file().read_text(encoding="utf-8"))
    except FileNotFoundError:
        return []
    return runs


def latest() -> dict[str, Any] | None:
    """The newest run: `commit`, `time` and `results`; None where there is none."""
    runs = _runs()
    return runs[-1] if runs else None


def keep(results: Results) -> Path:
    """Add a run to this machine's file; the oldest of more than twenty goes."""
    head = ["git", "-C", str(ROOT), "describe", "--always", "--dirty"]
    commit = subprocess.run(head, capture_output=True, text=True, check=False).stdout.strip()
    run = {"commit": commit, "time": datetime.now(timezone.utc).isoformat(timespec="seconds"), "results": results}
    path = _file()
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps([*_runs(), run][-MOST_RUNS:], indent=1) + "\n", encoding="utf-8")
    return path


def compared(before: Results, now: Results) -> Iterator[tuple[str, str, str, float, float]]:
    """Title, contestant, figure, its value before and now, for everything that both runs measured."""
    for title, contestants in now.items():
        for name, figures in contestants.items():
            earlier = before.get(title, {}).get(name, {})
            yield from (
                (title, name, figure, earlier[figure], figures[figure]) for figure in figures if figure in earlier
            )
