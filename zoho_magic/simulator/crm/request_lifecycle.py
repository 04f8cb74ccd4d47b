"""One API call from the door to the answer: who asks, what it costs, and a place among the calls running now."""

from __future__ import annotations

import time
from dataclasses import dataclass

from flask import Response, g, request

from ..access import authorize, record
from ..accounts.model import Access
from ..context import current_context
from .answers import refusal
from .demo import User
from .org import Crm
from .schema import Module
from .serialization import UserView

__all__ = ["Caller", "add_limit_headers", "authorize_call", "module_named", "open_module", "release_slot"]


@dataclass(frozen=True)
class Caller:
    """Who is calling, and the org they call."""

    access: Access
    user: User
    crm: Crm

    @property
    def view(self) -> UserView:
        """How the caller sees values."""
        return self.crm.view(self.user)

    def charge(self, credits: int) -> None:
        """Book what this call costs; 429 when it is too much."""
        self.crm.limits.charge(credits)
        record(request, credits=credits)


def authorize_call(*any_of: str, credits: int = 1, sub: bool = False) -> Caller:
    """Let the caller in: a token with one of these scopes, a free place (`sub`: also among the ten), credits."""
    access = authorize(request, *any_of)
    crm = current_context().crm
    g.leave = crm.limits.acquire_slot(access.client_id, sub)
    caller = Caller(access, crm.user(access.user_id), crm)
    if credits:
        caller.charge(credits)
    if crm.options.working_time > 0:
        time.sleep(crm.options.working_time)
    return caller


def release_slot(_error: BaseException | None = None) -> None:
    """Give the call's place up."""
    leave = g.pop("leave", None)
    if leave:
        leave()


def add_limit_headers(response: Response) -> Response:
    """Add the headers that tell of limits."""
    return current_context().crm.limits.add_headers(response)


def module_named(name: str) -> Module:
    """The module with this API name; refused when there is none or the API does not serve it."""
    module = current_context().crm.schema.get(name)
    if module is None:
        raise refusal("INVALID_MODULE", "the module name given seems to be invalid", {"resource_path_index": 0})
    if not module.api:
        raise refusal("NOT_SUPPORTED", "The given module is not supported in API", {"resource_path_index": 0})
    return module


def open_module(name: str, operation: str, credits: int = 1, sub: bool = False) -> tuple[Caller, Module]:
    """Let a caller into a module they have the scope for."""
    known = current_context().crm.schema.get(name)
    scopes = known.scopes(operation) if known else (f"ZohoCRM.modules.{name}.{operation}",)
    caller = authorize_call(*scopes, credits=credits, sub=sub)
    return caller, module_named(name)
