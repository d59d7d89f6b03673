"""Money: integers in minor units, rates in basis points, half-up rounding. Never a float.

What differs between currencies stands here and nowhere else: how many decimals a minor unit is, and the least that can
be charged. All else counts in minor units, a yen like a cent: limits in them hold for every currency.
"""

from dataclasses import dataclass
from enum import StrEnum


class Currency(StrEnum):
    """The currencies a consultant may charge in (decisions §4)."""

    EUR = "eur"
    USD = "usd"
    GBP = "gbp"
    CHF = "chf"
    JPY = "jpy"

    @property
    def decimals(self) -> int:
        """How many decimals an amount has: the exponent of the minor unit (ISO 4217, list one).

        The yen has none: its minor unit is the yen itself, and so Stripe takes it
        (docs.stripe.com/currencies#zero-decimal).
        """
        return _DECIMALS[self]


_DECIMALS = {Currency.EUR: 2, Currency.USD: 2, Currency.GBP: 2, Currency.CHF: 2, Currency.JPY: 0}
# Stripe's minimum charge per currency, in minor units (docs.stripe.com/currencies#minimum-and-maximum-charge-amounts).
MINIMUM_CHARGE_MINOR = {Currency.EUR: 50, Currency.USD: 50, Currency.GBP: 30, Currency.CHF: 50, Currency.JPY: 50}

MS_PER_HOUR = 3_600_000
BPS = 10_000


@dataclass(frozen=True, slots=True)
class Money:
    """An amount in minor units (cents, yen) of one currency."""

    minor: int
    currency: Currency


def price_minor(rate_minor_per_hour: int, duration_ms: int) -> int:
    """Price of ``duration_ms`` at an hourly rate, in minor units, rounded half up (decisions §4)."""
    if rate_minor_per_hour < 0 or duration_ms < 0:
        raise ValueError("rate and duration cannot be negative")
    return (rate_minor_per_hour * duration_ms + MS_PER_HOUR // 2) // MS_PER_HOUR


def commission_minor(gross_minor: int, rate_bps: int) -> int:
    """The platform's part of ``gross_minor``, rounded half up; the consultant's share is the rest."""
    if gross_minor < 0 or not 0 <= rate_bps <= BPS:
        raise ValueError("gross cannot be negative and a rate lies between 0 and 10,000 bps")
    return (gross_minor * rate_bps + BPS // 2) // BPS


def decimal_text(value: int, places: int) -> str:
    """An exact decimal of a whole number of the smallest unit: 1650 → ``16.50``. For tables, not for people."""
    whole, rest = divmod(abs(value), 10**places)
    return f"{'-' if value < 0 else ''}{whole}" + (f".{rest:0{places}d}" if places else "")


def amount_text(minor: int, currency: str) -> str:
    """An amount with the decimals of its currency: 1650 → ``16.50`` in ``eur``, ``1650`` in ``jpy``. For tables.

    ValueError for a currency that is not ours.
    """
    return decimal_text(minor, Currency(currency).decimals)
