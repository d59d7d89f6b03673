"""PayoutService: each payout followed to its lines, each account's schedule told to Stripe, accounts held back."""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import select

from billing import provider_refs
from billing.cases import open_once
from billing.charges.command import LEASE, pause
from billing.finance import approvals
from billing.finance.models import ApprovalRow
from billing.ledger import entries, journal
from billing.mails import outbox
from billing.models import ChargeRow, PayoutAccountRow
from billing.payouts import store
from billing.payouts.models import PayoutLineRow, PayoutRow
from billing.payouts.schedule import DEFAULT, HELD, Wanted, agrees
from billing.payouts.store import by_account, lock
from billing.provider.errors import ProviderBusy, ProviderRejected, ProviderUnknown
from billing.provider.gateway import StripeGateway
from billing.provider.objects import BalanceTransaction, ConnectedAccount, Payout
from core import audit, logs
from core.db import Database, Tx
from core.errors import Conflict, Forbidden, NotFound
from core.ids import UserId, new_id
from core.jobs import Jobs

log = logs.get(__name__)

TASK = "billing.payout_schedule"
PAGE, PIECE = 50, 500
FAILED, CANCELED = "failed", "canceled"
DEPARTED = "application_deauthorized"
_RANK = {"pending": 0, "in_transit": 1, "paid": 2, CANCELED: 3, FAILED: 3}  # a paid one may still fail


@dataclass(frozen=True, slots=True)
class PayoutAccountState:
    """A consultant's account as finance and its owner see it; balances are what our books say lies at Stripe."""

    consultant_id: UUID
    account_id: str | None
    country: str | None
    can_receive: bool
    payouts_enabled: bool
    schedule: dict[str, Any] | None
    wanted_schedule: dict[str, Any]
    requirements: dict[str, Any]
    held_reason: str | None
    held_at: datetime | None
    balances: dict[str, int]
    release_asked: bool


class PayoutService:
    """Use cases of payouts. What talks to Stripe opens its own transactions around it."""

    def __init__(self, *, db: Database, gateway: StripeGateway, approval_above_minor: int) -> None:
        self._db = db
        self._gateway = gateway
        self._limit = approval_above_minor

    def register(self, jobs: Jobs) -> None:
        """Name the job that tells Stripe a schedule; what fails stays due."""
        jobs.register(TASK, self.tell)

    # ── payouts ──────────────────────────────────────────────────────────────────────────────────────────────

    async def take_in(self, payout_id: str, account_id: str) -> bool:
        """Fetch a payout that a webhook spoke of, with its lines; False when the account is not ours."""
        async with self._db.begin() as tx:
            if await by_account(tx, account_id) is None:
                return False
        seen = await self._gateway.retrieve_payout(payout_id, account_id=account_id)
        # Stripe itemises only what its schedule paid out.
        lines = await self._gateway.list_payout_lines(payout_id, account_id=account_id) if seen.automatic else []
        async with self._db.begin() as tx:
            account = await by_account(tx, account_id)
            assert account is not None
            await self.follow(tx, account.user_id, seen, lines)
        return True

    async def follow(self, tx: Tx, consultant: UUID, seen: Payout, lines: Sequence[BalanceTransaction] = ()) -> None:
        """Book what Stripe says of a payout. The caller has the account locked."""
        row = await tx.session.get(PayoutRow, seen.id, with_for_update=True)
        if row is None:
            row = PayoutRow(
                id=seen.id,
                consultant_id=consultant,
                amount_minor=seen.amount_minor,
                currency=seen.currency,
                status="pending",
                automatic=seen.automatic,
                created_at=seen.created_at,
                updated_at=tx.now,
                lines_minor=None,
            )
            tx.session.add(row)
            await tx.session.flush()
        if _RANK[seen.status] < _RANK[row.status]:
            return  # an older answer
        row.status, row.arrives_at, row.updated_at = seen.status, seen.arrival_at, tx.now
        row.failure_code, row.failure_message = seen.failure_code, seen.failure_message
        await self._book(tx, row, seen)
        await self._note_lines(tx, row, lines)
        tx.touch([consultant])

    async def _book(self, tx: Tx, row: PayoutRow, seen: Payout) -> None:
        postings = entries.paid_out(row.consultant_id, abs(seen.amount_minor))
        if seen.amount_minor < 0:  # Stripe debited the bank for a balance that was negative
            postings = [posting.mirrored() for posting in postings]
        await journal.book(tx, None, key=f"payout:{row.id}", kind="payout", currency=row.currency, postings=postings)
        if seen.status not in {FAILED, CANCELED}:
            return
        await journal.book(
            tx,
            None,
            key=f"payout-failed:{row.id}",
            kind="payout_failed",
            currency=row.currency,
            postings=[posting.mirrored() for posting in postings],
        )
        await open_once(
            tx,
            None,
            "payout_failed",
            key=f"payout-failed:{row.id}",
            payout=row.id,
            consultant_id=str(row.consultant_id),
            code=seen.failure_code,
            message=seen.failure_message,
        )
        if seen.status == FAILED:
            await outbox.note(tx, outbox.Kind.PAYOUT_FAILED, row.id, row.consultant_id)

    async def _note_lines(self, tx: Tx, row: PayoutRow, lines: Sequence[BalanceTransaction]) -> None:
        """Every line once; their sum must be the payout."""
        refs = await provider_refs.known(
            tx, [name for line in lines for name in (line.source_id, line.parent_id) if name is not None]
        )
        inside = [line for line in lines if line.source_id != row.id]
        for line in inside:
            ref = refs.get(line.parent_id or "") or refs.get(line.source_id or "")
            known = await tx.session.get(PayoutLineRow, line.id)
            if known is not None:  # a refund may be paid out before its answer has come to us
                known.charge_id = known.charge_id or (None if ref is None else ref.charge_id)
            else:
                tx.session.add(
                    PayoutLineRow(
                        id=line.id,
                        payout_id=row.id,
                        kind=line.type,
                        amount_minor=line.amount_minor,
                        fee_minor=line.fee_minor,
                        net_minor=line.net_minor,
                        source_id=line.source_id,
                        charge_id=None if ref is None else ref.charge_id,
                        created_at=line.created_at,
                    )
                )
        if not row.automatic:  # Stripe itemises no other
            return
        row.lines_minor = sum(line.net_minor for line in inside)
        if inside and row.lines_minor != row.amount_minor:
            await open_once(
                tx,
                None,
                "payout_differs",
                key=f"payout-lines:{row.id}:{row.lines_minor}",
                payout=row.id,
                amount_minor=row.amount_minor,
                lines_minor=row.lines_minor,
            )

    # ── accounts ─────────────────────────────────────────────────────────────────────────────────────────────

    async def mirror(self, tx: Tx, account: ConnectedAccount) -> None:
        """Note what Stripe says of an account; a schedule that is not the wanted one is told again."""
        row = await by_account(tx, account.id)
        if row is None:
            return
        row.payouts_enabled = account.payouts_enabled
        row.requirements = {
            "due": list(account.requirements_due),
            "past_due": list(account.requirements_past_due),
            "disabled_reason": account.disabled_reason,
        }
        if account.payout_interval is not None:
            row.schedule = {
                "interval": account.payout_interval,
                "weekly_anchor": account.payout_weekly_anchor,
                "monthly_anchor": account.payout_monthly_anchor,
                "delay_days": account.payout_delay_days,
            }
        row.updated_at = tx.now
        wanted = _effective(row)
        if row.schedule is not None and agrees(wanted, row.schedule):
            row.schedule_due_at, row.schedule_attempts = None, 0
        elif row.schedule_due_at is None:
            await self._want(tx, row)
        tx.touch([row.user_id])

    def departed(self, tx: Tx, row: PayoutAccountRow) -> None:
        """The account has left us: nothing is paid out or told there any more. The caller has it locked."""
        row.payouts_enabled, row.schedule_due_at, row.updated_at = False, None, tx.now
        row.requirements = {"due": [], "past_due": [], "disabled_reason": DEPARTED}
        tx.touch([row.user_id])

    async def choose(self, tx: Tx, consultant: UserId, wanted: Wanted) -> None:
        """The consultant says when to be paid; a held account stays held. Raises NotFound without an account."""
        row = await lock(tx, consultant)
        row.wanted_schedule = wanted.as_json()
        audit.record(tx, "payout.schedule", subject=str(consultant), actor=consultant, **wanted.as_json())
        await self._want(tx, row)

    async def hold(self, tx: Tx, consultant: UUID, reason: str, by: UserId | None) -> None:
        """Pay this account out no more until it is released; ``by`` is None when a comparison decided."""
        row = await lock(tx, consultant)
        _not_own(row, by)
        if row.held_at is not None:
            if by is None:
                _add_reason(tx, row, reason)
                return
            raise Conflict("This account is held already.", code="held")
        row.held_at, row.held_by, row.held_reason = tx.now, by, reason
        audit.record(tx, "finance.payouts_held", subject=str(consultant), actor=by, reason=reason)
        await self._want(tx, row)

    async def release(self, tx: Tx, consultant: UUID, by: UserId, note: str) -> bool:
        """Let an account be paid out again; above the limit a second person is asked, and False is returned."""
        row = await lock(tx, consultant)
        _not_own(row, by)
        if row.held_at is None:
            raise Conflict("This account is not held.", code="not_held")
        if await approvals.waiting_for(tx, approvals.RELEASE, consultant) is not None:
            raise Conflict("Somebody was asked already.", code="decided")
        balances = await self.balances(tx, consultant)
        largest = max(balances.items(), key=lambda item: item[1], default=("eur", 0))
        if largest[1] > self._limit:
            approvals.ask(
                tx, approvals.RELEASE, consultant, by=by, amount_minor=largest[1], currency=largest[0], note=note
            )
            return False
        await self._let_go(tx, row, by)
        return True

    async def decided(self, tx: Tx, approval: ApprovalRow, by: UserId) -> None:
        """A second person decided about a release. Raises Conflict when the account was held anew since."""
        row = await lock(tx, approval.subject_id)
        _not_own(row, by)
        if not approval.approved or row.held_at is None:
            return
        if row.held_at > approval.asked_at:
            raise Conflict("The account was held again since; look at the new reason.", code="held_again")
        await self._let_go(tx, row, by)

    async def _let_go(self, tx: Tx, row: PayoutAccountRow, by: UserId) -> None:
        audit.record(tx, "finance.payouts_released", subject=str(row.user_id), actor=by, reason=row.held_reason)
        row.held_at, row.held_by, row.held_reason = None, None, None
        await self._want(tx, row)

    async def _want(self, tx: Tx, row: PayoutAccountRow) -> None:
        if row.provider_account_id is None:
            return
        row.schedule_due_at, row.schedule_attempts = tx.now + LEASE, 0
        await tx.defer(TASK, user_id=str(row.user_id))
        tx.touch([row.user_id])

    async def tell(self, user_id: str) -> None:
        """Tell Stripe the wanted schedule; setting it twice does no harm, so an unknown outcome is simply repeated."""
        async with self._db.begin() as tx:
            row = await lock(tx, UUID(user_id))
            if row.schedule_due_at is None or row.provider_account_id is None:
                return
            row.schedule_attempts += 1
            row.schedule_due_at = tx.now + LEASE
            account_id, wanted = row.provider_account_id, _effective(row)
            key = f"schedule:{new_id()}"  # setting it twice is setting it: no attempt needs the key of another
        try:
            seen = await self._gateway.update_schedule(
                account_id,
                interval=wanted["interval"],
                weekly_anchor=wanted["weekly_anchor"],
                monthly_anchor=wanted["monthly_anchor"],
                delay_days=int(wanted["delay_days"]),
                idempotency_key=key,
            )
        except (ProviderUnknown, ProviderBusy):
            await self._postpone(UUID(user_id))
            return
        except ProviderRejected as error:
            log.warning("billing.schedule_rejected", code=error.provider_code)
            async with self._db.begin() as tx:
                row = await lock(tx, UUID(user_id))
                row.schedule_due_at = None
                await open_once(tx, None, "schedule_refused", key=key, account=account_id, error=error.message)
            return
        async with self._db.begin() as tx:
            await self.mirror(tx, seen)

    async def _postpone(self, user_id: UUID) -> None:
        async with self._db.begin() as tx:
            row = await lock(tx, user_id)
            row.schedule_due_at = tx.now + pause(row.schedule_attempts, secrets.randbelow(1000) / 1000, hurried=False)

    async def run_due(self, db: Database) -> int:
        """Hand schedules that Stripe was not told in time to jobs again."""
        done = 0
        while True:
            async with db.begin() as tx:
                query = (
                    select(PayoutAccountRow)
                    .where(PayoutAccountRow.schedule_due_at <= tx.now)
                    .limit(1)
                    .with_for_update(skip_locked=True)
                )
                row = (await tx.session.scalars(query)).one_or_none()
                if row is None:
                    return done
                row.schedule_due_at = tx.now + LEASE + timedelta(seconds=1)
                await tx.defer(TASK, user_id=str(row.user_id))
            done += 1

    # ── looking ──────────────────────────────────────────────────────────────────────────────────────────────

    async def state(self, tx: Tx, consultant: UUID) -> PayoutAccountState:
        """One account; raises NotFound."""
        row = await tx.session.get(PayoutAccountRow, consultant)
        if row is None:
            raise NotFound
        return PayoutAccountState(
            consultant_id=row.user_id,
            account_id=row.provider_account_id,
            country=row.country,
            can_receive=row.can_receive,
            payouts_enabled=row.payouts_enabled,
            schedule=row.schedule,
            wanted_schedule=row.wanted_schedule or DEFAULT.as_json(),
            requirements=row.requirements or {},
            held_reason=row.held_reason,
            held_at=row.held_at,
            balances=await self.balances(tx, consultant),
            release_asked=await approvals.waiting_for(tx, approvals.RELEASE, consultant) is not None,
        )

    async def states(self, tx: Tx) -> list[PayoutAccountState]:
        """Every account, held ones first."""
        rows = await tx.session.scalars(
            select(PayoutAccountRow.user_id).order_by(
                PayoutAccountRow.held_at.asc().nulls_last(), PayoutAccountRow.user_id
            )
        )
        return [await self.state(tx, user) for user in rows]

    async def balances(self, tx: Tx, consultant: UUID) -> dict[str, int]:
        """What our books say lies on a connected account; negative is carried into the next payouts."""
        return await journal.balances_minor(tx, entries.connected_balance(consultant))

    async def listed(
        self, tx: Tx, *, consultant: UUID | None = None, cursor: str | None = None, limit: int = PAGE
    ) -> tuple[list[PayoutRow], str | None]:
        """A page of payouts, newest first, and where the next begins; raises Invalid on a cursor that is not ours.

        A file is read in such pages too (``PIECE`` at a time), each in a transaction of its own.
        """
        return await store.page(tx, consultant=consultant, cursor=cursor, limit=limit)

    async def lines(self, tx: Tx, payout_id: str, *, consultant: UUID | None = None) -> Sequence[PayoutLineRow]:
        """The lines of a payout; NotFound when it is another consultant's."""
        row = await tx.session.get(PayoutRow, payout_id)
        if row is None or (consultant is not None and row.consultant_id != consultant):
            raise NotFound
        query = select(PayoutLineRow).where(PayoutLineRow.payout_id == payout_id)
        return list(await tx.session.scalars(query.order_by(PayoutLineRow.created_at, PayoutLineRow.id)))

    async def calls(self, tx: Tx, lines: Sequence[PayoutLineRow]) -> dict[UUID, tuple[UUID, str]]:
        """The call behind each charge of these lines, and the reference people see of it."""
        query = select(ChargeRow.id, ChargeRow.call_id, ChargeRow.reference)
        query = query.where(ChargeRow.id.in_({line.charge_id for line in lines if line.charge_id}))
        return {row.id: (row.call_id, row.reference) for row in await tx.session.execute(query)}


def _add_reason(tx: Tx, row: PayoutAccountRow, reason: str) -> None:
    """A further finding about an account that is held: whoever was asked to release it must look again, once."""
    if reason not in (row.held_reason or ""):
        row.held_reason, row.held_at = f"{row.held_reason}; {reason}", tx.now
        audit.record(tx, "finance.payouts_held", subject=str(row.user_id), actor=None, reason=reason)


def _not_own(row: PayoutAccountRow, by: UserId | None) -> None:
    if by == row.user_id:
        raise Forbidden("This account is your own; a colleague must decide about it.", code="own_money")


def _effective(row: PayoutAccountRow) -> dict[str, Any]:
    """What Stripe should be told: nothing leaves a held account."""
    return HELD.as_json() if row.held_at is not None else row.wanted_schedule or DEFAULT.as_json()
