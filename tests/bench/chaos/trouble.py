"""What goes wrong while people talk: processes that are killed, and a Stripe that misbehaves."""

import asyncio
import os
import random
import signal
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from pathlib import Path

import aiohttp

from app.stack import LONGEST_PAUSE_S, Stack

VICTIMS = ("worker", "web", "media", "media-2")
PACE_S = 1.5  # on average between two kills
# Whoever is killed sooner after its start is started again with growing pauses, as a program that cannot work: then
# nobody is left to be killed.
SPARED_S = LONGEST_PAUSE_S + 2
FAULT_S = 1.0
POLL_S = 0.1

_WRITES = ("payment_intents.create", "payment_intents.confirm", "payment_intents.capture", "payment_intents.cancel")
_READS = ("payment_intents.retrieve", "payment_intents.list")
_KINDS = ("timeout_after_success", "error_500_after_success", "rate_429", "lock_409", "down", "slow")
_WEBHOOKS = ("webhook_duplicate", "webhook_late", "webhook_reordered", "webhook_lost")
_EVENTS = ("payment_intent.", "charge.")


def fault(chance: random.Random, *, sticky: bool) -> dict[str, object]:
    """One rule for ``/_sandbox/misbehave``.

    ``sticky``: also 500s that the key remembers although nothing was done. One that hits the creation of a hold is
    decided only after two looks five minutes apart, which a short run does not wait for.
    """
    roll = chance.random()
    if roll < 0.2:
        return {
            "kind": chance.choice(_WEBHOOKS),
            "event": chance.choice(_EVENTS),
            "delay_ms": chance.randint(200, 5_000),
        }
    if roll < 0.25:
        return {"kind": "decline", "operation": "payment_intents.confirm"}
    if roll < 0.35:
        return {"kind": chance.choice(("down", "rate_429", "slow")), "operation": chance.choice(_READS)}
    if roll < 0.5:
        return {"kind": "error_500", "operation": chance.choice(_WRITES[0 if sticky else 1 :])}
    return {"kind": chance.choice(_KINDS), "operation": chance.choice(_WRITES), "times": chance.randint(1, 2)}


class Faults:
    """Adds a rule now and then until ``stop``; never so many that they would pile up."""

    MOST_WAITING = 6

    def __init__(self, sandbox_url: str, chance: random.Random, *, sticky: bool) -> None:
        self._url = f"{sandbox_url}/_sandbox/misbehave"
        self._chance, self._sticky = chance, sticky
        self.added = 0

    async def run(self) -> None:
        """Until cancelled; then the sandbox behaves again."""
        async with aiohttp.ClientSession() as http:
            try:
                while True:
                    async with http.get(self._url) as reply:
                        waiting = len((await reply.json())["rules"])
                    if waiting < self.MOST_WAITING:
                        async with http.post(self._url, json=fault(self._chance, sticky=self._sticky)) as reply:
                            reply.raise_for_status()
                        self.added += 1
                    await asyncio.sleep(self._chance.uniform(0, 2 * FAULT_S))
            finally:
                async with http.delete(self._url) as reply:
                    reply.raise_for_status()


async def supervise(stack: Stack) -> None:
    """Start again what died, as ``./run`` does."""
    while True:
        stack.poll()
        await asyncio.sleep(POLL_S)


class Killer:
    """``kill -9`` at random moments, ``kills`` times over the whole run."""

    def __init__(
        self, stack: Stack, chance: random.Random, kills: int, note: Callable[[float], Awaitable[None]]
    ) -> None:
        self._stack, self._chance, self._kills, self._note = stack, chance, kills, note
        self.done, self._allowed = 0, 0
        self._moved = asyncio.Condition()
        self.by_name: Counter[str] = Counter()
        self._killed_at: dict[str, float] = {}
        self._read_to: dict[str, int] = {}

    async def allow(self, kills: int) -> None:
        """Up to so many in all may be killed by now."""
        async with self._moved:
            self._allowed = max(self._allowed, kills)
            self._moved.notify_all()

    async def reached(self, kills: int) -> None:
        """Wait until so many were killed."""
        async with self._moved:
            await self._moved.wait_for(lambda: self.done >= kills)

    async def run(self) -> None:
        """Kill until all are done."""
        while self.done < self._kills:
            async with self._moved:
                await self._moved.wait_for(lambda: self.done < self._allowed)
            await asyncio.sleep(self._chance.uniform(0.1, 2 * PACE_S - 0.1))
            now = time.monotonic()
            old = [name for name in VICTIMS if now - self._killed_at.get(name, -SPARED_S) >= SPARED_S]
            old = [name for name in old if self._ready(name)]
            if not old:
                continue
            victim = self._chance.choice(old)
            self._read_to[victim] = self._log(victim).stat().st_size
            os.kill(self._stack.pid(victim), signal.SIGKILL)
            async with self._moved:
                self.done += 1
                self._moved.notify_all()
            self.by_name[victim] += 1
            self._killed_at[victim] = now
            await self._note(now)

    def _log(self, name: str) -> Path:
        return self._stack.plan.data / "logs" / f"{name}.log"

    def _ready(self, name: str) -> bool:
        """Whether it has said that it works since it was killed: on a busy machine that takes longer than a while."""
        with self._log(name).open("rb") as log:
            log.seek(self._read_to.get(name, 0))
            return b'.ready"' in log.read()
