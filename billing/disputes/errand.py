"""The errands of a dispute: take the share back, give it again when we win, hand in the evidence."""

from typing import Any

from sqlalchemy import select

from billing import provider_refs
from billing.cases import open_case
from billing.charges import commands, store
from billing.charges.command import Kind, Move
from billing.charges.errand import Order, Scene
from billing.disputes import store as disputes
from billing.disputes.models import DisputeRow
from billing.ledger import entries, journal
from billing.models import ChargeRow, CommandRow, HoldRow
from billing.provider.errors import ProviderDeclined
from billing.provider.gateway import StripeGateway
from billing.provider.objects import Dispute, Transfer, TransferReversal
from billing.refunds import store as refunds
from core.db import Tx

WON, LOST = "won", "lost"
KINDS = (Kind.REVERSE, Kind.RETURN, Kind.EVIDENCE)
Seen = TransferReversal | Transfer | Dispute


class DisputeErrand:
    """What the three writes mean."""

    def __init__(self, gateway: StripeGateway) -> None:
        self._gateway = gateway

    async def write(self, order: Order) -> Seen:
        """Make the call."""
        if order.kind is Kind.REVERSE:
            return await self._gateway.reverse_transfer(**order.params, idempotency_key=order.key)
        if order.kind is Kind.RETURN:
            return await self._gateway.create_transfer(**order.params, idempotency_key=order.key)
        return await self._gateway.submit_evidence(**order.params, idempotency_key=order.key)

    async def look(self, order: Order) -> Seen | None:
        """What Stripe has of it, found by the dispute's id in the metadata."""
        if order.kind is Kind.EVIDENCE:
            return await self._gateway.retrieve_dispute(order.params["dispute_id"])
        found: list[Any]
        if order.kind is Kind.REVERSE:
            found = await self._gateway.list_transfer_reversals(order.params["transfer_id"])
        else:
            found = await self._gateway.list_transfers(order.params["transfer_group"])
        wanted = order.params["metadata"]
        names = ("dispute_id", "turn")
        return next((one for one in found if all(one.metadata.get(name) == wanted.get(name) for name in names)), None)

    async def take_in(self, tx: Tx, scene: Scene, seen: Seen) -> bool:
        """Book it; the evidence is seen once Stripe counts a submission."""
        dispute = await _dispute(tx, scene)
        if isinstance(seen, Dispute):
            if not seen.submission_count:
                return False
            dispute.submitted_at = dispute.submitted_at or tx.now
        elif isinstance(seen, TransferReversal):
            await _share_taken_back(tx, scene, dispute, seen)
        else:
            await _share_returned(tx, scene, dispute, seen)
        commands.close(tx, scene.row, Move.FINISH, object=seen.id)
        tx.touch([scene.charge.customer_id, scene.charge.consultant_id])
        return True

    async def wanted(self, tx: Tx, scene: Scene) -> bool:
        """Whether the effect is still missing."""
        dispute = await _dispute(tx, scene)
        return {
            Kind.REVERSE: dispute.reversal_id is None,
            Kind.RETURN: dispute.return_id is None and dispute.status != LOST,
            Kind.EVIDENCE: dispute.closed_at is None and dispute.submitted_at is None,
        }[Kind(scene.row.kind)]

    async def declined(self, _tx: Tx, _scene: Scene, _error: ProviderDeclined) -> bool:
        """No card is asked here: a refusal like any other."""
        return False

    async def absent(self, tx: Tx, scene: Scene) -> bool:
        """Stripe never did it: ask again under the next key, while it is wanted."""
        return await self.wanted(tx, scene)

    async def persists(self, tx: Tx, scene: Scene) -> bool:
        """A share we won is owed: asked for again until our balance can bear it."""
        return scene.row.kind == Kind.RETURN and await self.wanted(tx, scene)

    async def refused(self, tx: Tx, scene: Scene) -> None:
        """A person looks at the case; evidence that was refused may be handed in anew."""
        if scene.row.kind == Kind.EVIDENCE:
            dispute = await _dispute(tx, scene)
            dispute.evidence, dispute.submitted_by = None, None


async def _share_taken_back(tx: Tx, scene: Scene, dispute: DisputeRow, seen: TransferReversal) -> None:
    """The disputed share left the connected account; if the bank has decided for us meanwhile, it goes back."""
    if dispute.reversal_id is not None:
        return
    dispute.reversal_id, dispute.return_id = seen.id, None
    await provider_refs.remember(
        tx,
        dispute.charge_id,
        dispute.id,
        dispute_reversal=seen.id,
        dispute_at_destination=seen.destination_refund_id,
    )
    await journal.book(
        tx,
        dispute.charge_id,
        key=f"dispute-share:{seen.id}",
        kind="dispute_share_reversed",
        currency=dispute.currency,
        postings=entries.share_reversed(scene.charge.consultant_id, seen.amount_minor),
    )
    if dispute.status == WON:
        await give_back(tx, scene.charge, scene.hold, dispute)


async def give_back(tx: Tx, charge: ChargeRow, hold: HoldRow, dispute: DisputeRow) -> None:
    """We won: send the share to the connected account again, once for each time we did."""
    key = f"disp-won:{dispute.id}{_turn(dispute)}"
    if await _intended(tx, key):
        return
    account = await store.payout(tx, charge.consultant_id)
    if account is None or account.provider_account_id is None:
        open_case(tx, dispute.charge_id, "share_cannot_be_returned", share_minor=dispute.share_minor)
        return
    await commands.intend(
        tx,
        hold,
        Kind.RETURN,
        key=key,
        params={
            "destination_id": account.provider_account_id,
            "amount_minor": dispute.share_minor,
            "currency": dispute.currency,
            "transfer_group": str(dispute.charge_id),
            "metadata": {"dispute_id": str(dispute.id)} | _turned(dispute),
        },
        subject_id=dispute.id,
    )


async def _share_returned(tx: Tx, scene: Scene, dispute: DisputeRow, seen: Transfer) -> None:
    if dispute.return_id is not None:
        return
    dispute.return_id = seen.id
    await provider_refs.remember(
        tx,
        dispute.charge_id,
        dispute.id,
        dispute_return=seen.id,
        destination_payment=seen.destination_payment_id,
    )
    await journal.book(
        tx,
        dispute.charge_id,
        key=f"dispute-return:{seen.id}",
        kind="dispute_share_returned",
        currency=dispute.currency,
        postings=entries.share_returned(scene.charge.consultant_id, seen.amount_minor),
    )
    if dispute.status == LOST:  # the bank decided the other way while the share was on its way
        await take_back(tx, scene.charge, scene.hold, dispute)


async def take_back(tx: Tx, charge: ChargeRow, hold: HoldRow, dispute: DisputeRow) -> None:
    """The bank has the money: what the consultant was sent of it comes back until it is decided.

    It went to them with the capture, or, where an appeal has turned a dispute we had won, with the transfer after it.
    """
    returned = dispute.return_id is not None
    key = f"disp-rev:{dispute.id}{_turn(dispute) if returned else ''}"
    transfer_id = dispute.return_id or hold.transfer_id
    if transfer_id is None or await _intended(tx, key):
        return
    if returned:
        dispute.reversal_id = None
    else:
        dispute.share_minor = await share_of(tx, hold, dispute.amount_minor)
    if not dispute.share_minor:
        return
    await commands.intend(
        tx,
        hold,
        Kind.REVERSE,
        key=key,
        params={
            "transfer_id": transfer_id,
            "amount_minor": dispute.share_minor,
            "metadata": {"dispute_id": str(dispute.id), "reference": charge.reference} | _turned(dispute),
        },
        subject_id=dispute.id,
    )


async def share_of(tx: Tx, hold: HoldRow, amount_minor: int) -> int:
    """The consultant's part of what is disputed: pro rata of this capture, and never more than is left with them."""
    if not hold.captured_minor:
        return 0
    doubled = hold.capture_fee_minor * amount_minor * 2 + hold.captured_minor
    share = amount_minor - doubled // (hold.captured_minor * 2)
    # Only what is done counts: a refund under way is refused by Stripe, because the bank has the money.
    left = hold.captured_minor - hold.capture_fee_minor - await refunds.share_given_back_minor(tx, hold.id)
    return max(0, min(share, left))


def _turn(dispute: DisputeRow) -> str:
    return f":{dispute.turns}" if dispute.turns else ""


def _turned(dispute: DisputeRow) -> dict[str, str]:
    return {"turn": str(dispute.turns)} if dispute.turns else {}


async def _intended(tx: Tx, key: str) -> bool:
    return await tx.session.scalar(select(CommandRow.id).where(CommandRow.key == key)) is not None


async def _dispute(tx: Tx, scene: Scene) -> DisputeRow:
    assert scene.row.subject_id is not None
    dispute = await disputes.get(tx, scene.row.subject_id)
    assert dispute is not None
    return dispute
