"""The demo's front door: a session for one of the demo people without a password. There is none outside the demo."""

from typing import Literal

from core.errors import NotFound
from people.origin import Origin
from web.routes.auth import SignedIn
from web.routes.me import account_of
from web.routing import Access, Call, route
from web.schemas import Input

ADDRESS = "{role}@demo.example"  # the demo data make one person for each role


class DemoSessionIn(Input):
    """As whom to look around."""

    role: Literal["customer", "consultant", "finance", "admin"]


@route("POST", "/api/demo/session", access=Access.PUBLIC, body=DemoSessionIn, reply=SignedIn, limit="login_address")
async def post_demo_session(call: Call) -> SignedIn:
    """Sign in as a demo person; no cookies, so that two of them can be open side by side in one browser."""
    if not call.house.settings.demo:
        raise NotFound
    body: DemoSessionIn = call.body
    origin = Origin(ip_hash=call.ip_hash, request_id=call.request_id)
    async with call.house.db.begin() as tx:
        session = await call.house.accounts.enter_demo(tx, ADDRESS.format(role=body.role), origin)
        account = await account_of(call.house, tx, session.user_id)
    return SignedIn(access_token=session.access_token, expires_in_s=session.expires_in_s, account=account)
