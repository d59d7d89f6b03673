"""What Stripe documents for accounts of test mode (docs.stripe.com/connect/testing): people, addresses, banks."""

import time
from typing import Any, NamedTuple

CLOSED = "account_closed"
"""The failure code of a payout to a bank account made by ``bank_account(…, closed=True)``."""


class Place(NamedTuple):
    """Where a made-up consultant lives. ``line1`` is a token of Stripe's: the address is taken for proved."""

    city: str
    postal_code: str
    state: str | None = None
    line1: str = "address_full_match"


_PLACES = {
    "AT": Place("Wien", "1010"),
    "DE": Place("Berlin", "10115"),
    "GB": Place("London", "EC1A 1BB"),
    "IE": Place("Dublin", "D02 X285"),
    "NL": Place("Amsterdam", "1012 AB"),
    "US": Place("San Francisco", "94103", "CA"),
}
KNOWN = frozenset(_PLACES)


def bank_account(country: str, currency: str, *, closed: bool = False) -> dict[str, Any]:
    """A test bank account of this country; payouts to it arrive, or come back with ``account_closed``."""
    account: dict[str, Any] = {"object": "bank_account", "country": country, "currency": currency}
    match country:
        case "US":
            number, sort = "000111111113" if closed else "000123456789", "110000000"
        case "GB":
            number, sort = "11111113" if closed else "00012345", "108800"
        case _:  # "By specifying the appropriate country code you can use these test IBANs for any EU country"
            number, sort = f"{country}8937040044053201300{2 if closed else 0}", None
    return {**account, "account_number": number, **({"routing_number": sort} if sort else {})}


def told(country: str, currency: str, *, closed: bool = False) -> dict[str, Any]:
    """Everything Stripe asks of an individual, for an account whose terms the platform accepts (type custom)."""
    place = _PLACES[country]
    address = {"line1": place.line1, "city": place.city, "postal_code": place.postal_code, "country": country}
    individual: dict[str, Any] = {
        "first_name": "Jenny",
        "last_name": "Rosen",
        "dob": {"day": 1, "month": 1, "year": 1901},  # 'Test dates of birth': verified
        "email": "jenny.rosen@example.com",
        "phone": "0000000000",  # 'the test phone number'
        "address": {**address, "state": place.state} if place.state else address,
    }
    if country == "US":
        individual |= {"id_number": "000000000", "ssn_last_4": "0000"}  # 'Test personal ID numbers': verified
    return {
        "type": "custom",
        "country": country,
        "business_type": "individual",
        "business_profile": {
            "mcc": "7392",  # consulting
            "url": "https://accessible.stripe.com",  # 'Test business information': a site that is there
            "product_description": "Advice by video call",
        },
        "individual": individual,
        "external_account": bank_account(country, currency, closed=closed),
        "tos_acceptance": {"date": int(time.time()), "ip": "8.8.8.8"},
        "capabilities": {"card_payments": {"requested": True}, "transfers": {"requested": True}},
        "settings": {"payouts": {"schedule": {"interval": "manual"}}},
    }
