"""Payouts a consultant asks for: what is available at Stripe, sent to their bank now, once.

A request is a row with its key, stored before Stripe is called; a job carries it there. What became of a call without
an answer is found out under the same key or, once Stripe may have forgotten it, by the request's id on the payout.
"""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import func, select

from billing.cases import open_once
from billing.charges.command import ABSENT_FOR, FINAL, LEASE, SAME_KEY_FOR, Move, State, advance, pause
from billing.models import PayoutAccountRow
from billing.payouts import store
from billing.payouts.models import PayoutRequestRow
from billing.payouts.schedule import DEFAULT
from billing.payouts.service import PayoutService
from billing.provider.errors import (
    ProviderBusy,
    ProviderDeclined,
    ProviderDisconnected,
    ProviderRejected,
    ProviderUnknown,
)
from billing.provider.gateway import StripeGateway
from billing.provider.objects import Payout
from core import audit, logs
from core.db import Database, Tx
from core.errors import Conflict, Refused
from core.ids import UserId, new_id
from core.jobs import Jobs

log = logs.get(__name__)

TASK = "billing.payout_on_request"
SWEEP_AFTER = timedelta(seconds=10)  # the job is there at once; the tick is the net below it
MARK = "payout_request"  # by this name the payout at Stripe says which request it is of
_EXPECTED = frozenset({"balance_insufficient"})  # what was available has gone meanwhile: nobody must look at that


@dataclass(frozen=True, slots=True)
class _Order:
    """A claimed request, out of the database; ``ask`` says to look before anything is written again."""

    request_id: UUID
    consultant: UUID
    account_id: str
    amount_minor: int
    currency: str
    key: str
    asked_at: datetime
    ask: bool


class PayoutsOnRequest:
    """Use cases of a consultant on a manual schedule. What talks to Stripe opens its own transactions around it."""

    def __init__(self, *, db: Database, gateway: StripeGateway, payouts: PayoutService) -> None:
        self._db = db
        self._gateway = gateway
        self._payouts = payouts

    def register(self, jobs: Jobs) -> None:
        """Name the job; what it cannot finish stays due."""
        jobs.register(TASK, self.send)

    async def ask(self, consultant: UserId) -> list[PayoutRequestRow]:
        """Ask for everything available, one payout a currency.

        Raises NotFound without an account, Refused where nothing may be paid out or nothing is available, and Conflict
        while an earlier request is under way.
        """
        async with self._db.begin() as tx:
            account_id = _allowed(await store.lock(tx, consultant))
        available = await self._gateway.available(account_id)
        async with self._db.begin() as tx:
            _allowed(await store.lock(tx, consultant))
            if await _unfinished(tx, consultant):
                raise Conflict("A payout is on its way already.", code="payout_under_way")
            # What is there and not booked yet is left for the next time: our books never say less than nothing.
            booked = await self._payouts.balances(tx, consultant)
            amounts = {code: min(amount, booked.get(code, 0)) for code, amount in sorted(available.items())}
            rows = await _intend(tx, consultant, {code: amount for code, amount in amounts.items() if amount > 0})
            if not rows:
                raise Refused("Nothing is available for a payout at the moment.", code="nothing_available")
            return rows

    async def latest(self, tx: Tx, consultant: UUID) -> list[PayoutRequestRow]:
        """What was asked for last and is not paid out: on its way, or refused."""
        newest = select(func.max(PayoutRequestRow.asked_at)).where(PayoutRequestRow.consultant_id == consultant)
        query = select(PayoutRequestRow).where(
            PayoutRequestRow.consultant_id == consultant,
            PayoutRequestRow.asked_at == newest.scalar_subquery(),
            PayoutRequestRow.state != State.DONE,
        )
        return list(await tx.session.scalars(query.order_by(PayoutRequestRow.currency)))

    async def send(self, request_id: str) -> None:
        """The job: carry one request to Stripe, or find out what became of it."""
        order = await self._claim(UUID(request_id))
        if order is None:
            return
        try:
            seen = await (self._look(order) if order.ask else self._write(order))
        except (ProviderRejected, ProviderDeclined) as error:
            code = getattr(error, "provider_code", None) or error.code
            log.warning("billing.payout_rejected", code=code, looking=order.ask)
            if order.ask and not isinstance(error, ProviderDisconnected):
                await self._unknown(order, replayed=False)  # a refused look says nothing about the payout
            else:
                await self._refused(order, code, error.message)
        except (ProviderUnknown, ProviderBusy) as error:
            await self._unknown(order, replayed=isinstance(error, ProviderUnknown) and error.replayed)
        else:
            await (self._absent(order) if seen is None else self._paid(order, seen))

    async def run_due(self, db: Database) -> int:
        """Hand requests that nobody finished in time to jobs again."""
        done = 0
        while True:
            async with db.begin() as tx:
                query = (
                    select(PayoutRequestRow)
                    .where(PayoutRequestRow.due_at <= tx.now)
                    .limit(1)
                    .with_for_update(skip_locked=True)
                )
                row = (await tx.session.scalars(query)).one_or_none()
                if row is None:
                    return done
                if row.state == State.SENT:  # whoever sent it has not come back
                    row.state = advance(State.SENT, Move.LOSE)
                row.due_at = tx.now + LEASE
                await tx.defer(TASK, request_id=str(row.id))
            done += 1

    async def _claim(self, request_id: UUID) -> _Order | None:
        async with self._db.begin() as tx:
            looked = await tx.session.get(PayoutRequestRow, request_id)
            if looked is None:
                return None
            account, row = await _lock(tx, looked.consultant_id, request_id)
            if row.state in FINAL or (row.state == State.SENT and row.due_at is not None and row.due_at > tx.now):
                return None
            reason = _hindrance(account)  # held meanwhile, say
            if row.first_sent_at is None and reason is not None:
                _close(tx, row, Move.REFUSE, code=reason.code, message=reason.message)
                return None
            assert account.provider_account_id is not None
            # Sent under its key again it might be made only now, from an account that is held: then we only look.
            old = row.first_sent_at is not None and (reason is not None or tx.now - row.first_sent_at >= SAME_KEY_FOR)
            row.state = advance(State(row.state), Move.SEND)
            row.attempts += 1
            row.first_sent_at = row.first_sent_at or tx.now
            row.due_at = tx.now + LEASE
            ask = old or bool((row.outcome or {}).get("ask"))
            if not ask:
                row.absent_at = None  # what is written now was not missing before
            return _Order(
                request_id=row.id,
                consultant=row.consultant_id,
                account_id=account.provider_account_id,
                amount_minor=row.amount_minor,
                currency=row.currency,
                key=row.key,
                asked_at=row.asked_at,
                ask=ask,
            )

    async def _write(self, order: _Order) -> Payout:
        return await self._gateway.create_payout(
            account_id=order.account_id,
            amount_minor=order.amount_minor,
            currency=order.currency,
            metadata={MARK: str(order.request_id)},
            idempotency_key=order.key,
        )

    async def _look(self, order: _Order) -> Payout | None:
        since = order.asked_at - timedelta(hours=1)  # the clocks of two houses
        for payout in await self._gateway.list_payouts(account_id=order.account_id, since=since):
            if payout.metadata.get(MARK) == str(order.request_id):
                return payout
        return None

    async def _paid(self, order: _Order, seen: Payout) -> None:
        async with self._db.begin() as tx:
            _, row = await _lock(tx, order.consultant, order.request_id)
            await self._payouts.follow(tx, order.consultant, seen)
            if row.state not in FINAL:
                row.payout_id = seen.id
                _close(tx, row, Move.FINISH)

    async def _refused(self, order: _Order, code: str, message: str) -> None:
        async with self._db.begin() as tx:
            _, row = await _lock(tx, order.consultant, order.request_id)
            if row.state in FINAL:
                return
            _close(tx, row, Move.REFUSE, code=code, message=message)
            if code not in _EXPECTED:
                details = {"consultant_id": str(order.consultant), "code": code, "message": message}
                await open_once(tx, None, "payout_refused", key=f"payout-refused:{row.id}", **details)

    async def _unknown(self, order: _Order, *, replayed: bool) -> None:
        async with self._db.begin() as tx:
            _, row = await _lock(tx, order.consultant, order.request_id)
            if row.state in FINAL:
                return
            if replayed:
                row.outcome = {"ask": True}  # this key will say the same for ever, so it is no use to wait
            row.state = advance(State(row.state), Move.LOSE)
            row.due_at = tx.now + pause(1 if replayed else row.attempts, secrets.randbelow(1000) / 1000, hurried=False)

    async def _absent(self, order: _Order) -> None:
        """Stripe lists no such payout. Once may be too early; twice, five minutes apart, it was never made."""
        async with self._db.begin() as tx:
            _, row = await _lock(tx, order.consultant, order.request_id)
            if row.state in FINAL:
                return
            if row.absent_at is not None and tx.now - row.absent_at >= ABSENT_FOR:
                _close(tx, row, Move.REFUSE, code="payout_absent", message="Stripe never made this payout.")
                return
            row.absent_at = row.absent_at or tx.now
            row.state = advance(State(row.state), Move.LOSE)
            row.due_at = row.absent_at + ABSENT_FOR


def _hindrance(row: PayoutAccountRow) -> Refused | None:
    """Why nothing may be paid out; None when it may."""
    if row.held_at is not None:
        return Refused("Payouts from this account are held.", code="payouts_held")
    if row.provider_account_id is None or not row.can_receive or not row.payouts_enabled:
        return Refused("This account cannot be paid out yet.", code="payouts_not_enabled")
    if (row.wanted_schedule or DEFAULT.as_json())["interval"] != "manual":
        return Refused("This account is paid out by its schedule.", code="schedule_not_manual")
    return None


def _allowed(row: PayoutAccountRow) -> str:
    reason = _hindrance(row)
    if reason is not None:
        raise reason
    assert row.provider_account_id is not None
    return row.provider_account_id


async def _unfinished(tx: Tx, consultant: UUID) -> bool:
    query = select(func.count()).where(
        PayoutRequestRow.consultant_id == consultant, PayoutRequestRow.finished_at.is_(None)
    )
    return bool(await tx.session.scalar(query))


async def _intend(tx: Tx, consultant: UserId, amounts: Mapping[str, int]) -> list[PayoutRequestRow]:
    """Write the requests down, under keys counted on from those before; the caller has the account locked."""
    counted = select(func.count()).where(PayoutRequestRow.consultant_id == consultant)
    before = int(await tx.session.scalar(counted) or 0)
    rows = [
        PayoutRequestRow(
            id=new_id(),
            consultant_id=consultant,
            key=f"payout:{consultant}:{n}",
            amount_minor=amount,
            currency=code,
            state=State.INTENDED,
            attempts=0,
            asked_at=tx.now,
            due_at=tx.now + SWEEP_AFTER,
        )
        for n, (code, amount) in enumerate(amounts.items(), before + 1)
    ]
    tx.session.add_all(rows)
    await tx.session.flush()
    for row in rows:
        audit.record(
            tx,
            "payout.asked",
            subject=str(consultant),
            actor=consultant,
            amount_minor=row.amount_minor,
            currency=row.currency,
        )
        await tx.defer(TASK, request_id=str(row.id))
    tx.touch([consultant])
    return rows


async def _lock(tx: Tx, consultant: UUID, request_id: UUID) -> tuple[PayoutAccountRow, PayoutRequestRow]:
    """The account first, as everywhere: whoever books a payout holds it."""
    account = await store.lock(tx, consultant)
    row = await tx.session.get(PayoutRequestRow, request_id, with_for_update=True, populate_existing=True)
    assert row is not None
    return account, row


def _close(tx: Tx, row: PayoutRequestRow, move: Move, **outcome: str) -> None:
    row.state = advance(State(row.state), move)
    row.due_at, row.finished_at, row.outcome = None, tx.now, outcome or None
    tx.touch([row.consultant_id])
