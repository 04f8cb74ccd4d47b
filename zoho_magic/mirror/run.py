"""One or several modules synchronised, and what that would do."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

from ..crm.progress import Progress
from ..crm.read import pull
from ..crm.read.record_query import CallCounter
from ..crm.read.stream import CrmReader
from ..errors import ApiError, ConfigurationError, QueryError
from .copy import open_copy
from .optional import load
from .source import LOOKBACK, Source
from .state import SyncState, read_footer
from .sync import SWEEP_AFTER, Identity, check_same, sync
from .sync_options import REFRESH, SyncOptions
from .sync_report import SyncPlan, SyncReport
from .target import Target, parse_target

__all__ = ["plan_module", "sync_modules", "target_of"]

Identify = Callable[[], tuple[str, str]]


def sync_modules(
    home: CrmReader,
    modules: Sequence[str],
    to: str | os.PathLike[str],
    identify: Identify,
    *,
    show: bool,
    **options: Any,
) -> list[SyncReport]:
    """A report for each module; see `ZohoSession.sync`."""
    asked = _options(options)
    targets = [target_of(to, module, alone=len(modules) == 1) for module in modules]
    load("duckdb", "sync")
    reports: list[SyncReport] = []
    failed: dict[str, ApiError | QueryError] = {}
    for module, target in zip(modules, targets, strict=True):
        try:
            with Progress(f"Synchronising {module}", show) as progress:
                reports.append(sync(home, module, target, asked, lambda: Identity(*identify()), progress))
        except (ApiError, QueryError) as error:
            if len(modules) == 1:
                raise
            failed[module] = error  # the others are not held up
    if failed:
        raise _failure(failed, len(modules))
    return reports


def _failure(failed: Mapping[str, ApiError | QueryError], modules: int) -> ApiError:
    name, error = next(iter(failed.items()))
    others = f"; also {', '.join(list(failed)[1:])}" if len(failed) > 1 else ""
    found = ApiError(
        f"{len(failed)} of {modules} modules could not be synchronised: {name}: {error.args[0]}{others}",
        hint=f"The others are up to date. {error.hint}".strip(),
        code=error.code,
    )
    found.details = {module: str(problem.args[0]) for module, problem in failed.items()}
    return found


def _options(options: dict[str, Any]) -> SyncOptions:
    fields = options.pop("fields", None)
    where = options.pop("where", None)
    unknown = options.keys() - SyncOptions.__dataclass_fields__.keys()
    if unknown:
        raise ConfigurationError(
            f"sync takes no {sorted(unknown)[0]}.", hint=f"Use {', '.join(SyncOptions.__dataclass_fields__)}."
        )
    found = SyncOptions(fields=None if fields is None else tuple(fields), where=where or "", **options)
    if found.refresh not in REFRESH:
        raise ConfigurationError(f"refresh={found.refresh!r} does not exist.", hint=f"Use {', '.join(REFRESH)}.")
    return found


def target_of(to: str | os.PathLike[str], module: str, *, alone: bool) -> Target:
    """Where the copy of one module lies. Raises ConfigurationError for a target that cannot be kept current."""
    target = parse_target(to)
    if target.format == "folder" and not target.is_remote:
        return replace(target, format="parquet", place=str(_folder(target) / f"{module}.parquet"))
    if target.format not in ("duckdb", "parquet") or target.is_remote:
        raise ConfigurationError(
            f"to={target.text!r} cannot be kept current.", hint="Use FILE.duckdb::TABLE, FILE.parquet or FOLDER/."
        )
    if not alone and (target.format == "parquet" or target.table):
        raise ConfigurationError(
            f"to={target.text!r} has room for one module.", hint="For several use FILE.duckdb or FOLDER/."
        )
    return replace(target, table=target.table or module) if target.format == "duckdb" else target


def _folder(target: Target) -> Path:
    target.path.mkdir(exist_ok=True)
    return target.path


def plan_module(
    home: CrmReader, module: str, to: str | os.PathLike[str], identify: Identify, **options: Any
) -> SyncPlan:
    """What a synchronisation would do; see `ZohoSession.plan_sync`."""
    asked, target = _options(options), target_of(to, module, alone=True)
    load("duckdb", "sync")
    name = home.metadata.module(module).name
    state, rows = _current(target, asked)
    with CallCounter(home) as api:
        source = Source(home, api, name, asked.where, asked.via, Progress("", False))
        if state is None or not state.cursor or asked.full:
            return _plan_first(source, target, asked, rows, state)
        check_same(state, name, asked, Identity(*identify()))
        return _plan_update(source, target, asked, state, rows)


def _current(target: Target, asked: SyncOptions) -> tuple[SyncState | None, int | None]:
    if not target.path.exists():
        return None, None
    if target.format == "parquet":
        return read_footer(target.path)
    with open_copy(target, full=asked.full) as copy:
        rows = copy.value(f"SELECT count(*) FROM {copy.name}") if copy.exists() else None
        return copy.load_state(), rows


def _plan_first(
    source: Source, target: Target, asked: SyncOptions, rows: int | None, state: SyncState | None
) -> SyncPlan:
    reading, _ = pull.build_record_query(
        source.home.metadata, source.module, fields=asked.fields, where=asked.where or None
    )
    found = pull.make_plan(source.home, reading, asked.via, source.api)
    unfinished = state is not None and state.stage.get("token")
    steps = (
        "Go on with the first read where it stopped." if unfinished else f"Read every record ({found.api}).",
        "Read what changed meanwhile.",
    )
    return SyncPlan(source.module, target.text, steps, rows, found.rows, found.credits)


def _plan_update(source: Source, target: Target, asked: SyncOptions, state: SyncState, rows: int | None) -> SyncPlan:
    since = datetime.fromisoformat(state.cursor) - LOOKBACK
    if not source.has_modified_time:
        return SyncPlan(source.module, target.text, ("Read every record: it tells no Modified_Time.",), rows, rows)
    reading = replace(source.describe(["id"]), since=since)
    found = pull.make_plan(source.home, reading, asked.via, source.api)
    steps = [f"Read what was modified since {since.isoformat()}, and what was deleted.", "Compare the count."]
    steps += ["Compare the ids of all records."] if asked.check else []
    steps += [
        f"Compare the ids of all records if {source.module} has not been synchronised for {SWEEP_AFTER.days} days."
    ]
    steps += [f"Formulas, roll-ups and names of lookups are as of {state.formulas_at} (refresh={asked.refresh!r})."]
    return SyncPlan(source.module, target.text, tuple(steps), rows, found.rows, (found.credits or 0) + 5)
