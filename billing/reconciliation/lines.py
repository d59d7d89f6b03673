"""The comparison of one account's lines at Stripe with our rows, and of our rows with the lines."""

from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

from sqlalchemy import select, text

from billing.payouts.models import PayoutRow
from billing.payouts.service import PayoutService
from billing.provider.gateway import StripeGateway
from billing.provider.objects import BalanceTransaction
from billing.reconciliation.bookings import expected, refs_of
from billing.reconciliation.expect import Finding, compare
from billing.reconciliation.findings import Findings, close_found, close_healed
from billing.reconciliation.models import ProviderLineRow, RunRow
from core.db import Database, Tx

CLOCKS_DIFFER = timedelta(minutes=1)
_BATCH = 200


class LineComparison:
    """Reads lines, and says of each which of our rows it agrees with. Opens its own transactions."""

    def __init__(self, *, db: Database, gateway: StripeGateway, payouts: PayoutService, findings: Findings) -> None:
        self._db = db
        self._gateway = gateway
        self._payouts = payouts
        self._findings = findings

    async def account(self, run: RunRow, consultant: UUID | None, account: str | None) -> tuple[int, int]:
        """Compare every line of an account (None: ours) in the time of the run; how many, and how many differ."""
        lines = await self._gateway.list_balance_transactions(run.since, run.until, account_id=account)
        if account is not None:
            await self._payouts_of(lines, account)
        found = 0
        for start in range(0, len(lines), _BATCH):
            async with self._db.begin() as tx:
                found += await self._compare(tx, run, lines[start : start + _BATCH], consultant, account)
        async with self._db.begin() as tx:
            found += await self._vanished(tx, run, {line.id for line in lines}, account)
        return len(lines), found

    async def _payouts_of(self, lines: Sequence[BalanceTransaction], account: str) -> None:
        """Take in payouts whose webhook has not come: undelivered events of connected accounts are listed nowhere."""
        wanted = {line.source_id for line in lines if line.type.startswith("payout") and line.source_id}
        async with self._db.begin() as tx:
            known = set(await tx.session.scalars(select(PayoutRow.id).where(PayoutRow.id.in_(wanted))))
        for payout_id in sorted(wanted - known):
            await self._payouts.take_in(payout_id, account)

    async def _compare(
        self, tx: Tx, run: RunRow, lines: Sequence[BalanceTransaction], consultant: UUID | None, account: str | None
    ) -> int:
        refs = await refs_of(tx, lines)
        await close_found(tx, {line.source_id for line in lines if line.source_id})
        found = 0
        for line in lines:
            ref = refs.get(line.parent_id or "") or refs.get(line.source_id or "")
            wanted = await expected(tx, line, ref, consultant)
            finding = compare(line, wanted)
            if finding is Finding.AMOUNT and wanted is not None and not wanted.key:
                finding = Finding.NOT_BOOKED
            charge_id = None if ref is None else ref.charge_id
            healed = await _note(tx, line, account, charge_id, None if wanted is None else wanted.key, finding)
            if finding is None:
                if healed:
                    await close_healed(tx, line.id)
                continue
            found += 1
            await self._findings.tell(
                tx,
                run,
                finding,
                key=f"{finding}:{line.id}:{line.amount_minor}:{line.fee_minor}",
                charge_id=charge_id,
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

    async def _vanished(self, tx: Tx, run: RunRow, seen: set[str], account: str | None) -> int:
        """Lines Stripe showed in an earlier run and does not show now."""
        query = select(ProviderLineRow).where(
            ProviderLineRow.account_id.is_(None) if account is None else ProviderLineRow.account_id == account,
            ProviderLineRow.created_at >= run.since,
            ProviderLineRow.created_at < run.until,
        )
        gone = [row for row in await tx.session.scalars(query) if row.id not in seen]
        for row in gone:
            row.finding = Finding.VANISHED
            await self._findings.tell(
                tx, run, Finding.VANISHED, key=f"{Finding.VANISHED}:{row.id}", line=row.id, type=row.kind
            )
        return len(gone)

    async def missing(self, run: RunRow) -> int:
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
            rows = (await tx.session.execute(query, {"since": run.since, "until": run.until - CLOCKS_DIFFER})).all()
            for row in rows:
                key = f"{Finding.MISSING}:{row.id}"
                await self._findings.tell(
                    tx, run, Finding.MISSING, key=key, charge_id=row.charge_id, object=row.id, type=row.kind
                )
                found += 1
        return found


async def _note(
    tx: Tx,
    line: BalanceTransaction,
    account: str | None,
    charge_id: UUID | None,
    key: str | None,
    finding: Finding | None,
) -> bool:
    """Write down what a line says now; whether it differed before."""
    row = await tx.session.get(ProviderLineRow, line.id)
    if row is None:
        row = ProviderLineRow(id=line.id, account_id=account, created_at=line.created_at)
        tx.session.add(row)
    before = row.finding
    row.kind, row.currency, row.source_id = line.type, line.currency, line.source_id
    row.amount_minor, row.fee_minor, row.net_minor = line.amount_minor, line.fee_minor, line.net_minor
    row.seen_at, row.explained_by, row.finding, row.charge_id = tx.now, key, finding, charge_id
    return before is not None
