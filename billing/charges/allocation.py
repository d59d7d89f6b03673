"""How an amount is taken from several holds, PURE: parts that sum, within every hold, none below the minimum."""

from collections.abc import Sequence
from dataclasses import dataclass

from core.money import MINIMUM_CHARGE_MINOR, Currency, commission_minor


@dataclass(frozen=True, slots=True)
class Part:
    """What one hold gives: 0 means that it is released whole."""

    amount_minor: int
    fee_minor: int


def allocate(currency: Currency, gross_minor: int, bps: int, holds_minor: Sequence[int]) -> tuple[Part, ...]:
    """One part per hold, in order: amounts sum to the gross, fees to the commission of the whole.

    Raises ValueError when the holds cannot give the gross (``coverable_minor`` says what they can).
    """
    if gross_minor > coverable_minor(currency, gross_minor, holds_minor):
        raise ValueError("the holds do not cover this amount")
    parts: list[Part] = []
    before = 0
    for amount in _amounts(gross_minor, holds_minor, MINIMUM_CHARGE_MINOR[currency]):
        # Differences of the commission on running totals: the fees sum to the commission of the whole.
        fee = commission_minor(before + amount, bps) - commission_minor(before, bps)
        parts.append(Part(amount, fee))
        before += amount
    return tuple(parts)


def coverable_minor(currency: Currency, gross_minor: int, holds_minor: Sequence[int]) -> int:
    """The most of ``gross_minor`` these holds can give: Stripe captures nothing below the minimum from any of them.

    Two holds of 0.50 can give 0.50 or 1.00, but not 0.51.
    """
    minimum = MINIMUM_CHARGE_MINOR[currency]
    used = _used(gross_minor, holds_minor, minimum)
    covered = min(gross_minor, sum(holds_minor[index] for index in used))
    return covered if covered >= minimum else 0


def _used(gross_minor: int, holds_minor: Sequence[int], minimum: int) -> list[int]:
    """Which holds give: the first that suffice, or, for an amount too small to be split so often, the largest."""
    used: list[int] = []
    left = gross_minor
    for index, held in enumerate(holds_minor):
        if left <= 0:
            break
        used.append(index)
        left -= held
    most = gross_minor // minimum
    if len(used) > most:
        by_size = sorted(range(len(holds_minor)), key=lambda index: -holds_minor[index])
        used = sorted(by_size[:most])
    return used


def _amounts(gross_minor: int, holds_minor: Sequence[int], minimum: int) -> list[int]:
    """The minimum from every hold that gives, and the rest in order."""
    used = _used(gross_minor, holds_minor, minimum)
    amounts = [0] * len(holds_minor)
    left = gross_minor - minimum * len(used)
    for index in used:
        more = min(left, holds_minor[index] - minimum)
        amounts[index] = minimum + more
        left -= more
    return amounts
