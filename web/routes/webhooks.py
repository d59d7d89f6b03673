"""Stripe's webhooks: checked, stored, answered; worked off by jobs."""

from aiohttp import web

from web.routing import Access, Call, route


@route("POST", "/webhooks/stripe", access=Access.PUBLIC, status=200, limit="none", raw=True)
async def post_stripe(call: Call) -> web.Response:
    """Take in a signed event; the same event twice is stored once."""
    raw = await call.request.read()
    async with call.house.db.begin() as tx:
        await call.house.webhooks.receive(tx, raw, call.request.headers.get("Stripe-Signature"))
    return web.Response(status=200)
