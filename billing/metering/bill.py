"""The bill, PURE: connected milliseconds and a price give billed time, gross, commission and net."""

from collections.abc import Iterable
from dataclasses import dataclass

from billing.metering.intervals import Interval, closed_ms
from billing.metering.terms import Policy, Price
from core.money import MINIMUM_CHARGE_MINOR, MS_PER_HOUR, commission_minor, price_minor

EXTENSION_MS = 600_000  # one click buys ten more minutes


@dataclass(frozen=True, slots=True)
class Bill:
    """What ``connected_ms`` costs if the call ended now; commission and net always sum to gross."""

    connected_ms: int
    billed_ms: int
    gross_minor: int
    commission_minor: int
    net_minor: int


def cap_ms(price: Price) -> int:
    """The connected time the cap pays for in full; the call ends there.

    A cap smaller than the threshold's price is reached with the threshold: before it nothing is due.
    """
    paid_ms = price.cap_minor * MS_PER_HOUR // price.rate_minor_per_hour
    if price.policy is Policy.AFTER_THRESHOLD:
        return price.threshold_ms + paid_ms
    return max(price.threshold_ms, paid_ms)


def due_minor(price: Price, connected_ms: int) -> int:
    """Gross for this much connected time, before the currency's minimum is looked at."""
    if connected_ms < price.threshold_ms or not price.secured:
        return 0
    counted = min(connected_ms, cap_ms(price)) - free_ms(price)
    return min(price_minor(price.rate_minor_per_hour, counted), price.cap_minor)


def free_ms(price: Price) -> int:
    """The connected time that stays free even once the threshold is passed."""
    return price.threshold_ms if price.policy is Policy.AFTER_THRESHOLD else 0


def bill(price: Price, connected_ms: int) -> Bill:
    """The whole bill. Exactly the threshold passes it; what the currency cannot charge is not charged."""
    if connected_ms < 0:
        raise ValueError("connected time cannot be negative")
    gross = due_minor(price, connected_ms)
    if gross < MINIMUM_CHARGE_MINOR[price.currency]:
        return Bill(connected_ms, 0, 0, 0, 0)
    billed = min(connected_ms, cap_ms(price)) - free_ms(price)
    commission = commission_minor(gross, price.commission_bps)
    return Bill(connected_ms, billed, gross, commission, gross - commission)


def bill_of(price: Price, intervals: Iterable[Interval]) -> Bill:
    """The bill of what was observed and is final: of all parts of a call together."""
    return bill(price, closed_ms(intervals))


def extension_minor(price: Price) -> int:
    """The size of the hold one click on *Extend* asks for.

    Twice the minimum at least: so that whatever comes to be due can be split over the holds, none giving less than it.
    """
    return max(price_minor(price.rate_minor_per_hour, EXTENSION_MS), 2 * MINIMUM_CHARGE_MINOR[price.currency])
