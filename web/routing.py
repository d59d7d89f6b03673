"""The route table: one decorator row per route feeds dispatch, authorization, OpenAPI and the matrix test."""

import importlib
import pkgutil
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any
from uuid import UUID

from aiohttp import web
from pydantic import BaseModel

from core.errors import NotFound, Unauthenticated
from core.ids import UserId
from people.principal import Principal
from web.context import House


class Access(StrEnum):
    """Who may call a route. A route names one, or a set of which any is enough."""

    PUBLIC = "public"
    USER = "user"
    CUSTOMER = "customer"
    CONSULTANT = "consultant"
    FINANCE = "finance"
    ADMIN = "admin"


@dataclass(slots=True)
class Call:
    """One request as a handler sees it: already authenticated, authorized, limited and validated.

    ``limit(name, who)`` uses up a hit of a further limit whose subject only the handler knows.
    """

    house: House
    request: web.Request
    request_id: str
    ip_hash: str
    principal: Principal | None
    limit: Callable[[str, str], Awaitable[None]]
    body: Any = None
    query: Any = None

    @property
    def user(self) -> UserId:
        """Who is asking; on PUBLIC routes use ``principal``, which may be None."""
        return self.who.user_id

    @property
    def roles(self) -> frozenset[str]:
        """The roles of the one who asks."""
        return self.who.roles

    @property
    def who(self) -> Principal:
        """The signed-in person, or the demand to sign in."""
        if self.principal is None:
            raise Unauthenticated
        return self.principal

    @property
    def path(self) -> dict[str, str]:
        """The values in the path, as text."""
        return dict(self.request.match_info)

    def id(self, name: str) -> UUID:
        """The identifier ``name`` of the path; what is not one names nothing, hence NotFound."""
        try:
            return UUID(self.request.match_info[name])
        except ValueError:
            raise NotFound from None


Reply = BaseModel | web.StreamResponse | None
Handler = Callable[[Call], Awaitable[Reply]]


@dataclass(frozen=True, slots=True)
class Route:
    """One row of the table.

    ``owned`` names the thing whose id stands in the path and must be the caller's own ("call", "question", …);
    the matrix test asks for it with a stranger's id and expects 404.
    ``limit`` names the allowance of ``web.limits`` that a request uses up: "api", "preview", … (and "api" counts
    every one of them besides), or "none" for probes and webhooks.
    ``media_type`` is what a handler answers that builds its own response (CSV, say).
    ``raw`` leaves the body to the handler (signed webhooks need the very bytes).
    """

    method: str
    path: str
    handler: Handler
    access: frozenset[Access]
    body: type[BaseModel] | None = None
    query: type[BaseModel] | None = None
    reply: type[BaseModel] | None = None
    status: int = 200
    owned: str | None = None
    limit: str = "api"
    media_type: str = "application/json"
    raw: bool = False
    cookie: bool = False

    @property
    def public(self) -> bool:
        """Whether nobody needs to sign in for this."""
        return Access.PUBLIC in self.access

    def admits(self, roles: Iterable[str]) -> bool:
        """Whether a signed-in person with these roles may call this route."""
        return bool(self.access & {Access.PUBLIC, Access.USER}) or bool(self.access & set(roles))

    @property
    def name(self) -> str:
        """The operation's name: that of its function."""
        return getattr(self.handler, "__name__", "handler")

    @property
    def summary(self) -> str:
        """The first line of the handler's docstring."""
        return (self.handler.__doc__ or "").strip().split("\n")[0]


ROUTES: web.AppKey[tuple[Route, ...]] = web.AppKey("routes", tuple)
_ROW = "__route__"


def route(
    method: str,
    path: str,
    *,
    access: Access | Iterable[Access],
    body: type[BaseModel] | None = None,
    query: type[BaseModel] | None = None,
    reply: type[BaseModel] | None = None,
    status: int | None = None,
    owned: str | None = None,
    limit: str = "api",
    media_type: str = "application/json",
    raw: bool = False,
    cookie: bool = False,
) -> Callable[[Handler], Handler]:
    """Declare a route on its handler.

    Without ``reply`` (and with JSON as media type) the answer is 204 and empty, unless ``status`` says otherwise.
    A handler may return its ``reply`` model, None, or a finished aiohttp response (files, cookies).
    ``cookie`` marks a route that trusts a cookie: the X-CSRF-Token header must then repeat the ``csrf`` cookie.
    """
    empty = reply is None and media_type == "application/json"
    admitted = frozenset([access] if isinstance(access, Access) else access)

    def declare(handler: Handler) -> Handler:
        row = Route(
            method=method,
            path=path,
            handler=handler,
            access=admitted,
            body=body,
            query=query,
            reply=reply,
            status=status or (204 if empty else 200),
            owned=owned,
            limit=limit,
            media_type=media_type,
            raw=raw,
            cookie=cookie,
        )
        setattr(handler, _ROW, row)
        return handler

    return declare


def collect(package: str = "web.routes") -> tuple[Route, ...]:
    """Every declared route of every module in ``package``, in a stable order."""
    rows: dict[tuple[str, str], Route] = {}
    folder = importlib.import_module(package)
    for info in sorted(pkgutil.iter_modules(folder.__path__), key=lambda info: info.name):
        module = importlib.import_module(f"{package}.{info.name}")
        for value in vars(module).values():
            row = getattr(value, _ROW, None)
            if not isinstance(row, Route) or getattr(value, "__module__", "") != module.__name__:
                continue
            if (row.path, row.method) in rows:
                raise ValueError(f"{row.method} {row.path} is declared twice")
            rows[row.path, row.method] = replace(row)
    return tuple(rows[key] for key in sorted(rows))


def by_key(routes: Iterable[Route]) -> Mapping[tuple[str, str], Route]:
    """The same rows, found by (method, path)."""
    return {(row.method, row.path): row for row in routes}
