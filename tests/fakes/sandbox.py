"""Starts the Stripe sandbox for tests: in the test's own loop, or as a process of its own."""

import asyncio
import json
import os
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
from aiohttp import web

from sandbox.app import Options, build

API_KEY = "sk_test_sandbox"
WEBHOOK_SECRET = "whsec_for_tests"
PARENT_ORIGIN = "http://localhost:8000"


@dataclass(frozen=True, slots=True)
class RunningSandbox:
    """A sandbox that answers, and what tests ask of it."""

    url: str
    api_key: str = API_KEY
    webhook_secret: str = WEBHOOK_SECRET

    async def state(self) -> dict[str, list[dict[str, Any]]]:
        """Every object by kind, oldest first."""
        found: dict[str, list[dict[str, Any]]] = await self._json("GET", "/_sandbox/state")
        return found

    async def misbehave(self, kind: str, operation: str = "", *, times: int = 1, **more: Any) -> None:
        """One more rule: what goes wrong (sandbox/misbehaviour.py), where, and how often."""
        await self._json("POST", "/_sandbox/misbehave", {"kind": kind, "operation": operation, "times": times, **more})

    async def behave(self) -> None:
        """No rule any more."""
        await self._json("DELETE", "/_sandbox/misbehave")

    async def save_card(self, setup_intent_id: str, client_secret: str, number: str = "4242424242424242") -> Any:
        """What a customer does in the card form."""
        given = {"setup_intent": setup_intent_id, "client_secret": client_secret, "number": number}
        return await self._json("POST", "/_sandbox/card-form", given)

    async def authenticate(self, intent_id: str, outcome: str = "succeeded") -> Any:
        """What a customer does on the 3-D Secure page."""
        return await self._json("POST", f"/_sandbox/authenticate/{intent_id}", {"outcome": outcome})

    async def onboard(self, link_url: str) -> None:
        """What a consultant does on the onboarding page."""
        async with aiohttp.ClientSession() as session, session.post(link_url, allow_redirects=False) as answer:
            assert answer.status == 303, await answer.text()

    async def lapse(self, intent_id: str) -> None:
        """The bank lets an authorization go."""
        await self._json("POST", f"/_sandbox/lapse/{intent_id}")

    async def dispute(
        self, intent_id: str, *, reason: str = "fraudulent", amount: int | None = None, inquiry: bool = False
    ) -> str:
        """The customer's bank disputes a captured intent, or only asks (``inquiry``); the dispute's id."""
        given: dict[str, Any] = {"reason": reason, "inquiry": inquiry}
        if amount is not None:
            given["amount"] = amount
        return str((await self._json("POST", f"/_sandbox/dispute/{intent_id}", given))["id"])

    async def decide(self, dispute_id: str, outcome: str) -> str:
        """The bank decides: ``won``, ``lost``, or ``escalated`` for an inquiry; the dispute's status."""
        answer = await self._json("POST", f"/_sandbox/dispute/{dispute_id}/decide", {"outcome": outcome})
        return str(answer["status"])

    async def pay_out(self, account_id: str, *, force: bool = False) -> list[str]:
        """Stripe pays a connected account out, one payout a currency; their ids. ``force``: a manual schedule too."""
        answer = await self._json("POST", f"/_sandbox/payout/{account_id}", {"force": force})
        return list(answer["payouts"])

    async def settle_payout(self, payout_id: str) -> None:
        """The consultant's bank has the money."""
        await self._json("POST", f"/_sandbox/payout/{payout_id}/settle")

    async def fail_payout(self, payout_id: str, code: str = "account_closed") -> None:
        """The consultant's bank sends it back; payouts rest until the account is onboarded again."""
        await self._json("POST", f"/_sandbox/payout/{payout_id}/fail", {"code": code})

    async def cancel_payout(self, payout_id: str) -> None:
        """The payout never leaves."""
        await self._json("POST", f"/_sandbox/payout/{payout_id}/cancel")

    async def fail_refund(self, refund_id: str) -> None:
        """The customer's bank sends a refund back."""
        await self._json("POST", f"/_sandbox/refund/{refund_id}/fail")

    async def restrict(self, account_id: str, *requirements: str) -> None:
        """Stripe wants to know more (all that onboarding asks for when nothing is named), and it is late."""
        await self._json("POST", f"/_sandbox/restrict/{account_id}", {"requirements": list(requirements)})

    async def renew_card(self, method_id: str, *, last4: str, exp_month: int, exp_year: int) -> None:
        """The bank issues a saved card anew; the network tells Stripe."""
        given = {"last4": last4, "exp_month": exp_month, "exp_year": exp_year}
        await self._json("POST", f"/_sandbox/renew-card/{method_id}", given)

    async def depart(self, account_id: str) -> None:
        """A connected account disconnects itself from the platform."""
        await self._json("POST", f"/_sandbox/depart/{account_id}")

    async def top_up(self, amount: int, currency: str = "eur") -> None:
        """The platform puts money of its own on its balance."""
        await self._json("POST", "/_sandbox/topup", {"amount": amount, "currency": currency})

    async def tamper(self, object_id: str, field: str, value: Any) -> None:
        """Change a field of a stored object (dots lead inwards) behind everybody's back."""
        await self._json("POST", "/_sandbox/tamper", {"id": object_id, "field": field, "value": value})

    async def forget(self, object_id: str) -> None:
        """Lose a stored object."""
        await self._json("POST", "/_sandbox/forget", {"id": object_id})

    async def _json(self, method: str, path: str, body: Any = None) -> Any:
        async with aiohttp.ClientSession() as session, session.request(method, self.url + path, json=body) as answer:
            assert answer.ok, f"{answer.status} {await answer.text()}"
            return await answer.json()


@asynccontextmanager
async def in_process(
    *, webhook_url: str | None = None, state: Path | None = None, port: int = 0
) -> AsyncIterator[RunningSandbox]:
    """A sandbox in this loop, on a free port."""
    listener = socket.create_server(("127.0.0.1", port))
    url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    options = Options(
        public_url=url,
        parent_origin=PARENT_ORIGIN,
        webhook_url=webhook_url,
        webhook_secret=WEBHOOK_SECRET,
        state=state,
    )
    runner = web.AppRunner(build(options), access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    try:
        await web.SockSite(runner, listener).start()
        yield RunningSandbox(url)
    finally:
        await runner.cleanup()


@asynccontextmanager
async def as_process(
    *, webhook_url: str | None = None, state: Path | None = None, parent_origin: str = PARENT_ORIGIN
) -> AsyncIterator[RunningSandbox]:
    """A sandbox as ``./run`` starts it, on a free port; killed at the end."""
    command = [sys.executable, "-m", "sandbox", "--port", "0", "--parent-origin", parent_origin]
    command += ["--webhook-secret", WEBHOOK_SECRET]
    command += ["--webhook-url", webhook_url] if webhook_url else []
    command += ["--state", str(state)] if state else []
    environment = {name: value for name, value in os.environ.items() if not name.startswith("STRIPE_")}
    process = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE, env=environment)
    try:
        assert process.stdout is not None
        ready = json.loads(await asyncio.wait_for(process.stdout.readline(), 20))
        yield RunningSandbox(ready["url"])
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()
