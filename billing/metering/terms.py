"""The price terms a call is made under: snapshotted on its charge when it is accepted. PURE."""

from dataclasses import dataclass
from enum import StrEnum

from core.money import Currency

TEN_MINUTES_MS = 600_000
LATE_HOLD_MS = 480_000  # where the hold of a trusted customer is placed: two minutes before the threshold


class Policy(StrEnum):
    """What passing the threshold makes chargeable (decisions §1)."""

    WHOLE_CALL = "whole_call"
    AFTER_THRESHOLD = "after_threshold"


class TaxMode(StrEnum):
    """How the price relates to VAT; ours include it (decisions §4)."""

    INCLUSIVE = "inclusive"
    EXEMPT = "exempt"


@dataclass(frozen=True, slots=True)
class PriceTerms:
    """The house's terms for new calls; running calls keep the version they were accepted under."""

    version: str = "2026-1"
    policy: Policy = Policy.WHOLE_CALL
    threshold_ms: int = TEN_MINUTES_MS
    commission_bps: int = 1_500
    tax_mode: TaxMode = TaxMode.INCLUSIVE
    tax_rate_bps: int = 1_900
    review_window_s: int = 0  # how long a bill may be looked at before anything is captured
    late_hold: bool = False  # trusted customers get their hold at ``LATE_HOLD_MS``, not at accept


DEFAULT_TERMS = PriceTerms()


@dataclass(frozen=True, slots=True)
class Price:
    """What the meter needs of a snapshot. Rate in minor units per hour, cap in minor units.

    ``secured`` is False while a trusted customer's hold has not come to stand: until then the threshold is not passed,
    however long the call lasts.
    """

    currency: Currency
    rate_minor_per_hour: int
    policy: Policy
    threshold_ms: int
    cap_minor: int
    commission_bps: int
    secured: bool = True
