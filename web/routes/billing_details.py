"""Where you are taxed: the country and number that decide the VAT of your calls."""

from typing import Annotated

from pydantic import Field

from people.billing_details import BillingDetails
from people.countries import COUNTRIES
from people.origin import Origin
from web.routing import Access, Call, route
from web.schemas import Input, Output


class BillingDetailsIn(Input):
    """All of them; what somebody has not, or does not want to state, is null."""

    country: Annotated[str, Field(pattern="^[A-Z]{2}$")]
    vat_id: Annotated[str, Field(min_length=4, max_length=24)] | None
    small_business: bool
    name: Annotated[str, Field(max_length=100)] | None
    address: Annotated[str, Field(max_length=300)] | None


class BillingDetailsOut(Output):
    """What was stated, ``country`` None while nothing was; and the ``countries`` there are to choose from."""

    country: str | None
    vat_id: str | None
    small_business: bool
    name: str | None
    address: str | None
    countries: list[str]


def _out(stated: BillingDetails | None) -> BillingDetailsOut:
    return BillingDetailsOut(
        country=stated and stated.country,
        vat_id=stated and stated.vat_id,
        small_business=stated is not None and stated.small_business,
        name=stated and stated.name,
        address=stated and stated.address,
        countries=sorted(COUNTRIES),
    )


@route("GET", "/api/me/billing-details", access=Access.USER, reply=BillingDetailsOut)
async def get_billing_details(call: Call) -> BillingDetailsOut:
    """Where you are taxed, as you stated it."""
    async with call.house.db.begin() as tx:
        stated = await call.house.billing_details.of(tx, call.user)
    return _out(stated)


@route("PUT", "/api/me/billing-details", access=Access.USER, body=BillingDetailsIn, reply=BillingDetailsOut)
async def put_billing_details(call: Call) -> BillingDetailsOut:
    """State where you are taxed; it counts for calls accepted from now on."""
    body: BillingDetailsIn = call.body
    details = BillingDetails(body.country, body.vat_id, body.small_business, body.name, body.address)
    origin = Origin(ip_hash=call.ip_hash, request_id=call.request_id)
    async with call.house.db.begin() as tx:
        stated = await call.house.billing_details.put(tx, call.user, details, origin)
    return _out(stated)
