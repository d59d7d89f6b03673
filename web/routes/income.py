"""A consultant's income: the account it is paid to, how today went, and the statement of a month."""

import asyncio
from datetime import datetime
from typing import Annotated
from zoneinfo import ZoneInfo

from aiohttp import web
from pydantic import Field

from billing import bills
from billing.payout_accounts import PayoutStatus
from billing.payouts import statement
from billing.payouts.countries import SUPPORTED
from billing.payouts.statement_paper import About, printed_statement
from billing.periods import Period, midnight, of_month
from core.db import Tx
from core.ids import UserId
from core.money import BPS, Currency
from signaling.status import Status
from web.routes.receipts import ISSUER
from web.routing import Access, Call, route
from web.schemas import Input, Output


class PayoutAccountOut(Output):
    """Whether money can be received, and where to go while it cannot.

    ``country`` is the account's, for good; None before one was opened. ``countries`` are those to choose from, and
    ``stated_country`` is where you said you are taxed, if payouts are possible there.
    """

    onboarding_url: str | None
    can_receive: bool
    country: str | None
    stated_country: str | None
    countries: list[str]


class PayoutAccountIn(Input):
    """``country`` is needed to open the account; null means where you said you are taxed."""

    country: Annotated[str, Field(pattern="^[A-Z]{2}$")] | None = None


class HomeOut(Output):
    """Today, from midnight in the consultant's own time zone; ``earned_minor`` is net, in the profile's currency."""

    online_ms: int
    in_call_ms: int
    utilisation_bps: int
    earned_minor: int
    currency: Currency | None


class MonthQuery(Input):
    """A calendar month (``2026-01``) where the consultant lives."""

    month: Annotated[str, Field(pattern=r"^2[01][0-9]{2}-(0[1-9]|1[0-2])$")]


@route("GET", "/api/consultant/payout-account", access=Access.CONSULTANT, reply=PayoutAccountOut)
async def get_payout_account(call: Call) -> PayoutAccountOut:
    """Whether your account can receive money by now."""
    return _account(await call.house.payout_accounts.status(call.user), await _stated_country(call))


@route("POST", "/api/consultant/payout-account", access=Access.CONSULTANT, body=PayoutAccountIn, reply=PayoutAccountOut)
async def post_payout_account(call: Call) -> PayoutAccountOut:
    """Open the account you are paid to, in a country that is its for good, or go on with opening it."""
    body: PayoutAccountIn = call.body
    stated = await _stated_country(call)
    return _account(await call.house.payout_accounts.begin(call.user, body.country, stated=stated), stated)


@route("GET", "/api/consultant/home", access=Access.CONSULTANT, reply=HomeOut)
async def get_home(call: Call) -> HomeOut:
    """Your day so far."""
    async with call.house.db.begin() as tx:
        profile = await call.house.profiles.get(tx, call.user)
        since = today(tx.now, profile.time_zone)
        spent = await call.house.presence.spent_ms(tx, call.user, since)
        earned_minor = await _earned_since(tx, call.user, since, profile.currency)
    in_call_ms = spent[Status.IN_MEETING]
    online_ms = in_call_ms + spent[Status.AVAILABLE]
    return HomeOut(
        online_ms=online_ms,
        in_call_ms=in_call_ms,
        utilisation_bps=in_call_ms * BPS // online_ms if online_ms else 0,
        earned_minor=earned_minor,
        currency=Currency(profile.currency) if profile.currency else None,
    )


@route("GET", "/api/consultant/statement.csv", access=Access.CONSULTANT, query=MonthQuery, media_type="text/csv")
async def get_statement_csv(call: Call) -> web.Response:
    """Everything that moved on your account in a month, from the balance before to the balance after."""
    query: MonthQuery = call.query
    async with call.house.db.begin() as tx:
        zone = (await call.house.profiles.get(tx, call.user)).time_zone
        accounts = await statement.of_period(tx, call.user, of_month(query.month, zone))
    return web.Response(
        body=statement.table(accounts, zone).encode("utf-8-sig"),  # the mark tells Excel that it is UTF-8
        content_type="text/csv",
        charset="utf-8",
        headers=_file(f"statement-{query.month}.csv"),
    )


@route(
    "GET",
    "/api/consultant/statement.pdf",
    access=Access.CONSULTANT,
    query=MonthQuery,
    media_type="application/pdf",
)
async def get_statement_pdf(call: Call) -> web.Response:
    """The same statement on paper, in your language and time zone."""
    query: MonthQuery = call.query
    async with call.house.db.begin() as tx:
        reader = await call.house.accounts.view(tx, call.user)
        accounts = await statement.of_period(tx, call.user, of_month(query.month, reader.time_zone))
        about = About(ISSUER, reader.display_name, query.month, reader.locale, reader.time_zone, tx.now)
    body = await asyncio.to_thread(printed_statement, accounts, about)
    return web.Response(body=body, content_type="application/pdf", headers=_file(f"statement-{query.month}.pdf"))


def _file(name: str) -> dict[str, str]:
    return {"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"}


def today(now: datetime, time_zone: str) -> datetime:
    """When today began where this person lives, in UTC."""
    return midnight(now.astimezone(ZoneInfo(time_zone)).date(), time_zone)


async def _earned_since(tx: Tx, user: UserId, since: datetime, currency: str | None) -> int:
    """The net sum of what was billed since ``since``, in this currency."""
    found = await bills.totals(tx, "consultant", user, Period(since))
    return sum(total.net_minor for total in found if total.currency == currency)


async def _stated_country(call: Call) -> str | None:
    async with call.house.db.begin() as tx:
        stated = await call.house.billing_details.of(tx, call.user)
    return None if stated is None else stated.country


def _account(status: PayoutStatus, stated: str | None) -> PayoutAccountOut:
    return PayoutAccountOut(
        onboarding_url=status.onboarding_url,
        can_receive=status.can_receive,
        country=status.country,
        stated_country=stated if stated in SUPPORTED else None,
        countries=sorted(SUPPORTED),
    )
