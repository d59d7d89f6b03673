"""The plan of a refund, PURE: from which captures how much is given back, and whose part of it is whose.

Stripe returns the application fee pro rata of what is refunded of a capture, computed on running totals, so that the
parts of several refunds never sum to more than the whole. What it says it returned is what is booked in the end.
A credit (``billing/credits``) is given back of a capture as well and returns nothing of the fee: it limits what is
left, and is left out of the proportion.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

HoldKey = TypeVar("HoldKey")


@dataclass(frozen=True, slots=True)
class Captured(Generic[HoldKey]):
    """One capture: its amount, our commission on it, and what was given back of both so far.

    ``credited_minor`` of ``refunded_minor`` was borne by the house alone.
    """

    hold: HoldKey
    amount_minor: int
    fee_minor: int
    refunded_minor: int
    fee_returned_minor: int
    credited_minor: int = 0


@dataclass(frozen=True, slots=True)
class Part(Generic[HoldKey]):
    """What one capture gives back; ``commission_minor`` of it is ours."""

    hold: HoldKey
    amount_minor: int
    commission_minor: int


def refundable_minor(captures: Sequence[Captured[HoldKey]]) -> int:
    """The most that can be given back."""
    return sum(capture.amount_minor - capture.refunded_minor for capture in captures)


def kept_minor(captures: Sequence[Captured[HoldKey]]) -> int:
    """What the house has left of its commission: what it returned, and credits that it bore, are gone."""
    return sum(max(0, capture.fee_minor - capture.fee_returned_minor - capture.credited_minor) for capture in captures)


def plan(captures: Sequence[Captured[HoldKey]], amount_minor: int) -> tuple[Part[HoldKey], ...]:
    """The parts of a refund, last capture first (an extension goes back before the call itself).

    Raises ValueError when the amount is not positive or more than can be given back.
    """
    if not 0 < amount_minor <= refundable_minor(captures):
        raise ValueError("a refund lies between one minor unit and what was captured and not yet given back")
    parts: list[Part[HoldKey]] = []
    left = amount_minor
    for capture in reversed(captures):
        amount = min(left, capture.amount_minor - capture.refunded_minor)
        if amount:
            parts.append(Part(capture.hold, amount, _commission(capture, amount)))
            left -= amount
    return tuple(parts)


def _commission(capture: Captured[HoldKey], amount: int) -> int:
    so_far = capture.refunded_minor - capture.credited_minor + amount
    due = (capture.fee_minor * so_far * 2 + capture.amount_minor) // (capture.amount_minor * 2)
    return max(0, min(amount, due - capture.fee_returned_minor))
