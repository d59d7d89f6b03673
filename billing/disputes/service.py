"""DisputeService: follows each dispute at Stripe, books what moved, and hands in the evidence."""

from collections.abc import Mapping
from uuid import UUID

from sqlalchemy import select

from billing import invoices, provider_refs, timeline
from billing.cases import open_case
from billing.charges import commands, store
from billing.charges.command import Kind
from billing.disputes import store as disputes
from billing.disputes.errand import give_back
from billing.disputes.models import DisputeRow
from billing.ledger import entries, journal
from billing.models import ChargeRow, CommandRow, HoldRow
from billing.provider.gateway import StripeGateway
from billing.provider.objects import BalanceTransaction, Dispute
from billing.refunds import store as refunds
from core import audit
from core.db import Database, Tx
from core.errors import Conflict, NotFound
from core.ids import UserId, new_id

WON, LOST = "won", "lost"
CLOSED = frozenset({WON, LOST, "warning_closed", "prevented"})


class DisputeService:
    """Use cases of disputes. ``take_in`` opens its own transactions around the call to Stripe."""

    def __init__(self, *, db: Database, gateway: StripeGateway) -> None:
        self._db = db
        self._gateway = gateway

    async def take_in(self, provider_id: str) -> bool:
        """Fetch a dispute that a webhook spoke of, and follow it; False when its charge is not ours."""
        seen = await self._gateway.retrieve_dispute(provider_id)
        async with self._db.begin() as tx:
            hold = None if seen.payment_intent_id is None else await store.hold_of_provider(tx, seen.payment_intent_id)
            if hold is None:
                return False
            charge = await store.lock(tx, hold.charge_id)
            fresh = await store.hold(tx, hold.id)
            assert fresh is not None
            await self._follow(tx, charge, fresh, seen)
        return True

    async def get(self, tx: Tx, dispute_id: UUID) -> DisputeRow:
        """One dispute; raises NotFound."""
        row = await disputes.get(tx, dispute_id)
        if row is None:
            raise NotFound
        return row

    async def submit(self, tx: Tx, dispute_id: UUID, evidence: Mapping[str, str], by: UserId) -> DisputeRow:
        """Hand in the evidence, once. Raises Conflict when the bank has decided or it was handed in."""
        looked = await self.get(tx, dispute_id)
        await store.lock(tx, looked.charge_id)
        row = await self.get(tx, dispute_id)
        if row.closed_at is not None:
            raise Conflict("The bank has decided already.", code="dispute_closed")
        if row.evidence is not None:
            raise Conflict("The evidence was handed in already; the bank takes it once.", code="evidence_submitted")
        hold = await store.hold(tx, row.hold_id)
        assert hold is not None
        row.evidence, row.submitted_by = dict(evidence), by
        await commands.intend(
            tx,
            hold,
            Kind.EVIDENCE,
            key=f"evidence:{row.id}:{1 + sum(one.kind == Kind.EVIDENCE for one in await store.commands(tx, hold.id))}",
            params={"dispute_id": row.provider_id, "evidence": dict(evidence)},
            subject_id=row.id,
        )
        timeline.record(tx, row.charge_id, "dispute_evidence")
        audit.record(tx, "finance.dispute_evidence", subject=str(row.id), actor=by)
        return row

    async def _follow(self, tx: Tx, charge: ChargeRow, hold: HoldRow, seen: Dispute) -> None:
        row = await disputes.of_provider(tx, seen.id)
        if row is None:
            row = await self._open(tx, charge, hold, seen)
        if row.status in CLOSED and str(seen.status) not in CLOSED:
            return  # an older answer: what is decided stays decided
        changed = row.status != str(seen.status)
        if changed and row.closed_at is not None:  # an appeal: rare, and for a person to book
            open_case(tx, charge.id, "dispute_turned", dispute=seen.id, was=row.status, now=str(seen.status))
        row.status, row.due_at = str(seen.status), seen.due_by
        if seen.submission_count:
            row.submitted_at = row.submitted_at or tx.now
        for line in seen.lines:
            await self._book(tx, row, line)
        if row.withdrawn_minor and (row.status not in CLOSED or row.status == LOST):
            await self._take_share_back(tx, charge, hold, row)
        if row.status in CLOSED and row.closed_at is None:
            await self._close(tx, charge, hold, row)
        if changed:
            timeline.record(tx, charge.id, f"dispute_{row.status}", amount_minor=row.amount_minor)
        tx.touch([charge.customer_id, charge.consultant_id])

    async def _open(self, tx: Tx, charge: ChargeRow, hold: HoldRow, seen: Dispute) -> DisputeRow:
        row = DisputeRow(
            id=new_id(),
            provider_id=seen.id,
            charge_id=charge.id,
            hold_id=hold.id,
            amount_minor=seen.amount_minor,
            currency=seen.currency,
            reason=seen.reason,
            status="",
            due_at=seen.due_by,
            opened_at=tx.now,
            closed_at=None,
            share_minor=await _share(tx, hold, seen.amount_minor),
            withdrawn_minor=0,
            fee_minor=0,
            reversal_id=None,
            return_id=None,
            evidence=None,
            submitted_at=None,
            submitted_by=None,
        )
        tx.session.add(row)
        await tx.session.flush()
        await provider_refs.remember(tx, charge.id, row.id, dispute=seen.id)
        return row

    async def _book(self, tx: Tx, row: DisputeRow, line: BalanceTransaction) -> None:
        """One line of Stripe's ledger: money taken or given back, and what the dispute costs."""
        amount, postings = abs(line.amount_minor), entries.dispute_withdrawn(abs(line.amount_minor))
        if line.amount_minor > 0:
            postings = entries.dispute_reinstated(amount)
        fee = entries.provider_fee(abs(line.fee_minor))
        if line.fee_minor < 0:  # given back with the money
            fee = [posting.mirrored() for posting in fee]
        booked = await journal.book(
            tx,
            row.charge_id,
            key=f"dispute:{line.id}",
            kind="dispute_withdrawn" if line.amount_minor < 0 else "dispute_reinstated",
            currency=row.currency,
            postings=[*postings, *fee],
        )
        if booked:
            row.withdrawn_minor -= line.amount_minor
            row.fee_minor += line.fee_minor

    async def _take_share_back(self, tx: Tx, charge: ChargeRow, hold: HoldRow, row: DisputeRow) -> None:
        """The bank has the money: what the consultant was sent of it comes back until it is decided."""
        key = f"disp-rev:{row.id}"
        if hold.transfer_id is None or await _intended(tx, key):
            return
        row.share_minor = await _share(tx, hold, row.amount_minor)
        if not row.share_minor:
            return
        await commands.intend(
            tx,
            hold,
            Kind.REVERSE,
            key=key,
            params={
                "transfer_id": hold.transfer_id,
                "amount_minor": row.share_minor,
                "metadata": {"dispute_id": str(row.id), "reference": charge.reference},
            },
            subject_id=row.id,
        )

    async def _close(self, tx: Tx, charge: ChargeRow, hold: HoldRow, row: DisputeRow) -> None:
        row.closed_at = tx.now
        if row.status == LOST and row.withdrawn_minor:
            await invoices.credit(tx, charge, row.id, row.withdrawn_minor)
            await journal.book(
                tx,
                charge.id,
                key=f"dispute-lost:{row.id}",
                kind="dispute_lost",
                currency=row.currency,
                postings=entries.dispute_lost(
                    charge.customer_id,
                    charge.consultant_id,
                    amount_minor=row.withdrawn_minor,
                    share_minor=min(row.share_minor, row.withdrawn_minor),
                ),
            )
        elif row.status != LOST and row.reversal_id is not None:
            await give_back(tx, charge, hold, row)


async def _share(tx: Tx, hold: HoldRow, amount: int) -> int:
    """The consultant's part of what is disputed: pro rata of this capture, and never more than is left with them."""
    if not hold.captured_minor:
        return 0
    share = amount - (hold.capture_fee_minor * amount * 2 + hold.captured_minor) // (hold.captured_minor * 2)
    # Only what is done counts: a refund under way is refused by Stripe, because the bank has the money.
    left = hold.captured_minor - hold.capture_fee_minor - await refunds.share_given_back_minor(tx, hold.id)
    return max(0, min(share, left))


async def _intended(tx: Tx, key: str) -> bool:
    return await tx.session.scalar(select(CommandRow.id).where(CommandRow.key == key)) is not None
