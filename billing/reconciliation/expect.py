"""What our books expect of a line of Stripe's ledger, PURE: the comparison, and the names of its differences."""

from dataclasses import dataclass
from enum import StrEnum

from billing.provider.objects import BalanceTransaction


class Finding(StrEnum):
    """Every difference has a name; each becomes a case."""

    UNKNOWN = "unknown_line"  # Stripe moved money that we know nothing of
    AMOUNT = "amount_differs"
    FEE = "fee_differs"
    CURRENCY = "currency_differs"
    NET = "net_differs"  # Stripe's own figures do not add up
    NOT_BOOKED = "not_booked"  # we know what it is, and did not book it
    MISSING = "missing_at_provider"  # we booked what Stripe never did
    VANISHED = "vanished_at_provider"  # Stripe showed it once and does no more
    BALANCE = "balance_differs"
    LINES = "books_differ_from_lines"  # the sum of Stripe's lines is not what we booked of them


@dataclass(frozen=True, slots=True)
class Expected:
    """What a line should say; ``fee_minor`` is None where we are not told it. ``key`` is the booking behind it."""

    key: str
    currency: str
    amount_minor: int
    fee_minor: int | None = 0


def compare(line: BalanceTransaction, expected: Expected | None) -> Finding | None:
    """The difference between a line and our books; None when they agree to the cent."""
    if line.net_minor != line.amount_minor - line.fee_minor:
        return Finding.NET
    if expected is None:
        return Finding.UNKNOWN
    if line.currency != expected.currency:
        return Finding.CURRENCY
    if line.amount_minor != expected.amount_minor:
        return Finding.AMOUNT
    if expected.fee_minor is not None and line.fee_minor != expected.fee_minor:
        return Finding.FEE
    return None
