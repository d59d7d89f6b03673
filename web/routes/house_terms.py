"""Admin: what the house may change about new calls, every version of it, by whom and why."""

from typing import Annotated

from pydantic import Field, StringConstraints

from billing import house_terms
from billing.metering.terms import LATE_HOLD_MS
from billing.trust import rule
from core.db import Tx
from core.ids import UserId
from web.context import House
from web.routing import Access, Call, route
from web.schemas import Input, Output, Utc


class TermsVersionOut(Output):
    """One version of the settings."""

    version: int
    late_hold: bool
    review_window_s: int
    reason: str
    set_by_name: str
    set_at: Utc


class HouseTermsOut(Output):
    """The settings in force (``version`` 0: as released), and every version, the newest first.

    ``late_hold``: the hold of trusted customers is placed at ``late_hold_ms`` of connected time. Trusted is who has
    ``paid_calls`` paid calls and nothing against them in the last ``clean_days`` days. ``review_window_s``: so long a
    customer may look at a bill before it is captured.
    """

    version: int
    late_hold: bool
    late_hold_ms: int
    review_window_s: int
    paid_calls: int
    clean_days: int
    versions: list[TermsVersionOut]


class HouseTermsIn(Input):
    """New settings; ``after`` is the version they were made from."""

    after: Annotated[int, Field(ge=0, le=2**31 - 2)]
    late_hold: bool
    review_window_s: Annotated[int, Field(ge=0, le=86_400)]
    reason: Annotated[str, StringConstraints(strip_whitespace=True, min_length=3, max_length=500)]


@route("GET", "/api/admin/terms", access=Access.ADMIN, reply=HouseTermsOut)
async def get_house_terms(call: Call) -> HouseTermsOut:
    """The settings for new calls."""
    async with call.house.db.begin() as tx:
        return await _terms(tx, call.house)


@route("POST", "/api/admin/terms", access=Access.ADMIN, body=HouseTermsIn, reply=HouseTermsOut)
async def post_house_terms(call: Call) -> HouseTermsOut:
    """Change them; running calls keep what they were accepted under."""
    body: HouseTermsIn = call.body
    async with call.house.db.begin() as tx:
        await house_terms.change(
            tx,
            call.user,
            after=body.after,
            late_hold=body.late_hold,
            review_window_s=body.review_window_s,
            reason=body.reason,
        )
        return await _terms(tx, call.house)


async def _terms(tx: Tx, house: House) -> HouseTermsOut:
    rows = await house_terms.versions(tx)
    names = await house.profiles.names(tx, [UserId(row.set_by) for row in rows])
    return HouseTermsOut(
        version=rows[0].version if rows else 0,
        late_hold=rows[0].late_hold if rows else False,
        review_window_s=rows[0].review_window_s if rows else 0,
        late_hold_ms=LATE_HOLD_MS,
        paid_calls=rule.PAID_CALLS,
        clean_days=rule.CLEAN_FOR.days,
        versions=[
            TermsVersionOut(
                version=row.version,
                late_hold=row.late_hold,
                review_window_s=row.review_window_s,
                reason=row.reason,
                set_by_name=names.get(UserId(row.set_by), ""),
                set_at=row.set_at,
            )
            for row in rows
        ],
    )
