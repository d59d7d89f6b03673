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

    Raises ValueError when the holds do not cover the gross.
    """
    if gross_minor > sum(holds_minor):
        raise ValueError("the holds do not cover this amount")
    amounts = _fill(gross_minor, holds_minor)
    _lift_crumb(amounts, MINIMUM_CHARGE_MINOR[currency])
    parts: list[Part] = []
    before = 0
    for amount in amounts:
        # Differences of the commission on running totals: the fees sum to the commission of the whole.
        fee = commission_minor(before + amount, bps) - commission_minor(before, bps)
        parts.append(Part(amount, fee))
        before += amount
    return tuple(parts)


def _fill(gross_minor: int, holds_minor: Sequence[int]) -> list[int]:
    amounts: list[int] = []
    left = gross_minor
    for held in holds_minor:
        amounts.append(min(left, held))
        left -= amounts[-1]
    return amounts


def _lift_crumb(amounts: list[int], minimum: int) -> None:
    """Stripe captures nothing below the minimum: the last part borrows from the one before it."""
    used = [index for index, amount in enumerate(amounts) if amount]
    if len(used) < 2 or amounts[used[-1]] >= minimum:  # noqa: PLR2004 - a single part cannot borrow
        return
    missing = minimum - amounts[used[-1]]
    amounts[used[-1]] += missing
    amounts[used[-2]] -= missing
