"""The sandbox's pages in a real browser: framed by our checkout, in a pop-up, in the whole window."""

import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import pytest
from aiohttp import web
from playwright.async_api import FrameLocator, Page, async_playwright

from billing.provider.gateway import StripeGateway
from billing.provider.objects import Hold, HoldStatus, SetupIntent, SetupStatus
from tests.fakes.sandbox import RunningSandbox, as_process
from tests.integration.provider.conftest import People

CHROMIUM = shutil.which("chromium")
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="Chromium is missing: apt-get install chromium")
_CHECKOUT = (
    "<!doctype html><html lang=en><title>Checkout</title><iframe title=card width=360 height=800></iframe>"
    "<script>window.heard = []; addEventListener('message', (event) => heard.push(event.data));</script>"
)


@dataclass
class Browser:
    """A page of our checkout beside a sandbox."""

    page: Page
    origin: str
    bank: RunningSandbox
    gateway: StripeGateway
    errors: list[str]

    async def frame(self, url: str) -> FrameLocator:
        """Open the checkout with ``url`` in its frame."""
        await self.page.goto(self.origin)
        await self.page.evaluate("url => { document.querySelector('iframe').src = url; }", url)
        return self.page.frame_locator("iframe")

    async def heard(self) -> list[dict[str, Any]]:
        """What the frame or the pop-up told the checkout."""
        await self.page.wait_for_function("heard.length > 0")
        told: list[dict[str, Any]] = await self.page.evaluate("heard.splice(0)")
        return told

    async def card_form(self) -> tuple[SetupIntent, FrameLocator]:
        customer_id = await self.gateway.ensure_customer(metadata={}, idempotency_key="cus")
        setup = await self.gateway.create_setup_intent(customer_id, idempotency_key="seti")
        query = f"setup_intent={setup.id}&client_secret={setup.client_secret}&locale=de"
        return setup, await self.frame(f"{self.bank.url}/_sandbox/card-form?{query}")


@asynccontextmanager
async def _checkout() -> AsyncIterator[str]:
    async def answer(_request: web.Request) -> web.Response:
        return web.Response(text=_CHECKOUT, content_type="text/html")

    app = web.Application()
    app.router.add_get("/{tail:.*}", answer)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    await runner.cleanup()


@pytest.fixture
async def browser() -> AsyncIterator[Browser]:
    async with _checkout() as origin, as_process(parent_origin=origin) as bank, async_playwright() as playwright:
        gateway = StripeGateway(api_key=bank.api_key, api_base=bank.url, webhook_secret=bank.webhook_secret)
        chromium = await playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        page = await chromium.new_page(viewport={"width": 390, "height": 844})
        errors: list[str] = []
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.on("console", lambda message: errors.append(message.text) if message.type == "error" else None)
        yield Browser(page, origin, bank, gateway, errors)
        await chromium.close()
        await gateway.close()


@pytest.fixture
async def bank(browser: Browser) -> RunningSandbox:
    return browser.bank


@pytest.fixture
async def gateway(browser: Browser) -> StripeGateway:
    return browser.gateway


async def test_a_declined_card_may_be_followed_by_a_good_one(browser: Browser) -> None:
    setup, form = await browser.card_form()
    await form.get_by_label("Kartennummer").fill("4000000000000002")
    await form.get_by_role("button", name="Karte speichern").click()
    declined = {"type": "card.declined", "setup_intent_id": setup.id, "message": "Ihre Karte wurde abgelehnt."}
    assert await browser.heard() == [declined]
    await form.get_by_role("button", name="4242 4242").click()
    saved = {"type": "card.saved", "setup_intent_id": setup.id, "message": "Die Karte ist gespeichert."}
    assert await browser.heard() == [saved]
    assert browser.errors == []


async def test_a_card_that_asks_for_3d_secure_is_saved_in_the_same_frame(browser: Browser) -> None:
    setup, form = await browser.card_form()
    await form.get_by_role("button", name="3155").click()
    await form.get_by_role("button", name="Ich bin es").click()
    assert [told["type"] for told in await browser.heard()] == ["card.saved"]
    assert (await browser.gateway.retrieve_setup_intent(setup.id)).status is SetupStatus.SUCCEEDED
    assert browser.errors == []


async def _waiting(people: Any) -> Hold:
    someone: People = await people("4000003800000446")
    return await someone.confirmed()


async def test_a_hold_is_authenticated_in_a_frame(browser: Browser, people: Any) -> None:
    hold = await _waiting(people)
    assert hold.authenticate_url is not None
    page = await browser.frame(hold.authenticate_url)
    await page.get_by_role("button", name="It is me").click()
    done = {"type": "authentication.done", "payment_intent_id": hold.id, "outcome": "succeeded"}
    assert await browser.heard() == [done]
    assert (await browser.gateway.retrieve_hold(hold.id)).status is HoldStatus.REQUIRES_CAPTURE
    assert browser.errors == []


async def test_a_hold_is_refused_in_a_pop_up(browser: Browser, people: Any) -> None:
    hold = await _waiting(people)
    await browser.page.goto(browser.origin)
    async with browser.page.expect_popup() as opened:
        await browser.page.evaluate("url => { window.open(url); }", hold.authenticate_url)
    popup = await opened.value
    await popup.get_by_role("button", name="Refuse").click()
    assert [told["outcome"] for told in await browser.heard()] == ["failed"]
    assert (await browser.gateway.retrieve_hold(hold.id)).status is HoldStatus.REQUIRES_PAYMENT_METHOD


async def test_the_whole_window_comes_back_after_authentication(browser: Browser, people: Any) -> None:
    hold = await _waiting(people)
    assert hold.authenticate_url is not None
    await browser.page.goto(hold.authenticate_url)
    await browser.page.route("http://localhost:8000/**", lambda route: route.fulfill(body="back"))
    await browser.page.get_by_role("button", name="It is me").click()
    await browser.page.wait_for_url(f"**/back?payment_intent={hold.id}&redirect_status=succeeded")
