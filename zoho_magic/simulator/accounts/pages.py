"""The accounts server's few HTML pages, in the folder templates/."""

from __future__ import annotations

from typing import Any

from flask import Response, render_template

__all__ = ["error_page", "page"]


def page(template: str, status: int = 200, **values: Any) -> Response:
    """A page from templates/, everything in it escaped."""
    text = render_template(f"accounts/{template}", **values)
    return Response(text, status, content_type="text/html;charset=UTF-8")


def error_page(title: str, text: str, status: int) -> Response:
    """A page that says what is wrong, as the authorization endpoint does instead of redirecting."""
    return page("message.html", status, title=title, text=text)
