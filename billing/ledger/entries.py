"""What each fact means in the books, PURE: postings from source to destination, balanced by construction.

The balance of an account is what came in less what went out: clearing gains G, payable loses S, commission C.
Accounts that begin with ``connected:`` mirror a consultant's own account at Stripe: what it was sent, what it holds,
what went on to its bank. They sum to zero among themselves, so that what we owe is never mixed with what Stripe owes.
"""

from dataclasses import dataclass
from uuid import UUID

CLEARING = "stripe:clearing"
DISPUTED = "stripe:disputed"
STRIPE_FEES = "platform:stripe_fees"
COMMISSION = "platform:commission"
LOSSES = "platform:losses"  # what we bear ourselves: money that went out twice, a debt nobody pays
CREDITS = "platform:credits"  # what we bear of bills because a promise was missed
PLATFORM_BANK = "platform:bank"


def receivable(customer_id: UUID) -> str:
    """What a customer owes."""
    return f"customer:{customer_id}:receivable"


def payable(consultant_id: UUID) -> str:
    """What a consultant is owed by us: nothing, once the capture's transfer has moved it."""
    return f"consultant:{consultant_id}:payable"


def connected_sent(consultant_id: UUID) -> str:
    """What was sent to a consultant's account at Stripe (the source of ``connected_balance``)."""
    return f"connected:{consultant_id}:sent"


def connected_balance(consultant_id: UUID) -> str:
    """What a consultant's account at Stripe holds; negative while a refund was larger than what lay there."""
    return f"connected:{consultant_id}:balance"


def connected_bank(consultant_id: UUID) -> str:
    """What was paid out to a consultant's bank."""
    return f"connected:{consultant_id}:bank"


@dataclass(frozen=True, slots=True)
class Posting:
    """Value moved between two accounts; a posting of nothing is left out when it is booked."""

    source: str
    destination: str
    amount_minor: int

    def mirrored(self) -> "Posting":
        """The same value moved back."""
        return Posting(self.destination, self.source, self.amount_minor)


def settled(customer_id: UUID, consultant_id: UUID, *, share_minor: int, commission_minor: int) -> list[Posting]:
    """The bill is final: the customer owes it, the consultant and the platform have earned their parts."""
    return [
        Posting(payable(consultant_id), receivable(customer_id), share_minor),
        Posting(COMMISSION, receivable(customer_id), commission_minor),
    ]


def written_off(customer_id: UUID, consultant_id: UUID, *, share_minor: int, commission_minor: int) -> list[Posting]:
    """The mirror image of ``settled``, for what could not be taken."""
    earned = settled(customer_id, consultant_id, share_minor=share_minor, commission_minor=commission_minor)
    return [posting.mirrored() for posting in earned]


def captured(customer_id: UUID, consultant_id: UUID, *, amount_minor: int, share_minor: int) -> list[Posting]:
    """Stripe took the money, and the capture's own transfer moved the share to the connected account."""
    return [Posting(receivable(customer_id), CLEARING, amount_minor), *_sent(consultant_id, share_minor)]


def provider_fee(fee_minor: int) -> list[Posting]:
    """Stripe's processing fee, borne by the platform."""
    return [Posting(CLEARING, STRIPE_FEES, fee_minor)]


def refunded(customer_id: UUID, consultant_id: UUID, *, amount_minor: int, commission_minor: int) -> list[Posting]:
    """The customer has money back: the bill is smaller by it, and so is what both sides earned and were given."""
    share = amount_minor - commission_minor
    return [
        Posting(CLEARING, receivable(customer_id), amount_minor),
        *_brought_back(consultant_id, share),
        *written_off(customer_id, consultant_id, share_minor=share, commission_minor=commission_minor),
    ]


def credit_set(customer_id: UUID, *, amount_minor: int) -> list[Posting]:
    """We bear so much of the customer's bill, and owe it to them until it is given back."""
    return [Posting(receivable(customer_id), CREDITS, amount_minor)]


def credit_given(customer_id: UUID, *, amount_minor: int) -> list[Posting]:
    """The customer has it; what both sides earned stays as it is."""
    return [Posting(CLEARING, receivable(customer_id), amount_minor)]


def dispute_withdrawn(amount_minor: int) -> list[Posting]:
    """The bank took the money until it has decided."""
    return [Posting(CLEARING, DISPUTED, amount_minor)]


def dispute_reinstated(amount_minor: int) -> list[Posting]:
    """The bank gave it back (which says nothing yet about who won)."""
    return [Posting(DISPUTED, CLEARING, amount_minor)]


def share_reversed(consultant_id: UUID, share_minor: int) -> list[Posting]:
    """The disputed share was taken back from the connected account: the consultant has it coming, if we win."""
    return _brought_back(consultant_id, share_minor)


def share_returned(consultant_id: UUID, share_minor: int) -> list[Posting]:
    """The share went to the connected account again."""
    return _sent(consultant_id, share_minor)


def dispute_lost(customer_id: UUID, consultant_id: UUID, *, amount_minor: int, share_minor: int) -> list[Posting]:
    """The customer keeps the money, as after a refund."""
    commission = amount_minor - share_minor
    return [
        Posting(DISPUTED, receivable(customer_id), amount_minor),
        *written_off(customer_id, consultant_id, share_minor=share_minor, commission_minor=commission),
    ]


def paid_out(consultant_id: UUID, amount_minor: int) -> list[Posting]:
    """Stripe sent what a connected account held to its bank."""
    return [Posting(connected_balance(consultant_id), connected_bank(consultant_id), amount_minor)]


def platform_paid_out(amount_minor: int) -> list[Posting]:
    """Stripe sent what we hold to our own bank."""
    return [Posting(CLEARING, PLATFORM_BANK, amount_minor)]


def topped_up(amount_minor: int) -> list[Posting]:
    """We sent money from our bank to our balance at Stripe."""
    return [Posting(PLATFORM_BANK, CLEARING, amount_minor)]


def _sent(consultant_id: UUID, share_minor: int) -> list[Posting]:
    return [
        Posting(CLEARING, payable(consultant_id), share_minor),
        Posting(connected_sent(consultant_id), connected_balance(consultant_id), share_minor),
    ]


def _brought_back(consultant_id: UUID, share_minor: int) -> list[Posting]:
    return [posting.mirrored() for posting in _sent(consultant_id, share_minor)]
