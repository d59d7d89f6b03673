"""The demo's own door: a session of a demo account without cookies, for two sides in two frames of one page."""

from typing import Literal

from aiohttp import web

from core.errors import NotFound
from core.ids import UserId
from people import store
from web.dispatch import json_answer
from web.routes.auth import SignedIn
from web.routes.me import account_of
from web.routing import Access, Call, route
from web.schemas import Input


class DemoSessionIn(Input):
    """Which of the demo's people to be."""

    role: Literal["customer", "consultant", "finance", "admin"]


@route("POST", "/api/demo/session", access=Access.PUBLIC, body=DemoSessionIn, reply=SignedIn, limit="login_address")
async def demo_session(call: Call) -> web.StreamResponse:
    """Be one of the demo's people, in this frame only; outside the demo there is no such door."""
    house = call.house
    if not house.settings.demo:
        raise NotFound
    async with house.db.begin() as tx:
        account = await store.account_by_email(tx, f"{call.body.role}@demo.example")
        if account is None:
            raise NotFound
        session = await house.tokens.open(tx, UserId(account.id))
    async with house.db.begin() as tx:
        shown = await account_of(house, tx, session.user_id)
    return json_answer(SignedIn(access_token=session.access_token, expires_in_s=session.expires_in_s, account=shown))
