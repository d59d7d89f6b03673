"""RefundService: shows what a refund will do, asks a second person above a limit, and has it carried out."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from billing import timeline
from billing.charges import store
from billing.charges.charge import FINAL
from billing.disputes.store import open_dispute
from billing.finance import approvals
from billing.ledger import entries
from billing.models import ChargeRow, HoldRow
from billing.provider.gateway import StripeGateway
from billing.provider.objects import Refund
from billing.refunds import sending
from billing.refunds import store as refunds
from billing.refunds.errand import take_in_refund
from billing.refunds.models import RefundPartRow, RefundRow
from billing.refunds.plan import Part, plan, refundable_minor
from core import audit
from core.db import Database, Tx
from core.errors import Conflict, NotFound, Refused
from core.ids import UserId, new_id

REASONS = ("customer_request", "quality", "technical", "consultant_absent", "duplicate", "goodwill", "other")
AWAITING, REJECTED, FAILED = "awaiting", "rejected", "failed"


@dataclass(frozen=True, slots=True)
class Preview:
    """What a refund would do, before anybody decides."""

    amount_minor: int
    commission_minor: int
    share_minor: int
    refundable_minor: int
    left_minor: int
    currency: str
    four_eyes: bool
    postings: Sequence[entries.Posting]


class RefundService:
    """Use cases of refunds. Nothing here talks to Stripe: commands do."""

    def __init__(self, *, db: Database, gateway: StripeGateway, approval_above_minor: int) -> None:
        self._db = db
        self._gateway = gateway
        self._limit = approval_above_minor

    async def preview(self, tx: Tx, charge_id: UUID, amount_minor: int) -> Preview:
        """Every posting a refund of this amount would make. Raises as ``request`` does."""
        charge = await store.charge(tx, charge_id)
        if charge is None:
            raise NotFound
        parts, most = await self._plan(tx, charge, amount_minor)
        commission = sum(part.commission_minor for part in parts)
        return Preview(
            amount_minor=amount_minor,
            commission_minor=commission,
            share_minor=amount_minor - commission,
            refundable_minor=most,
            left_minor=most - amount_minor,
            currency=charge.currency,
            four_eyes=await self.needs_two(tx, charge.id, amount_minor),
            postings=entries.refunded(
                charge.customer_id, charge.consultant_id, amount_minor=amount_minor, commission_minor=commission
            ),
        )

    async def request(
        self,
        tx: Tx,
        charge_id: UUID,
        *,
        amount_minor: int,
        reason: str,
        note: str,
        key: str,
        by: UserId | None,
    ) -> RefundRow:
        """Give money back; above the limit a second person must agree first. The same ``key`` is the same refund.

        ``by`` is None when conclusive evidence decided. Raises NotFound, Refused when the amount cannot be given
        back, Conflict while another refund or an open dispute stands in the way.
        """
        if await store.charge(tx, charge_id) is None:
            raise NotFound
        charge = await store.lock(tx, charge_id)
        before = await refunds.by_key(tx, key)
        if before is not None:
            asked = (before.charge_id, before.amount_minor, before.reason, before.requested_by)
            if asked != (charge.id, amount_minor, reason, by):
                raise Conflict("This key was used for another refund.", code="idempotency_mismatch")
            return before
        approvals.refuse_own(charge, by)
        parts, _ = await self._plan(tx, charge, amount_minor)
        row = RefundRow(
            id=new_id(),
            charge_id=charge.id,
            key=key,
            reason=reason,
            note=note,
            amount_minor=amount_minor,
            commission_minor=sum(part.commission_minor for part in parts),
            currency=charge.currency,
            state=AWAITING,
            requested_by=by,
            requested_at=tx.now,
            finished_at=None,
        )
        tx.session.add(row)
        await tx.session.flush()
        timeline.record(tx, charge.id, "refund_requested", amount_minor=amount_minor, reason=reason)
        audit.record(
            tx, "finance.refund_requested", subject=str(charge.id), actor=by, amount_minor=amount_minor, reason=reason
        )
        if by is not None and await self.needs_two(tx, charge.id, amount_minor, but=row.id):
            approvals.ask(
                tx,
                approvals.REFUND,
                row.id,
                by=by,
                amount_minor=amount_minor,
                currency=charge.currency,
                note=note,
            )
            return row
        await sending.send(tx, charge, row, parts)
        return row

    async def needs_two(self, tx: Tx, charge_id: UUID, amount_minor: int, *, but: UUID | None = None) -> bool:
        """Whether a second person must agree: all of a charge's refunds together count, however they are split."""
        before = [row for row in await _decided(tx, charge_id) if row.state not in {REJECTED, FAILED}]
        return amount_minor + sum(row.amount_minor for row in before if row.id != but) > self._limit

    async def decided(self, tx: Tx, refund_id: UUID, by: UserId, *, approved: bool) -> None:
        """A second person decided: send it, or not. Raises Forbidden for the call's own two people."""
        looked = await refunds.get(tx, refund_id)
        if looked is None:
            raise NotFound
        charge = await store.lock(tx, looked.charge_id)
        row = await refunds.get(tx, refund_id)
        assert row is not None
        approvals.refuse_own(charge, by)
        if row.state != AWAITING:
            raise Conflict("This refund is not waiting any more.", code="decided")
        if not approved:
            row.state, row.finished_at = REJECTED, tx.now
            timeline.record(tx, charge.id, "refund_rejected", amount_minor=row.amount_minor)
            return
        parts, _ = await self._plan(tx, charge, row.amount_minor, but=row.id)
        await sending.send(tx, charge, row, parts)

    async def take_in(self, refund_id: str) -> bool:
        """Fetch a refund that a webhook spoke of; False when it is not one of ours."""
        seen = await self._gateway.retrieve_refund(refund_id)
        async with self._db.begin() as tx:
            part = await self._part(tx, seen)
            if part is None:
                return False
            hold = await store.hold(tx, part.hold_id)
            assert hold is not None
            charge = await store.lock(tx, hold.charge_id)
            fresh = await refunds.part(tx, part.id)
            assert fresh is not None
            await take_in_refund(tx, charge, hold, fresh, seen)
        return True

    async def of_charge(self, tx: Tx, charge_id: UUID) -> list[RefundRow]:
        """Every refund of a charge."""
        return await refunds.of_charge(tx, charge_id)

    async def _part(self, tx: Tx, seen: Refund) -> RefundPartRow | None:
        known = await refunds.part_of_provider(tx, seen.id)
        if known is not None:
            return known
        try:
            return await refunds.part(tx, UUID(seen.metadata.get("part_id", "")))
        except ValueError:
            return None

    async def _plan(
        self, tx: Tx, charge: ChargeRow, amount_minor: int, *, but: UUID | None = None
    ) -> tuple[tuple[Part[HoldRow], ...], int]:
        """The parts, and the most that could be given back; raises Refused and Conflict with what stands in the way."""
        if charge.state not in FINAL:
            raise Conflict("This charge is not settled yet.", code="not_settled")
        if await open_dispute(tx, charge.id):
            raise Conflict("The bank is deciding about this charge; answer the dispute instead.", code="disputed")
        others = [row for row in await _decided(tx, charge.id) if row.id != but]
        if any(row.state in {AWAITING, sending.SENDING} for row in others):
            raise Conflict("Another refund of this charge is under way.", code="refund_pending")
        captures = await refunds.captures(tx, charge.id)
        most = refundable_minor(captures)
        if not 0 < amount_minor <= most:
            raise Refused("More than was taken cannot be given back.", code="refund_too_large", refundable_minor=most)
        return plan(captures, amount_minor), most


async def _decided(tx: Tx, charge_id: UUID) -> list[RefundRow]:
    """The refunds that somebody decided. Credits come by themselves, return no fee, and stand in nobody's way."""
    return [row for row in await refunds.of_charge(tx, charge_id) if row.credit_id is None]
