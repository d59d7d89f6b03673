"""Value added tax, PURE: rates by country and day, who owes it, and how much of a price it is.

Sources: the Commission's *VAT rates applied in the Member States*; Directive 2006/112/EC, articles 44, 45, 59(c)
and 196; Implementing Regulation 282/2011, article 7(3): advice given by a person is no electronic service.
"""

import re
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

BPS = 10_000
EARLIEST = date(2020, 1, 1)

EU = frozenset(
    "AT BE BG HR CY CZ DK EE FI FR DE GR HU IE IT LV LT LU MT NL PL PT RO SK SI ES SE".split()  # noqa: SIM905
)

# Standard rates in basis points, each with the first day on which it holds.
RATES: dict[str, tuple[tuple[date, int], ...]] = {
    "AT": ((EARLIEST, 2_000),),
    "BE": ((EARLIEST, 2_100),),
    "BG": ((EARLIEST, 2_000),),
    "HR": ((EARLIEST, 2_500),),
    "CY": ((EARLIEST, 1_900),),
    "CZ": ((EARLIEST, 2_100),),
    "DK": ((EARLIEST, 2_500),),
    "EE": ((EARLIEST, 2_000), (date(2024, 1, 1), 2_200), (date(2025, 7, 1), 2_400)),
    "FI": ((EARLIEST, 2_400), (date(2024, 9, 1), 2_550)),
    "FR": ((EARLIEST, 2_000),),
    "DE": ((EARLIEST, 1_900), (date(2020, 7, 1), 1_600), (date(2021, 1, 1), 1_900)),
    "GR": ((EARLIEST, 2_400),),
    "HU": ((EARLIEST, 2_700),),
    "IE": ((EARLIEST, 2_300), (date(2020, 9, 1), 2_100), (date(2021, 3, 1), 2_300)),
    "IT": ((EARLIEST, 2_200),),
    "LV": ((EARLIEST, 2_100),),
    "LT": ((EARLIEST, 2_100),),
    "LU": ((EARLIEST, 1_700), (date(2023, 1, 1), 1_600), (date(2024, 1, 1), 1_700)),
    "MT": ((EARLIEST, 1_800),),
    "NL": ((EARLIEST, 2_100),),
    "PL": ((EARLIEST, 2_300),),
    "PT": ((EARLIEST, 2_300),),
    "RO": ((EARLIEST, 1_900), (date(2025, 8, 1), 2_100)),
    "SK": ((EARLIEST, 2_000), (date(2025, 1, 1), 2_300)),
    "SI": ((EARLIEST, 2_200),),
    "ES": ((EARLIEST, 2_100),),
    "SE": ((EARLIEST, 2_500),),
    "GB": ((EARLIEST, 2_000),),
    "CH": ((EARLIEST, 770), (date(2024, 1, 1), 810)),
}

# The form only; whether a number is in use is a question to VIES. Greece writes EL.
_VAT_ID = re.compile(r"(?P<country>[A-Z]{2})[0-9A-Z+*]{2,12}")


class Treatment(StrEnum):
    """Who owes the tax of a supply."""

    STANDARD = "standard"  # the supplier, at the supplier's rate
    REVERSE_CHARGE = "reverse_charge"  # the customer, a business in another member state
    OUTSIDE_SCOPE = "outside_scope"  # supplied where the customer is, outside the supplier's tax
    EXEMPT = "exempt"  # nobody: the supplier is a small business, or its service is exempt


@dataclass(frozen=True, slots=True)
class Amounts:
    """A price that includes its tax; net and vat always sum to gross."""

    gross_minor: int
    net_minor: int
    vat_minor: int


@dataclass(frozen=True, slots=True)
class Tax:
    """How a supply is taxed."""

    treatment: Treatment
    rate_bps: int


def rate_bps(country: str, day: date) -> int:
    """The standard rate of a country on a day; LookupError where the table says nothing."""
    rate = next((bps for since, bps in reversed(RATES.get(country, ())) if since <= day), None)
    if rate is None:
        raise LookupError(f"There is no VAT rate of {country} for {day}.")
    return rate


def business_in(vat_id: str) -> str | None:
    """The country a VAT number belongs to, by its form; None when it has none."""
    match = _VAT_ID.fullmatch(vat_id.replace(" ", "").replace(".", "").upper())
    country = "GR" if match and match["country"] == "EL" else match["country"] if match else None
    return country if country in RATES else None


def tax_of(supplier: str, customer: str, day: date, *, vat_id: str | None = None, exempt: bool = False) -> Tax:
    """How advice from a supplier's country to a customer's is taxed; countries as in ISO 3166, ``vat_id`` if any.

    A VAT number counts only when it belongs to the customer's country.
    """
    if exempt:
        return Tax(Treatment.EXEMPT, 0)
    if supplier == customer:
        return Tax(Treatment.STANDARD, rate_bps(supplier, day))
    within = supplier in EU and customer in EU
    if vat_id is not None and business_in(vat_id) == customer and within:
        return Tax(Treatment.REVERSE_CHARGE, 0)
    if within:
        return Tax(Treatment.STANDARD, rate_bps(supplier, day))
    return Tax(Treatment.OUTSIDE_SCOPE, 0)


def inclusive(gross_minor: int, rate: int) -> Amounts:
    """Split a price that includes its tax at ``rate`` basis points; the tax is rounded half up."""
    if gross_minor < 0 or rate < 0:
        raise ValueError("a price and a rate cannot be negative")
    whole = BPS + rate
    vat = (2 * gross_minor * rate + whole) // (2 * whole)
    return Amounts(gross_minor, gross_minor - vat, vat)
