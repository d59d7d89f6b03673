"""ReconciliationService: our books against Stripe's every hour, every bill against its raw rows every night."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import select, text

from billing.cases import open_once
from billing.ledger import entries, journal
from billing.models import CaseRow, PayoutAccountRow
from billing.payouts.models import PayoutRow
from billing.payouts.service import PayoutService
from billing.provider.errors import ProviderBusy, ProviderRejected, ProviderUnknown
from billing.provider.gateway import StripeGateway
from billing.provider.objects import BalanceTransaction
from billing.reconciliation import recompute
from billing.reconciliation.bookings import expected, refs_of
from billing.reconciliation.expect import Finding, compare
from billing.reconciliation.models import ProviderLineRow, RunRow
from core import logs
from core.db import Database, Tx
from core.errors import NotFound
from core.ids import new_id
from core.jobs import Jobs

log = logs.get(__name__)

TASK = "billing.reconcile"
PROVIDER, BILLS = "provider", "bills"
EVERY = {PROVIDER: timedelta(hours=1), BILLS: timedelta(hours=24)}
BACK = {PROVIDER: timedelta(days=3), BILLS: timedelta(days=400)}
GIVEN_UP_AFTER = timedelta(hours=6)  # a run that did not finish by then is started anew
SETTLES = timedelta(minutes=15)  # the newest lines may be ahead of our own rows
CLOCKS_DIFFER = timedelta(minutes=1)
_BATCH = 200
_LOOK_S, _LOOKS = 0.5, 120
_CLAIM = 7302  # the advisory lock under which a run is started


CatchUp = Callable[[], Awaitable[int]]


class ReconciliationService:
    """Compares; what differs becomes a case with a name, and nobody concerned is paid out until it is understood."""

    def __init__(
        self, *, db: Database, gateway: StripeGateway, payouts: PayoutService, catch_up: CatchUp | None = None
    ) -> None:
        """``catch_up`` takes in events that Stripe could not deliver, before anything is compared."""
        self._catch_up = catch_up
        self._db = db
        self._gateway = gateway
        self._payouts = payouts

    def register(self, jobs: Jobs) -> None:
        """Name the job; a run that Stripe cut short is started anew by the tick."""
        jobs.register(TASK, self.work)

    async def run_due(self, db: Database) -> int:
        """Start each kind of run when its time has come; one worker does."""
        started = 0
        async with db.begin() as tx:
            if not await tx.session.scalar(text("SELECT pg_try_advisory_xact_lock(:lock)"), {"lock": _CLAIM}):
                return 0
            for kind, every in EVERY.items():
                last = await _last(tx, kind)
                waiting = last is not None and (
                    tx.now - last.started_at < (every if last.finished_at else min(every, GIVEN_UP_AFTER))
                )
                if not waiting:
                    await self.start(tx, kind)
                    started += 1
        return started

    async def start(self, tx: Tx, kind: str, *, since: datetime | None = None, until: datetime | None = None) -> RunRow:
        """Write a run down and leave the job that does it."""
        end = until or (tx.now - SETTLES if kind == PROVIDER else tx.now)
        row = RunRow(
            id=new_id(),
            kind=kind,
            started_at=tx.now,
            finished_at=None,
            since=since or end - BACK[kind],
            until=end,
            checked=0,
            differences=0,
            totals={},
        )
        tx.session.add(row)
        await tx.session.flush()
        await tx.defer(TASK, run_id=str(row.id))
        return row

    async def running(self, tx: Tx, kind: str) -> RunRow | None:
        """The run of this kind that is under way."""
        last = await _last(tx, kind)
        under_way = last is not None and last.finished_at is None and tx.now - last.started_at < GIVEN_UP_AFTER
        return last if under_way else None

    async def runs(self, tx: Tx, limit: int = 50) -> Sequence[RunRow]:
        """The latest runs, newest first."""
        return list(await tx.session.scalars(select(RunRow).order_by(RunRow.started_at.desc()).limit(limit)))

    async def work(self, run_id: str) -> None:
        """Do a run; doing it twice finds the same."""
        async with self._db.begin() as tx:
            run = await tx.session.get(RunRow, UUID(run_id))
            if run is None:
                raise NotFound
            kind, since, until, done = run.kind, run.since, run.until, run.finished_at is not None
        if done:
            return
        if kind == BILLS:
            await self._bills(UUID(run_id), since, until)
            return
        try:
            await self._provider(UUID(run_id), since, until)
        except (ProviderUnknown, ProviderBusy):
            log.info("reconciliation.postponed", run_id=run_id)  # the tick starts another

    # ── Stripe's lines ───────────────────────────────────────────────────────────────────────────────────────

    async def _provider(self, run_id: UUID, since: datetime, until: datetime) -> None:
        if self._catch_up is not None:
            await self._catch_up()
            await self._inbox_worked_off()
        checked, found = await self._account(None, None, since, until)
        for consultant, account in await self._accounts(since):
            try:
                more_checked, more_found = await self._account(consultant, account, since, until)
            except ProviderRejected as error:  # one account that left us does not keep the others from being compared
                async with self._db.begin() as tx:
                    key = f"account_unreadable:{account}"
                    await open_once(tx, None, "account_unreadable", key=key, account=account, error=error.message)
                continue
            checked, found = checked + more_checked, found + more_found
        found += await self._missing(since, until)
        totals, unequal = await self._totals()
        async with self._db.begin() as tx:
            run = await tx.session.get(RunRow, run_id)
            assert run is not None
            run.checked, run.differences, run.totals, run.finished_at = checked, found + unequal, totals, tx.now

    async def _inbox_worked_off(self) -> None:
        """Let events that are here already be booked first: they are worked off beside this job."""
        query = text("SELECT EXISTS (SELECT 1 FROM stripe_event WHERE processed_at IS NULL AND attempts < 2)")
        for _ in range(_LOOKS):
            async with self._db.begin() as tx:
                if not await tx.session.scalar(query):
                    return
            await asyncio.sleep(_LOOK_S)

    async def _accounts(self, since: datetime) -> list[tuple[UUID, str]]:
        """The connected accounts on which something may have moved: those with charges or payouts since."""
        query = text(
            "SELECT a.user_id, a.provider_account_id FROM payout_account a WHERE a.provider_account_id IS NOT NULL "
            "AND (EXISTS (SELECT 1 FROM charge c WHERE c.consultant_id = a.user_id AND (c.settled_at >= :since "
            " OR EXISTS (SELECT 1 FROM ledger_transaction t WHERE t.charge_id = c.id AND t.at >= :since)))"
            " OR EXISTS (SELECT 1 FROM payout p WHERE p.consultant_id = a.user_id AND p.updated_at >= :since))"
        )
        async with self._db.begin() as tx:
            return [(row[0], str(row[1])) for row in await tx.session.execute(query, {"since": since})]

    async def _account(
        self, consultant: UUID | None, account: str | None, since: datetime, until: datetime
    ) -> tuple[int, int]:
        lines = await self._gateway.list_balance_transactions(since, until, account_id=account)
        if account is not None:
            await self._payouts_of(lines, account)
        found = 0
        for start in range(0, len(lines), _BATCH):
            async with self._db.begin() as tx:
                found += await self._compare(tx, lines[start : start + _BATCH], consultant, account)
        async with self._db.begin() as tx:
            found += await self._vanished(tx, {line.id for line in lines}, account, since, until)
        return len(lines), found

    async def _payouts_of(self, lines: Sequence[BalanceTransaction], account: str) -> None:
        """Take in payouts whose webhook has not come: undelivered events of connected accounts are listed nowhere."""
        wanted = {line.source_id for line in lines if line.type.startswith("payout") and line.source_id}
        async with self._db.begin() as tx:
            known = set(await tx.session.scalars(select(PayoutRow.id).where(PayoutRow.id.in_(wanted))))
        for payout_id in sorted(wanted - known):
            await self._payouts.take_in(payout_id, account)

    async def _compare(
        self, tx: Tx, lines: Sequence[BalanceTransaction], consultant: UUID | None, account: str | None
    ) -> int:
        refs = await refs_of(tx, lines)
        found = 0
        for line in lines:
            ref = refs.get(line.parent_id or "") or refs.get(line.source_id or "")
            wanted = await expected(tx, line, ref, consultant)
            finding = compare(line, wanted)
            if finding is Finding.AMOUNT and wanted is not None and not wanted.key:
                finding = Finding.NOT_BOOKED
            healed = await _note(tx, line, account, None if wanted is None else wanted.key, finding)
            if finding is None:
                if healed:
                    await _close_healed(tx, line.id)
                continue
            found += 1
            await self._tell(
                tx,
                finding,
                key=f"{finding}:{line.id}:{line.amount_minor}:{line.fee_minor}",
                charge_id=None if ref is None else ref.charge_id,
                consultant=consultant,
                line=line.id,
                type=line.type,
                amount_minor=line.amount_minor,
                fee_minor=line.fee_minor,
                expected_minor=None if wanted is None else wanted.amount_minor,
                expected_fee_minor=None if wanted is None else wanted.fee_minor,
                currency=line.currency,
            )
        return found

    async def _vanished(self, tx: Tx, seen: set[str], account: str | None, since: datetime, until: datetime) -> int:
        """Lines Stripe showed in an earlier run and does not show now."""
        query = select(ProviderLineRow).where(
            ProviderLineRow.account_id.is_(None) if account is None else ProviderLineRow.account_id == account,
            ProviderLineRow.created_at >= since,
            ProviderLineRow.created_at < until,
        )
        gone = [row for row in await tx.session.scalars(query) if row.id not in seen]
        for row in gone:
            row.finding = Finding.VANISHED
            await self._tell(tx, Finding.VANISHED, key=f"{Finding.VANISHED}:{row.id}", line=row.id, type=row.kind)
        return len(gone)

    async def _missing(self, since: datetime, until: datetime) -> int:
        """What we booked as moved by Stripe and Stripe's lines do not show."""
        query = text(
            "SELECT r.id, r.kind, r.charge_id, c.consultant_id FROM provider_ref r JOIN charge c ON c.id = r.charge_id "
            "WHERE r.kind IN ('charge', 'transfer', 'application_fee', 'refund', 'refund_reversal',"
            " 'dispute_reversal', 'dispute_return') AND r.at >= :since AND r.at < :until "
            "AND NOT EXISTS (SELECT 1 FROM provider_line l WHERE l.source_id = r.id)"
        )
        found = 0
        async with self._db.begin() as tx:
            # Stripe's clock is not ours, and its lines are cut off at whole seconds.
            rows = (await tx.session.execute(query, {"since": since, "until": until - CLOCKS_DIFFER})).all()
            for row in rows:
                key = f"{Finding.MISSING}:{row.id}"
                await self._tell(tx, Finding.MISSING, key=key, charge_id=row.charge_id, object=row.id, type=row.kind)
                found += 1
        return found

    async def _totals(self) -> tuple[dict[str, dict[str, int]], int]:
        """Our clearing account against Stripe's balance, per currency; silent while something is on its way."""
        theirs = await self._gateway.balance()
        totals: dict[str, dict[str, int]] = {}
        unequal = 0
        async with self._db.begin() as tx:
            moving = await tx.session.scalar(
                text(
                    "SELECT EXISTS (SELECT 1 FROM command WHERE finished_at IS NULL) "
                    "OR EXISTS (SELECT 1 FROM stripe_event WHERE processed_at IS NULL)"
                )
            )
            ours = await journal.balances_minor(tx, entries.CLEARING)
            for currency in sorted({*ours, *(code for code, amount in theirs.items() if amount)}):
                books, stripe = ours.get(currency, 0), theirs.get(currency, 0)
                difference = stripe - books
                totals[currency] = {"stripe_minor": stripe, "books_minor": books, "difference_minor": difference}
                if difference and not moving:
                    unequal += 1
                    key = f"{Finding.BALANCE}:{currency}:{difference}"
                    await self._tell(tx, Finding.BALANCE, key=key, currency=currency, difference_minor=difference)
        return totals, unequal

    # ── every bill ───────────────────────────────────────────────────────────────────────────────────────────

    async def _bills(self, run_id: UUID, since: datetime, until: datetime) -> None:
        async with self._db.begin() as tx:
            checked, wrong = await recompute.differences(tx, since, until)
            for one in wrong:
                await self._tell(
                    tx,
                    "bill_differs",
                    key=f"bill:{one.charge_id}:{one.figure}:{one.stored}:{one.computed}",
                    charge_id=one.charge_id,
                    figure=one.figure,
                    stored=one.stored,
                    computed=one.computed,
                )
            run = await tx.session.get(RunRow, run_id)
            assert run is not None
            run.checked, run.differences, run.finished_at = checked, len(wrong), tx.now

    async def _tell(
        self,
        tx: Tx,
        kind: str,
        *,
        key: str,
        charge_id: UUID | None = None,
        consultant: UUID | None = None,
        **details: str | int | None,
    ) -> None:
        """Open the case, and hold the account of whoever is concerned until a person has looked."""
        if charge_id is not None and consultant is None:
            consultant = await tx.session.scalar(
                text("SELECT consultant_id FROM charge WHERE id = :id"), {"id": charge_id}
            )
        first = await open_once(tx, charge_id, str(kind), key=key, **details)
        if first or consultant is None or await tx.session.get(PayoutAccountRow, consultant) is None:
            return  # found once, it may be on its way to us; found again, nobody is paid out until it is understood
        if await tx.session.scalar(select(CaseRow.id).where(CaseRow.key == key, CaseRow.closed_at.is_(None))):
            await self._payouts.hold(tx, consultant, f"reconciliation: {kind}", None)


async def _last(tx: Tx, kind: str) -> RunRow | None:
    query = select(RunRow).where(RunRow.kind == kind).order_by(RunRow.started_at.desc()).limit(1)
    return (await tx.session.scalars(query)).one_or_none()


async def _close_healed(tx: Tx, line_id: str) -> None:
    """A line that differed agrees now: its cases are over, and say so."""
    query = select(CaseRow).where(CaseRow.closed_at.is_(None), CaseRow.details["line"].astext == line_id)
    for row in await tx.session.scalars(query):
        row.closed_at, row.resolution = tx.now, "agrees now"


async def _note(
    tx: Tx, line: BalanceTransaction, account: str | None, key: str | None, finding: Finding | None
) -> bool:
    """Write down what a line says now; whether it differed before."""
    row = await tx.session.get(ProviderLineRow, line.id)
    if row is None:
        row = ProviderLineRow(id=line.id, account_id=account, created_at=line.created_at)
        tx.session.add(row)
    before = row.finding
    row.kind, row.currency, row.source_id = line.type, line.currency, line.source_id
    row.amount_minor, row.fee_minor, row.net_minor = line.amount_minor, line.fee_minor, line.net_minor
    row.seen_at, row.explained_by, row.finding = tx.now, key, finding
    return before is not None
