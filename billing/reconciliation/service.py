"""ReconciliationService: our books against Stripe's every hour, every bill against its raw rows every night."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import func, select, text

from billing.cases import open_once
from billing.ledger import entries, journal
from billing.models import ChargeRow, ProviderRefRow
from billing.payouts.service import PayoutService
from billing.provider.errors import ProviderBusy, ProviderRejected, ProviderUnknown
from billing.provider.gateway import StripeGateway
from billing.reconciliation import parts
from billing.reconciliation.bills import BillComparison, close_mended
from billing.reconciliation.expect import Finding
from billing.reconciliation.findings import Findings
from billing.reconciliation.lines import CLOCKS_DIFFER, LineComparison
from billing.reconciliation.models import PartRow, RunRow
from billing.reconciliation.recompute import Recomputed
from billing.reconciliation.totals import against_lines
from core import audit, logs
from core.db import Database, Tx
from core.errors import NotFound
from core.ids import UserId, new_id
from core.jobs import Jobs

log = logs.get(__name__)

TASK, LANE = "billing.reconcile", "billing.reconcile_lane"
_LAST = -1  # priority: a comparison waits for whatever else there is to do
PROVIDER, BILLS = "provider", "bills"
EVERY = {PROVIDER: timedelta(hours=1), BILLS: timedelta(hours=24)}
BACK = timedelta(days=3)  # how far Stripe's lines are read again; bills are all of them, each time
A_DAY = timedelta(days=1)
GIVEN_UP_AFTER = timedelta(hours=6)  # a run that did not finish by then is started anew
SETTLES = timedelta(minutes=15)  # the newest lines may be ahead of our own rows
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
        self._findings = Findings(payouts)
        self._bills = BillComparison(self._findings)
        self._lines = LineComparison(db=db, gateway=gateway, payouts=payouts, findings=self._findings)

    def register(self, jobs: Jobs) -> None:
        """Name the jobs; what Stripe cut short is gone on with by the tick."""
        jobs.register(TASK, self.work)
        jobs.register(LANE, self.lane)

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
            for run_id in await parts.stranded(tx, GIVEN_UP_AFTER):
                await self._lanes(tx, run_id)
        return started

    async def start(
        self,
        tx: Tx,
        kind: str,
        *,
        since: datetime | None = None,
        until: datetime | None = None,
        by: UserId | None = None,
    ) -> RunRow:
        """Write a run down and leave the job that does it; ``by`` is who asked for it, None when it was due."""
        end = until or (tx.now - SETTLES if kind == PROVIDER else tx.now)
        row = RunRow(
            id=new_id(),
            kind=kind,
            started_at=tx.now,
            finished_at=None,
            since=since or await (_first_bill(tx, None, end) if kind == BILLS else _not_covered(tx, end)),
            until=end,
            checked=0,
            differences=0,
            totals={},
        )
        tx.session.add(row)
        if by is not None:
            audit.record(tx, "finance.comparison_started", subject=str(row.id), actor=by, comparison=kind)
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
            await self._every_bill(UUID(run_id), since, until)
            return
        try:
            await self._begin(UUID(run_id), since)
        except (ProviderUnknown, ProviderBusy):
            log.info("reconciliation.postponed", run_id=run_id)  # the tick starts another

    # ── Stripe's lines ───────────────────────────────────────────────────────────────────────────────────────

    async def _begin(self, run_id: UUID, since: datetime) -> None:
        if self._catch_up is not None:
            await self._catch_up()
            await self._inbox_worked_off()
        accounts = await self._accounts(since)
        async with self._db.begin() as tx:
            await parts.lay_out(tx, run_id, accounts)
            await self._lanes(tx, run_id)

    async def _lanes(self, tx: Tx, run_id: UUID) -> None:
        """Leave the jobs that work a run's parts off; more than needed find nothing to do."""
        for _ in range(parts.LANES):
            await tx.defer(LANE, priority=_LAST, run_id=str(run_id))

    async def lane(self, run_id: str) -> None:
        """Take part after part of a run until none is left to take, and close the run with the last."""
        while True:
            async with self._db.begin() as tx:
                run = await tx.session.get(RunRow, UUID(run_id))
                if run is None or run.finished_at is not None:
                    return
                part = await parts.take(tx, run.id)
            if part is None:
                return
            try:
                checked, found = await (self._close(run) if part.closing else self._part(run, part))
            except (ProviderUnknown, ProviderBusy):
                log.info("reconciliation.part_postponed", run_id=run_id, n=part.n, attempts=part.attempts)
                async with self._db.begin() as tx:
                    await parts.postpone(tx, part)
                return
            async with self._db.begin() as tx:
                await parts.done(tx, part, checked=checked, differences=found)
                if part.closing:
                    await _finish(tx, run.id)

    async def _part(self, run: RunRow, part: PartRow) -> tuple[int, int]:
        try:
            return await self._lines.account(run, part.consultant_id, part.account_id)
        except ProviderRejected as error:  # one account that left us does not keep the others from being compared
            async with self._db.begin() as tx:
                key, account = f"account_unreadable:{part.account_id}", part.account_id
                await open_once(tx, None, "account_unreadable", key=key, account=account, error=error.message)
            return 0, 0

    async def _close(self, run: RunRow) -> tuple[int, int]:
        """What can only be said once every line was read: bookings without a line, and the sums."""
        found = await self._lines.missing(run)
        theirs = await self._gateway.balance()
        return 0, found + await self._totals(run, theirs)

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

    async def _totals(self, run: RunRow, theirs: Mapping[str, int]) -> int:
        """Our clearing account per currency: against the lines at any time, against the balance when nothing moves."""
        totals: dict[str, dict[str, int]] = {}
        unequal = 0
        async with self._db.begin() as tx:
            for currency, (books, lines) in (await against_lines(tx, run.until - CLOCKS_DIFFER)).items():
                if books != lines:
                    unequal += 1
                    key = f"{Finding.LINES}:{currency}:{lines - books}"
                    await self._findings.tell(
                        tx, run, Finding.LINES, key=key, currency=currency, difference_minor=lines - books
                    )
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
                    await self._findings.tell(
                        tx, run, Finding.BALANCE, key=key, currency=currency, difference_minor=difference
                    )
            written = await tx.session.get(RunRow, run.id)
            assert written is not None
            written.totals = totals
        return unequal

    # ── every bill ───────────────────────────────────────────────────────────────────────────────────────────

    async def bill(self, tx: Tx, charge_id: UUID) -> Recomputed:
        """Compute one bill again, as the night does: what differs is the same case. Raises NotFound."""
        return await self._bills.one(tx, charge_id)

    async def _every_bill(self, run_id: UUID, since: datetime, until: datetime) -> None:
        """Day by day on which there are any, each in a transaction of its own: years of bills are never held in one."""
        checked = wrong = 0
        while since < until:
            async with self._db.begin() as tx:
                since = await _first_bill(tx, since, until)
                through = min(since + A_DAY, until)
                run = await tx.session.get(RunRow, run_id)
                assert run is not None
                found = await self._bills.every(tx, run, since, through)
            checked, wrong, since = checked + found[0], wrong + found[1], through
        async with self._db.begin() as tx:
            await close_mended(tx)
            run = await tx.session.get(RunRow, run_id)
            assert run is not None
            run.checked, run.differences, run.finished_at = checked, wrong, tx.now


async def _last(tx: Tx, kind: str) -> RunRow | None:
    query = select(RunRow).where(RunRow.kind == kind).order_by(RunRow.started_at.desc()).limit(1)
    return (await tx.session.scalars(query)).one_or_none()


async def _first_bill(tx: Tx, since: datetime | None, until: datetime) -> datetime:
    """When the first bill since then (None: of all) was written; ``until`` where there is none before."""
    query = select(func.min(ChargeRow.settling_at)).where(ChargeRow.settling_at < until)
    if since is not None:
        query = query.where(ChargeRow.settling_at >= since)
    return await tx.session.scalar(query) or until


async def _not_covered(tx: Tx, end: datetime) -> datetime:
    """From when lines are to be read: what a missed run left out is read by the next, however late that is."""
    query = select(func.max(RunRow.until)).where(RunRow.kind == PROVIDER, RunRow.finished_at.is_not(None))
    until = await tx.session.scalar(query)
    if until is None:
        first = await tx.session.scalar(select(func.min(ProviderRefRow.at)))
        until = first or end
    return min(until, end) - BACK


async def _finish(tx: Tx, run_id: UUID) -> None:
    run = await tx.session.get(RunRow, run_id, with_for_update=True)
    assert run is not None
    await tx.session.flush()
    run.checked, run.differences = await parts.sums(tx, run_id)
    run.finished_at = tx.now
