"""What surrounds every request: its id, its log context, its security headers, and errors turned into answers."""

import re
from collections.abc import Awaitable, Callable, Mapping
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import psycopg
import sqlalchemy.exc
import structlog
from aiohttp import web

from core import errors, logs
from core.settings import Settings

log = logs.get(__name__)

REQUEST_ID = web.RequestKey("request_id", str)
Next = Callable[[web.Request], Awaitable[web.StreamResponse]]

# The most specific class wins: looked up along the error's own method resolution order.
STATUS: Mapping[type[errors.AppError], int] = {
    errors.NotFound: 404,
    errors.Conflict: 409,
    errors.Refused: 409,
    errors.Invalid: 422,
    errors.Unauthenticated: 401,
    errors.Forbidden: 403,
    errors.TooMany: 429,
    errors.Upstream: 502,
    errors.AppError: 400,
}
# Pool exhausted, server gone or restarting, deadlock lost; jobs are deferred on the driver's own connection.
DATABASE_AWAY = (
    sqlalchemy.exc.TimeoutError,
    sqlalchemy.exc.OperationalError,
    sqlalchemy.exc.InterfaceError,
    psycopg.OperationalError,
    psycopg.InterfaceError,
)
BUSY = "The server is busy. Try again in a moment."
BUSY_RETRY_S = 2
# A request id handed in by a proxy is kept only when it cannot break a log line or a header.
_SAFE_ID = re.compile(r"[A-Za-z0-9_-]{8,64}\Z")


def status_of(error: errors.AppError) -> int:
    """The HTTP status of a domain error."""
    return next(STATUS[kind] for kind in type(error).__mro__ if kind in STATUS)


def error_response(
    status: int,
    code: str,
    message: str,
    request_id: str,
    *,
    details: Mapping[str, Any] | None = None,
    retry_after_s: int | None = None,
) -> web.Response:
    """The one form of every error: code for programs, message for people, request id for us."""
    body = {"error": {"code": code, "message": message, "details": dict(details or {}), "request_id": request_id}}
    headers = {"Cache-Control": "no-store"}
    if retry_after_s is not None:
        headers["Retry-After"] = str(retry_after_s)
    if status == 401:  # noqa: PLR2004 - RFC 9110 wants the challenge with every 401
        headers["WWW-Authenticate"] = "Bearer"
    return web.json_response(body, status=status, headers=headers)


def _request_id(request: web.Request) -> str:
    given = request.headers.get("X-Request-Id", "")
    return given if _SAFE_ID.match(given) else uuid4().hex


@web.middleware
async def request_context(request: web.Request, handler: Next) -> web.StreamResponse:
    """Give the request an id, and every log line written while it runs the same id."""
    request_id = _request_id(request)
    request[REQUEST_ID] = request_id
    structlog.contextvars.bind_contextvars(request_id=request_id)
    try:
        return await handler(request)
    finally:
        structlog.contextvars.unbind_contextvars("request_id")


@web.middleware
async def errors_to_answers(request: web.Request, handler: Next) -> web.StreamResponse:
    """Turn what was raised into an answer. Nobody outside this file knows a status code of an error."""
    request_id = request[REQUEST_ID]
    try:
        return await handler(request)
    except errors.AppError as error:
        return _domain_answer(error, request_id)
    except web.HTTPException as error:
        if error.status < 400:  # noqa: PLR2004 - a redirect is an answer, not an error
            raise
        return _http_answer(error, request_id)
    except DATABASE_AWAY as error:
        log.warning("request.database_unavailable", kind=type(error).__name__)
        return error_response(503, "busy", BUSY, request_id, retry_after_s=BUSY_RETRY_S)
    except sqlalchemy.exc.DataError as error:
        # The net below the schemas: a value PostgreSQL cannot hold is the sender's mistake, and a missing bound ours.
        log.warning("request.unbounded_input", path=request.path, kind=type(error.orig).__name__)
        return error_response(422, "invalid", "A value is outside the range this accepts.", request_id)
    except Exception:  # the last door: a readable answer with the id under which the log tells the rest
        log.exception("request.failed", method=request.method, path=request.path)
        message = "Something failed on our side. Try again; if it stays, tell us the request id."
        return error_response(500, "internal", message, request_id)


def _domain_answer(error: errors.AppError, request_id: str) -> web.Response:
    status = status_of(error)
    retry_after_s = error.retry_after_s if isinstance(error, errors.TooMany) else None
    if isinstance(error, errors.Upstream) and error.retryable:
        status, retry_after_s = 503, BUSY_RETRY_S
    return error_response(
        status, error.code, error.message, request_id, details=error.details, retry_after_s=retry_after_s
    )


_HTTP_CODES = {
    400: ("malformed", "The request could not be read."),
    404: ("not_found", "There is nothing at this address."),
    405: ("method_not_allowed", "This address does not take that method."),
    413: ("too_large", "The request is larger than this accepts."),
}


def _http_answer(error: web.HTTPException, request_id: str) -> web.Response:
    code, message = _HTTP_CODES.get(error.status, ("http_error", error.reason))
    response = error_response(error.status, code, message, request_id)
    if "Allow" in error.headers:
        response.headers["Allow"] = error.headers["Allow"]
    return response


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


def content_security_policy(settings: Settings) -> str:
    """What a page of ours may load: itself, its own WebSocket, and the card form of Stripe or of the sandbox."""
    origin = urlsplit(settings.public_url)
    socket = f"{'wss' if origin.scheme == 'https' else 'ws'}://{origin.netloc}"
    scripts, connects, frames = "", "", "'none'"
    if settings.stripe_public_base:
        frames = _origin(settings.stripe_public_base)
    elif settings.stripe_publishable_key:  # docs.stripe.com/security/guide#content-security-policy
        scripts, connects = "https://js.stripe.com https://*.js.stripe.com", "https://api.stripe.com"
        frames = f"{scripts} https://hooks.stripe.com"
    if settings.demo:
        frames = f"'self' {frames}".removesuffix(" 'none'")
    policy = {
        "default-src": "'self'",
        "script-src": f"'self' {scripts}",
        "style-src": "'self' 'unsafe-inline'",  # the component kit writes its variables into a style element
        "img-src": "'self' data: blob:",
        "media-src": "'self' blob:",
        "font-src": "'self' data:",
        "connect-src": f"'self' {socket} {connects}",
        "frame-src": frames,
        "worker-src": "'self' blob:",
        "object-src": "'none'",
        "base-uri": "'self'",
        "form-action": "'self'",
        # The demo page shows customer and consultant side by side in frames of our own; nobody else ever frames us.
        "frame-ancestors": "'self'" if settings.demo else "'none'",
    }
    return "; ".join(f"{name} {value.strip()}" for name, value in policy.items())


def security_headers(settings: Settings) -> dict[str, str]:
    """The headers of every answer. No COOP and COEP: Stripe.js does not work under them."""
    headers = {
        "Content-Security-Policy": content_security_policy(settings),
        "X-Content-Type-Options": "nosniff",
        "X-Frame-Options": "SAMEORIGIN" if settings.demo else "DENY",
        "Referrer-Policy": "strict-origin-when-cross-origin",
        "Permissions-Policy": "camera=(self), microphone=(self), display-capture=(self), geolocation=(), payment=()",
    }
    if settings.public_url.startswith("https://"):
        headers["Strict-Transport-Security"] = "max-age=31536000; includeSubDomains"
    return headers


def install(app: web.Application, settings: Settings) -> None:
    """Add the middlewares, and the headers to whatever answer leaves, streamed files and sockets included."""
    fixed = security_headers(settings)

    async def add_headers(request: web.Request, response: web.StreamResponse) -> None:
        for name, value in fixed.items():
            response.headers.setdefault(name, value)
        response.headers["Server"] = "consultant-connect"  # aiohttp would tell its version
        request_id = request.get(REQUEST_ID)
        if request_id is not None:
            response.headers["X-Request-Id"] = request_id

    app.on_response_prepare.append(add_headers)
    app.middlewares.append(request_context)
    app.middlewares.append(errors_to_answers)
