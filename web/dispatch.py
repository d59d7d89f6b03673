"""Dispatch: what happens between a request and its handler, for every row of the route table alike."""

import asyncio
import hmac
from collections.abc import Awaitable, Callable
from typing import Any

import pydantic_core
from aiohttp import web
from pydantic import BaseModel, ValidationError

from core.errors import AppError, Forbidden, Invalid, Unauthenticated
from people.principal import Principal
from people.tokens import AccessClaims
from web.address import address_hash, client_address
from web.context import House
from web.limits import Limiter
from web.middleware import REQUEST_ID
from web.routing import Call, Reply, Route
from web.schemas import Empty

REFRESH_COOKIE = "refresh"
CSRF_COOKIE = "csrf"
CSRF_HEADER = "X-CSRF-Token"
BODY_TIMEOUT_S = 10


class Malformed(AppError):
    """This is not JSON."""

    code = "malformed"


class CrossSite(Forbidden):
    """The CSRF token is missing or wrong. Reload the page."""

    code = "csrf"


class Dispatcher:
    """Limit, authenticate, authorize, validate, call, answer."""

    def __init__(self, house: House, limiter: Limiter) -> None:
        self._house = house
        self._limiter = limiter

    def handler(self, route: Route) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
        """The aiohttp handler of a row."""

        async def handle(request: web.Request) -> web.StreamResponse:
            return await self._run(route, request)

        handle.__name__ = route.name
        return handle

    async def _run(self, route: Route, request: web.Request) -> web.StreamResponse:
        settings = self._house.settings
        forwarded = request.headers.getall("X-Forwarded-For", [])
        address = client_address(request.remote, forwarded, settings.proxy_networks)
        hashed = address_hash(settings.secret_key, address)
        claims, refusal = self._claims(request)
        await self._limit(route, str(claims.user_id) if claims else hashed)
        principal = await self._authorize(route, claims, refusal)
        if route.cookie:
            self._check_csrf(request)
        call = Call(
            house=self._house,
            request=request,
            request_id=request[REQUEST_ID],
            ip_hash=hashed,
            principal=principal,
            limit=self._limiter.hit,
            query=_query(route, request),
            body=await _body(route, request),
        )
        return _answer(route, await route.handler(call))

    def _claims(self, request: web.Request) -> tuple[AccessClaims | None, Unauthenticated | None]:
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        if not token:
            return None, Unauthenticated()
        if scheme.lower() != "bearer":
            return None, Unauthenticated("Send the access token as a bearer token.")
        try:
            return self._house.tokens.read(token.strip()), None
        except Unauthenticated as error:
            return None, error

    async def _limit(self, route: Route, who: str) -> None:
        if route.limit == "none":
            return
        await self._limiter.hit("api", who)
        if route.limit != "api":
            await self._limiter.hit(route.limit, who)

    async def _authorize(
        self, route: Route, claims: AccessClaims | None, refusal: Unauthenticated | None
    ) -> Principal | None:
        if route.public:
            return None
        if claims is None:
            raise refusal or Unauthenticated()
        async with self._house.db.begin() as tx:
            principal = await self._house.tokens.principal(tx, claims)
        if not route.admits(principal.roles):
            raise Forbidden
        return principal

    def _check_csrf(self, request: web.Request) -> None:
        refresh = request.cookies.get(REFRESH_COOKIE)
        if refresh is None:
            return  # no cookie came along, so nobody's authority is being borrowed
        expected = self._house.tokens.csrf_token(refresh).encode()
        for given in (request.headers.get(CSRF_HEADER, ""), request.cookies.get(CSRF_COOKIE, "")):
            if not hmac.compare_digest(given.encode(errors="surrogateescape"), expected):
                raise CrossSite


async def _body(route: Route, request: web.Request) -> Any:
    if route.body is None or route.raw:
        return None
    if route.body is Empty and not request.can_read_body:
        return Empty()  # a command that needs nothing may come with nothing
    if request.content_type != "application/json":
        raise Malformed("Send the body as JSON, with the content type application/json.")
    try:
        async with asyncio.timeout(BODY_TIMEOUT_S):
            raw = await request.read()
    except TimeoutError:
        raise web.HTTPRequestTimeout from None
    try:
        _refuse_nul(pydantic_core.from_json(raw, allow_inf_nan=False))
    except ValueError as error:
        raise Malformed(f"The body is not JSON: {error}.") from None
    return _validated(route.body, lambda model: model.model_validate_json(raw, strict=True))


def _query(route: Route, request: web.Request) -> Any:
    if route.query is None:
        return None  # parameters nobody asked for (a tracking suffix, say) mean nothing here
    given = request.query
    if len(set(given)) != len(given):
        raise Invalid("A parameter may be given once.")
    values = dict(given)
    _refuse_nul(values)
    return _validated(route.query, lambda model: model.model_validate_strings(values))


def _validated(model: type[BaseModel], validate: Callable[[type[BaseModel]], BaseModel]) -> BaseModel:
    try:
        return validate(model)
    except ValidationError as error:
        fields = [
            {"path": ".".join(str(part) for part in item["loc"]), "code": item["type"], "message": item["msg"]}
            for item in error.errors(include_url=False, include_context=False, include_input=False)
        ]
        named = ", ".join(sorted({field["path"] or "the body" for field in fields}))
        raise Invalid(f"Please check: {named}.", fields=fields) from None


def _refuse_nul(value: Any, path: str = "") -> None:
    """PostgreSQL stores no NUL character; refuse it here once, with the place where it is."""
    if isinstance(value, str) and "\x00" in value:
        fields = [{"path": path, "code": "nul_character", "message": "This contains a NUL character."}]
        raise Invalid(f"Please check: {path or 'the body'}.", fields=fields)
    if isinstance(value, dict):
        for key, item in value.items():
            _refuse_nul(key, path)
            _refuse_nul(item, f"{path}.{key}".lstrip("."))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            _refuse_nul(item, f"{path}.{index}".lstrip("."))


def _answer(route: Route, reply: Reply) -> web.StreamResponse:
    if isinstance(reply, web.StreamResponse):
        return reply
    if reply is None:
        return web.Response(status=route.status, headers={"Cache-Control": "no-store"})
    return json_answer(reply, route.status)


def json_answer(reply: BaseModel, status: int = 200) -> web.Response:
    """A model as a JSON answer; personal, therefore never kept by a cache."""
    return web.Response(
        body=reply.model_dump_json().encode(),
        status=status,
        content_type="application/json",
        headers={"Cache-Control": "no-store"},
    )
