"""The sender: carries commands to Stripe. What it does after an error is told by the error's meaning."""

import secrets
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from billing.cases import open_case
from billing.charges import charge as charges
from billing.charges import command as machine
from billing.charges import commands, holds, settlement, store
from billing.charges import hold as hold_machine
from billing.charges.reconcile import declined, reconcile
from billing.models import ChargeRow, CommandRow, HoldRow
from billing.provider.errors import ProviderBusy, ProviderDeclined, ProviderMissing, ProviderRejected, ProviderUnknown
from billing.provider.gateway import StripeGateway
from billing.provider.objects import Hold
from core import logs
from core.db import Database, Tx
from core.jobs import Jobs
from core.settings import Settings

log = logs.get(__name__)


@dataclass(frozen=True, slots=True)
class Order:
    """A claimed command, out of the database; ``ask`` says to look before anything is written again."""

    command_id: UUID
    charge_id: UUID
    hold_id: UUID
    kind: machine.Kind
    key: str
    params: dict[str, Any]
    provider_id: str | None
    customer_id: str
    ask: bool


class CommandSender:
    """Sends what is intended, and finds out what became of what is unknown."""

    def __init__(self, *, db: Database, gateway: StripeGateway, settings: Settings) -> None:
        self._db = db
        self._gateway = gateway
        self._return_base = settings.public_url

    def register(self, jobs: Jobs) -> None:
        """Name the job. It needs no retry of its own: the row stays due until its outcome is known."""
        jobs.register(commands.TASK, self.send)

    async def send(self, command_id: str) -> None:
        """Send one command, or ask what became of it; every outcome ends in a transaction of its own."""
        order = await self._claim(UUID(command_id))
        if order is None:
            return
        try:
            seen = await (self._look(order) if order.ask else self._write(order))
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

    # Claiming

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

    # Talking to Stripe: no transaction is open here

    async def _write(self, order: Order) -> Hold | None:
        if order.kind is machine.Kind.CREATE:
            return await self._gateway.create_hold(**order.params, idempotency_key=order.key)
        assert order.provider_id is not None
        if order.kind is machine.Kind.CONFIRM:
            return await self._gateway.confirm_hold(order.provider_id, **order.params, idempotency_key=order.key)
        if order.kind is machine.Kind.CAPTURE:
            return await self._gateway.capture(order.provider_id, **order.params, idempotency_key=order.key)
        return await self._gateway.cancel(order.provider_id, idempotency_key=order.key)

    async def _look(self, order: Order) -> Hold | None:
        """What Stripe has; None when it has never heard of this hold."""
        if order.provider_id is not None:
            return await self._gateway.retrieve_hold(order.provider_id)
        listed = await self._gateway.list_holds(order.customer_id)
        return next((hold for hold in listed if hold.metadata.get("hold_id") == str(order.hold_id)), None)

    # Outcomes

    async def _answered(self, order: Order, seen: Hold | None) -> None:
        async with self._db.begin() as tx:
            charge, hold, row = await self._lock(tx, order)
            if seen is None:
                await self._absent(tx, charge, hold, row)
                return
            await reconcile(tx, seen, return_base=self._return_base)
            if row.state in machine.FINAL:
                return
            if order.ask:
                await self._without_effect(tx, charge, hold, row)
            else:
                commands.close(tx, row, machine.Move.FINISH, intent=seen.id, status=seen.status)

    async def _absent(self, tx: Tx, charge: ChargeRow, hold: HoldRow, row: CommandRow) -> None:
        """Stripe lists no such intent. Once may be too early; twice, five minutes apart, is an answer."""
        if row.state in machine.FINAL:
            return
        if row.absent_at is None or tx.now - row.absent_at < machine.ABSENT_FOR:
            row.absent_at = row.absent_at or tx.now
            row.state = machine.advance(machine.State(row.state), machine.Move.LOSE)
            row.due_at = row.absent_at + machine.ABSENT_FOR
            return
        commands.close(tx, row, machine.Move.REFUSE, reason="absent")
        await _never_stood(tx, charge, hold)

    async def _without_effect(self, tx: Tx, charge: ChargeRow, hold: HoldRow, row: CommandRow) -> None:
        """We asked, and the write had no effect: write it again under the next key, if it is still wanted."""
        wanted = {
            machine.Kind.CONFIRM: hold.state == hold_machine.State.PLACING and not hold.unwanted,
            machine.Kind.CAPTURE: hold.state == hold_machine.State.CAPTURING,
            machine.Kind.CANCEL: hold.state == hold_machine.State.RELEASING,
        }
        outcome = row.outcome or {}
        if "rejected" in outcome:
            commands.close(tx, row, machine.Move.REFUSE, **outcome)
            open_case(tx, charge.id, f"{row.kind}_refused", hold=hold.n, error=outcome["rejected"])
            if row.kind == machine.Kind.CONFIRM:
                await _never_stood(tx, charge, hold)
        elif wanted.get(machine.Kind(row.kind)):
            await commands.renew(tx, row, hold)
        else:
            commands.close(tx, row, machine.Move.REFUSE, reason="not_wanted")

    async def _declined(self, order: Order, error: ProviderDeclined) -> None:
        """A definite no to the hold. A no to a capture is looked at first: the hold may have lapsed."""
        if order.kind in {machine.Kind.CAPTURE, machine.Kind.CANCEL}:
            await self._rejected(order, error)
            return
        async with self._db.begin() as tx:
            charge, hold, row = await self._lock(tx, order)
            if row.state not in machine.FINAL:
                commands.close(tx, row, machine.Move.REFUSE, code=error.code, decline_code=error.decline_code)
            if hold.state in hold_machine.UNDECIDED:
                hold.state = hold_machine.advance(hold_machine.State(hold.state), hold_machine.Move.DECLINE)
                hold.expires_at, hold.authenticate_url = None, None
                await declined(tx, charge, hold, error.message)
                tx.touch([charge.customer_id, charge.consultant_id])

    async def _rejected(self, order: Order, error: ProviderRejected | ProviderDeclined) -> None:
        """Stripe refused the request itself: look what it has, then decide; a person is told if it stays refused."""
        log.warning("billing.command_rejected", kind=order.kind, code=error.details.get("provider_code"))
        async with self._db.begin() as tx:
            charge, hold, row = await self._lock(tx, order)
            if row.state in machine.FINAL:
                return
            if order.provider_id is None or isinstance(error, ProviderMissing):
                commands.close(tx, row, machine.Move.REFUSE, rejected=error.message)
                open_case(tx, charge.id, f"{row.kind}_refused", hold=hold.n, error=error.message)
                await _never_stood(tx, charge, hold)
                return
            row.outcome = {**(row.outcome or {}), "ask": True, "rejected": error.message}
            row.state = machine.advance(machine.State(row.state), machine.Move.LOSE)
            row.due_at = tx.now
            await commands.defer(tx, row.id)

    async def _unknown(self, order: Order, error: ProviderUnknown | ProviderBusy) -> None:
        async with self._db.begin() as tx:
            _, hold, row = await self._lock(tx, order)
            if row.state in machine.FINAL:
                return
            share = secrets.randbelow(1000) / 1000
            pause = machine.pause(row.attempts, share, hurried=hold.expires_at is not None)
            if isinstance(error, ProviderUnknown) and error.replayed:
                row.outcome = {**(row.outcome or {}), "ask": True}  # this key will say the same for ever
            busy = isinstance(error, ProviderBusy)
            row.state = machine.advance(machine.State(row.state), machine.Move.POSTPONE if busy else machine.Move.LOSE)
            row.due_at = tx.now + pause
            log.info("billing.command_unknown", kind=row.kind, attempts=row.attempts, busy=busy)

    async def _lock(self, tx: Tx, order: Order) -> tuple[ChargeRow, HoldRow, CommandRow]:
        charge = await store.lock(tx, order.charge_id)
        hold = await store.hold(tx, order.hold_id)
        row = await store.command(tx, order.command_id)
        assert hold is not None
        assert row is not None
        return charge, hold, row


async def _never_stood(tx: Tx, charge: ChargeRow, hold: HoldRow) -> None:
    """A hold that cannot come to stand: the first one ends the charge, an extension only itself."""
    if hold.state in hold_machine.UNDECIDED:
        if hold.provider_id is None:
            holds.drop(tx, hold)
        else:
            await holds.let_go(tx, hold)
    if charge.state in charges.PREPARING:
        await settlement.abandon(tx, charge, "payment_unavailable")
    await settlement.conclude(tx, charge)


def _leased(row: CommandRow, tx: Tx) -> bool:
    """Whether another job is talking to Stripe for this command right now."""
    return row.state == machine.State.SENT and row.due_at is not None and row.due_at > tx.now


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
        kind=machine.Kind(row.kind),
        key=row.key,
        params=dict(row.params),
        provider_id=hold.provider_id,
        customer_id=created.params["customer_id"],
        ask=ask,
    )
