"""The fairness panel: a consultant's own rings, what they did to the rank, what was given and what was earned."""

from dataclasses import asdict
from datetime import date, datetime, timedelta
from typing import Literal
from zoneinfo import ZoneInfo

from billing import bills
from billing.periods import Period, midnight
from core.money import Currency
from matching.dispatch import ring_order
from matching.dispatch.fairness import Effect, Kind, Rings
from signaling.status import Status
from web.routing import Access, Call, route
from web.schemas import Input, Output, Utc

MS_PER_HOUR = 3_600_000


class FairnessQuery(Input):
    """The day, week (from Monday) or month so far, where the consultant lives."""

    period: Literal["day", "week", "month"] = "week"


class EffectOut(Output):
    """Rings that ended one way: how many, what would stand without them, and what they changed."""

    kind: Kind
    count: int
    response_ms_without: int | None
    p_accept_without_bps: int
    score_change_centi: int
    ring_change_bps: int


class EarnedOut(Output):
    """Net of the calls billed in the period, and the same for each hour online (None while there was none)."""

    currency: Currency
    net_minor: int
    per_online_hour_minor: int | None


class FairnessOut(Output):
    """Every figure can be counted again from the raw events: rings, presence, charges."""

    period: Literal["day", "week", "month"]
    since: Utc
    received: int
    withdrawn: int
    effects: list[EffectOut]
    response_ms: int | None
    p_accept_bps: int
    free_calls: int
    free_ms: int
    online_ms: int
    earned: list[EarnedOut]
    model_version: str
    ring_version: str


def began(period: str, now: datetime, zone: str) -> datetime:
    """When the day, week or month that ``now`` lies in began, in UTC."""
    today: date = now.astimezone(ZoneInfo(zone)).date()
    first = {"day": today, "week": today - timedelta(days=today.weekday()), "month": today.replace(day=1)}[period]
    return midnight(first, zone)


@route("GET", "/api/consultant/fairness", access=Access.CONSULTANT, query=FairnessQuery, reply=FairnessOut)
async def get_fairness(call: Call) -> FairnessOut:
    """Your rings, and what each kind did to your rank; your free minutes; your net for each hour online."""
    query: FairnessQuery = call.query
    house = call.house
    async with house.db.begin() as tx:
        since = began(query.period, tx.now, (await house.profiles.get(tx, call.user)).time_zone)
        rings: Rings = await house.fairness.rings(tx, call.user, since)
        free = await bills.free_time(tx, call.user, Period(since))
        totals = await bills.totals(tx, "consultant", call.user, Period(since))
        spent = await house.presence.spent_ms(tx, call.user, since)
    online_ms = spent[Status.AVAILABLE] + spent[Status.IN_MEETING]
    return FairnessOut(
        period=query.period,
        since=since,
        received=rings.received,
        withdrawn=rings.withdrawn,
        effects=[_effect(kind, effect) for kind, effect in rings.effects.items()],
        response_ms=rings.response_ms,
        p_accept_bps=rings.p_accept_bps,
        free_calls=free.count,
        free_ms=free.connected_ms,
        online_ms=online_ms,
        earned=[
            EarnedOut(
                currency=Currency(total.currency),
                net_minor=total.net_minor,
                per_online_hour_minor=total.net_minor * MS_PER_HOUR // online_ms if online_ms else None,
            )
            for total in totals
        ],
        model_version=house.ranking.version,
        ring_version=ring_order.VERSION,
    )


def _effect(kind: Kind, effect: Effect) -> EffectOut:
    return EffectOut.model_validate({"kind": kind, **asdict(effect)})
