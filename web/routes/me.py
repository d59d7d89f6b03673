"""The signed-in person: their account, what they agreed to, and what there is to agree to."""

from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field

from core.db import Tx
from core.ids import UserId
from people.consents import Agreement
from people.origin import Origin
from web.context import House
from web.routing import Access, Call, route
from web.schemas import DisplayName, Input, Output, TimeZone, Utc


class AgreedDocument(Output):
    """One document somebody agreed to."""

    document: str
    version: str
    at: Utc


class Account(Output):
    """An account as its owner sees it."""

    id: UUID
    email: str
    display_name: str
    roles: list[str]
    locale: str
    time_zone: str
    consents: list[AgreedDocument]


class AccountPatch(Input):
    """What an owner may change; a field left out stays as it is."""

    display_name: DisplayName | None = None
    locale: Literal["en", "de"] | None = None
    time_zone: TimeZone | None = None


class AgreementIn(Input):
    """One document that is agreed to, in the version that was shown."""

    document: Literal["terms", "privacy", "consultant_agreement"]
    version: Annotated[str, Field(min_length=1, max_length=20)]


async def account_of(house: House, tx: Tx, user: UserId) -> Account:
    """The account of ``user`` as it goes over the wire."""
    view = await house.accounts.view(tx, user)
    return Account(
        id=view.user_id,
        email=view.email,
        display_name=view.display_name,
        roles=list(view.roles),
        locale=view.locale,
        time_zone=view.time_zone,
        consents=[AgreedDocument.model_validate(consent) for consent in view.consents],
    )


@route("GET", "/api/me", access=Access.USER, reply=Account)
async def get_me(call: Call) -> Account:
    """Your own account."""
    async with call.house.db.begin() as tx:
        return await account_of(call.house, tx, call.user)


@route("PATCH", "/api/me", access=Access.USER, body=AccountPatch, reply=Account)
async def patch_me(call: Call) -> Account:
    """Change the name others see, the interface language or the time zone."""
    body: AccountPatch = call.body
    async with call.house.db.begin() as tx:
        await call.house.accounts.update(
            tx, call.user, display_name=body.display_name, locale=body.locale, time_zone=body.time_zone
        )
        return await account_of(call.house, tx, call.user)


@route("POST", "/api/me/consents", access=Access.USER, body=AgreementIn)
async def post_consent(call: Call) -> None:
    """Agree to the present version of a document."""
    body: AgreementIn = call.body
    origin = Origin(ip_hash=call.ip_hash, request_id=call.request_id)
    async with call.house.db.begin() as tx:
        await call.house.consents.give(tx, call.user, Agreement(body.document, body.version), origin)
