"""GET /{module}: pages of records with chosen fields; GET /{module}/{id}: one record with everything."""

# ruff: noqa: S608 - names in SQL come from the schema, values are bound
from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any

from flask import Blueprint, Response, request

from . import datetimes
from .answers import answer, dumps, empty, problem, refusal
from .query_parameters import check_length, choice, id_list, positive_integer
from .record_filter import RecordFilter
from .request_lifecycle import Caller, open_module
from .schema import Field, Module
from .serialization import OutputColumn, output_column, serialize_rows
from .store import module_column, quoted
from .tokens import Cursor
from .views import views_of

__all__ = ["SYSTEM", "add_routes", "list_matching", "unknown_record"]

PAGE_ROWS = 200
FIRST_ROWS = 2_000
MOST_ROWS = 100_000
MOST_FIELDS = 50
SORTS = ("id", "Created_Time", "Modified_Time")
UNLISTED = ("subform", "multiselectlookup")  # a list never shows them, only the single record


def add_routes(blueprint: Blueprint) -> None:
    """Register these endpoints with the CRM's blueprint."""
    blueprint.add_url_rule("/crm/v8/<module:name>", "records", list_records, methods=["GET"])
    blueprint.add_url_rule("/crm/v8/<module:name>/<record:record_id>", "record", one_record, methods=["GET"])


@dataclass(frozen=True)
class ListQuery:
    """What a list call asks for, checked."""

    module: Module
    fields: tuple[Field, ...]
    system: tuple[str, ...]
    per_page: int
    sort_by: str
    descending: bool
    where: str
    values: tuple[Any, ...]
    bound_to: str
    since: int | None

    @property
    def order(self) -> str:
        """The ORDER BY that goes with it; ids break ties."""
        way = "DESC" if self.descending else "ASC"
        return f"t.{self.sort_by} {way}" + ("" if self.sort_by == "id" else f", t.id {way}")


def list_records(name: str) -> Response:
    """GET /crm/v8/{module}."""
    heavy = bool(request.args.get("cvid") or request.args.get("sort_by"))
    credits = 3 if request.args.get("cvid") else 1
    caller, module = open_module(name, "READ", credits=credits, sub=heavy)
    return list_matching(caller, module, RecordFilter())


def list_matching(caller: Caller, module: Module, only: RecordFilter) -> Response:
    """The page of the module's records that a request asks for, of those that `only` leaves."""
    wanted = _list_query(caller, module, only)
    cursor = _cursor(caller, wanted)
    outputs = [output_column(caller.crm.schema, field) for field in wanted.fields]
    key = (
        module.name,
        request.args["fields"],
        wanted.bound_to,
        tuple(vars(caller.crm.options).values()),
        wanted.where,
        wanted.values,
        cursor.after,
        cursor.offset,
        caller.user.time_zone,
    )
    data, count, last = caller.crm.response_cache.get(key, lambda: _data(caller, wanted, cursor, outputs))
    if not count:
        return empty(caller.crm.options.not_modified_status if wanted.since is not None else 204)
    info = dumps(_info(caller, wanted, cursor, last, count))
    return answer(b'{"data":' + data + b',"info":' + info + b"}")


def _data(
    caller: Caller, wanted: ListQuery, cursor: Cursor, outputs: list[OutputColumn]
) -> tuple[bytes, int, tuple[int, int] | None]:  # fmt: skip
    """The page's records as JSON, how many, and the last one's sort value and id when there are more."""
    rows = _page(caller, wanted, cursor, outputs)
    more = len(rows) > wanted.per_page
    rows = rows[: wanted.per_page]
    keep = sum(len(each.sql) for each in outputs)
    data = serialize_rows(outputs, [row[:keep] for row in rows], caller.view)
    _add_related_modules(data, wanted, rows, keep)
    return dumps(data), len(rows), (rows[-1][-2], rows[-1][-1]) if more else None


def _list_query(caller: Caller, module: Module, only: RecordFilter) -> ListQuery:
    fields, system = _fields(caller, module)
    since = _modified_since(module)
    where, values = _where(caller, module, since, only)
    per_page = positive_integer("per_page", PAGE_ROWS)
    if per_page > PAGE_ROWS:  # the code is not documented
        raise refusal("INVALID_DATA", "invalid data", {"param_name": "per_page", "maximum_value": PAGE_ROWS})
    return ListQuery(
        module=module, fields=fields, system=system, per_page=per_page, sort_by=choice("sort_by", SORTS, "id"),
        descending=choice("sort_order", ("desc", "asc"), "desc") == "desc", where=where, values=values,
        bound_to=_binding(caller, module), since=since,
    )  # fmt: skip


def _fields(caller: Caller, module: Module) -> tuple[tuple[Field, ...], tuple[str, ...]]:
    given = request.args.get("fields", "").strip()
    if not given:
        raise refusal("REQUIRED_PARAM_MISSING", "required param is missing", {"param_name": "fields"})
    check_length("fields", caller.crm.options.parameter_length)
    names = list(dict.fromkeys(name.strip() for name in given.split(",") if name.strip()))
    if len(names) > MOST_FIELDS:
        details = {"limit": MOST_FIELDS, "param_name": "fields"}
        raise refusal("LIMIT_EXCEEDED", "limit exceeded", details)
    unknown = [name for name in names if name not in module and not name.startswith("$")]
    if unknown and caller.crm.options.unknown_field == "error":
        raise refusal("INVALID_DATA", "invalid data", {"param_name": "fields", "api_name": unknown[0]})
    names = [name for name in names if name != "id"] + ["id"]
    listed = (module[name] for name in names if name in module)
    return tuple(each for each in listed if each.kind not in UNLISTED), tuple(n for n in names if n.startswith("$"))


def _where(
    caller: Caller, module: Module, since: int | None, only: RecordFilter
) -> tuple[str, tuple[Any, ...]]:  # fmt: skip
    parts, values = [only.where], list(only.values)
    if "Converted__s" in module:
        converted = choice("converted", ("false", "true", "both"), "false")
        if converted != "both":
            parts.append(f"t.Converted__s = {int(converted == 'true')}")
    if request.args.get("ids"):
        ids = _ids(caller)
        parts.append(f"t.id IN ({', '.join(map(str, ids))})")
    if request.args.get("cvid"):
        parts.append(_view_condition(caller, module, request.args["cvid"]))
    if since is not None:
        parts.append("t.Modified_Time >= ?")
        values.append(since)
    return " AND ".join(f"({part})" for part in parts), tuple(values)


def _view_condition(caller: Caller, module: Module, cvid: str) -> str:
    if request.args.get("sort_by"):
        named = [{"param_name": "cvid"}, {"param_name": "sort_by"}]
        raise refusal(
            "AMBIGUITY_DURING_PROCESSING", "ambiguity while processing the request", {"ambiguity_due_to": named}
        )
    view = views_of(module, caller.user).get(cvid)
    if view is None:
        raise refusal("INVALID_DATA", "invalid data", {"param_name": "cvid"})
    return view.where


def _ids(caller: Caller) -> list[int]:
    parts = id_list("ids", caller.crm.options.parameter_length)
    if not all(part.isascii() and part.isdigit() and len(part) < 20 for part in parts):
        raise refusal("INVALID_DATA", "invalid data", {"param_name": "ids"})
    return [int(part) for part in parts]


def _modified_since(module: Module) -> int | None:
    text = request.headers.get("If-Modified-Since")
    if not text or "Modified_Time" not in module:
        return None
    try:
        return datetimes.parse(text)
    except ValueError:
        details = {"header_name": "If-Modified-Since"}
        message = "Please check whether the input values are correct"
        raise refusal("PATTERN_NOT_MATCHED", message, details) from None


def _binding(caller: Caller, module: Module) -> str:
    free = {"page", "page_token"} if caller.crm.options.page_token_bound_to_fields else {"page", "page_token", "fields"}
    given = sorted((key, value) for key, value in request.args.items() if key not in free)
    return hashlib.sha256(repr((request.path, module.name, given)).encode()).hexdigest()


def _cursor(caller: Caller, wanted: ListQuery) -> Cursor:
    token = request.args.get("page_token")
    if token:
        return _token_cursor(caller, wanted, token)
    page = positive_integer("page", 1)
    if page * wanted.per_page > FIRST_ROWS and page > 1:
        message = "You can only get the first 2000 records without using page_token param"
        raise refusal("DISCRETE_PAGINATION_LIMIT_EXCEEDED", message, {"limit": FIRST_ROWS})
    back = Cursor(page - 1, offset=(page - 2) * wanted.per_page) if page > 1 else None
    return Cursor(page, offset=(page - 1) * wanted.per_page, previous=back)


def _token_cursor(caller: Caller, wanted: ListQuery, token: str) -> Cursor:
    if "page" in request.args:
        named = [{"param_name": "page"}, {"param_name": "page_token"}]
        raise refusal(
            "AMBIGUITY_DURING_PROCESSING", "ambiguity while processing the request", {"ambiguity_due_to": named}
        )
    cursor = caller.crm.tokens.open(token, caller.user.id, wanted.bound_to)
    if cursor.page * wanted.per_page > MOST_ROWS:
        message = "You can only get upto 100000 records using page_token param"
        raise refusal("PAGINATION_LIMIT_EXCEEDED", message, {"param_name": "page_token"})
    return cursor


def _page(caller: Caller, wanted: ListQuery, cursor: Cursor, outputs: list[OutputColumn]) -> list[tuple[Any, ...]]:
    """The page's rows and one more if there is one; each ends with its sort value and id."""
    columns = [part for each in outputs for part in each.sql] + _related_columns(wanted)
    columns += [f"t.{wanted.sort_by}", "t.id"]
    where, values = wanted.where, list(wanted.values)
    if cursor.after:
        sign = "<" if wanted.descending else ">"
        where += f" AND (t.{wanted.sort_by}, t.id) {sign} (?, ?)" if wanted.sort_by != "id" else f" AND t.id {sign} ?"
        values += cursor.after if wanted.sort_by != "id" else cursor.after[1:]
    sql = (
        f"SELECT {', '.join(columns)} FROM {quoted(wanted.module.name)} AS t WHERE {where} "
        f"ORDER BY {wanted.order} LIMIT {wanted.per_page + 1} OFFSET {cursor.offset}"
    )
    return caller.crm.store.read(sql, values)


def _related_columns(wanted: ListQuery) -> list[str]:
    field = wanted.module.polymorphic
    return [f"t.{quoted(module_column(field))}"] if field and "$se_module" in wanted.system else []


def _add_related_modules(
    data: list[dict[str, Any]], wanted: ListQuery, rows: list[tuple[Any, ...]], place: int
) -> None:
    for record, row in zip(data, rows, strict=True):
        for name in wanted.system:
            if name == "$se_module" and _related_columns(wanted):
                record[name] = row[place]
            elif name in SYSTEM:
                record[name] = SYSTEM[name]


def _info(
    caller: Caller, wanted: ListQuery, cursor: Cursor, last: tuple[Any, ...] | None, count: int
) -> dict[str, Any]:  # fmt: skip
    tokens, user = caller.crm.tokens, caller.user
    expires = tokens.expiry()

    def token(where: Cursor | None) -> str | None:
        return tokens.issue(user.id, wanted.bound_to, where, expires) if where else None

    here = Cursor(cursor.page, cursor.after, cursor.offset)
    following = Cursor(cursor.page + 1, after=(last[0], last[1]), previous=here) if last else None
    return {
        "call": False, "per_page": wanted.per_page, "next_page_token": token(following), "count": count,
        "sort_by": wanted.sort_by, "page": cursor.page, "previous_page_token": token(cursor.previous),
        "page_token_expiry": caller.crm.moment(expires, user) if following else None,
        "sort_order": "desc" if wanted.descending else "asc", "email": False, "more_records": following is not None,
    }  # fmt: skip


SYSTEM: dict[str, Any] = {
    "$approval_state": "approved", "$editable": True, "$review": None, "$state": "save", "$process_flow": False,
    "$locked_for_me": False, "$in_merge": False, "$approved": True, "$stop_processing": False,
    "$review_process": {"approve": False, "reject": False, "resubmit": False}, "$orchestration": False,
    "$approval": {"delegate": False, "takeover": False, "approve": False, "reject": False, "resubmit": False},
    "$currency_symbol": "$", "$field_states": None, "$is_duplicate": False,
}  # fmt: skip
SIGNS = {"USD": "$", "EUR": "€", "GBP": "£", "CAD": "CA$"}


def one_record(name: str, record_id: str) -> Response:
    """GET /crm/v8/{module}/{id}: every field, the rows of its subforms and its multi-select lookups."""
    caller, module = open_module(name, "READ")
    if not (record_id.isascii() and record_id.isdigit() and len(record_id) < 20):
        raise refusal("INVALID_DATA", "the id given seems to be invalid", {"resource_path_index": 1})
    found = caller.crm.read(module, "t.id = ?", (int(record_id),), caller.view)
    return answer({"data": [_whole_record(caller, module, found[0])]}) if found else unknown_record(caller)


def unknown_record(caller: Caller) -> Response:
    """The answer for a record that does not exist."""
    status = caller.crm.options.unknown_record_status
    body = problem("INVALID_DATA", "the id given seems to be invalid", {"resource_path_index": 1})
    return empty() if status == 204 else answer(body, status)


def _whole_record(caller: Caller, module: Module, record: dict[str, Any]) -> dict[str, Any]:
    more = {}
    for field in module.fields:
        if field.kind == "subform":
            record[field.name], more[field.name] = _children(caller, field.targets[0], "Parent_Id", record["id"])
        elif field.link:
            links, more[field.name] = _children(caller, field.link.module, field.link.here, record["id"])
            record[field.name] = [{field.link.there: each[field.link.there], "id": each["id"]} for each in links]
    if module.polymorphic:
        column = quoted(module_column(module.polymorphic))
        sql = f"SELECT {column} FROM {quoted(module.name)} WHERE id = ?"
        [(record["$se_module"],)] = caller.crm.store.read(sql, (int(record["id"]),))
    record.update(SYSTEM)
    if more:
        record["$has_more"] = more
    record["$currency_symbol"] = SIGNS.get(record.get("Currency", "USD"), "$")
    return record


def _children(caller: Caller, child: str, via: str, parent: str) -> tuple[list[dict[str, Any]], bool]:
    """A record's rows in another module, 200 at most, and whether there are more."""
    where = f"t.{quoted(via)} = ? ORDER BY t.id LIMIT 201"
    found = caller.crm.read(caller.crm.schema[child], where, (int(parent),), caller.view)
    return found[:200], len(found) > 200
