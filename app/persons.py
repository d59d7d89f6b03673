"""What billing is told of a person: where they are taxed, and where they are written to."""

from billing.charges.taxing import PartyOf
from billing.mails.letters import Reader
from billing.mails.service import ReaderOf
from billing.tax import Party
from core.db import Tx
from core.ids import UserId
from people.accounts import AccountService
from people.billing_details import BillingDetailsService


def party_of(details: BillingDetailsService) -> PartyOf:
    """Where somebody is taxed, as they stated it."""

    async def party(tx: Tx, user: UserId, /) -> Party | None:
        stated = await details.of(tx, user)
        if stated is None:
            return None
        return Party(stated.country, stated.vat_id, stated.small_business, stated.name, stated.address)

    return party


def reader_of(accounts: AccountService) -> ReaderOf:
    """Where somebody is written to, and in which language."""

    async def reader(tx: Tx, user: UserId, /) -> Reader | None:
        whose = await accounts.mailbox(tx, user)
        return None if whose is None else Reader(whose.email, whose.display_name, whose.locale, whose.time_zone)

    return reader
