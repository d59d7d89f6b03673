"""Value added tax, PURE: rates by country and day, who owes it, and how much of a price it is.

Sources: the Commission's *VAT rates applied in the Member States* (January 2026), HMRC, the Swiss FTA; Directive
2006/112/EC, articles 44, 45, 59(c), 196 and 284; Implementing Regulation 282/2011, article 7(3): advice given by a
person is no electronic service.
"""

from dataclasses import dataclass
from datetime import date
from enum import StrEnum

BPS = 10_000
EARLIEST = date(2020, 1, 1)

EU = frozenset(
    "AT BE BG HR CY CZ DK EE FI FR DE GR HU IE IT LV LT LU MT NL PL PT RO SK SI ES SE".split()  # noqa: SIM905
)

# Standard rates in basis points, each with the first day on which it holds. A new rate is a new pair: what is there
# is never changed, and a charge keeps the rate of the day on which it was accepted.
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


class Treatment(StrEnum):
    """Who owes the tax of a supply."""

    STANDARD = "standard"  # the supplier, at the supplier's rate
    REVERSE_CHARGE = "reverse_charge"  # the customer, a business in another member state
    OUTSIDE_SCOPE = "outside_scope"  # supplied where the customer is, outside the supplier's tax
    EXEMPT = "exempt"  # nobody: the supplier is a small business


class Reason(StrEnum):
    """Why a supply is taxed as it is: one row of the decision table."""

    SUPPLIER_UNSTATED = "supplier_unstated"  # the consultant has not said where they are taxed: the house's terms
    SMALL_BUSINESS = "small_business"  # article 284
    NO_RATE = "no_rate"  # a country whose tax this table does not know
    CUSTOMER_UNSTATED = "customer_unstated"  # taken for a consumer in the supplier's country
    DOMESTIC = "domestic"
    OUTSIDE_EU = "outside_eu"  # articles 44 and 59(c)
    EU_CONSUMER = "eu_consumer"  # article 45: where the supplier is
    SUPPLIER_UNREGISTERED = "supplier_unregistered"  # without the supplier's number there is no reverse charge
    EU_BUSINESS = "eu_business"  # articles 44 and 196


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


@dataclass(frozen=True, slots=True)
class Party:
    """One side's stored facts: country (ISO 3166), VAT number of that country if any, whether a small business.

    ``name`` and ``address`` (of several lines) decide nothing: they stand on the invoice (article 226).
    """

    country: str
    vat_id: str | None = None
    small_business: bool = False
    name: str | None = None
    address: str | None = None


@dataclass(frozen=True, slots=True)
class Decision:
    """How a supply is taxed, why, and by which facts; a side that stated none is None."""

    tax: Tax
    reason: Reason
    supplier: Party | None
    customer: Party | None


def rate_bps(country: str, day: date) -> int:
    """The standard rate of a country on a day; LookupError where the table says nothing."""
    rate = next((bps for since, bps in reversed(RATES.get(country, ())) if since <= day), None)
    if rate is None:
        raise LookupError(f"There is no VAT rate of {country} for {day}.")
    return rate


def decide(supplier: Party | None, customer: Party | None, day: date, *, unstated: Tax) -> Decision:
    """How advice from ``supplier`` to ``customer`` on a day is taxed; ``unstated`` while the supplier stated nothing.

    The rows are asked from top to bottom; what each rests on, and leaves out, is in ``docs/money.md``.
    """
    reason = _reason(supplier, customer)
    if supplier is None:
        return Decision(unstated, reason, supplier, customer)
    treatment = _TREATMENTS.get(reason, Treatment.STANDARD)
    rate = rate_bps(supplier.country, day) if treatment is Treatment.STANDARD else 0
    return Decision(Tax(treatment, rate), reason, supplier, customer)


# Every other row is taxed at the supplier's rate.
_TREATMENTS = {
    Reason.SMALL_BUSINESS: Treatment.EXEMPT,
    Reason.NO_RATE: Treatment.OUTSIDE_SCOPE,
    Reason.OUTSIDE_EU: Treatment.OUTSIDE_SCOPE,
    Reason.EU_BUSINESS: Treatment.REVERSE_CHARGE,
}


def _reason(supplier: Party | None, customer: Party | None) -> Reason:
    if supplier is None:
        return Reason.SUPPLIER_UNSTATED
    if supplier.small_business:
        return Reason.SMALL_BUSINESS
    if supplier.country not in RATES:
        return Reason.NO_RATE
    return Reason.CUSTOMER_UNSTATED if customer is None else _between(supplier, customer)


def _between(supplier: Party, customer: Party) -> Reason:
    """Both stated where they are taxed; a business is who has a VAT number."""
    if customer.country == supplier.country:
        return Reason.DOMESTIC
    if not EU.issuperset((supplier.country, customer.country)):
        return Reason.OUTSIDE_EU
    if customer.vat_id is None:
        return Reason.EU_CONSUMER
    return Reason.EU_BUSINESS if supplier.vat_id is not None else Reason.SUPPLIER_UNREGISTERED


def inclusive(gross_minor: int, rate: int) -> Amounts:
    """Split a price that includes its tax at ``rate`` basis points; the tax is rounded half up."""
    if gross_minor < 0 or rate < 0:
        raise ValueError("a price and a rate cannot be negative")
    whole = BPS + rate
    vat = (2 * gross_minor * rate + whole) // (2 * whole)
    return Amounts(gross_minor, gross_minor - vat, vat)
