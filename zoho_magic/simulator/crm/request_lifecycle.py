"""One API call from the door to the answer: who asks, what it costs, and a place among the calls running now."""

from __future__ import annotations

import time
from dataclasses import dataclass

from flask import Response, g, request

from ..access import Access, authorise, charge
from ..context import world
from .answers import refusal
from .demo import User
from .org import Crm
from .schema import Module
from .serialization import View

__all__ = ["Caller", "begin", "finish", "mark", "module_named", "open_module"]


@dataclass(frozen=True)
class Caller:
    """Who is calling, and the org they call."""

    access: Access
    user: User
    crm: Crm

    @property
    def view(self) -> View:
        """How the caller sees values."""
        return self.crm.view(self.user)

    def pay(self, credits: int) -> None:
        """Book what this call costs; 429 when it is too much."""
        self.crm.limits.spend(credits)
        charge(request, credits)


def begin(*any_of: str, credits: int = 1, sub: bool = False) -> Caller:
    """Let the caller in: a token with one of these scopes, a free place (`sub`: also among the ten), credits."""
    access = authorise(request, *any_of)
    crm = world().crm
    g.leave = crm.limits.enter(access.client_id, sub)
    caller = Caller(access, crm.user(access.user_id), crm)
    if credits:
        caller.pay(credits)
    if crm.options.working_time > 0:
        time.sleep(crm.options.working_time)
    return caller


def finish(_error: BaseException | None = None) -> None:
    """Give the call's place up."""
    leave = g.pop("leave", None)
    if leave:
        leave()


def mark(response: Response) -> Response:
    """Add the headers that tell of limits."""
    return world().crm.limits.mark(response)


def module_named(name: str) -> Module:
    """The module with this API name; refused when there is none or the API does not serve it."""
    module = world().crm.schema.get(name)
    if module is None:
        raise refusal("INVALID_MODULE", "the module name given seems to be invalid", {"resource_path_index": 0})
    if not module.api:
        raise refusal("NOT_SUPPORTED", "The given module is not supported in API", {"resource_path_index": 0})
    return module


def open_module(name: str, operation: str, credits: int = 1, sub: bool = False) -> tuple[Caller, Module]:
    """Let a caller into a module they have the scope for."""
    known = world().crm.schema.get(name)
    scopes = known.scopes(operation) if known else (f"ZohoCRM.modules.{name}.{operation}",)
    caller = begin(*scopes, credits=credits, sub=sub)
    return caller, module_named(name)
