"""From a line of Stripe's to what our rows say it should be: holds, refunds, disputes, payouts."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import text

from billing import provider_refs
from billing.charges import store as charges
from billing.disputes import store as disputes
from billing.ledger import entries, journal
from billing.models import LedgerTransactionRow, PostingRow, ProviderRefRow
from billing.payouts.models import PayoutRow
from billing.provider.objects import BalanceTransaction
from billing.reconciliation.expect import Expected
from billing.refunds import store as refunds
from core.db import Tx

# What Stripe moves by itself on our balance is no charge's: it is booked when it is first seen.
_OWN = {
    "payout": "platform_payout",
    "payout_failure": "platform_payout_failed",
    "payout_cancel": "platform_payout_failed",
    "topup_reversal": "platform_payout",
    "topup": "top_up",
    "stripe_fee": "stripe_fee",
    "network_cost": "stripe_fee",
    "tax_fee": "stripe_fee",
}


async def refs_of(tx: Tx, lines: Sequence[BalanceTransaction]) -> dict[str, ProviderRefRow]:
    """The charges behind these lines, by source or by what the source belongs to."""
    ids = {name for line in lines for name in (line.source_id, line.parent_id) if name is not None}
    return await provider_refs.known(tx, ids)


async def expected(
    tx: Tx, line: BalanceTransaction, ref: ProviderRefRow | None, consultant: UUID | None
) -> Expected | None:
    """What this line should say; ``consultant`` owns the connected account it stands on, None on ours."""
    if ref is None:
        return await _without_charge(tx, line, consultant)
    if line.parent_id is not None:
        return await _of_returned_fee(tx, line, ref, consultant)
    if ref.kind in {"charge", "transfer", "application_fee", "destination_payment"}:
        return await _of_capture(tx, line, ref)
    if ref.kind.startswith("refund"):
        return await _of_refund(tx, line, ref)
    return await _of_dispute(tx, line, ref)


async def _of_capture(tx: Tx, line: BalanceTransaction, ref: ProviderRefRow) -> Expected | None:
    hold = await charges.hold(tx, ref.subject_id)
    if hold is None:
        return await _of_dispute(tx, line, ref)  # a share that was returned is a payment at its destination too
    key, code = f"capture:{hold.id}", hold.currency
    return {
        "charge": Expected(key, code, hold.captured_minor, hold.provider_fee_minor),
        "transfer": Expected(key, code, -hold.captured_minor),
        "application_fee": Expected(key, code, hold.capture_fee_minor),
        "destination_payment": Expected(key, code, hold.captured_minor, hold.capture_fee_minor),
    }[ref.kind]


async def _of_refund(tx: Tx, line: BalanceTransaction, ref: ProviderRefRow) -> Expected | None:
    part = await refunds.part(tx, ref.subject_id)
    if part is None:
        return None
    sign = 1 if ref.kind == "refund_reversal" or line.type == "refund_failure" else -1
    return Expected(f"refund:{part.id}", line.currency, sign * part.amount_minor)


async def _of_returned_fee(
    tx: Tx, line: BalanceTransaction, ref: ProviderRefRow, consultant: UUID | None
) -> Expected | None:
    """A returned commission names its fee, not its refund: one of the refunds of that capture gave back this much."""
    query = text("SELECT id, commission_minor FROM refund_part WHERE hold_id = :hold AND commission_minor = :amount")
    row = (await tx.session.execute(query, {"hold": ref.subject_id, "amount": abs(line.amount_minor)})).first()
    if row is None:
        return Expected("", line.currency, 0)
    amount = int(row.commission_minor)
    return Expected(f"refund:{row.id}", line.currency, amount if consultant else -amount)


async def _of_dispute(tx: Tx, line: BalanceTransaction, ref: ProviderRefRow) -> Expected | None:
    dispute = await disputes.get(tx, ref.subject_id)
    if dispute is None:
        return None
    share = dispute.share_minor
    if ref.kind == "dispute":
        booked = await _booked(tx, f"dispute:{line.id}")
        if booked is None:
            return Expected("", line.currency, 0, 0)
        moved = booked.get(entries.DISPUTED, 0)
        return Expected(f"dispute:{line.id}", dispute.currency, -moved, booked.get(entries.STRIPE_FEES, 0))
    sign = {"dispute_reversal": 1, "dispute_at_destination": -1, "dispute_return": -1, "destination_payment": 1}
    return Expected(f"{ref.kind}:{ref.id}", dispute.currency, sign[ref.kind] * share)


async def _without_charge(tx: Tx, line: BalanceTransaction, consultant: UUID | None) -> Expected | None:
    if consultant is not None:
        payout = await tx.session.get(PayoutRow, line.source_id or "")
        if payout is None:
            return None
        sign = {"payout": -1, "payout_failure": 1, "payout_cancel": 1}.get(line.type, 0)
        return Expected(f"payout:{payout.id}", payout.currency, sign * payout.amount_minor)
    if line.type not in _OWN:
        return None
    key = f"{_OWN[line.type]}:{line.id}"
    booked = await _booked(tx, key)
    if booked is None:
        await _book_own(tx, line, key)
        booked = await _booked(tx, key) or {}
    return Expected(key, line.currency, booked.get(entries.CLEARING, 0), None)


async def _book_own(tx: Tx, line: BalanceTransaction, key: str) -> None:
    amount = abs(line.net_minor)
    postings = {
        "platform_payout": entries.platform_paid_out(amount),
        "platform_payout_failed": entries.topped_up(amount),
        "top_up": entries.topped_up(amount),
        "stripe_fee": entries.provider_fee(amount),
    }[_OWN[line.type]]
    await journal.book(tx, None, key=key, kind=_OWN[line.type], currency=line.currency, postings=postings)


async def _booked(tx: Tx, key: str) -> dict[str, int] | None:
    """What a booking moved, per account; None when there is none."""
    transaction = await tx.session.scalar(
        LedgerTransactionRow.__table__.select()
        .with_only_columns(LedgerTransactionRow.id)
        .where(LedgerTransactionRow.key == key)
    )
    if transaction is None:
        return None
    moved: dict[str, int] = {}
    query = PostingRow.__table__.select().where(PostingRow.transaction_id == transaction)
    for row in await tx.session.execute(query):
        moved[row.destination] = moved.get(row.destination, 0) + int(row.amount_minor)
        moved[row.source] = moved.get(row.source, 0) - int(row.amount_minor)
    return moved
