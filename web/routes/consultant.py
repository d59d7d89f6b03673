"""The consultant's own desk: profile and online switch."""

from typing import Annotated

from pydantic import Field

from core.money import Currency
from matching.dispatch.requests import RATE_MAX
from people.profiles import ConsultantProfile, ProfileDraft
from signaling.views import PresenceView
from web.routing import Access, Call, route
from web.schemas import Input, Output, TimeZone

# In minor units: 1.00 EUR an hour, 100 JPY. Below lies a typing mistake, and above RATE_MAX nobody may consent to it.
LOWEST_RATE = 100
Tag = Annotated[str, Field(min_length=1, max_length=60)]
Language = Annotated[str, Field(pattern=r"^[a-z]{2}$")]


class ProfileIn(Input):
    """What a consultant offers, whole; it may be incomplete, but then nobody can ring."""

    headline: Annotated[str, Field(max_length=140)]
    biography: Annotated[str, Field(max_length=4000)]
    tags: Annotated[list[Tag], Field(max_length=20)]
    rate_minor_per_hour: Annotated[int, Field(ge=LOWEST_RATE, le=RATE_MAX)] | None
    currency: Currency | None
    languages: Annotated[list[Language], Field(max_length=8)]
    time_zone: TimeZone


class ProfileOut(Output):
    """The profile as it is stored; ``missing`` names what stands between it and going online."""

    display_name: str
    headline: str
    biography: str
    tags: list[str]
    rate_minor_per_hour: int | None
    currency: Currency | None
    languages: list[str]
    time_zone: str
    can_receive: bool
    missing: list[str]
    complete: bool


class OnlineIn(Input):
    """The switch."""

    online: bool


def _out(profile: ConsultantProfile) -> ProfileOut:
    return ProfileOut(
        display_name=profile.display_name,
        headline=profile.headline,
        biography=profile.biography,
        tags=list(profile.tags),
        rate_minor_per_hour=profile.rate_minor_per_hour,
        currency=Currency(profile.currency) if profile.currency else None,
        languages=list(profile.languages),
        time_zone=profile.time_zone,
        can_receive=profile.can_receive,
        missing=list(profile.missing),
        complete=not profile.missing,
    )


@route("GET", "/api/consultant/profile", access=Access.CONSULTANT, reply=ProfileOut)
async def get_profile(call: Call) -> ProfileOut:
    """Your own profile, and what it lacks."""
    async with call.house.db.begin() as tx:
        return _out(await call.house.profiles.get(tx, call.user))


@route("PUT", "/api/consultant/profile", access=Access.CONSULTANT, body=ProfileIn, reply=ProfileOut)
async def put_profile(call: Call) -> ProfileOut:
    """Replace your profile; a new rate counts for new calls only."""
    body: ProfileIn = call.body
    draft = ProfileDraft(
        headline=body.headline,
        biography=body.biography,
        tags=tuple(body.tags),
        rate_minor_per_hour=body.rate_minor_per_hour,
        currency=body.currency,
        languages=tuple(body.languages),
        time_zone=body.time_zone,
    )
    async with call.house.db.begin() as tx:
        return _out(await call.house.profiles.put(tx, call.user, draft))


@route("POST", "/api/consultant/online", access=Access.CONSULTANT, body=OnlineIn, reply=PresenceView)
async def switch_online(call: Call) -> PresenceView:
    """Go online or offline."""
    body: OnlineIn = call.body
    async with call.house.db.begin() as tx:
        return await call.house.presence.set_online(tx, call.user, body.online)
