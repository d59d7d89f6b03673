"""A webhook endpoint as our own route is: it checks the signature, keeps the event, answers."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiohttp import web

from billing.provider.gateway import StripeGateway
from billing.provider.objects import ProviderEvent
from tests.fakes.sandbox import API_KEY, WEBHOOK_SECRET


class Endpoint:
    """What our own webhook route does: check, keep, answer."""

    def __init__(self) -> None:
        self.gateway = StripeGateway(api_key=API_KEY, api_base="http://127.0.0.1:9", webhook_secret=WEBHOOK_SECRET)
        self.events: list[ProviderEvent] = []
        self.refusals = 0
        self.arrived = asyncio.Condition()

    async def receive(self, request: web.Request) -> web.Response:
        event = self.gateway.verify_webhook(await request.read(), request.headers.get("Stripe-Signature"))
        if self.refusals:
            self.refusals -= 1
            return web.Response(status=500)
        self.events.append(event)
        async with self.arrived:
            self.arrived.notify_all()
        return web.Response()

    async def types(self, number: int) -> list[str]:
        async with self.arrived:
            await asyncio.wait_for(self.arrived.wait_for(lambda: len(self.events) >= number), 5)
        return [event.type for event in self.events]


@asynccontextmanager
async def listening(endpoint: Endpoint) -> AsyncIterator[str]:
    app = web.Application()
    app.router.add_post("/webhooks/stripe", endpoint.receive)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    yield f"http://127.0.0.1:{runner.addresses[0][1]}/webhooks/stripe"
    await runner.cleanup()
    await endpoint.gateway.close()


async def until(endpoint: Endpoint, *types: str) -> dict[str, ProviderEvent]:
    """Wait until an event of each of these types has come; the last one of each."""
    async with endpoint.arrived:
        await asyncio.wait_for(
            endpoint.arrived.wait_for(lambda: set(types) <= {event.type for event in endpoint.events}), 5
        )
    return {event.type: event for event in endpoint.events}
