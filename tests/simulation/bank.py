"""The real sandbox without a socket: its own application answers bytes with bytes, through the SDK's own client."""

import asyncio
import contextlib
import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any
from urllib.parse import urlencode, urlsplit

import stripe
from aiohttp import StreamReader, web
from aiohttp.http import HttpVersion11, RawRequestMessage
from multidict import CIMultiDict, CIMultiDictProxy
from yarl import URL

from sandbox.app import Options, build
from sandbox.courier import sign
from tests.simulation.entropy import VirtualClock
from tests.simulation.stage import Boundaries, boundary

URL_BASE = "http://bank.test"
SECRET = "whsec_simulated"
_KEY = {"Authorization": "Bearer sk_test_sandbox"}


class HungUp(Exception):
    """The line went dead before the answer came."""


class _Line:
    """What aiohttp asks of a connection; ``abort`` is the sandbox hanging up."""

    ssl_context = peername = sockname = None

    def __init__(self) -> None:
        self.transport = self
        self.aborted = False

    def abort(self) -> None:
        self.aborted = True

    def pause_reading(self) -> None:
        """The body is here already."""

    def resume_reading(self, *, resume_parser: bool = True) -> None:
        """The same."""


class Bank:
    """One sandbox, empty at first, that lives as long as one seed."""

    def __init__(self, clock: VirtualClock, boundaries: Boundaries) -> None:
        self._clock = clock
        self._boundaries = boundaries
        self._app = build(Options(public_url=URL_BASE, parent_origin=URL_BASE, webhook_secret=SECRET))
        self._last_event: str | None = None
        self.outages: list[tuple[datetime, datetime]] = []

    async def open(self) -> None:
        """Start it."""
        self._app.freeze()
        await self._app.startup()

    async def close(self) -> None:
        """End it."""
        await self._app.cleanup()

    async def request(
        self, method: str, path: str, headers: Mapping[str, str], body: bytes = b""
    ) -> tuple[bytes, int, Mapping[str, str]]:
        """Answer one HTTP request; raises HungUp where the line goes dead."""
        line = _Line()
        named = CIMultiDictProxy(CIMultiDict(headers))
        message = RawRequestMessage(
            method.upper(), path, HttpVersion11, named, (), False, None, False, False, URL(path, encoded=True)
        )
        loop = asyncio.get_running_loop()
        payload = StreamReader(line, 2**16, loop=loop)  # type: ignore[arg-type]
        payload.feed_data(body)
        payload.feed_eof()
        request = web.Request(message, payload, line, line, None, loop, client_max_size=2**20)  # type: ignore[arg-type]
        answer = await self._app._handle(request)
        if line.aborted:
            raise HungUp
        assert isinstance(answer, web.Response)
        assert isinstance(answer.body, bytes)
        return answer.body, answer.status, answer.headers

    async def wire(
        self, method: str, path: str, headers: Mapping[str, str], body: bytes
    ) -> tuple[bytes, int, Mapping[str, str]]:
        """The same as our processes reach it: with boundaries, and outages of the line."""
        short = f"{method.upper()} {path.partition('?')[0]}"
        await boundary(self._boundaries.stage, f"→ {short}")
        now = self._clock.steady()
        if any(begin <= now < end for begin, end in self.outages):
            raise HungUp
        try:
            answer = await self.request(method, path, headers, body)
        except HungUp:
            await boundary(self._boundaries.stage, f"← {short} nothing")
            raise
        await boundary(self._boundaries.stage, f"← {short} {answer[1]}")
        return answer

    # What people and banks do

    async def call(self, method: str, path: str, given: Any = None) -> Any:
        """One of the sandbox's own endpoints, JSON in and out."""
        body = b"" if given is None else json.dumps(given).encode()
        content, status, _ = await self.request(method, path, {"Content-Type": "application/json"}, body)
        assert status < 400, content
        return json.loads(content) if content else None

    async def api(
        self, method: str, path: str, given: dict[str, Any] | None = None, *, account: str | None = None
    ) -> Any:
        """One of Stripe's endpoints, outside the simulated processes; ``account`` is the connected one asked about."""
        headers = {**_KEY, "Content-Type": "application/x-www-form-urlencoded"}
        if account is not None:
            headers["Stripe-Account"] = account
        content, status, _ = await self.request(method, path, headers, urlencode(given or {}).encode())
        assert status < 400, content
        return json.loads(content)

    async def misbehave(self, kind: str, operation: str, times: int) -> None:
        """One more rule of misbehaviour."""
        await self.call("POST", "/_sandbox/misbehave", {"kind": kind, "operation": operation, "times": times})

    async def behave(self) -> None:
        """No misbehaviour any more (an outage of the line lasts as long as it lasts)."""
        await self.call("DELETE", "/_sandbox/misbehave")

    async def customer(self) -> str:
        """A new customer's id."""
        made = await self.api("POST", "/v1/customers")
        return str(made["id"])

    async def card(self, customer: str, token: str) -> str:
        """Save a test card; its id."""
        made = await self.api("POST", f"/v1/payment_methods/{token}/attach", {"customer": customer})
        return str(made["id"])

    async def consultant(self) -> str:
        """An account that may receive transfers; its id."""
        capability = {"type": "express", "country": "DE", "capabilities[transfers][requested]": "true"}
        made = await self.api("POST", "/v1/accounts", capability)
        await self.onboard(made["id"])
        return str(made["id"])

    async def onboard(self, account: str) -> None:
        """The consultant fills in what Stripe wants to know, a bank account among it."""
        back = {"account": account, "return_url": URL_BASE, "refresh_url": URL_BASE, "type": "account_onboarding"}
        link = await self.api("POST", "/v1/account_links", back)
        where = urlsplit(link["url"])
        with contextlib.suppress(web.HTTPSeeOther):  # aiohttp's way to answer a redirect
            await self.request("POST", f"{where.path}?{where.query}", {})

    async def lines(self, account: str, payout: str | None = None) -> list[dict[str, Any]]:
        """Every line of a connected account's balance, or those that a payout took, newest first."""
        found: list[dict[str, Any]] = []
        only = f"&payout={payout}" if payout else ""
        while True:
            after = f"&starting_after={found[-1]['id']}" if found else ""
            page = await self.api("GET", f"/v1/balance_transactions?limit=100{only}{after}", account=account)
            found += page["data"]
            if not page["has_more"]:
                return found

    async def new_events(self) -> list[dict[str, Any]]:
        """The events since this was asked last, oldest first."""
        after = f"&ending_before={self._last_event}" if self._last_event else ""
        page = await self.api("GET", f"/v1/events?limit=100{after}")
        found: list[dict[str, Any]] = page["data"][::-1]
        if found:
            self._last_event = found[-1]["id"]
        return found

    def letter(self, event: dict[str, Any]) -> tuple[bytes, str]:
        """An event as it is delivered now, signed."""
        raw = json.dumps(event)
        return raw.encode(), sign(raw, SECRET, int(self._clock.now().timestamp()))


class Wire(stripe.HTTPClient):
    """The SDK's HTTP client over a ``Bank``; whatever is between the two stays real."""

    name = "bank"

    def __init__(self, bank: Bank) -> None:
        super().__init__()
        self._bank = bank

    async def request_async(
        self, method: str, url: str, headers: Mapping[str, str], post_data: Any = None
    ) -> tuple[bytes, int, Mapping[str, str]]:
        """One request; a dead line is what aiohttp's client makes of it."""
        body = post_data.encode() if isinstance(post_data, str) else post_data or b""
        try:
            return await self._bank.wire(method, url.removeprefix(URL_BASE), headers, body)
        except HungUp as error:
            raise stripe.APIConnectionError("The line went dead.", should_retry=True) from error

    async def close_async(self) -> None:
        """Nothing is held open."""
