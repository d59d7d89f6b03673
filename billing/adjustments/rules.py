"""The rules of a correcting entry, PURE: between which accounts of a charge it may move value.

What is booked is never changed; a mistake is met by a further entry, dated when it is made, so that a closed month
stays as it was. Accounts that mirror a consultant's own account at Stripe sum to zero among themselves, and ours do:
an entry between the two would mix what we owe with what Stripe owes.
"""

from uuid import UUID

from billing.ledger import entries
from billing.ledger.entries import Posting


def ours(customer_id: UUID, consultant_id: UUID) -> tuple[str, ...]:
    """Our own accounts that a charge of these two touches."""
    return (
        entries.receivable(customer_id),
        entries.payable(consultant_id),
        entries.COMMISSION,
        entries.STRIPE_FEES,
        entries.LOSSES,
        entries.CREDITS,
        entries.CLEARING,
        entries.DISPUTED,
        entries.PLATFORM_BANK,
    )


def mirrored(consultant_id: UUID) -> tuple[str, ...]:
    """The accounts that mirror the consultant's own at Stripe."""
    return (
        entries.connected_sent(consultant_id),
        entries.connected_balance(consultant_id),
        entries.connected_bank(consultant_id),
    )


def correction(customer_id: UUID, consultant_id: UUID, *, source: str, destination: str, amount_minor: int) -> Posting:
    """The one posting of a correcting entry; raises ValueError for what it must not be."""
    if source == destination:
        raise ValueError("From an account to itself nothing moves.")
    if not any(
        {source, destination} <= set(side) for side in (ours(customer_id, consultant_id), mirrored(consultant_id))
    ):
        raise ValueError("A correction stays among our own accounts, or among the consultant's at Stripe.")
    if amount_minor <= 0:
        raise ValueError("A correction moves at least one minor unit.")
    return Posting(source, destination, amount_minor)
