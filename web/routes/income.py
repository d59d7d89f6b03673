"""A consultant's income: the account it is paid to, what was earned, and how today went."""

from datetime import UTC, datetime, timedelta
from typing import Annotated
from uuid import UUID
from zoneinfo import ZoneInfo

from pydantic import Field

from core.db import Tx
from core.ids import UserId
from core.money import BPS, Currency
from signaling.status import Status
from web.context import House
from web.routing import Access, Call, route
from web.schemas import Empty, Input, Output, Utc


class PayoutAccountOut(Output):
    """Whether money can be received, and where to go while it cannot."""

    onboarding_url: str | None
    can_receive: bool


class EarningsQuery(Input):
    """``cursor`` is what the page before gave as ``next_cursor``."""

    cursor: Annotated[str, Field(max_length=200)] | None = None


class EarningOut(Output):
    """One call, and what it brought."""

    call_id: UUID
    reference: str
    ended_at: Utc | None
    connected_ms: int
    gross_minor: int
    commission_minor: int
    net_minor: int
    currency: Currency
    state: str


class EarningTotal(Output):
    """Everything earned in one currency."""

    currency: Currency
    gross_minor: int
    commission_minor: int
    net_minor: int


class EarningsOut(Output):
    """A page of earnings, newest first; the totals are of everything, not of the page."""

    items: list[EarningOut]
    totals: list[EarningTotal]
    next_cursor: str | None


class HomeOut(Output):
    """Today, from midnight in the consultant's own time zone; ``earned_minor`` is net, in the profile's currency."""

    online_ms: int
    in_call_ms: int
    utilisation_bps: int
    earned_minor: int
    currency: Currency | None


@route("GET", "/api/consultant/payout-account", access=Access.CONSULTANT, reply=PayoutAccountOut)
async def get_payout_account(call: Call) -> PayoutAccountOut:
    """Whether your account can receive money by now."""
    return PayoutAccountOut.model_validate(await call.house.payout_accounts.status(call.user))


@route("POST", "/api/consultant/payout-account", access=Access.CONSULTANT, body=Empty, reply=PayoutAccountOut)
async def post_payout_account(call: Call) -> PayoutAccountOut:
    """Open the account you are paid to, or go on with opening it."""
    return PayoutAccountOut.model_validate(await call.house.payout_accounts.begin(call.user))


@route("GET", "/api/consultant/earnings", access=Access.CONSULTANT, query=EarningsQuery, reply=EarningsOut)
async def get_earnings(call: Call) -> EarningsOut:
    """What your calls brought, newest first."""
    query: EarningsQuery = call.query
    async with call.house.db.begin() as tx:
        return EarningsOut.model_validate(await call.house.charges.earnings(tx, call.user, query.cursor))


@route("GET", "/api/consultant/home", access=Access.CONSULTANT, reply=HomeOut)
async def get_home(call: Call) -> HomeOut:
    """Your day so far."""
    async with call.house.db.begin() as tx:
        profile = await call.house.profiles.get(tx, call.user)
        since = midnight(tx.now, profile.time_zone)
        spent = await call.house.presence.spent_ms(tx, call.user, since)
        earned_minor = await _earned_since(call.house, tx, call.user, since, profile.currency)
    in_call_ms = spent[Status.IN_MEETING]
    online_ms = in_call_ms + spent[Status.AVAILABLE]
    return HomeOut(
        online_ms=online_ms,
        in_call_ms=in_call_ms,
        utilisation_bps=in_call_ms * BPS // online_ms if online_ms else 0,
        earned_minor=earned_minor,
        currency=Currency(profile.currency) if profile.currency else None,
    )


def midnight(now: datetime, time_zone: str) -> datetime:
    """When today began where this person lives, in UTC."""
    local = now.astimezone(ZoneInfo(time_zone))
    return local.replace(hour=0, minute=0, second=0, microsecond=0).astimezone(UTC)


async def _earned_since(house: House, tx: Tx, user: UserId, since: datetime, currency: str | None) -> int:
    """The net sum of calls that ended since ``since``; earnings come newest first, so the first old one is the end."""
    total, cursor = 0, None
    while True:
        page = EarningsOut.model_validate(await house.charges.earnings(tx, user, cursor))
        ended = [item for item in page.items if item.ended_at is not None and item.ended_at >= since]
        total += sum(item.net_minor for item in ended if item.currency == currency)
        # A call opened before midnight may have ended after it: look one day further back before stopping.
        older = any(item.ended_at is not None and item.ended_at < since - timedelta(days=1) for item in page.items)
        cursor = page.next_cursor
        if cursor is None or older:
            return total
