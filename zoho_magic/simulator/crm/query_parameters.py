"""Parameters of a request's query string, checked as Zoho checks them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeVar

from flask import request

from .answers import refusal

__all__ = ["check_length", "choice", "id_list", "numbered_page", "positive_integer"]

MOST_IDS = 100
MOST_PER_PAGE = 200
T = TypeVar("T")


def numbered_page(entries: Sequence[T], most: int | None) -> tuple[Sequence[T], dict[str, Any]]:
    """The entries on the page that `page` and `per_page` name, and the `info` beside them; `most` caps a page."""
    page, asked = positive_integer("page", 1), min(positive_integer("per_page", MOST_PER_PAGE), MOST_PER_PAGE)
    size = min(asked, most or asked)
    shown = entries[(page - 1) * size : page * size]
    return shown, {
        "per_page": size, "count": len(shown), "page": page, "more_records": len(entries) > page * size,
    }  # fmt: skip


def positive_integer(name: str, default: int) -> int:
    """A positive integer parameter; refused when it is something else."""
    text = request.args.get(name)
    if text is None:
        return default
    if not text.isascii() or not text.isdigit() or int(text) < 1:
        raise refusal("PATTERN_NOT_MATCHED", "Please check whether the input values are correct", {"param_name": name})
    return int(text)


def choice(name: str, choices: tuple[str, ...], default: str) -> str:
    """A parameter that is one of a few words."""
    value = request.args.get(name, default)
    if value not in choices:
        raise refusal("INVALID_DATA", "invalid data", {"param_name": name})
    return value


def check_length(name: str, most: int | None) -> None:
    """Refuse a parameter of more characters than `most`. How Zoho words it is not documented."""
    if most is not None and len(request.args.get(name, "")) > most:
        raise refusal("INVALID_DATA", "invalid data", {"param_name": name, "maximum_length": most})


def id_list(name: str, most_characters: int | None) -> list[str]:
    """The record ids of a comma-separated parameter, at most 100 of them."""
    check_length(name, most_characters)
    parts = [part.strip() for part in request.args.get(name, "").split(",") if part.strip()]
    if len(parts) > MOST_IDS:
        raise refusal("LIMIT_EXCEEDED", "limit exceeded", {"limit": MOST_IDS, "param_name": name})
    return parts
