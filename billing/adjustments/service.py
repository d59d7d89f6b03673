"""AdjustmentService: shows what an adjustment will book, asks a second person, and books it.

A bill that could not be taken may be waived: it is not asked for any more, and written off as when every attempt has
failed. A correcting entry always takes two people, because nothing outside our books bears witness to it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal
from uuid import UUID

from billing import timeline
from billing.adjustments import rules
from billing.adjustments import store as adjustments
from billing.adjustments.models import AdjustmentRow
from billing.charges import settlement, store
from billing.charges.hold import FINAL
from billing.collection import steps as collecting
from billing.finance import approvals
from billing.ledger import entries, journal
from billing.models import ChargeRow
from core import audit
from core.db import Tx
from core.errors import Conflict, NotFound, Refused
from core.ids import UserId, new_id

AWAITING, REJECTED, BOOKED = "awaiting", "rejected", "booked"


@dataclass(frozen=True, slots=True)
class Correction:
    """A correcting entry somebody wants; ``amount_minor`` moves from one account to another."""

    source: str
    destination: str
    amount_minor: int


@dataclass(frozen=True, slots=True)
class Plan:
    """What an adjustment would book."""

    kind: Literal["waive", "correction"]
    amount_minor: int
    currency: str
    postings: Sequence[entries.Posting]
    four_eyes: bool


class AdjustmentService:
    """Use cases of adjustments; None for ``wanted`` is the bill that is waived."""

    def __init__(self, *, approval_above_minor: int) -> None:
        self._limit = approval_above_minor

    async def accounts(self, tx: Tx, charge_id: UUID) -> tuple[str, ...]:
        """The accounts a correcting entry of this charge may name."""
        charge = await _charge(tx, charge_id)
        return (*rules.ours(charge.customer_id, charge.consultant_id), *rules.mirrored(charge.consultant_id))

    async def preview(self, tx: Tx, charge_id: UUID, wanted: Correction | None) -> Plan:
        """Every posting, before anybody decides. Raises as ``request`` does."""
        return await self._plan(tx, await _charge(tx, charge_id), wanted)

    async def request(
        self, tx: Tx, charge_id: UUID, wanted: Correction | None, *, note: str, key: str, by: UserId
    ) -> AdjustmentRow:
        """Book it, or ask the second person first. The same ``key`` is the same adjustment.

        Raises NotFound, Refused for an entry that must not be, Conflict when nothing is owed or a payment is under
        way, Forbidden for the call's own two people.
        """
        await _charge(tx, charge_id)
        charge = await store.lock(tx, charge_id)
        before = await adjustments.by_key(tx, key)
        if before is not None:
            if (before.charge_id, _wanted(before), before.requested_by) != (charge.id, wanted, by):
                raise Conflict("This key was used for another adjustment.", code="idempotency_mismatch")
            return before
        approvals.refuse_own(charge, by)
        plan = await self._plan(tx, charge, wanted)
        row = AdjustmentRow(
            id=new_id(),
            charge_id=charge.id,
            key=key,
            kind=plan.kind,
            amount_minor=plan.amount_minor,
            currency=plan.currency,
            source=wanted and wanted.source,
            destination=wanted and wanted.destination,
            note=note,
            state=AWAITING,
            requested_by=by,
            requested_at=tx.now,
            finished_at=None,
        )
        tx.session.add(row)
        await tx.session.flush()
        _tell(tx, row, "requested", by)
        if plan.four_eyes:
            approvals.ask(
                tx, plan.kind, row.id, by=by, amount_minor=plan.amount_minor, currency=plan.currency, note=note
            )
        else:
            await self._book(tx, charge, row, plan)
        return row

    async def decided(self, tx: Tx, adjustment_id: UUID, by: UserId, *, approved: bool) -> None:
        """A second person decided: book it, or not. Raises as ``request`` does; what was asked may be over by now."""
        looked = await tx.session.get(AdjustmentRow, adjustment_id)
        if looked is None:
            raise NotFound
        charge = await store.lock(tx, looked.charge_id)
        row = await tx.session.get(AdjustmentRow, adjustment_id, populate_existing=True)
        assert row is not None
        approvals.refuse_own(charge, by)
        if row.state != AWAITING:
            raise Conflict("This adjustment is not waiting any more.", code="decided")
        if approved:
            await self._book(tx, charge, row, await self._plan(tx, charge, _wanted(row)))
        else:
            row.state, row.finished_at = REJECTED, tx.now
            _tell(tx, row, "rejected", by)

    async def _plan(self, tx: Tx, charge: ChargeRow, wanted: Correction | None) -> Plan:
        if wanted is None:
            return await self._waiver(tx, charge)
        try:
            posting = rules.correction(
                charge.customer_id,
                charge.consultant_id,
                source=wanted.source,
                destination=wanted.destination,
                amount_minor=wanted.amount_minor,
            )
        except ValueError as error:
            raise Refused(str(error), code="no_correction") from error
        return Plan("correction", wanted.amount_minor, charge.currency, [posting], four_eyes=True)

    async def _waiver(self, tx: Tx, charge: ChargeRow) -> Plan:
        collection = await collecting.of_charge(tx, charge.id)
        if collection is None or collection.state != collecting.TRYING:
            raise Conflict("Nothing is owed for this call.", code="nothing_owed")
        if any(hold.state not in FINAL for hold in await store.holds(tx, charge.id)):
            raise Conflict("A payment is under way; wait for its answer.", code="payment_pending")
        missing, fee = collection.amount_minor, collection.fee_minor
        postings = entries.written_off(
            charge.customer_id, charge.consultant_id, share_minor=missing - fee, commission_minor=fee
        )
        return Plan("waive", missing, charge.currency, postings, four_eyes=missing > self._limit)

    async def _book(self, tx: Tx, charge: ChargeRow, row: AdjustmentRow, plan: Plan) -> None:
        row.state, row.finished_at = BOOKED, tx.now
        _tell(tx, row, "booked", row.requested_by)
        if plan.kind == "correction":
            await journal.book(
                tx,
                charge.id,
                key=f"adjustment:{row.id}",
                kind="correction",
                currency=plan.currency,
                postings=plan.postings,
            )
            return
        collection = await collecting.of_charge(tx, charge.id)
        assert collection is not None
        collecting.waive(tx, collection)
        await settlement.conclude(tx, charge)


def _tell(tx: Tx, row: AdjustmentRow, what: str, by: UUID) -> None:
    timeline.record(tx, row.charge_id, f"{row.kind}_{what}", amount_minor=row.amount_minor)
    audit.record(tx, f"finance.{row.kind}_{what}", subject=str(row.charge_id), actor=by, amount_minor=row.amount_minor)


def _wanted(row: AdjustmentRow) -> Correction | None:
    if row.source is None or row.destination is None:
        return None
    return Correction(row.source, row.destination, row.amount_minor)


async def _charge(tx: Tx, charge_id: UUID) -> ChargeRow:
    charge = await store.charge(tx, charge_id)
    if charge is None:
        raise NotFound
    return charge
