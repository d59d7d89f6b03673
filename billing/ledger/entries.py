"""What each fact means in the books, PURE: postings from source to destination, balanced by construction.

The balance of an account is what came in less what went out: clearing gains G, payable loses S, commission C.
"""

from dataclasses import dataclass
from uuid import UUID

CLEARING = "stripe:clearing"
COMMISSION = "platform:commission"
STRIPE_FEES = "platform:stripe_fees"


def receivable(customer_id: UUID) -> str:
    """What a customer owes."""
    return f"customer:{customer_id}:receivable"


def payable(consultant_id: UUID) -> str:
    """What a consultant is owed."""
    return f"consultant:{consultant_id}:payable"


@dataclass(frozen=True, slots=True)
class Posting:
    """Value moved between two accounts; a posting of nothing is left out when it is booked."""

    source: str
    destination: str
    amount_minor: int


def settled(customer_id: UUID, consultant_id: UUID, *, share_minor: int, commission_minor: int) -> list[Posting]:
    """The bill is final: the customer owes it, the consultant and the platform have earned their parts."""
    return [
        Posting(payable(consultant_id), receivable(customer_id), share_minor),
        Posting(COMMISSION, receivable(customer_id), commission_minor),
    ]


def written_off(customer_id: UUID, consultant_id: UUID, *, share_minor: int, commission_minor: int) -> list[Posting]:
    """The mirror image of ``settled``, for what could not be taken."""
    return [
        Posting(receivable(customer_id), payable(consultant_id), share_minor),
        Posting(receivable(customer_id), COMMISSION, commission_minor),
    ]


def captured(customer_id: UUID, consultant_id: UUID, *, amount_minor: int, share_minor: int) -> list[Posting]:
    """Stripe took the money, and the capture's own transfer moved the share to the connected account."""
    return [
        Posting(receivable(customer_id), CLEARING, amount_minor),
        Posting(CLEARING, payable(consultant_id), share_minor),
    ]


def provider_fee(fee_minor: int) -> list[Posting]:
    """Stripe's processing fee, borne by the platform."""
    return [Posting(CLEARING, STRIPE_FEES, fee_minor)]
