"""The errand of refunds: one write per capture that gives something back."""

from billing import invoices, provider_refs, timeline
from billing.cases import open_case, open_once
from billing.charges import commands, store
from billing.charges.announcements import REFUNDED, announce
from billing.charges.command import Kind, Move
from billing.charges.errand import Order, Scene
from billing.credits import redeem
from billing.ledger import entries, journal
from billing.mails import outbox
from billing.models import ChargeRow, HoldRow
from billing.provider.errors import ProviderDeclined
from billing.provider.gateway import StripeGateway
from billing.provider.objects import Refund
from billing.refunds import store as refunds
from billing.refunds.models import RefundPartRow
from core.db import Tx
from core.errors import NotFound

KINDS = (Kind.REFUND,)
DONE, FAILED, INTENDED, SENDING = "done", "failed", "intended", "sending"


class RefundErrand:
    """What a refund's write means; the answer, a look and a webhook all end in ``take_in_refund``."""

    def __init__(self, gateway: StripeGateway) -> None:
        self._gateway = gateway

    async def write(self, order: Order) -> Refund:
        """Ask Stripe to give the money back."""
        if order.provider_id is None:
            raise NotFound
        return await self._gateway.refund(order.provider_id, **order.params, idempotency_key=order.key)

    async def look(self, order: Order) -> Refund | None:
        """The refund that carries our part's id, if Stripe has made it."""
        assert order.provider_id is not None
        listed = await self._gateway.list_refunds(order.provider_id)
        wanted = str(order.subject_id)
        return next((refund for refund in listed if refund.metadata.get("part_id") == wanted), None)

    async def take_in(self, tx: Tx, scene: Scene, seen: Refund) -> bool:
        """Book what Stripe returned."""
        assert scene.row.subject_id is not None
        part = await refunds.part(tx, scene.row.subject_id)
        assert part is not None
        await take_in_refund(tx, scene.charge, scene.hold, part, seen)
        return True

    async def wanted(self, tx: Tx, scene: Scene) -> bool:
        """Whether the part still waits."""
        part = None if scene.row.subject_id is None else await refunds.part(tx, scene.row.subject_id)
        return part is not None and part.state == INTENDED

    async def declined(self, _tx: Tx, _scene: Scene, _error: ProviderDeclined) -> bool:
        """No card is asked here: a refusal like any other."""
        return False

    async def absent(self, tx: Tx, scene: Scene) -> bool:
        """Stripe never made it: ask again under the next key, while it is wanted."""
        return await self.wanted(tx, scene)

    async def persists(self, _tx: Tx, _scene: Scene) -> bool:
        """A refund that is refused is for a person to judge."""
        return False

    async def refused(self, tx: Tx, scene: Scene) -> None:
        """Stripe will not give it back: the part has failed."""
        assert scene.row.subject_id is not None
        part = await refunds.part(tx, scene.row.subject_id)
        if part is not None and part.state == INTENDED:
            part.state, part.finished_at = FAILED, tx.now
            timeline.record(tx, scene.charge.id, "refund_failed", amount_minor=part.amount_minor)
            await _nothing_given(tx, scene.charge, part)
            await _conclude(tx, scene.charge, part)


async def take_in_refund(tx: Tx, charge: ChargeRow, hold: HoldRow, part: RefundPartRow, seen: Refund) -> None:
    """What Stripe says of a part, in any order and as often as it comes; the charge is locked."""
    if part.provider_id not in (None, seen.id) or seen.amount_minor != part.amount_minor:
        open_case(tx, charge.id, "refund_differs", refund=seen.id, amount_minor=seen.amount_minor)
        return
    part.provider_id = seen.id
    if seen.status in {"failed", "canceled"}:
        await _came_back(tx, charge, part, seen)
    elif part.state == INTENDED:
        await _given_back(tx, charge, hold, part, seen)
    elif part.state == FAILED and part.commission_minor is None:
        # Noted as refused, and now it lives: a person must see what was done in its place.
        key = f"refund-alive:{part.id}"
        await open_once(tx, charge.id, "refund_differs", key=key, refund=seen.id, amount_minor=seen.amount_minor)


async def _given_back(tx: Tx, charge: ChargeRow, hold: HoldRow, part: RefundPartRow, seen: Refund) -> None:
    part.state, part.finished_at = DONE, tx.now
    part.transfer_reversal_id = seen.transfer_reversal_id
    await provider_refs.remember(
        tx,
        charge.id,
        part.id,
        refund=seen.id,
        refund_reversal=seen.transfer_reversal_id,
        refund_at_destination=seen.destination_refund_id,
    )
    refund = await refunds.get(tx, part.refund_id)
    assert refund is not None
    if refund.credit_id is None:
        await _by_both_sides(tx, charge, hold, part, seen)
    else:
        await _by_the_house(tx, charge, part, seen)
    await _finish_commands(tx, hold, part)
    await _conclude(tx, charge, part)


async def _by_both_sides(tx: Tx, charge: ChargeRow, hold: HoldRow, part: RefundPartRow, seen: Refund) -> None:
    """The bill is smaller by it: the share's part came back with the transfer, the commission's with the fee."""
    returned = seen.fee_refunded_minor
    if returned is None:  # refunds of a charge come one after the other: what is new since the last is this one's
        before = [one.fee_returned_minor for one in await refunds.captures(tx, charge.id) if one.hold.id == hold.id]
        returned = seen.fee_refunded_total_minor - sum(before)
    commission = max(0, min(returned, part.amount_minor))
    _reversed(tx, charge, seen, part.amount_minor)
    part.commission_minor, part.share_minor = commission, part.amount_minor - commission
    charge.refunded_minor += part.amount_minor
    await journal.book(
        tx,
        charge.id,
        key=f"refund:{part.id}",
        kind="refund",
        currency=charge.currency,
        postings=entries.refunded(
            charge.customer_id, charge.consultant_id, amount_minor=part.amount_minor, commission_minor=commission
        ),
    )
    await invoices.credit(tx, charge, part.id, part.amount_minor)
    timeline.record(tx, charge.id, "refunded", amount_minor=part.amount_minor, commission_minor=commission)
    await announce(tx, charge.id, REFUNDED)


async def _by_the_house(tx: Tx, charge: ChargeRow, part: RefundPartRow, seen: Refund) -> None:
    """A credit: the bill and what both sides earned stay, and no other room has anything to learn from it."""
    _reversed(tx, charge, seen, 0)
    part.commission_minor, part.share_minor, part.platform_minor = 0, 0, part.amount_minor
    charge.credited_minor += part.amount_minor
    await journal.book(
        tx,
        charge.id,
        key=f"refund:{part.id}",
        kind="credit_given",
        currency=charge.currency,
        postings=entries.credit_given(charge.customer_id, amount_minor=part.amount_minor),
    )
    await invoices.issue_credit(tx, charge, part.id, part.amount_minor)


def _reversed(tx: Tx, charge: ChargeRow, seen: Refund, expected_minor: int) -> None:
    """Stripe reverses the transfer by what is refunded, and gives the fee's part of it to the consultant again."""
    if seen.transfer_reversed_minor != expected_minor:
        open_case(tx, charge.id, "reversal_differs", refund=seen.id, reversed_minor=seen.transfer_reversed_minor)


async def _came_back(tx: Tx, charge: ChargeRow, part: RefundPartRow, seen: Refund) -> None:
    """The bank could not give the money to the customer: Stripe has it again, and we owe it still."""
    if part.state == FAILED:
        return
    booked = part.state == DONE
    part.state, part.finished_at = FAILED, tx.now
    if booked:
        charge.refunded_minor -= part.amount_minor - part.platform_minor
        charge.credited_minor -= part.platform_minor
        if not part.platform_minor:
            await announce(tx, charge.id, REFUNDED)
        await journal.book(
            tx,
            charge.id,
            key=f"refund-failed:{part.id}",
            kind="refund_failed",
            currency=charge.currency,
            postings=[
                entries.Posting(entries.receivable(charge.customer_id), entries.CLEARING, part.amount_minor),
            ],
        )
    else:
        await _nothing_given(tx, charge, part)
    open_case(tx, charge.id, "refund_failed", refund=seen.id, why=seen.failure_reason, amount_minor=part.amount_minor)
    timeline.record(tx, charge.id, "refund_failed", amount_minor=part.amount_minor)
    await _conclude(tx, charge, part)


async def _nothing_given(tx: Tx, charge: ChargeRow, part: RefundPartRow) -> None:
    """Nothing moved: a credit that was to be given back is open again."""
    refund = await refunds.get(tx, part.refund_id)
    assert refund is not None
    if refund.credit_id is not None:
        await redeem.open_again(tx, charge, refund, part)


async def _finish_commands(tx: Tx, hold: HoldRow, part: RefundPartRow) -> None:
    for row in await store.commands(tx, hold.id):
        if row.subject_id == part.id and row.finished_at is None:
            commands.close(tx, row, Move.FINISH, object=part.provider_id)


async def _conclude(tx: Tx, charge: ChargeRow, part: RefundPartRow) -> None:
    """A refund is over when each of its parts is."""
    await tx.session.flush()
    refund = await refunds.get(tx, part.refund_id)
    assert refund is not None
    states = {one.state for one in await refunds.parts(tx, refund.id)}
    tx.touch([charge.customer_id, charge.consultant_id])
    if INTENDED in states:
        return
    refund.state = DONE if states == {DONE} else FAILED
    refund.finished_at = tx.now
    if refund.state == DONE:
        kind = outbox.Kind.REFUND if refund.credit_id is None else outbox.Kind.CREDIT
        await outbox.note(tx, kind, refund.id, charge.customer_id)
