"""The sender: carries commands to Stripe. What it does after an error is told by the error's meaning.

When to send, to ask and to wait is decided here, for every kind alike; what a command is about is its errand's.
"""

import secrets
from collections.abc import Mapping
from typing import Any
from uuid import UUID

from billing.cases import open_case, open_once
from billing.charges import command as machine
from billing.charges import commands, store
from billing.charges.errand import Errand, Order, Scene
from billing.models import CommandRow, HoldRow
from billing.provider.errors import (
    ProviderBusy,
    ProviderDeclined,
    ProviderDisconnected,
    ProviderMissing,
    ProviderRejected,
    ProviderUnknown,
)
from core import logs
from core.db import Database, Tx
from core.jobs import Jobs

log = logs.get(__name__)


class CommandSender:
    """Sends what is intended, and finds out what became of what is unknown."""

    def __init__(self, *, db: Database, errands: Mapping[machine.Kind, Errand]) -> None:
        self._db = db
        self._errands = errands

    def register(self, jobs: Jobs) -> None:
        """Name the job. It needs no retry of its own: the row stays due until its outcome is known."""
        jobs.register(commands.TASK, self.send)

    async def send(self, command_id: str) -> None:
        """Send one command, or ask what became of it; every outcome ends in a transaction of its own."""
        order = await self._claim(UUID(command_id))
        if order is None:
            return
        errand = self._errands[order.kind]
        try:
            seen = await (errand.look(order) if order.ask else errand.write(order))
        except ProviderDeclined as error:
            await self._declined(order, error)
        except ProviderRejected as error:
            await self._rejected(order, error)
        except (ProviderUnknown, ProviderBusy) as error:
            await self._unknown(order, error)
        else:
            await self._answered(order, seen)

    async def sweep(self) -> int:
        """Hand every due command to a job again; returns how many."""
        found = 0
        while True:
            async with self._db.begin() as tx:
                row = await store.claim_command(tx)
                if row is None:
                    return found
                if row.state == machine.State.SENT:  # whoever sent it has not come back
                    row.state = machine.advance(machine.State.SENT, machine.Move.LOSE)
                row.due_at = tx.now + machine.LEASE
                await commands.defer(tx, row.id)
            found += 1

    async def _claim(self, command_id: UUID) -> Order | None:
        async with self._db.begin() as tx:
            looked = await store.command(tx, command_id)
            if looked is None or looked.state in machine.FINAL:
                return None
            await store.lock(tx, looked.charge_id)
            row = await store.command(tx, command_id)
            hold = await store.hold(tx, looked.hold_id)
            assert row is not None
            assert hold is not None
            if row.state in machine.FINAL or _leased(row, tx):
                return None
            ask = _must_ask(row, tx)
            row.state = machine.advance(machine.State(row.state), machine.Move.SEND)
            row.attempts += 1
            row.first_sent_at = row.first_sent_at or tx.now
            row.due_at = tx.now + machine.LEASE
            return await _order(tx, row, hold, ask=ask)

    # Outcomes

    async def _answered(self, order: Order, seen: Any) -> None:
        errand = self._errands[order.kind]
        async with self._db.begin() as tx:
            scene = await self._lock(tx, order)
            if seen is None:
                await self._absent(tx, scene, errand)
                return
            done = await errand.take_in(tx, scene, seen)
            if scene.row.state in machine.FINAL:
                return
            if order.ask and not done:
                await self._without_effect(tx, scene, errand)
            else:
                commands.close(tx, scene.row, machine.Move.FINISH, object=seen.id)

    async def _absent(self, tx: Tx, scene: Scene, errand: Errand) -> None:
        """Stripe lists no such thing. Once may be too early; twice, five minutes apart, is an answer."""
        row = scene.row
        if row.state in machine.FINAL:
            return
        if row.absent_at is None or tx.now - row.absent_at < machine.ABSENT_FOR:
            row.absent_at = row.absent_at or tx.now
            row.state = machine.advance(machine.State(row.state), machine.Move.LOSE)
            row.due_at = row.absent_at + machine.ABSENT_FOR
        elif "rejected" in (row.outcome or {}):
            await self._refuse(tx, scene, errand)
        elif await errand.absent(tx, scene):
            await commands.renew(tx, row, scene.hold)
        else:
            commands.close(tx, row, machine.Move.REFUSE, reason="absent")

    async def _without_effect(self, tx: Tx, scene: Scene, errand: Errand) -> None:
        """We asked, and the write had no effect: write it again under the next key, if it is still wanted."""
        if "rejected" in (scene.row.outcome or {}):
            await self._refuse(tx, scene, errand)
        elif await errand.wanted(tx, scene):
            await commands.renew(tx, scene.row, scene.hold)
        else:
            commands.close(tx, scene.row, machine.Move.REFUSE, reason="not_wanted")

    async def _refuse(self, tx: Tx, scene: Scene, errand: Errand) -> None:
        """Refused, and looked at: it has no effect and never will. A person is told."""
        row, outcome = scene.row, scene.row.outcome or {}
        if await errand.persists(tx, scene):
            key = f"{row.kind}_refused:{row.subject_id}"
            await open_once(tx, row.charge_id, f"{row.kind}_refused", key=key, error=outcome["rejected"])
            await commands.renew(tx, row, scene.hold)
            return
        commands.close(tx, row, machine.Move.REFUSE, **outcome)
        open_case(tx, row.charge_id, f"{row.kind}_refused", hold=scene.hold.n, error=outcome["rejected"])
        await errand.refused(tx, scene)

    async def _declined(self, order: Order, error: ProviderDeclined) -> None:
        async with self._db.begin() as tx:
            scene = await self._lock(tx, order)
            if scene.row.state in machine.FINAL:
                return
            definite = await self._errands[order.kind].declined(tx, scene, error)
        if not definite:
            await self._rejected(order, error)

    async def _rejected(self, order: Order, error: ProviderRejected | ProviderDeclined) -> None:
        """Stripe refused the request itself: look what it has, then decide; a person is told if it stays refused."""
        log.warning("billing.command_rejected", kind=order.kind, code=error.details.get("provider_code"))
        async with self._db.begin() as tx:
            scene = await self._lock(tx, order)
            row = scene.row
            if row.state in machine.FINAL:
                return
            if order.ask and not isinstance(error, (ProviderMissing, ProviderDisconnected)):
                # A refused look says nothing about what we look for.
                key = f"look_refused:{row.id}"
                await open_once(tx, row.charge_id, f"{row.kind}_refused", key=key, error=error.message)
                _later(tx, row, machine.Move.LOSE, row.attempts, hurried=False)
                return
            row.outcome = {**(row.outcome or {}), "ask": True, "rejected": error.message}
            if order.provider_id is None or isinstance(error, ProviderMissing):
                await self._refuse(tx, scene, self._errands[order.kind])
                return
            row.state = machine.advance(machine.State(row.state), machine.Move.LOSE)
            row.due_at = tx.now
            await commands.defer(tx, row.id)

    async def _unknown(self, order: Order, error: ProviderUnknown | ProviderBusy) -> None:
        async with self._db.begin() as tx:
            scene = await self._lock(tx, order)
            row = scene.row
            if row.state in machine.FINAL:
                return
            attempts = row.attempts
            if isinstance(error, ProviderUnknown) and error.replayed and not order.ask:
                row.outcome = {**(row.outcome or {}), "ask": True}  # this key will say the same for ever
                attempts = 1  # that is an answer: what it waited for silence does not count
            busy = isinstance(error, ProviderBusy)
            move = machine.Move.POSTPONE if busy else machine.Move.LOSE
            _later(tx, row, move, attempts, hurried=_hurried(scene))
            log.info("billing.command_unknown", kind=row.kind, attempts=row.attempts, busy=busy)

    async def _lock(self, tx: Tx, order: Order) -> Scene:
        charge = await store.lock(tx, order.charge_id)
        hold = await store.hold(tx, order.hold_id)
        row = await store.command(tx, order.command_id)
        assert hold is not None
        assert row is not None
        return Scene(charge, hold, row)


def _later(tx: Tx, row: CommandRow, move: machine.Move, attempts: int, *, hurried: bool) -> None:
    """Due again after the pause that follows ``attempts``, with some jitter."""
    row.state = machine.advance(machine.State(row.state), move)
    row.due_at = tx.now + machine.pause(attempts, secrets.randbelow(1000) / 1000, hurried=hurried)


def _leased(row: CommandRow, tx: Tx) -> bool:
    """Whether another job is talking to Stripe for this command right now."""
    return row.state == machine.State.SENT and row.due_at is not None and row.due_at > tx.now


def _hurried(scene: Scene) -> bool:
    """Whether somebody waits for this in a call: for a hold to stand, or for one that stands to hold more."""
    raised = scene.row.kind == machine.Kind.INCREMENT and not (scene.row.outcome or {}).get("ask")
    return raised or scene.hold.expires_at is not None


def _must_ask(row: CommandRow, tx: Tx) -> bool:
    """After a stored error, or once Stripe may have forgotten the key, nothing is written before it is looked at."""
    old = row.first_sent_at is not None and tx.now - row.first_sent_at >= machine.SAME_KEY_FOR
    return old or bool((row.outcome or {}).get("ask"))


async def _order(tx: Tx, row: CommandRow, hold: HoldRow, *, ask: bool) -> Order:
    created = next(other for other in await store.commands(tx, hold.id) if other.kind == machine.Kind.CREATE)
    return Order(
        command_id=row.id,
        charge_id=row.charge_id,
        hold_id=hold.id,
        subject_id=row.subject_id,
        kind=machine.Kind(row.kind),
        key=row.key,
        params=dict(row.params),
        provider_id=hold.provider_id,
        customer_id=created.params["customer_id"],
        ask=ask,
    )
