"""Log-ins: register, log in, refresh, log out, change the password."""

import hashlib
from typing import Annotated, Literal

from aiohttp import web
from pydantic import Field

from core.errors import Unauthenticated
from people.accounts import Registration
from people.consents import Agreement
from people.origin import Origin
from people.roles import Role
from people.tokens import Session
from web.context import House
from web.dispatch import CSRF_COOKIE, REFRESH_COOKIE, json_answer
from web.routes.me import Account, AgreementIn, account_of
from web.routing import Access, Call, route
from web.schemas import DisplayName, Input, Output, TimeZone

Email = Annotated[str, Field(min_length=3, max_length=254)]
# Far above what bcrypt takes: the service counts bytes and says so in words.
Password = Annotated[str, Field(min_length=1, max_length=1000)]
REFRESH_PATH = "/api/auth"


class RegisterIn(Input):
    """What it takes to open an account."""

    email: Email
    password: Password
    role: Literal["customer", "consultant"]
    display_name: DisplayName
    locale: Literal["en", "de"]
    time_zone: TimeZone = "UTC"
    consents: Annotated[list[AgreementIn], Field(max_length=10)]


class RegisterOut(Output):
    """Nothing: a taken address gets the very same answer."""


class LoginIn(Input):
    """E-mail address and password."""

    email: Email
    password: Password


class SignedIn(Output):
    """A short-lived access token, to be kept in memory; the refresh token came as a cookie."""

    access_token: str
    expires_in_s: int
    account: Account


class PasswordIn(Input):
    """The password now, and the one to come."""

    current: Password
    new: Password


def origin_of(call: Call) -> Origin:
    """Where this request came from, for the audit log."""
    return Origin(ip_hash=call.ip_hash, request_id=call.request_id)


@route(
    "POST", "/api/auth/register", access=Access.PUBLIC, body=RegisterIn, reply=RegisterOut, status=201, limit="register"
)
async def register(call: Call) -> RegisterOut:
    """Open an account as customer or consultant."""
    body: RegisterIn = call.body
    wish = Registration(
        email=body.email,
        password=body.password,
        role=Role(body.role),
        display_name=body.display_name,
        locale=body.locale,
        time_zone=body.time_zone,
        agreements=tuple(Agreement(consent.document, consent.version) for consent in body.consents),
    )
    await call.house.accounts.register(call.house.db, wish, origin_of(call))
    return RegisterOut()


@route("POST", "/api/auth/login", access=Access.PUBLIC, body=LoginIn, reply=SignedIn, limit="login_address")
async def login(call: Call) -> web.StreamResponse:
    """Start a session on this device."""
    body: LoginIn = call.body
    account = hashlib.sha256(body.email.strip().lower().encode()).hexdigest()[:24]  # no address in Redis
    await call.limit("login", f"{account}:{call.ip_hash}")
    session = await call.house.accounts.login(call.house.db, body.email, body.password, origin_of(call))
    return await _signed_in(call, session)


@route("POST", "/api/auth/refresh", access=Access.PUBLIC, reply=SignedIn, cookie=True)
async def refresh(call: Call) -> web.StreamResponse:
    """Exchange the refresh cookie, once; of several tabs only one may do so at a time."""
    raw = call.request.cookies.get(REFRESH_COOKIE)
    if not raw:
        raise Unauthenticated
    session = await call.house.accounts.refresh(call.house.db, raw, origin_of(call))
    return await _signed_in(call, session)


@route("POST", "/api/auth/logout", access=Access.PUBLIC, cookie=True)
async def logout(call: Call) -> web.StreamResponse:
    """End this session: its tokens and its sockets."""
    raw = call.request.cookies.get(REFRESH_COOKIE)
    if raw:
        async with call.house.db.begin() as tx:
            await call.house.accounts.logout(tx, raw, origin_of(call))
    response = web.Response(status=204, headers={"Cache-Control": "no-store"})
    response.del_cookie(REFRESH_COOKIE, path=REFRESH_PATH)
    response.del_cookie(CSRF_COOKIE, path="/")
    return response


@route("POST", "/api/auth/password", access=Access.USER, body=PasswordIn, limit="password")
async def change_password(call: Call) -> None:
    """Set another password; every other session ends."""
    body: PasswordIn = call.body
    await call.house.accounts.change_password(call.house.db, call.who, body.current, body.new, origin_of(call))


async def _signed_in(call: Call, session: Session) -> web.Response:
    async with call.house.db.begin() as tx:
        account = await account_of(call.house, tx, session.user_id)
    answer = SignedIn(access_token=session.access_token, expires_in_s=session.expires_in_s, account=account)
    response = json_answer(answer)
    _set_cookies(call.house, response, session)
    return response


def _set_cookies(house: House, response: web.Response, session: Session) -> None:
    secure = house.settings.public_url.startswith("https://")
    age_s = int((session.refresh_expires_at - house.clock.now()).total_seconds())
    response.set_cookie(
        REFRESH_COOKIE,
        session.refresh_token,
        path=REFRESH_PATH,
        max_age=age_s,
        httponly=True,
        secure=secure,
        samesite="Strict",
    )
    # Readable by the page on purpose: only a page of ours can repeat it in the header.
    response.set_cookie(CSRF_COOKIE, session.csrf_token, path="/", max_age=age_s, secure=secure, samesite="Strict")
