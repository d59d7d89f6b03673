"""DisputeService: follows each dispute at Stripe, books what moved, and hands in the evidence."""

from collections.abc import Mapping
from uuid import UUID

from billing import invoices, provider_refs, timeline
from billing.cases import open_case
from billing.charges import commands, store
from billing.charges.command import Kind
from billing.disputes import store as disputes
from billing.disputes.errand import LOST, WON, give_back, share_of, take_back
from billing.disputes.models import DisputeRow
from billing.finance import approvals
from billing.ledger import entries, journal
from billing.models import ChargeRow, HoldRow
from billing.provider.gateway import StripeGateway
from billing.provider.objects import BalanceTransaction, Dispute
from core import audit
from core.db import Database, Tx
from core.errors import Conflict, NotFound
from core.ids import UserId, new_id

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
        """Hand in the evidence, once. Raises Conflict when the bank has decided or it was handed in.

        Raises Forbidden for the call's own two people.
        """
        looked = await self.get(tx, dispute_id)
        approvals.refuse_own(await store.lock(tx, looked.charge_id), by)
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
        was, changed = row.status, row.status != str(seen.status)
        row.status, row.due_at = str(seen.status), seen.due_by
        row.amount_minor = seen.amount_minor  # what was given back since the bank first asked is not disputed any more
        if changed and row.closed_at is not None:
            await self._turn(tx, charge, row, was)
        if seen.submission_count:
            row.submitted_at = row.submitted_at or tx.now
        for line in seen.lines:
            await self._book(tx, row, line)
        if row.withdrawn_minor and (row.status not in CLOSED or row.status == LOST):
            await take_back(tx, charge, hold, row)
        if row.status in CLOSED:
            await self._decided(tx, charge, hold, row)
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
            share_minor=await share_of(tx, hold, seen.amount_minor),
            withdrawn_minor=0,
            fee_minor=0,
            reversal_id=None,
            return_id=None,
            evidence=None,
            submitted_at=None,
            submitted_by=None,
            turns=0,
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

    async def _decided(self, tx: Tx, charge: ChargeRow, hold: HoldRow, row: DisputeRow) -> None:
        """What a decision brings; told again, nothing more."""
        row.closed_at = row.closed_at or tx.now
        if row.status == LOST and row.withdrawn_minor:
            await self._lost(tx, charge, row)
        elif row.status != LOST and row.reversal_id is not None and row.return_id is None:
            await give_back(tx, charge, hold, row)

    async def _lost(self, tx: Tx, charge: ChargeRow, row: DisputeRow) -> None:
        """The customer keeps the money: the bill is taken back, once for each time the bank decided so."""
        booked = await journal.book(
            tx,
            charge.id,
            key=_lost_key(row, row.turns),
            kind="dispute_lost",
            currency=row.currency,
            postings=entries.dispute_lost(
                charge.customer_id,
                charge.consultant_id,
                amount_minor=row.withdrawn_minor,
                share_minor=min(row.share_minor, row.withdrawn_minor),
            ),
        )
        if booked:
            await invoices.credit(tx, charge, row.id, row.withdrawn_minor)

    async def _turn(self, tx: Tx, charge: ChargeRow, row: DisputeRow, was: str) -> None:
        """An appeal: what was booked for the first outcome is taken back by its mirror image, never changed."""
        if {was, row.status} != {WON, LOST}:
            open_case(tx, charge.id, "dispute_turned", dispute=row.provider_id, was=was, now=row.status)
            return
        row.turns, row.closed_at = row.turns + 1, tx.now
        if was == LOST and await journal.mirror(
            tx, charge.id, of=_lost_key(row, row.turns - 1), key=f"dispute-regained:{row.id}:{row.turns}"
        ):
            # The bill stands again, and its credit note is out: which paper the customer is sent, a person decides.
            open_case(tx, charge.id, "invoice_after_appeal", dispute=row.provider_id, amount_minor=row.amount_minor)


def _lost_key(row: DisputeRow, turns: int) -> str:
    return f"dispute-lost:{row.id}:{turns}" if turns else f"dispute-lost:{row.id}"
