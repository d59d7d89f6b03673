"""The courier: signs every event and delivers it until the endpoint answers 2xx (docs.stripe.com/webhooks)."""

import asyncio
import hashlib
import hmac
import json
import logging

import aiohttp

from sandbox.misbehaviour import Kind, Rules
from sandbox.render import clean
from sandbox.store import Obj, Store
from sandbox.world import World

log = logging.getLogger("sandbox.courier")

_RETRIES_S = (0.2, 0.5, 1, 2, 5)  # the last one repeats; Stripe's own take minutes and hours
_OVERTAKEN_S = 2.0
_AT_ONCE = 8


def sign(payload: str, secret: str, at: int) -> str:
    """The ``Stripe-Signature`` header: HMAC-SHA256 over ``timestamp.payload``."""
    digest = hmac.new(secret.encode(), f"{at}.{payload}".encode(), hashlib.sha256).hexdigest()
    return f"t={at},v1={digest}"


class Courier:
    """One task per undelivered event; what is not delivered when the process ends is taken up at the next start."""

    def __init__(self, store: Store, rules: Rules, *, url: str | None, secret: str) -> None:
        self._store = store
        self._rules = rules
        self._url = url
        self._secret = secret
        self._tasks: set[asyncio.Task[None]] = set()
        self._waiting: list[Obj] = []
        self._gate = asyncio.Semaphore(_AT_ONCE)
        self._delivered = asyncio.Condition()
        self._count = 0
        self._session: aiohttp.ClientSession | None = None

    async def start(self) -> None:
        """Open the connection pool and take up what an earlier process left."""
        self._session = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=10))
        self._waiting = [event for event in self._store.all("event") if event["pending_webhooks"]]
        self.dispatch()

    def announce(self, event: Obj) -> None:
        """Remember an event until the request that caused it is stored."""
        if self._url is None:
            event["pending_webhooks"] = 0
        else:
            self._waiting.append(event)

    def dispatch(self) -> None:
        """Send what was announced; called once the store is written."""
        events, self._waiting = self._waiting, []
        for event in events:
            task = asyncio.get_running_loop().create_task(self._carry(event))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def stop(self) -> None:
        """Stop delivering; undelivered events stay in the store."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._session is not None:
            await self._session.close()

    async def _carry(self, event: Obj) -> None:
        kind = str(event["type"])
        if self._rules.take({Kind.WEBHOOK_LOST}, kind):
            return
        late = self._rules.take({Kind.WEBHOOK_LATE}, kind)
        if late is not None:
            await asyncio.sleep(late.delay_ms / 1_000)
        elif self._rules.take({Kind.WEBHOOK_REORDERED}, kind):
            await self._overtaken()
        await self._deliver(event)
        if self._rules.take({Kind.WEBHOOK_DUPLICATE}, kind):
            await self._deliver(event)
        event["pending_webhooks"] = 0
        self._store.save(event)
        self._store.flush()

    async def _overtaken(self) -> None:
        """Wait until another event was delivered, or it is clear that none comes."""
        seen = self._count
        async with self._delivered:
            try:
                await asyncio.wait_for(self._delivered.wait_for(lambda: self._count > seen), _OVERTAKEN_S)
            except TimeoutError:
                return

    async def _deliver(self, event: Obj) -> None:
        attempt = 0
        while not await self._post(event):
            await asyncio.sleep(_RETRIES_S[min(attempt, len(_RETRIES_S) - 1)])
            attempt += 1
        async with self._delivered:
            self._count += 1
            self._delivered.notify_all()

    async def _post(self, event: Obj) -> bool:
        assert self._session is not None
        assert self._url is not None
        payload = json.dumps(clean(event))
        headers = {
            "Content-Type": "application/json; charset=utf-8",
            "Stripe-Signature": sign(payload, self._secret, World.now()),
            "User-Agent": "Stripe/1.0 (+https://stripe.com/docs/webhooks)",
        }
        async with self._gate:
            try:
                async with self._session.post(self._url, data=payload.encode(), headers=headers) as answer:
                    delivered = answer.ok
            except (aiohttp.ClientError, OSError, TimeoutError) as error:
                log.info("webhook.unreachable %s %s", event["type"], type(error).__name__)
                return False
        if not delivered:
            log.info("webhook.refused %s %s", event["type"], answer.status)
        return delivered
