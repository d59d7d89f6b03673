"""Claims: a ring is a lease on a consultant, taken atomically in PostgreSQL and fenced by a token.

The consultant's row lock decides who may ring; ``SKIP LOCKED`` means that nobody queues for it. With each claim the
consultant's ``ring_token`` rises, and the offer carries the number: an answer, a miss or a withdrawal counts only while
the offer rings *and* its token is still the consultant's newest. The lease ends at ``rings_until``; whichever process
looks next ends the ring, whoever began it (a killed process holds nothing: its uncommitted claim is rolled back).
"""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import BindParameter, Executable, bindparam, exists, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import aliased
from sqlalchemy.orm.attributes import set_committed_value

from core.db import Tx
from core.ids import new_id
from matching.dispatch import offer
from matching.dispatch.store import RINGING
from matching.models import ConsultantRow, OfferRow

LATE = timedelta(seconds=1)  # an answer sent in the last moment is on its way for a moment more


_SHOWN = ("match_id", "score_centi", "reasons")  # the columns of an offer that say why


def _one_statement() -> Executable:
    """Locks the consultant if they are free, writes the offer, raises the token: one way to the database.

    The offer comes first, and the token rises only if it was written. Whoever locks the row in the moment in which
    another's claim commits still sees no ring (the statement's snapshot is older); the unique index on ringing offers
    does, and a token raised all the same would fence off the ring that won.
    """
    row, ring = ConsultantRow, OfferRow
    ringing = exists().where(ring.consultant_id == _given("consultant_id"), ring.state == RINGING)
    free = (
        select(row.user_id, (row.ring_token + 1).label("token"), row.rate_minor_per_hour)
        .where(
            row.user_id == _given("consultant_id"),
            row.status == "available",
            row.can_receive,
            row.currency == _given("currency"),
            row.rate_minor_per_hour.between(1, _given("rate_minor_per_hour")),
            ~ringing,
        )
        .with_for_update(skip_locked=True)
        .cte("free")
    )
    names = ("id", "request_id", "state", "currency", "created_at", "rings_until", *_SHOWN)
    given = [_given(name).label(name) for name in names]
    rung = (
        insert(ring)
        .from_select(
            [*names, "consultant_id", "token", "rate_minor_per_hour"],
            select(*given, free.c.user_id, free.c.token, free.c.rate_minor_per_hour),
        )
        .on_conflict_do_nothing()
        .returning(ring)
        .cte("rung")
    )
    counted = (
        update(row)
        .where(row.user_id == rung.c.consultant_id)
        .values(ring_token=rung.c.token, offers_received=row.offers_received + 1)
        .cte("counted")
    )
    return select(aliased(ring, rung)).add_cte(counted)


def _given(name: str) -> BindParameter[Any]:
    """A value told at execution, of the type of the offer's column."""
    return bindparam(f"given_{name}", type_=OfferRow.__table__.c[name].type)


_CLAIM = _one_statement()  # built once: it is executed for every ring


async def claim(
    tx: Tx,
    consultant: UUID,
    *,
    request_id: UUID,
    currency: str,
    max_rate_minor_per_hour: int,
    rings_until: datetime,
    **shown: Any,
) -> OfferRow | None:
    """Ring this consultant for this request if they may be rung at this price right now; else None, at once.

    The index proposes, this decides: whatever an index has not heard of yet is caught here. ``shown``: the columns of
    the offer that say why (``match_id``, ``score_centi``, ``reasons``).
    """
    values: dict[str, Any] = {
        "id": new_id(),
        "request_id": request_id,
        "consultant_id": consultant,
        "state": offer.State.RINGING.value,
        "currency": currency,
        "rate_minor_per_hour": max_rate_minor_per_hour,
        "created_at": tx.now,
        "rings_until": rings_until,
        **dict.fromkeys(_SHOWN),
        **shown,
    }
    found: OfferRow | None = await tx.session.scalar(_CLAIM, {f"given_{name}": value for name, value in values.items()})
    return found


def _end() -> Executable:
    """Ends a ring that still rings and whose token is the newest."""
    row = OfferRow
    newer = exists().where(ConsultantRow.user_id == row.consultant_id, ConsultantRow.ring_token > row.token)
    mine = (row.id == _given("id"), row.state == RINGING, row.token == _given("token"), ~newer)
    ended = update(row).where(*mine).values(state=_given("state"), answered_at=_given("answered_at"))
    return ended.returning(row.id).execution_options(synchronize_session=False)


_END = _end()


async def settle(tx: Tx, ring: OfferRow, move: offer.Move) -> bool:
    """End this ring by ``move``; False, and nothing is changed, when it does not ring any more or its token is old."""
    after = offer.advance(offer.State.RINGING, move)
    values = {"id": ring.id, "token": ring.token, "state": after.value, "answered_at": tx.now}
    ended = await tx.session.execute(_END, {f"given_{name}": value for name, value in values.items()})
    if ended.one_or_none() is None:
        return False
    set_committed_value(ring, "state", after)  # written already: nothing is left to flush
    set_committed_value(ring, "answered_at", tx.now)
    return True


def lapsed(ring: OfferRow, now: datetime) -> bool:
    """Whether the lease is over, the way of a late answer included."""
    return now > ring.rings_until + LATE
