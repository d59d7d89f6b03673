"""A customer and a consultant on the way through a paid call, over the real protocol."""

import asyncio
import time
from collections.abc import Callable
from typing import Any
from uuid import uuid4

import aiohttp

from app.demo_people import LOGINS, PASSWORD
from app.stack import Stack
from tests.fakes.caller import Caller

RATE, CAP = 9_000, 4_500


async def until(condition: Callable[[], Any], what: str, seconds: float = 20) -> Any:
    """Wait for a condition; says what it was when it does not come true."""
    deadline = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < deadline, f"not within {seconds} s: {what}"
        await asyncio.sleep(0.05)
    return found


class PaidCall:
    """A customer and a consultant on the way through a call."""

    def __init__(self, stack: Stack, customer: Caller, consultant: Caller) -> None:
        self.stack, self.customer, self.consultant = stack, customer, consultant
        self.call_id = ""
        self.over = False

    async def ring(self) -> str:
        """Question, request, ring; returns the offer's id."""
        if (await self.consultant.api("POST", "/api/consultant/online", {"online": True}))["status"] != "available":
            await until(lambda: self.consultant.socket.snapshot["presence"]["status"] == "available", "available")
        question = {"title": "Why is my query slow?", "details": "", "language": "en"}
        asked = await self.customer.api("POST", "/api/questions", question)
        terms = await self.customer.api("GET", "/api/terms")
        version = next(item["version"] for item in terms["documents"] if item["document"] == "terms")
        wish = {
            "question_id": asked["id"],
            "consultant_id": None,
            "max_rate_minor_per_hour": RATE,
            "currency": "eur",
            "cap_minor": CAP,
            "terms_version": version,
            "consent": True,
            "idempotency_key": str(uuid4()),
        }
        await self.customer.api("POST", "/api/requests", wish)
        offers = await until(lambda: self.consultant.socket.snapshot.get("offers"), "a ring")
        return str(offers[0]["id"])

    async def accept(self) -> None:
        offer = await self.ring()
        self.call_id = (await self.consultant.api("POST", f"/api/offers/{offer}/accept", {}))["call_id"]

    async def connect(self) -> None:
        """Up to connected time that runs."""
        await self.accept()
        await until(lambda: self.customer.call.get("id") == self.call_id, "the call")
        await self.runs()

    async def runs(self) -> None:
        """Wait until the meter runs, as the server knows it."""
        await until(lambda: self.customer.meter.get("running"), "the meter runs", 30)

    async def connected_ms(self) -> int:
        return int((await self.customer.api("GET", f"/api/calls/{self.call_id}/meter"))["connected_ms"])

    async def skip_to(self, connected_ms: int) -> None:
        body = {"to_connected_ms": connected_ms}
        await self.customer.api("POST", f"/api/calls/{self.call_id}/demo/skip", body)
        deadline = time.monotonic() + 10
        while await self.connected_ms() < connected_ms - 500:
            assert time.monotonic() < deadline
            await asyncio.sleep(0.1)

    async def leave(self) -> None:
        await self.customer.api("POST", f"/api/calls/{self.call_id}/leave", {})

    async def settled(self, seconds: float = 45) -> Any:
        """The receipt once the charge is final."""
        deadline = time.monotonic() + seconds
        while True:
            meter = await self.customer.api("GET", f"/api/calls/{self.call_id}/meter")
            if meter["final"]:
                self.over = True
                return await self.customer.api("GET", f"/api/calls/{self.call_id}/receipt")
            assert time.monotonic() < deadline, f"not settled: {meter}"
            await asyncio.sleep(0.2)

    async def intents(self) -> list[Any]:
        """This call's PaymentIntents in the sandbox."""
        async with (
            aiohttp.ClientSession() as http,
            http.get(f"{self.stack.sandbox_url}/_sandbox/state") as reply,
        ):
            objects = (await reply.json())["payment_intent"]
        known = {hold["provider_id"] for hold in (await self.finance())["holds"]}
        return [intent for intent in objects if intent["id"] in known]

    async def finance(self) -> Any:
        async with Caller(self.stack.url, LOGINS["finance"], PASSWORD, joins=False) as finance:
            rows = (await finance.api("GET", "/api/finance/charges?limit=100"))["items"]
            row = next(row for row in rows if row["call_id"] == self.call_id)
            return await finance.api("GET", f"/api/finance/charges/{row['charge_id']}")

    async def assert_exact(self, receipt: Any) -> None:
        """One capture, of exactly the connected time, the same in receipt, books and sandbox."""
        expected = (RATE * receipt["connected_ms"] + 1_800_000) // 3_600_000
        if receipt["connected_ms"] < 600_000:
            expected = 0
        assert receipt["gross_minor"] == min(expected, CAP)
        charge = await self.finance()
        assert charge["recomputed"]["matches"]
        assert charge["row"]["gross_minor"] == receipt["gross_minor"]
        taken = [intent["amount_received"] for intent in await self.intents()]
        assert sum(taken) == receipt["gross_minor"]
        assert {intent["status"] for intent in await self.intents()} <= {"succeeded", "canceled"}
