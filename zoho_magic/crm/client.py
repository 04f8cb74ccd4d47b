"""`CrmClient`: pull, query, push, modules and fields over one session's calls."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any

from ..errors import QueryError, ZohoError
from ..fork_safety import renew_after_fork
from . import limits, schema_tables
from . import users as people
from .metadata import Field, Metadata
from .parallel import map_parallel
from .progress import Progress
from .read import pull
from .read.arrow import FRAMES, Frame, to_backend
from .read.labels import to_categories, to_labels
from .read.planner import Plan
from .read.pull import Confirm
from .read.record_query import CallCounter, RecordQuery
from .read.stream import RecordStream
from .views import find_view

if TYPE_CHECKING:
    import pandas
    import pyarrow
    import requests

    from .write.insert_history import InsertHistory
    from .write.operation import WriteOperation
    from .write.push import PushReport

__all__ = ["CrmClient"]


class CrmClient:
    """Reads and writes one org; what it learns of the org (modules, fields, users) it keeps.

    Args:
        request: makes a call, as `ZohoSession.request`.
        scopes: the scopes that Zoho granted; empty if it did not say.
        credits_left: API credits left today; None until Zoho says.
        edition: the org's edition, on which its daily API credits depend.
        max_concurrency: how many calls are worth making side by side.
        upload_target: the origin that takes bulk write files, and the org's id.
        identity: the org's id and its data centre.
    """

    def __init__(
        self,
        request: Callable[..., requests.Response],
        *,
        scopes: Callable[[], tuple[str, ...]],
        credits_left: Callable[[], int | None],
        edition: Callable[[], str],
        max_concurrency: Callable[[], int],
        upload_target: Callable[[], tuple[str, str]],
        identity: Callable[[], tuple[str, str]],
    ) -> None:
        self.request, self.max_concurrency, self.upload_target = request, max_concurrency, upload_target
        self.identity = identity
        self._scopes, self._credits_left, self._edition = scopes, credits_left, edition
        self._lock = threading.Lock()
        self._users: dict[str, tuple[str | None, str | None]] | None = None
        self.metadata = Metadata(self)
        self.row_counts: dict[tuple[str, str], int] = {}
        renew_after_fork(self, _lock=threading.Lock)

    @cached_property
    def insert_history(self) -> InsertHistory:
        """The rows that were inserted through this client."""
        from .write.insert_history import InsertHistory  # it brings pandas

        return InsertHistory()

    @property
    def scopes(self) -> tuple[str, ...]:
        """What Zoho granted; empty where it did not say."""
        return self._scopes()

    @property
    def credits_left(self) -> int | None:
        """API credits left today; None until Zoho tells."""
        return self._credits_left()

    @property
    def daily_credits(self) -> int:
        """API credits of 24 hours at least; users add to it, and Zoho does not tell how many count."""
        return limits.DAILY_CREDITS_BY_EDITION.get(self._edition(), limits.DAILY_CREDITS)

    def users(self) -> Mapping[str, tuple[str, str]]:
        """User id -> full name, e-mail address. Raises Zoho's error where no list of users came."""
        found, errors = self.known_users()
        if errors and not found:
            raise errors[0]
        return {user: (name or "", email or "") for user, (name, email) in found.items()}

    def known_users(self) -> tuple[Mapping[str, tuple[str | None, str | None]], list[ZohoError]]:
        """User id -> full name, e-mail address; and the errors of lists that did not come, which are not kept."""
        with self._lock:
            if self._users is not None:
                return self._users, []
            found, errors = people.list_users(self)
            if not errors:
                self._users = found
            return found, errors

    def pull(
        self,
        module: str,
        *,
        via: str,
        frame: Frame,
        show: bool,
        confirm: Confirm | None = None,
        check_memory: bool = True,
        expand: str | None = None,
        home_currency: bool = False,
        labels: bool = False,
        categories: bool = False,
        **asked: Any,
    ) -> Any:
        """See `ZohoSession.pull`."""
        _refuse_unknown_frame(frame)
        _refuse_together(frame, expand, home_currency, labels, categories)
        reading = {"via": via, "show": show, "confirm": confirm, "check_memory": check_memory}
        as_arrow = partial(self.pull, frame="arrow")
        if home_currency:
            from .read.home_currency import pull_with_home_currency

            asked |= {**reading, "labels": labels, "expand": expand}
            return pull_with_home_currency(as_arrow, self.metadata, module, frame, asked)
        if expand is not None:
            from .read.expand import pull_expanded

            return pull_expanded(as_arrow, self.metadata, module, expand, frame, {**asked, **reading})
        rows, attrs, fields = self._pull_rows(module, via, show, confirm, check_memory, asked)
        if labels:
            rows, doubts = to_labels(rows, fields)
            attrs["warnings"] = [*attrs["warnings"], *doubts]
        found = to_backend(rows, frame, attrs)
        return to_categories(found, fields, labels) if categories else found

    def _pull_rows(
        self, module: str, via: str, show: bool, confirm: Confirm | None, check_memory: bool, asked: dict[str, Any]
    ) -> tuple[pyarrow.Table, dict[str, Any], tuple[Field, ...]]:
        """The rows of a pull, what `attrs` say of them, and their fields."""
        if asked.get("ids") is not None or asked.get("full"):
            return self._pull_selected(module, show, via=via, confirm=confirm, **asked)
        with self.stream(module, via=via, show=show, order="id desc", confirm=confirm, **asked) as arriving:
            rows = arriving.collect(check_memory=check_memory)
        return rows, arriving.attrs, arriving.fields

    def _pull_selected(
        self, module: str, show: bool, *, via: str, confirm: Confirm | None, **asked: Any
    ) -> tuple[pyarrow.Table, dict[str, Any], tuple[Field, ...]]:
        """Records by id, or complete records."""
        from .read.selected import pull_selected

        reading, warnings = self._build_query(module, asked)
        label = f"Reading complete records of {module}, one API credit each" if reading.is_full else f"Pulling {module}"
        with Progress(label, show) as progress:
            rows, attrs = pull_selected(self, reading, warnings, via, progress, confirm)
        return rows, attrs, reading.fields

    @contextmanager
    def stream(
        self,
        module: str,
        *,
        via: str,
        show: bool,
        order: str = "id asc",
        confirm: Confirm | None = None,
        **asked: Any,
    ) -> Iterator[RecordStream]:
        """The rows of a pull as they arrive, with a progress bar around them; for `with`."""
        with Progress(f"Pulling {module}", show) as progress:
            api = CallCounter(self, progress.add)
            api.on_state = progress.state
            self._prefetch(module, api, via, asked)
            reading, warnings = self._build_query(module, asked)
            with pull.stream(
                self, reading, warnings, api, via=via, progress=progress, order=order, confirm=confirm
            ) as arriving:
                yield arriving

    def _build_query(self, module: str, asked: dict[str, Any]) -> tuple[RecordQuery, list[str]]:
        """What was asked for, with the id of a custom view that was asked for by name."""
        if asked.get("view") is not None:
            asked = {**asked, "view": find_view(self, self.metadata.module(module).name, str(asked["view"]))}
        return pull.build_record_query(self.metadata, module, **asked)

    def batches(self, module: str, *, via: str, show: bool, **asked: Any) -> pyarrow.RecordBatchReader:
        """See `ZohoSession.batches`."""
        from .read.batches import open_reader

        return open_reader(self.stream(module, via=via, show=show, **asked))

    def _prefetch(self, module: str, api: CallCounter, via: str, asked: dict[str, Any]) -> None:
        """Ask at the same time what would be asked one after the other."""
        if self.metadata.is_new(module):
            pull.begin_count(self, api, module, via, **asked)
        list(map_parallel([lambda: self.metadata.fields(module), self.max_concurrency], 2))

    def plan(self, module: str, *, via: str, **asked: Any) -> Plan:
        """See `ZohoSession.plan`."""
        reading, _ = self._build_query(module, asked)
        return pull.make_plan(self, reading, via, CallCounter(self))

    def coql(self, query: str, *, params: Mapping[str, Any], frame: Frame, show: bool) -> Any:
        """See `ZohoSession.coql`."""
        from .read import coql_statement

        _refuse_unknown_frame(frame)
        with Progress("COQL", show) as progress:
            return coql_statement.run(self, query, params, frame=frame, progress=progress)

    def plan_coql(self, query: str, *, params: Mapping[str, Any]) -> Plan:
        """See `explain` of `ZohoSession.coql`."""
        from .read import coql_statement

        return coql_statement.make_plan(self, query, params)

    def push(
        self, frame: Any, operation: WriteOperation, *, dry_run: bool, diff: bool, show: bool, **options: Any
    ) -> Any:
        """See `ZohoSession.push`."""
        from .write import push  # it brings pandas

        with Progress(f"Pushing {operation.module}", show) as progress:
            if diff:
                return push.diff(self, frame, operation, progress)
            asked = push.PushOptions(**options)
            return push.push(self, frame, operation, options=asked, dry_run=dry_run, progress=progress)

    def tag(self, module: str, ids: Any, add: Any, remove: Any, show: bool) -> PushReport:
        """See `ZohoSession.tag`."""
        from .write import tags

        return tags.tag(self, self.metadata.module(module).name, ids, add, remove, Progress(f"Tagging {module}", show))

    def tags(self, module: str) -> pandas.DataFrame:
        """See `ZohoSession.tags`."""
        from .write import tags

        return tags.list_tags(self, self.metadata.module(module).name)

    def undo(self, name: str, show: bool) -> PushReport:
        """See `ZohoSession.undo`."""
        from .write.undo import undo_kept

        return undo_kept(self, name, Progress("Undoing", show))

    def modules(self, *, count: bool, refresh: bool) -> pandas.DataFrame:
        """See `ZohoSession.modules`."""
        if refresh:
            self.metadata.refresh()
        return schema_tables.modules(self, count=count)

    def fields(self, module: str, *, search: str, refresh: bool) -> pandas.DataFrame:
        """See `ZohoSession.fields`."""
        if refresh:
            self.metadata.refresh()
        return schema_tables.fields(self.metadata, module, search)


def _refuse_unknown_frame(frame: str) -> None:
    if frame not in FRAMES:
        raise QueryError(f"There is no frame {frame!r}.", hint=f"Use one of {', '.join(FRAMES)}.")


def _refuse_together(frame: str, expand: str | None, home_currency: bool, labels: bool, categories: bool) -> None:
    if (expand is not None and labels) or ((expand is not None or home_currency) and categories):
        other, one = "expand" if expand is not None else "home_currency", "categories" if categories else "labels"
        raise QueryError(f"`{one}` does not go with `{other}`.", hint="Leave one of the two out.")
    if categories and frame != "pandas":
        raise QueryError(f"`categories` does not go with frame={frame!r}.", hint="Leave one of the two out.")
