"""Billing details: where a person is taxed, and whether as a business; facts from which the VAT of a call is decided.

A change counts for calls accepted after it; a call that was accepted keeps its own copy.
"""

from dataclasses import dataclass

from core import audit
from core.db import Tx
from core.errors import Invalid, NotFound
from core.ids import UserId
from people import store
from people.countries import COUNTRIES
from people.models import BillingDetailsRow
from people.origin import Origin
from people.roles import Role
from people.text import clean, clean_line
from people.vat_ids import normal_vat_id


@dataclass(frozen=True, slots=True)
class BillingDetails:
    """``country`` as in ISO 3166; ``vat_id`` is a number of that country; ``small_business`` is for consultants.

    ``name`` and ``address`` are those of the invoice, which both sides of a call are given.
    """

    country: str
    vat_id: str | None = None
    small_business: bool = False
    name: str | None = None
    address: str | None = None


class BillingDetailsService:
    """Keeps each person's details; nobody has any before they state them."""

    async def of(self, tx: Tx, user: UserId) -> BillingDetails | None:
        """What a person stated; None when nothing yet."""
        row = await store.billing_details(tx, user)
        if row is None:
            return None
        return BillingDetails(row.country, row.vat_id, row.small_business, row.name, row.address)

    async def put(self, tx: Tx, user: UserId, details: BillingDetails, origin: Origin) -> BillingDetails:
        """Replace them; raises Invalid on a country or a VAT number that is none, or not of that country."""
        account = await store.account(tx, user)
        if account is None:
            raise NotFound
        if details.country not in COUNTRIES:
            raise Invalid("This is not a country.", field="country")
        if details.small_business and Role.CONSULTANT not in account.roles:
            raise Invalid("Only a consultant can be a small business here.", field="small_business")
        vat_id = None if details.vat_id is None else normal_vat_id(details.vat_id, details.country)
        name, address = clean_line(details.name or "") or None, clean(details.address or "") or None
        stated = BillingDetails(details.country, vat_id, details.small_business, name, address)
        await store.put_billing_details(
            tx,
            BillingDetailsRow(
                user_id=user,
                country=stated.country,
                vat_id=stated.vat_id,
                small_business=stated.small_business,
                name=stated.name,
                address=stated.address,
                updated_at=tx.now,
            ),
        )
        audit.record(
            tx,
            "person.billing_details",
            subject=f"account:{user}",
            actor=user,
            ip_hash=origin.ip_hash,
            request_id=origin.request_id,
        )
        return stated
